"""The application mounted as the server mounts it, and a caller who signs his requests as Twilio does."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree import ElementTree

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount
from twilio.request_validator import RequestValidator

from townhall.app import Line, PinGuard, create_app

TOKEN = "0123456789abcdef0123456789abcdef"
BASE = "https://calls.example.com"
OPEN = Line("1000", "Open house", welcome="Hello, town.")
GUARDED = Line("2000", "Board", speaker_pin="1111", moderator_pin="246810")
GERMAN = Line(
    "+4930123456",
    "Runde",
    voice="woman",
    language="de-DE",
    music="https://music.example.com/a.mp3",
    beep="onEnter",
    max_participants=40,
)
QUIET = Line("3000", "Quiet", language="it-IT", welcome="Benvenuti.", music="")


class Book:
    def __init__(self, *lines: Line) -> None:
        self._lines = {line.number: line for line in lines}

    async def get(self, number: str) -> Line | None:
        return self._lines.get(number)


@dataclass
class Clock:
    now: float = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Caller:
    """Signs and posts; `url` is where the last document came from, the base of relative links."""

    client: httpx2.AsyncClient
    to: str = "sip:1000@calls.example.com"
    caller: str = "+15550100"
    url: str = f"{BASE}/app/menu"
    seen: list[str] = field(default_factory=list)

    async def ask(self, link: str, method: str = "POST", **parameters: str) -> ElementTree.Element:
        self.url = urljoin(self.url, link)
        self.seen.append(self.url)
        response = await self.send(method, self.url, {"To": self.to, "From": self.caller} | parameters)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"].startswith("text/xml")
        return ElementTree.fromstring(response.content)

    async def send(self, method: str, url: str, parameters: dict[str, str]) -> httpx2.Response:
        parameters = {"CallSid": "CA" + "0" * 32} | parameters
        if method == "GET":
            url = str(httpx2.URL(url).copy_merge_params(parameters))
        signature = RequestValidator(TOKEN).compute_signature(url, parameters if method == "POST" else {})
        return await self.client.request(
            method,
            url,
            data=parameters if method == "POST" else None,
            headers={"X-Twilio-Signature": signature},
        )


class Register:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, ...]] = []

    def called(self, call_sid: str, caller: str, line: str, name: str = "") -> None:
        self.told.append(("called", call_sid, caller, line, name))

    def took_role(self, call_sid: str, caller: str, line: str, role: str) -> None:
        self.told.append(("took role", call_sid, caller, line, role))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def caller(clock: Clock) -> AsyncIterator[Caller]:
    book = Book(OPEN, GUARDED, GERMAN, QUIET)
    app = create_app(book, TOKEN, BASE, PinGuard(TOKEN, clock=clock))
    server = Starlette(routes=[Mount("/app", app)])
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(server), base_url=BASE) as client:
        yield Caller(client)
