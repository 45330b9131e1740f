"""The live stream of one browser: a snapshot, then what happens, as server-sent events.

A stream holds the number of the last event it sent and nothing else. A browser that takes nothing for
`TAKES_WITHIN_S` is let go; one that is only slow gets a snapshot when what it missed has been forgotten.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from townhall.console.desk import Desk
from townhall.console.door import Door
from townhall.console.feed import message
from townhall.console.limits import Bucket
from townhall.console.refusals import Refusal
from townhall.console.sessions import Session

log = logging.getLogger(__name__)

RETRY_MS = 2_000
HEARTBEAT_S = 15.0
TAKES_WITHIN_S = 30.0
CHECK_EVERY_MS = 2_000
MOST_STREAMS = 500
OPENINGS = (1.0, 30.0)
"""Of one session: a second in the long run, and at once; each costs a snapshot."""
MOST_OF_SESSION = 6
"""Of one session; a browser opens six connections to a server, so more is no browser."""


class Streams:
    """All live streams."""

    def __init__(self, desk: Desk, door: Door, heartbeat_s: float = HEARTBEAT_S) -> None:
        self._desk = desk
        self._door = door
        self.heartbeat_s = heartbeat_s
        self._open: dict[_Stream, str] = {}
        self._closing = False
        self._openings = Bucket(*OPENINGS)

    async def open(self, request: Request) -> Response:
        session = await self._door.session(request, self._desk.now_ms())
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        wait_s = self._openings.take(session.id, self._desk.now_ms() / 1000)
        if wait_s:
            raise Refusal("too-many", "You connect very often. Wait a moment.", wait_s=wait_s)
        if self._closing or len(self._open) >= MOST_STREAMS:
            raise Refusal("too-many", "Too many browsers watch this server.", wait_s=10.0)
        own = [stream for stream, id_ in self._open.items() if id_ == session.id]
        if len(own) >= MOST_OF_SESSION:
            own[0].end()
        last = request.headers.get("last-event-id", "") or request.query_params.get("last-event-id", "")
        return _EventStream(self._desk, session, last, self)

    async def is_over(self, session: Session, *, ask: bool) -> str | None:
        """Why the session is over; None: it is not. `ask`: whether the line's PIN is still the same, too."""
        now_ms = self._desk.now_ms()
        if now_ms >= session.expires_at_ms:
            return "expired"
        if not self._door.sessions.is_good(session, now_ms):
            return "signed-out"
        return "changed" if ask and not await self._door.is_current(session) else None

    def close(self) -> None:
        """End all of them, for good."""
        self._closing = True
        for stream in list(self._open):
            stream.end()

    def enter(self, stream: "_Stream", session: Session) -> None:
        self._open[stream] = session.id

    def leave(self, stream: "_Stream") -> None:
        self._open.pop(stream, None)


class _EventStream(Response):
    def __init__(self, desk: Desk, session: Session, last: str, streams: Streams) -> None:
        super().__init__(media_type="text/event-stream")
        del self.headers["content-length"]
        self.headers["cache-control"] = "no-store"
        self.headers["x-accel-buffering"] = "no"  # nginx holds answers back otherwise
        self._desk = desk
        self._session = session
        self._last = last
        self._streams = streams

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        stream = _Stream(self._desk, self._session, self._last, send, self._streams)
        self._streams.enter(stream, self._session)
        gone = asyncio.create_task(_disconnected(receive, stream.end), name="console stream's end")
        try:
            with self._desk.waking(stream.waker):
                await stream.run()
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except (TimeoutError, OSError):
            log.info("a browser no longer takes the console's events and is let go")
        finally:
            gone.cancel()
            self._streams.leave(stream)


class _Stream:
    def __init__(
        self,
        desk: Desk,
        session: Session,
        last: str,
        send: Callable[[Message], Awaitable[None]],
        streams: Streams,
    ) -> None:
        self.waker = asyncio.Event()
        self._desk = desk
        self._session = session
        self._sent = desk.feed.number_of(last)
        self._levels: dict[str, int] = {}
        self._send = send
        self._streams = streams
        self._ended = False
        self._checked_ms = desk.now_ms()

    def end(self) -> None:
        self._ended = True
        self.waker.set()

    async def run(self) -> None:
        await self._put(f"retry: {RETRY_MS}\n\n".encode())
        while not self._ended:
            self.waker.clear()
            await self._put(self._news())
            try:
                async with asyncio.timeout(self._streams.heartbeat_s):
                    await self.waker.wait()
            except TimeoutError:
                await self._put(message("heartbeat", {"now_ms": self._desk.now_ms()}))
            over = await self._streams.is_over(self._session, ask=self._is_due())
            if over is not None:
                await self._put(message("signed-out", {"now_ms": self._desk.now_ms(), "reason": over}))
                return

    def _is_due(self) -> bool:
        """Whether the PIN is to be looked at again: not with every one of ten levels a second."""
        now_ms = self._desk.now_ms()
        due = not 0 <= now_ms - self._checked_ms < CHECK_EVERY_MS
        if due:
            self._checked_ms = now_ms
        return due

    def _news(self) -> bytes:
        feed = self._desk.feed
        frames = None if self._sent is None else feed.since(self._sent)
        if frames is None:
            self._desk.flush_into_feed()
            text = message("snapshot", self._desk.snapshot(self._session), feed.id_of(feed.newest))
        else:
            text = b"".join(frame.text for frame in frames if self._sees(frame.lines))
        self._sent = feed.newest
        for sid, frame in feed.levels.items():
            if self._levels.get(sid) != frame.number and self._sees(frame.lines):
                text += frame.text
        self._levels = {sid: frame.number for sid, frame in feed.levels.items()}
        return text

    def _sees(self, lines: frozenset[str]) -> bool:
        return self._session.sees(lines)

    async def _put(self, text: bytes) -> None:
        if text:
            async with asyncio.timeout(TAKES_WITHIN_S):
                await self._send({"type": "http.response.body", "body": text, "more_body": True})


async def _disconnected(receive: Receive, end: Callable[[], None]) -> None:
    with contextlib.suppress(OSError):
        while (await receive())["type"] != "http.disconnect":
            pass
    end()
