"""Messages out of a TCP or TLS stream (RFC 3261 section 18.3, pings: RFC 5626 section 4.4.1).

Bytes in, events out; however the bytes are cut, the events are the same. A message without Content-Length has
no body; one that announces a body by its Content-Type but not its length ends the stream.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from townhall.sip.errors import SIPParseError
from townhall.sip.message import Request, Response
from townhall.sip.parser import DEFAULT_LIMITS, HEAD_END, Limits, check, content_length, parse_head


@dataclass(frozen=True, slots=True)
class KeepAlive:
    """A ping (CRLF CRLF) came; a single CRLF is the answer to it."""


@dataclass(frozen=True, slots=True)
class StreamError:
    """A message that cannot be used: answer `status_hint` to `request` if there is one.

    When `fatal`, where the next message begins is not known: nothing more will be read, close the connection.
    """

    message: str
    status_hint: int
    request: Request | None
    fatal: bool


StreamEvent = Request | Response | KeepAlive | StreamError


class StreamParser:
    """Cuts a byte stream into messages; holds at most one message's worth of bytes."""

    def __init__(self, limits: Limits = DEFAULT_LIMITS) -> None:
        self._limits = limits
        self._buffer = bytearray()
        self._searched = 0
        self._line_ends = 0
        self._pending: Request | Response | StreamError | None = None
        self._body_length = 0
        self._failed = False

    def receive_data(self, data: bytes) -> list[StreamEvent]:
        """Take in what was read from the connection; the events are in the order of the stream."""
        if self._failed:
            return []  # the transport is closing
        self._buffer += data
        events: list[StreamEvent] = []
        while not self._failed and self._advance(events):
            pass
        if self._failed:
            self._buffer.clear()
        return events

    @property
    def is_inside_message(self) -> bool:
        """Whether a message has begun to come, and not yet ended."""
        return self._pending is not None or bool(self._buffer)

    def _advance(self, events: list[StreamEvent]) -> bool:
        """Read one piece; False when more bytes are needed."""
        if self._pending is not None:
            return self._read_body(self._pending, events)
        if self._read_line_ends(events):
            return True
        return bool(self._buffer) and self._read_head(events)

    def _read_line_ends(self, events: list[StreamEvent]) -> bool:
        """Empty lines between messages: each two are a ping, one alone is a pong or an old server's habit."""
        buffer = self._buffer
        width = 2 if buffer.startswith(b"\r\n") else 1 if buffer.startswith(b"\n") else 0
        if not width:
            if buffer and buffer != b"\r":
                self._line_ends = 0
            return False
        del buffer[:width]
        self._searched = 0
        self._line_ends += 1
        if self._line_ends == 2:
            self._line_ends = 0
            events.append(KeepAlive())
        return True

    def _read_head(self, events: list[StreamEvent]) -> bool:
        limit = self._limits.message_size
        end = HEAD_END.search(self._buffer, max(0, self._searched - 3), limit + 4)
        if end is None:
            self._searched = len(self._buffer)
            if len(self._buffer) >= limit + 4:
                self._fail(events, _refuse(bytes(self._buffer[: limit + 1]), self._limits))
            return False
        head = bytes(self._buffer[: end.start()])
        del self._buffer[: end.end()]
        self._searched = 0
        self._start_body(head, events)
        return True

    def _start_body(self, head: bytes, events: list[StreamEvent]) -> None:
        """Find out how long the body is; a broken head whose length is clear costs only its own message."""
        message: Request | Response | None
        try:
            message = parse_head(head, self._limits)
            self._pending = message
        except SIPParseError as error:
            message = error.request
            self._pending = _as_event(error, fatal=False)
            if message is None:
                self._fail(events, _as_event(error, fatal=True))
                return
        try:
            length = content_length(message)
            if length is None and isinstance(self._pending, StreamError):
                self._fail(events, replace(self._pending, fatal=True))
                return
            if length is None and "Content-Type" in message.headers:
                raise SIPParseError("Content-Length is missing", 400, _request(message))
            self._body_length = length or 0
            if len(head) + self._body_length > self._limits.message_size:
                size = self._limits.message_size
                raise SIPParseError(f"a message may have {size} bytes with its body", 413, _request(message))
        except SIPParseError as error:
            self._fail(events, _as_event(error, fatal=True))

    def _read_body(self, pending: Request | Response | StreamError, events: list[StreamEvent]) -> bool:
        if len(self._buffer) < self._body_length:
            return False
        body = bytes(self._buffer[: self._body_length])
        del self._buffer[: self._body_length]
        self._pending = None
        if not isinstance(pending, StreamError):
            pending.body = body
            try:
                check(pending)
            except SIPParseError as error:
                pending = _as_event(error, fatal=False)
        events.append(pending)
        return True

    def _fail(self, events: list[StreamEvent], error: StreamError) -> None:
        events.append(error)
        self._failed = True


def _request(message: Request | Response) -> Request | None:
    return message if isinstance(message, Request) else None


def _as_event(error: SIPParseError, *, fatal: bool) -> StreamError:
    return StreamError(str(error), error.status_hint, error.request, fatal)


def _refuse(head: bytes, limits: Limits) -> StreamError:
    """The answer to headers that do not end within the limit, with what can be read of them."""
    try:
        parse_head(head, limits)
    except SIPParseError as error:
        return StreamError(str(error), 513, error.request, True)
    return StreamError("the headers are too long", 513, None, True)
