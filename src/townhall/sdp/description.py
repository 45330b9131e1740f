"""Session descriptions (RFC 8866): lines in, the same lines out, with views of those that matter for audio.

Lines are kept in order whether we know them or not, so a description that is read and written again loses
nothing but its line ends. Read leniently: CRLF or LF, UTF-8 or ISO-8859-1, missing s= and t=, `m=` lines of
any kind. Left out: bandwidth, repeat times, encryption keys, which are kept but not interpreted.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from townhall.sdp.errors import SDPError

Line = tuple[str, str]

# A browser's offer with video and simulcast is about 10 kB and 300 lines.
MAX_SIZE = 65536
MAX_LINES = 2048
MAX_MEDIA = 64

DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
_LINE = re.compile(r"([A-Za-z])=(.*)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Origin:
    """The o= line (RFC 8866 section 5.2). Numbers are kept as text by peers that overflow them, so they are
    text here.
    """

    username: str
    session_id: str
    session_version: str
    address: str


@dataclass(frozen=True, slots=True)
class Section:
    """Lines of a session or of one of its media, as (type, value)."""

    lines: tuple[Line, ...] = ()

    def first(self, kind: str) -> str | None:
        """The value of the first line of this type."""
        return next((value for type_, value in self.lines if type_ == kind), None)

    def attributes(self, name: str) -> list[str]:
        """The values of all `a=name:value` lines; `a=name` gives an empty text."""
        found = []
        for kind, value in self.lines:
            if kind == "a" and (value == name or value.startswith(name + ":")):
                found.append(value[len(name) + 1 :].strip())
        return found

    def attribute(self, name: str) -> str | None:
        return next(iter(self.attributes(name)), None)

    @property
    def connection(self) -> str | None:
        """The address of the c= line, without a multicast scope; raises `SDPError` when it makes no sense."""
        text = self.first("c")
        if text is None:
            return None
        parts = text.split()
        if len(parts) < 3 or parts[0].upper() != "IN" or parts[1].upper() not in ("IP4", "IP6"):
            raise SDPError(f"a connection such as c=IN IP4 192.0.2.1 was expected, not c={text[:60]!r}")
        return parts[2].partition("/")[0]

    @property
    def direction(self) -> str | None:
        """The first of sendrecv, sendonly, recvonly, inactive that stands here."""
        return next((value for kind, value in self.lines if kind == "a" and value in DIRECTIONS), None)


@dataclass(frozen=True, slots=True)
class MediaDescription(Section):
    """One m= line with the lines that follow it. `formats` are texts: not all are payload types."""

    kind: str = "audio"
    port: int = 0
    port_count: int = 1
    protocol: str = "RTP/AVP"
    formats: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> MediaDescription:
        """Read the value of an m= line; raises `SDPError`."""
        parts = text.split()
        port, _, count = parts[1].partition("/") if len(parts) >= 3 else ("", "", "")
        if not is_number(port, 65535) or (count and not is_number(count, 65535)):
            raise SDPError(f"media such as m=audio 49170 RTP/AVP 0 was expected, not m={text[:60]!r}")
        return cls(
            kind=parts[0].lower(),
            port=int(port),
            port_count=int(count or 1),
            protocol=parts[2].upper(),
            formats=tuple(parts[3:]),
        )

    @property
    def value(self) -> str:
        """What stands behind m= ."""
        port = f"{self.port}/{self.port_count}" if self.port_count != 1 else str(self.port)
        return " ".join((self.kind, port, self.protocol, *self.formats))


@dataclass(frozen=True, slots=True)
class SessionDescription(Section):
    """A session: the lines before the first m= line, and the media."""

    media: tuple[MediaDescription, ...] = field(default=())

    @property
    def origin(self) -> Origin | None:
        """The o= line; None when it is missing or broken, which hurts nobody."""
        parts = (self.first("o") or "").split()
        return Origin(parts[0], parts[1], parts[2], parts[5]) if len(parts) >= 6 else None

    def connection_of(self, media: MediaDescription) -> str | None:
        """The address a medium is to be sent to: its own c= line, or else the session's."""
        own = media.connection
        return own if own is not None else self.connection

    def direction_of(self, media: MediaDescription) -> str:
        """A medium's direction: its own, or else the session's, or else sendrecv (RFC 8866 section 6.7)."""
        return media.direction or self.direction or "sendrecv"

    def has_flag(self, media: MediaDescription, name: str) -> bool:
        return media.attribute(name) is not None or self.attribute(name) is not None

    def following(self, previous: SessionDescription) -> SessionDescription:
        """This description as the successor of one we sent before in the same session.

        The version in o= stays when nothing else changed and is one more when something did (RFC 3264 section
        8).
        """
        before = previous.origin
        if before is None or not is_number(before.session_version, 2**63):
            return self
        same = self._with_origin(before.session_id, before.session_version)
        if same == previous:
            return previous
        return self._with_origin(before.session_id, str(int(before.session_version) + 1))

    def _with_origin(self, session_id: str, session_version: str) -> SessionDescription:
        lines: list[Line] = []
        for kind, value in self.lines:
            parts = value.split()
            if kind == "o" and len(parts) >= 6:
                value = " ".join((parts[0], session_id, session_version, *parts[3:]))
            lines.append((kind, value))
        return replace(self, lines=tuple(lines))

    def __bytes__(self) -> bytes:
        lines: list[Line] = [*self.lines]
        for media in self.media:
            lines += [("m", media.value), *media.lines]
        return "".join(f"{kind}={value}\r\n" for kind, value in lines).encode("utf-8", "replace")


def parse_sdp(data: bytes) -> SessionDescription:
    """Read a session description; raises `SDPError` and nothing else.

    Lines that are not `x=…` are passed over.
    """
    if len(data) > MAX_SIZE:
        raise SDPError(f"a session description may have {MAX_SIZE} bytes, not {len(data)}")
    session: list[Line] = []
    media: list[tuple[MediaDescription, list[Line]]] = []
    current = session
    for kind, value in _read_lines(data):
        if kind == "m":
            if len(media) >= MAX_MEDIA:
                raise SDPError(f"a session description may have {MAX_MEDIA} media, this has more")
            current = []
            media.append((MediaDescription.parse(value), current))
        else:
            current.append((kind, value))
    return SessionDescription(
        lines=tuple(session),
        media=tuple(replace(description, lines=tuple(lines)) for description, lines in media),
    )


def _read_lines(data: bytes) -> list[Line]:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("latin-1")
    lines = [
        (match[1], match[2].strip())
        for line in text.replace("\r", "\n").split("\n")
        if (match := _LINE.fullmatch(line.strip())) is not None
    ]
    if len(lines) > MAX_LINES:
        raise SDPError(f"a session description may have {MAX_LINES} lines, not {len(lines)}")
    if not lines or lines[0] != ("v", "0"):
        raise SDPError(f"a session description begins with v=0, this one with {text[:20]!r}")
    return lines


def is_number(text: str, maximum: int) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 19 and int(text) <= maximum


def read_payload_type(text: str) -> int | None:
    """A payload type from 0 to 127, or None."""
    return int(text) if is_number(text, 127) else None


def read_address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address literal; raises `SDPError` for names, which a pure room cannot resolve."""
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        raise SDPError(f"an IP address was expected, not {text[:60]!r}") from None


def address_family(text: str) -> str:
    """`IP4` or `IP6`, as c= and o= lines have it."""
    return f"IP{read_address(text).version}"


def attribute_lines(values: Sequence[str]) -> tuple[Line, ...]:
    return tuple(("a", value) for value in values)
