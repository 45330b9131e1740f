"""The phone page with a scripted server behind it: the page and its token are real, `/signal` says what a
test says.

For what a real server cannot be brought to do at will: refuse a token, drop a socket, offer sound where
nothing answers. Stories with sound use a real server.
"""

import asyncio
import contextlib
import json
import socket
from collections import deque
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from tests.harness.server import own_address

from townhall.console.pages import Pages, SafeHeaders
from townhall.console.phone import PhoneLine, PhoneSettings, phone_routes

CALL_SID = "CA" + "5" * 32
KEYS = (("1", "Listen"), ("2", "Speak"), ("3", "Moderate"))
LINES = (PhoneLine("1000", "Town hall", KEYS), PhoneLine("2000", "Board meeting", KEYS))
SETTINGS = PhoneSettings(
    "AC" + "1" * 32, "SK" + "2" * 32, "the secret of the phone page's own tests", "AP" + "3" * 32
)
WITHIN_S = 20.0


class _Server(uvicorn.Server):
    """One that leaves signals to the test."""

    @contextlib.contextmanager
    def capture_signals(self) -> Any:
        yield


class ScriptedSignal:
    """One socket that a page has opened: `await signal.takes("invite")`, `await signal.say("answer", …)`."""

    def __init__(self, web_socket: WebSocket) -> None:
        self._socket = web_socket
        self._taken: asyncio.Queue[tuple[str, dict[str, Any]] | None] = asyncio.Queue()
        self._dropped = asyncio.Event()

    async def takes(self, kind: str) -> dict[str, Any]:
        """The payload of the next message of this kind; others before it are passed over."""
        async with asyncio.timeout(WITHIN_S):
            while taken := await self._taken.get():
                if taken[0] == kind:
                    return taken[1]
        raise AssertionError(f"the page closed its socket and sent no {kind!r}")

    async def say(self, kind: str, **payload: Any) -> None:
        await self._socket.send_text(json.dumps({"type": kind, "version": "1.6", "payload": payload}))

    async def say_text(self, text: str) -> None:
        await self._socket.send_text(text)

    async def beat(self) -> None:
        """The heartbeat, which the page answers: see `takes("beat")`."""
        await self._socket.send_text("\n")

    async def connect(self, ttl_s: float = 600) -> dict[str, Any]:
        """Take the page's token; returns what it said with it."""
        said = await self.takes("listen")
        await self.say("connected", token={"identity": "web_1", "ttl": ttl_s}, edge="here")
        return said

    async def refuse(self, code: int, message: str) -> None:
        await self.say("error", error={"code": code, "message": message})
        await self.say("close")

    def drop(self) -> None:
        """Let the socket go without a word."""
        self._dropped.set()

    async def ended(self) -> None:
        """Wait until the page has closed it."""
        async with asyncio.timeout(WITHIN_S):
            while await self._taken.get():
                pass

    async def serve(self) -> None:
        reading = asyncio.ensure_future(self._read())
        dropping = asyncio.ensure_future(self._dropped.wait())
        await asyncio.wait([reading, dropping], return_when=asyncio.FIRST_COMPLETED)
        if dropping.done():
            with contextlib.suppress(RuntimeError):
                await self._socket.close(1012)
        for task in (reading, dropping):
            task.cancel()
        await asyncio.gather(reading, dropping, return_exceptions=True)
        self._taken.put_nowait(None)

    async def _read(self) -> None:
        with contextlib.suppress(WebSocketDisconnect):
            while True:
                text = await self._socket.receive_text()
                if text == "\n":
                    self._taken.put_nowait(("beat", {}))
                    continue
                message = json.loads(text)
                self._taken.put_nowait((message["type"], message["payload"]))


class PhonePage:
    """`async with PhonePage() as page: tab.goto(page.url); signal = await page.signal()`."""

    def __init__(self, lines: Sequence[PhoneLine] = LINES, address: str | None = None) -> None:
        self._lines = lines
        self._address = address or own_address()
        self._signals: asyncio.Queue[ScriptedSignal] = asyncio.Queue()
        self.refusals: deque[Response] = deque()
        """Answers to come to the page's next requests for a token, in place of one."""
        self.tokens_given = 0
        self.is_silent = False
        """Whether sockets are opened and nothing is said on them."""

    async def phone_lines(self) -> Sequence[PhoneLine]:
        return self._lines

    async def signal(self) -> ScriptedSignal:
        """The next socket that the page opens."""
        return await asyncio.wait_for(self._signals.get(), WITHIN_S)

    async def __aenter__(self) -> Self:
        lines, token = phone_routes(SETTINGS, self)[::-1]
        app = Starlette(
            routes=[
                *Pages().routes(),
                lines,
                Route("/phone/token", self._give(token), methods=["POST"]),
                WebSocketRoute("/signal", self._open),
            ],
            middleware=[Middleware(SafeHeaders)],
        )
        listening = socket.create_server((self._address, 0))
        config = uvicorn.Config(app, log_config=None, lifespan="off", ws="websockets-sansio")
        self._server = _Server(config)
        self._serving = asyncio.create_task(self._server.serve(sockets=[listening]))
        self.url = f"http://{self._address}:{listening.getsockname()[1]}/"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = self._server.force_exit = True
        await self._serving

    def _give(self, token: Route) -> Any:
        async def give(request: Request) -> Response:
            self.tokens_given += 1
            answer: Response = self.refusals.popleft() if self.refusals else await token.endpoint(request)
            return answer

        return give

    async def _open(self, web_socket: WebSocket) -> None:
        await web_socket.accept()
        signal = ScriptedSignal(web_socket)
        self._signals.put_nowait(signal)
        await signal.serve()


def answer_to(offer: str, *places: tuple[str, int]) -> str:
    """An answer to a page's offer that names these places for its sound, where nobody is: PCMU and digits."""
    found = dict(
        line.partition(":")[::2] for line in offer.splitlines() if line.startswith(("a=mid", "a=group"))
    )
    candidates = [f"a=candidate:{n} 1 udp 2130706431 {a} {p} typ host" for n, (a, p) in enumerate(places)]
    lines = [
        "v=0",
        "o=- 1 1 IN IP4 127.0.0.1",
        "s=-",
        "t=0 0",
        "a=ice-lite",
        f"a=group:BUNDLE {found['a=mid']}",
        "m=audio 9 UDP/TLS/RTP/SAVPF 0 126",
        "c=IN IP4 0.0.0.0",
        f"a=mid:{found['a=mid']}",
        "a=sendrecv",
        "a=rtcp-mux",
        "a=rtpmap:0 PCMU/8000",
        "a=rtpmap:126 telephone-event/8000",
        "a=ice-ufrag:abcd",
        "a=ice-pwd:abcdefghijklmnopqrstuvwx",
        "a=fingerprint:sha-256 " + ":".join(["5A"] * 32),
        "a=setup:passive",
        *candidates,
        "",
    ]
    return "\r\n".join(lines)
