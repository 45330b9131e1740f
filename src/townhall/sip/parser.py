"""Bytes into messages (RFC 3261 sections 7 and 18.3), leniently and within limits.

What others reject and we read: folded headers, compact forms, spaces inside `SIP / 2.0 / UDP`, bare LF line
ends, empty lines before the start line, header bytes that are ISO-8859-1 instead of UTF-8, a datagram without
Content-Length. What cannot be read raises `SIPParseError` with the status to answer and, for a request,
whatever headers were found.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NoReturn

from townhall.sip.errors import SIPParseError
from townhall.sip.grammar import is_token, read_number, shorten
from townhall.sip.headers import Headers
from townhall.sip.message import Message, Request, Response

HEAD_END = re.compile(rb"\r?\n\r?\n")
# No spaces before the line end: looking for them would cost the square of a long run of spaces.
_FOLD = re.compile(r"\r?\n[ \t]+")
_VERSION = re.compile(r"SIP/[0-9]+\.[0-9]+", re.IGNORECASE)
# RFC 3261 section 8.1.1 and 20: these may stand only once; each is needed to answer.
_SINGLE = ("From", "To", "Call-ID", "CSeq", "Max-Forwards")
_SINGLE_KEYS = frozenset(name.lower() for name in _SINGLE)


@dataclass(frozen=True, slots=True)
class Limits:
    """How much we read before we refuse: bytes of a message and of a header line, number of headers."""

    message_size: int = 65536
    line_size: int = 16384
    header_count: int = 256


DEFAULT_LIMITS = Limits()


def parse_message(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Request | Response:
    """Read one message that fills `data`, a datagram.

    Bytes behind Content-Length are ignored; without Content-Length the body is the rest (RFC 3261 section
    18.3). Via, From, To, Call-ID, CSeq and the Request-URI of what is returned have been read and are known
    to be good.

    Raises:
        SIPParseError: status_hint 400, 505 (version) or 513 (a limit was passed).
    """
    data = data.lstrip(b"\r\n")
    end = HEAD_END.search(data)
    head, body = (data, b"") if end is None else (data[: end.start()], data[end.end() :])
    message = parse_head(head, limits)
    if len(data) > limits.message_size:
        _fail(message, f"a message may have {limits.message_size} bytes, not {len(data)}", 513)
    if end is None and not data.endswith(b"\n"):
        _fail(message, "the message ends in the middle of a header line")
    length = content_length(message)
    if length is not None and length > len(body):
        _fail(message, f"Content-Length is {length}, but only {len(body)} bytes came")
    message.body = body[:length]
    check(message)
    return message


def parse_head(head: bytes, limits: Limits = DEFAULT_LIMITS) -> Request | Response:
    """Read a start line and headers, without the empty line behind them; the values are not looked at yet."""
    text = _unfold(head[: limits.message_size])
    start_line, _, rest = text.partition("\n")
    headers, defect = _parse_headers(rest, limits)
    message = _parse_start_line(start_line.rstrip().replace("\r", " "), headers)
    if len(head) > limits.message_size:
        defect = SIPParseError(f"the headers may have {limits.message_size} bytes, not {len(head)}", 513)
    if defect is not None:
        _fail(message, str(defect), defect.status_hint)
    return message


def read_headers(data: bytes, limits: Limits = DEFAULT_LIMITS) -> Headers:
    """Headers that stand alone, as in a part of a multipart body; lines that are none are passed over."""
    return _parse_headers(_unfold(data[: limits.message_size]), limits)[0]


def content_length(message: Message) -> int | None:
    """The Content-Length, None when there is none; raises `SIPParseError` when it makes no sense."""
    values = set(message.headers.get_all("Content-Length"))
    if not values:
        return None
    if len(values) > 1:
        _fail(message, f"one Content-Length was expected, not {len(values)} different ones")
    try:
        return read_number(values.pop(), 2**32 - 1, "Content-Length")
    except SIPParseError as error:
        _fail(message, str(error))


def check(message: Request | Response) -> None:
    """Read what every layer above relies on: Via, From, To, Call-ID, CSeq, and a request's URI."""
    seen: set[str] = set()
    for name, _ in message.headers.items():
        lower = name.lower()
        if lower in _SINGLE_KEYS:
            if lower in seen:
                _fail(message, f"the {name} header stands there more than once")
            seen.add(lower)
    try:
        _ = message.vias, message.from_, message.to, message.call_id, message.cseq
        if isinstance(message, Request):
            if message.cseq.method != message.method:
                raise SIPParseError(f"a {message.method} with the CSeq {message.cseq}")
            _ = message.request_uri, message.max_forwards
    except SIPParseError as error:
        _fail(message, str(error), error.status_hint)


def _unfold(head: bytes) -> str:
    text = _decode(head)
    return _FOLD.sub(" ", text) if "\n " in text or "\n\t" in text else text


def _decode(head: bytes) -> str:
    try:
        return head.decode("utf-8")
    except UnicodeDecodeError:
        # Line by line, so that one phone's ISO-8859-1 name does not spoil a proxy's UTF-8 beside it.
        return "\n".join(_decode_line(line) for line in head.split(b"\n"))


def _decode_line(line: bytes) -> str:
    try:
        return line.decode("utf-8")
    except UnicodeDecodeError:
        return line.decode("latin-1")


def _parse_headers(text: str, limits: Limits) -> tuple[Headers, SIPParseError | None]:
    """The headers that could be read, and what was wrong with the first one that could not."""
    headers = Headers()
    defect: SIPParseError | None = None
    for line in text.split("\n"):
        line = line.rstrip()
        if not line:
            continue
        if len(headers) >= limits.header_count:
            return headers, SIPParseError(
                f"a message may have {limits.header_count} headers, this has more", 513
            )
        name, colon, value = line.partition(":")
        name = name.rstrip()
        if not colon or not is_token(name):
            defect = defect or SIPParseError(
                f"a header such as Name: value was expected, not {shorten(line)}"
            )
        elif len(line) > limits.line_size:
            defect = defect or SIPParseError(f"the {shorten(name)} header is too long", 513)
        else:
            headers.append_parsed(name, value.strip().replace("\r", " "))
    return headers, defect


def _parse_start_line(line: str, headers: Headers) -> Request | Response:
    if line[:4].upper() == "SIP/":
        return _parse_status_line(line, headers)
    parts = line.split(" ")
    parts = [part for part in parts if part]
    method, uri = parts[0] if parts else "", parts[1] if len(parts) > 1 else ""
    if len(parts) == 3 and is_token(method):
        request = Request(method, uri, headers)
        if parts[2].upper() == "SIP/2.0":
            return request
        if _VERSION.fullmatch(parts[2]) is not None:
            _fail(request, f"only SIP/2.0 is spoken here, not {shorten(parts[2])}", 505)
    request_or_none = Request(method, uri, headers) if is_token(method) else None
    raise SIPParseError(f"METHOD URI SIP/2.0 was expected, not {shorten(line)}", 400, request_or_none)


def _parse_status_line(line: str, headers: Headers) -> Response:
    version, _, rest = line.partition(" ")
    status, _, reason = rest.strip().partition(" ")
    if version.upper() != "SIP/2.0":
        raise SIPParseError(f"only SIP/2.0 is spoken here, not {shorten(version)}", 505)
    if len(status) != 3 or not (status.isascii() and status.isdigit()) or not "100" <= status <= "699":
        raise SIPParseError(f"a status code from 100 to 699 was expected, not {shorten(status)}")
    return Response(int(status), reason, headers)


def _fail(message: Message, text: str, status_hint: int = 400) -> NoReturn:
    raise SIPParseError(text, status_hint, message if isinstance(message, Request) else None)
