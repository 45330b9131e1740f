"""Bodies of several parts, and the session description among them (RFC 2046 section 5.1, RFC 5621).

Left out: transfer encodings other than none, which SIP does not need (RFC 3261 section 7.4.1 allows binary).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from townhall.sip.errors import SIPParseError
from townhall.sip.headers import Headers
from townhall.sip.media_type import MediaType
from townhall.sip.message import Message
from townhall.sip.parser import read_headers

# RFC 2046 section 5.1.1 gives boundaries up to 70 characters; parts beyond these bounds are ignored.
MAX_BOUNDARY = 70
MAX_PARTS = 32
MAX_DEPTH = 3
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


@dataclass(frozen=True, slots=True)
class Part:
    headers: Headers
    body: bytes

    @property
    def content_type(self) -> MediaType:
        """What the part says it is; text/plain when it says nothing (RFC 2046 section 5.1); may raise."""
        text = self.headers.get("Content-Type")
        return MediaType("text", "plain") if text is None else MediaType.parse(text)


def split_multipart(body: bytes, media_type: MediaType) -> list[Part]:
    """The parts of a multipart body, without preamble and epilogue; at most `MAX_PARTS`.

    The closing delimiter may be missing. Raises `SIPParseError` when the type has no usable boundary.
    """
    boundary = media_type.parameters.text("boundary")
    if not boundary or len(boundary) > MAX_BOUNDARY:
        raise SIPParseError(f"{media_type.essence} needs a boundary of 1 to {MAX_BOUNDARY} characters")
    mark = re.escape(b"--" + boundary.encode("utf-8", "replace"))
    pieces = re.split(rb"(?:^|\r?\n)" + mark + rb"(--)?[ \t]*(?=\r?\n|$)", body, maxsplit=MAX_PARTS)
    parts: list[Part] = []
    # re.split puts what group 1 caught, the dashes of a closing delimiter, before each piece.
    for closing, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        if closing is not None:
            break
        parts.append(_read_part(piece))
    return parts


def session_description(message: Message) -> bytes | None:
    """The SDP a message carries, alone or in a multipart body; None when there is none.

    A body without Content-Type that begins like SDP is taken for SDP. Raises `SIPParseError` when a
    Content-Type makes no sense.
    """
    if not message.body:
        return None
    media_type = message.content_type
    if media_type is None:
        return message.body if message.body.startswith(b"v=0") else None
    return _find_sdp(message.body, media_type, MAX_DEPTH)


def _find_sdp(body: bytes, media_type: MediaType, depth: int) -> bytes | None:
    if media_type.essence == "application/sdp":
        return body
    if media_type.type != "multipart" or not depth:
        return None
    for part in split_multipart(body, media_type):
        found = _find_sdp(part.body, part.content_type, depth - 1)
        if found is not None:
            return found
    return None


def _read_part(piece: bytes) -> Part:
    """A part from behind its delimiter line's text; without headers the part begins with an empty line."""
    end = _BLANK_LINE.search(piece)
    if end is None:
        return Part(Headers(), piece.lstrip(b"\r\n"))
    return Part(read_headers(piece[: end.start()]), piece[end.end() :])
