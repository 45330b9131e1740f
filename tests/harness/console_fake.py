"""A scripted server for the console's page: the API of `docs/reference/console-api.md`, nothing behind it.

A test says what there is (`conferences`, `ended`, `timelines` …), tells the page events (`tell`), and waits
for what the page asks to be done (`acted`). The files are the real ones, with the real policy, so a page that
breaks it fails here.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from tests.harness.console_scene import LINE, NOW_MS

_STATIC = Path(__file__).parents[2] / "src" / "townhall" / "console" / "static"
_POLICY = (
    b"default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
)
_UNNUMBERED = ("levels", "heartbeat", "signed-out")


@dataclass(frozen=True)
class Act:
    sid: str
    action: str
    body: dict[str, Any]
    token: str | None


@dataclass
class ConsoleFake:
    """`async with ConsoleFake() as fake: fake.conferences = […]; await page.goto(fake.url)`."""

    signed_in: bool = True
    role: str = "moderator"
    name: str = "Anna Schmidt"
    capabilities: dict[str, bool] = field(default_factory=lambda: {"levels": True, "lock": True})
    lines: list[dict[str, Any]] = field(default_factory=lambda: [dict(LINE)])
    conferences: list[dict[str, Any]] = field(default_factory=list)
    ended: list[dict[str, Any]] = field(default_factory=list)
    timelines: dict[str, dict[str, Any]] = field(default_factory=dict)
    attendance: list[dict[str, Any]] = field(default_factory=list)
    recordings: list[dict[str, Any]] = field(default_factory=list)
    refusals: dict[str, tuple[int, dict[str, Any]]] = field(default_factory=dict)
    """By action (and `sign-in`): the status and the error that it is answered with."""
    address: str | None = "sip:{number}@203.0.113.7"
    refuse_streams: bool = False
    now_ms: int = NOW_MS
    acts: "asyncio.Queue[Act]" = field(default_factory=asyncio.Queue)
    sign_ins: "asyncio.Queue[dict[str, Any]]" = field(default_factory=asyncio.Queue)
    resumed: list[str | None] = field(default_factory=list)
    """The `Last-Event-ID` of every stream that was opened."""
    url: str = ""
    _streams: "set[asyncio.Queue[str | None]]" = field(default_factory=set)
    _journal: list[str] = field(default_factory=list)
    _opened: asyncio.Condition = field(default_factory=asyncio.Condition)
    _server: uvicorn.Server | None = None
    _serving: "asyncio.Task[None] | None" = None

    async def __aenter__(self) -> Self:
        listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listening.getsockname()[1]}/console"
        config = uvicorn.Config(self._app(), lifespan="off", log_config=None, timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._serving = asyncio.create_task(self._server.serve([listening]))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        assert self._serving is not None
        self.drop()
        self._server.should_exit = True
        await self._serving

    def tell(self, event: str, /, **data: Any) -> None:
        """Send an event to every page that follows."""
        number = "" if event in _UNNUMBERED else f"id: e-{len(self._journal) + 1}\n"
        text = f"{number}event: {event}\ndata: {json.dumps({'now_ms': self.now_ms, **data})}\n\n"
        if number:
            self._journal.append(text)
        for stream in self._streams:
            stream.put_nowait(text)

    def drop(self) -> None:
        """Let all streams break."""
        for stream in self._streams:
            stream.put_nowait(None)

    async def followed(self, times: int = 1) -> None:
        """Wait until the stream has been opened so many times."""
        async with self._opened:
            await self._opened.wait_for(lambda: len(self.resumed) >= times)

    async def acted(self) -> Act:
        """The next thing that the page asks to be done."""
        return await asyncio.wait_for(self.acts.get(), 30)

    def _app(self) -> Starlette:
        one = "/console/conferences/{sid}"
        return Starlette(
            routes=[
                Route("/console", self._page),
                Route("/console/session", self._session),
                Route("/console/sign-in", self._sign_in, methods=["POST"]),
                Route("/console/sign-out", self._sign_out, methods=["POST"]),
                Route("/console/events", self._events),
                Route("/phone/lines", self._phone_lines),
                Route(f"{one}/timeline", self._timeline),
                Route(f"{one}/attendance", self._attendance),
                Route(f"{one}/attendance.csv", self._csv),
                Route(f"{one}/recordings", self._recordings),
                Route(f"{one}/{{action}}", self._act, methods=["POST"]),
                Route(one, self._conference),
                Mount("/static", StaticFiles(directory=_STATIC)),
            ],
            middleware=[Middleware(_Policy)],
        )

    def _session_now(self) -> dict[str, Any]:
        mine = self.signed_in
        return {
            "signed_in": mine,
            "role": self.role if mine else None,
            "name": self.name if mine else None,
            "line": self.lines[0] if mine and self.role == "moderator" else None,
            "token": "token-of-the-fake" if mine else None,
            "expires_at_ms": self.now_ms + 3_600_000 if mine else None,
            "capabilities": self.capabilities,
            "lines": self.lines,
        }

    async def _page(self, _: Request) -> Response:
        return FileResponse(_STATIC / "console" / "index.html")

    async def _session(self, _: Request) -> Response:
        return JSONResponse(self._session_now())

    async def _sign_in(self, request: Request) -> Response:
        self.sign_ins.put_nowait(await request.json())
        if "sign-in" in self.refusals:
            return self._refuse("sign-in")
        self.signed_in = True
        return JSONResponse(self._session_now())

    async def _sign_out(self, _: Request) -> Response:
        self.signed_in = False
        self.drop()
        return Response(status_code=204)

    async def _phone_lines(self, _: Request) -> Response:
        return JSONResponse({"lines": self.lines, "address": self.address})

    async def _conference(self, request: Request) -> Response:
        for found in (*self.conferences, *self.ended):
            if found["sid"] == request.path_params["sid"]:
                return JSONResponse({"now_ms": self.now_ms, "conference": found})
        return _error(404, {"code": "not-found", "message": "There is no such conference."})

    async def _timeline(self, request: Request) -> Response:
        nothing = {"now_ms": self.now_ms, "from_ms": self.now_ms, "to_ms": self.now_ms, "lanes": []}
        return JSONResponse(self.timelines.get(request.path_params["sid"], nothing))

    async def _attendance(self, _: Request) -> Response:
        return JSONResponse({"rows": self.attendance})

    async def _csv(self, _: Request) -> Response:
        return Response("name,role\r\nAnna,moderator\r\n", media_type="text/csv")

    async def _recordings(self, _: Request) -> Response:
        return JSONResponse({"recordings": self.recordings})

    async def _act(self, request: Request) -> Response:
        act = Act(
            request.path_params["sid"],
            request.path_params["action"],
            await request.json(),
            request.headers.get("x-townhall-token"),
        )
        self.acts.put_nowait(act)
        if act.action in self.refusals:
            return self._refuse(act.action)
        return JSONResponse({"done": True, "failed": []})

    def _refuse(self, what: str) -> Response:
        status, error = self.refusals[what]
        return _error(status, error)

    async def _events(self, request: Request) -> Response:
        async with self._opened:
            self.resumed.append(request.headers.get("last-event-id"))
            self._opened.notify_all()
        if not self.signed_in:
            return _error(401, {"code": "signed-out", "message": "Sign in."})
        if self.refuse_streams:
            return _error(502, {"code": "engine", "message": "Not now."})
        return StreamingResponse(self._stream(self.resumed[-1]), media_type="text/event-stream")

    async def _stream(self, last: str | None) -> AsyncIterator[str]:
        stream: asyncio.Queue[str | None] = asyncio.Queue()
        self._streams.add(stream)
        try:
            yield "retry: 50\n\n"
            if last is None:
                yield self._snapshot()
            else:
                for text in self._journal[int(last.removeprefix("e-")) :]:
                    yield text
            while (text := await stream.get()) is not None:
                yield text
        finally:
            self._streams.discard(stream)

    def _snapshot(self) -> str:
        data = {
            "now_ms": self.now_ms,
            "capabilities": self.capabilities,
            "conferences": self.conferences,
            "ended": self.ended,
        }
        return f"id: e-{len(self._journal)}\nevent: snapshot\ndata: {json.dumps(data)}\n\n"


class _Policy:
    """The headers that the real server sends with everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_policy(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = [(b"content-security-policy", _POLICY), (b"cache-control", b"no-cache")]
                message = {**message, "headers": [*message["headers"], *headers]}
            await send(message)

        await self._app(scope, receive, with_policy)


def _error(status: int, error: dict[str, Any]) -> Response:
    whole = {"wait_s": None, "twilio_code": None, **error}
    return JSONResponse({"error": whole}, status_code=status)
