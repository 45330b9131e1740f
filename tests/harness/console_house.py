"""The console over the real REST API of a house whose callers have no phones: callbacks come signed, actions
go through the official package, and browsers are httpx2 clients with cookies.
"""

import asyncio
import itertools
import json
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from tests.harness.api_house import ACCOUNT_SID, AUTH_TOKEN, House, open_house
from twilio.request_validator import RequestValidator

from townhall.app import Line, PinGuard
from townhall.app.documents import CONSOLE_EVENTS
from townhall.calls import Call
from townhall.console import Console, ConsoleSettings, create_console, rest_client
from townhall.console.door import TOKEN_HEADER
from townhall.twiml.control import ConferenceCallbacks, ConferenceDial

SID = "CF" + "0" * 32
CALLS = [f"CA{number:032x}" for number in range(1, 40)]
BASE = "https://calls.example.com"
PASSWORD = "k3fq-7m2x-ab5d-q6rt"
OPEN = Line("1000", "Open house")
TOWN = Line("2000", "Town Hall", moderator_pin="246810")
BOARD = Line("3000", "Board", moderator_pin="135791")
EVENTS = frozenset(CONSOLE_EVENTS.split())

Json = dict[str, Any]


class Book:
    def __init__(self, *lines: Line) -> None:
        self.lines = {line.number: line for line in lines}

    async def get(self, number: str) -> Line | None:
        return self.lines.get(number)

    async def list(self) -> list[Line]:
        return list(self.lines.values())


@dataclass
class Clock:
    """Stands still until it is put on; in seconds since 1970."""

    now: float = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Browser:
    """One browser: its cookies, and the token of its session."""

    client: httpx2.AsyncClient
    token: str = ""
    headers: dict[str, str] = field(default_factory=lambda: {"sec-fetch-site": "same-origin"})

    async def sign_in(self, status: int = 200, **body: str) -> Json:
        answer = await self.client.post("/console/sign-in", json=body, headers=self.headers)
        assert answer.status_code == status, answer.text
        told: Json = answer.json()
        self.token = told.get("token") or ""
        return told

    async def get(self, path: str, status: int = 200, **headers: str) -> httpx2.Response:
        answer = await self.client.get(path, headers=headers)
        assert answer.status_code == status, answer.text
        return answer

    async def read(self, path: str, status: int = 200) -> Json:
        told: Json = (await self.get(path, status)).json()
        return told

    async def act(self, sid: str, action: str, status: int = 200, **body: Any) -> Json:
        answer = await self.client.post(
            f"/console/conferences/{sid}/{action}",
            json=body,
            headers={**self.headers, TOKEN_HEADER: self.token},
        )
        assert answer.status_code == status, answer.text
        told: Json = answer.json()
        return told


@dataclass
class Event:
    name: str
    data: Json
    id: str


class EventReader:
    """A stream of server-sent events, straight from the ASGI application: nothing holds it back."""

    def __init__(self, app: Any, browser: Browser, last_event_id: str = "") -> None:
        self._app = app
        self._browser = browser
        self._last = last_event_id
        self._messages: asyncio.Queue[Json] = asyncio.Queue()
        self._events: list[Event] = []
        self._text = ""
        self.room_for = asyncio.Event()
        """Cleared: the browser takes nothing."""
        self.room_for.set()
        self._gone = asyncio.Event()

    async def __aenter__(self) -> "EventReader":
        self._task = asyncio.create_task(self._app(self._scope(), self._receive, self._send))
        self.status = (await self._message())["status"]
        return self

    async def __aexit__(self, *_: object) -> None:
        self.room_for.set()
        self._gone.set()
        await asyncio.wait_for(self._task, 10)

    async def next(self, name: str = "") -> Event:
        """The next event, of this name; others are passed over."""
        async with asyncio.timeout(20):
            while True:
                event = await self._event()
                if not name or event.name == name:
                    return event

    async def rest(self) -> list[Event]:
        """All events until the stream's end."""
        found = []
        async with asyncio.timeout(20):
            while True:
                try:
                    found.append(await self._event())
                except EOFError:
                    return found

    async def _event(self) -> Event:
        while "\n\n" not in self._text:
            message = await self._message()
            self._text += message["body"].decode()
            if not message.get("more_body") and "\n\n" not in self._text:
                raise EOFError
        block, _, self._text = self._text.partition("\n\n")
        fields = dict(line.partition(": ")[::2] for line in block.splitlines())
        if "event" not in fields:
            return await self._event()
        return Event(fields["event"], json.loads(fields["data"]), fields.get("id", ""))

    async def _message(self) -> Json:
        return await self._messages.get()

    async def _receive(self) -> Json:
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message: Json) -> None:
        await self.room_for.wait()
        self._messages.put_nowait(message)

    def _scope(self) -> Json:
        cookies = "; ".join(f"{name}={value}" for name, value in self._browser.client.cookies.items())
        headers = [(b"host", b"calls.example.com"), (b"cookie", cookies.encode())]
        if self._last:
            headers.append((b"last-event-id", self._last.encode()))
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "https",
            "path": "/console/events",
            "raw_path": b"/console/events",
            "query_string": b"",
            "root_path": "",
            "headers": headers,
            "client": ("127.0.0.1", 1),
            "server": ("calls.example.com", 443),
        }


@dataclass
class ConsoleHouse:
    house: House
    console: Console
    book: Book
    clock: Clock
    sources: Iterable[int] = field(default_factory=lambda: itertools.count(1))
    _delivered: int = 0

    def browser(self, source: str = "") -> Browser:
        """A new browser, at an address of its own unless another is given."""
        address = source or f"192.0.2.{next(iter(self.sources))}"
        transport = httpx2.ASGITransport(app=self.console.app, client=(address, 1))
        return Browser(httpx2.AsyncClient(transport=transport, base_url=BASE))

    async def operator(self) -> Browser:
        browser = self.browser()
        await browser.sign_in(password=PASSWORD, name="Olga")
        return browser

    async def moderator(self, line: Line = TOWN, name: str = "Mia") -> Browser:
        browser = self.browser()
        await browser.sign_in(line=line.number, pin=line.moderator_pin or "", name=name)
        return browser

    def watch(self, browser: Browser, last_event_id: str = "") -> EventReader:
        return EventReader(self.console.app, browser, last_event_id)

    async def join(self, line: Line, role: str, from_: str = "+15550100", **more: Any) -> Call:
        """A caller of a line takes a role, comes in, and the console is told."""
        call = await self.house.call(from_=from_)
        self.console.attendance.took_role(call.sid, from_, line.number, role)  # type: ignore[arg-type]
        return await self.enter(line.conference_name, call, role, **more)

    async def enter(
        self, room: str, call: Call | None, role: str, callbacks: bool = True, **more: Any
    ) -> Call:
        url = self.console.callback_url
        dial = ConferenceDial(
            room,
            muted=role == "listener",
            start_conference_on_enter=role == "moderator",
            end_conference_on_exit=role == "moderator",
            status_callback=ConferenceCallbacks(url, "POST", EVENTS) if callbacks else None,
            **more,
        )
        call = await self.house.join(room, call=call, dial=dial)
        await self.deliver()
        return call

    async def deliver(self) -> None:
        """Bring the callbacks that were sent meanwhile, in order."""
        while self._delivered < len(self.house.callbacks.sent):
            parameters = self.house.callbacks.sent[self._delivered]
            self._delivered += 1
            answer = await self.post_callback(dict(parameters))
            assert answer.status_code == 204, answer.text

    async def post_callback(
        self, parameters: dict[str, str], *, url: str | None = None, token: str = AUTH_TOKEN
    ) -> httpx2.Response:
        url = url or self.console.callback_url
        signature = RequestValidator(token).compute_signature(url, parameters)
        return await self.browser().client.post(
            url, data=parameters, headers={"X-Twilio-Signature": signature}
        )

    async def look(self) -> None:
        """A second later the console reads the engine's lists."""
        self.clock.now += 1
        await self.console.look()

    def sid(self, line: Line) -> str:
        return self.house.conference(line.conference_name).sid


def settings_for(directory: Path) -> ConsoleSettings:
    return ConsoleSettings(ACCOUNT_SID, AUTH_TOKEN, PASSWORD, BASE, directory / "console")


@asynccontextmanager
async def open_console_house(
    directory: Path, *, book: Book | None = None, clock: Clock | None = None
) -> AsyncIterator[ConsoleHouse]:
    book, clock = book or Book(OPEN, TOWN, BOARD), clock or Clock()
    async with open_house(directory, requests_per_s=0) as house:
        rest = rest_client(
            house.client,
            account_sid=ACCOUNT_SID,
            user=ACCOUNT_SID,
            password=AUTH_TOKEN,
            api_url="http://townhall.test",
        )
        console = create_console(
            settings_for(directory), book, rest, guard=PinGuard(clock=clock), clock=clock
        )
        await console.start()
        try:
            yield ConsoleHouse(house, console, book, clock)
        finally:
            await console.stop()


__all__ = ["BASE", "BOARD", "CALLS", "OPEN", "PASSWORD", "SID", "TOWN", "Book", "Browser", "Clock",
           "ConsoleHouse", "open_console_house", "settings_for"]  # fmt: skip
