"""Requests and responses, and the typed views of their headers (RFC 3261 sections 7, 8.1.1 and 8.2.6).

A view such as `message.cseq` is read from the text on first use, kept until the headers change, and raises
`SIPParseError` when the text makes no sense or the header is missing. Views that may be absent give None.
Reading bytes is `parser`'s work.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Literal, TypeVar

from townhall.sip.address import Address
from townhall.sip.cseq import CSeq, RAck
from townhall.sip.errors import SIPError, SIPParseError
from townhall.sip.grammar import is_token, read_number, shorten
from townhall.sip.headers import Headers
from townhall.sip.media_type import MediaType
from townhall.sip.reasons import reason_phrase
from townhall.sip.session_timer import SessionExpires
from townhall.sip.uri import SIPURI
from townhall.sip.via import Via

T = TypeVar("T")


class Message:
    """What requests and responses share: headers with typed views, and a body."""

    __slots__ = ("body", "headers")

    def __init__(self, headers: Headers | Iterable[tuple[str, str]], body: bytes) -> None:
        self.headers = headers if isinstance(headers, Headers) else Headers(headers)
        self.body = body

    @property
    def start_line(self) -> str:
        raise NotImplementedError

    @property
    def size(self) -> int:
        """Bytes it takes in memory, roughly: names and values of its headers, and its body."""
        return len(self.body) + sum(len(name) + len(value) for name, value in self.headers.items())

    @property
    def via(self) -> Via:
        """The topmost Via."""
        return self.vias[0]

    @property
    def vias(self) -> list[Via]:
        """All Vias, the topmost first; there is at least one."""
        return self.headers.view("vias", _read_vias)

    @property
    def from_(self) -> Address:
        return self._required("From", Address.parse)

    @property
    def to(self) -> Address:
        return self._required("To", Address.parse)

    @property
    def cseq(self) -> CSeq:
        return self._required("CSeq", CSeq.parse)

    @property
    def call_id(self) -> str:
        return self._required("Call-ID", _read_call_id)

    @property
    def contacts(self) -> list[Address] | Literal["*"]:
        """The contacts, in order; `"*"` for a REGISTER that removes all bindings."""
        return self.headers.view("contacts", _read_contacts)

    @property
    def contact(self) -> Address | None:
        """The first contact, if there is one: the remote target of a dialog."""
        contacts = self.contacts
        return contacts[0] if contacts and contacts != "*" else None

    @property
    def routes(self) -> list[Address]:
        return self._addresses("Route")

    @property
    def record_routes(self) -> list[Address]:
        return self._addresses("Record-Route")

    @property
    def max_forwards(self) -> int | None:
        return self._number("Max-Forwards", 255)

    @property
    def expires(self) -> int | None:
        """Seconds."""
        return self._number("Expires", 2**32 - 1)

    @property
    def min_se(self) -> int | None:
        """Seconds (RFC 4028 section 5)."""
        return self._optional("Min-SE", lambda text: read_number(text.partition(";")[0], 2**32 - 1, "Min-SE"))

    @property
    def session_expires(self) -> SessionExpires | None:
        return self._optional("Session-Expires", SessionExpires.parse)

    @property
    def rseq(self) -> int | None:
        return self._number("RSeq", 2**32 - 1)

    @property
    def rack(self) -> RAck | None:
        return self._optional("RAck", RAck.parse)

    @property
    def content_type(self) -> MediaType | None:
        return self._optional("Content-Type", MediaType.parse)

    @property
    def require(self) -> list[str]:
        """Option tags in lower case."""
        return self._tokens("Require")

    @property
    def proxy_require(self) -> list[str]:
        return self._tokens("Proxy-Require")

    @property
    def supported(self) -> list[str]:
        """Option tags in lower case."""
        return self._tokens("Supported")

    @property
    def allow(self) -> list[str]:
        """Methods; their case counts."""
        return self.headers.view("allow", lambda headers: headers.get_list("Allow"))

    @property
    def accept(self) -> list[MediaType]:
        """The media ranges of Accept; empty when there is none."""
        return self.headers.view("accept", lambda h: [MediaType.parse(text) for text in h.get_list("Accept")])

    def _required(self, name: str, parse: Callable[[str], T]) -> T:
        def read(headers: Headers) -> T:
            text = headers.get(name)
            if text is None:
                raise SIPParseError(f"the {name} header is missing")
            return parse(text)

        return self.headers.view(name, read)

    def _optional(self, name: str, parse: Callable[[str], T]) -> T | None:
        def read(headers: Headers) -> T | None:
            text = headers.get(name)
            return None if text is None else parse(text)

        return self.headers.view(name, read)

    def _number(self, name: str, maximum: int) -> int | None:
        return self._optional(name, lambda text: read_number(text, maximum, name))

    def _addresses(self, name: str) -> list[Address]:
        return self.headers.view(
            name, lambda headers: [Address.parse(text) for text in headers.get_list(name)]
        )

    def _tokens(self, name: str) -> list[str]:
        return self.headers.view(name, lambda headers: [text.lower() for text in headers.get_list(name)])

    def __bytes__(self) -> bytes:
        """The message as it goes out; Content-Length is computed, whatever the headers say."""
        length = f"Content-Length: {len(self.body)}"
        lines = [self.start_line]
        for name, value in self.headers.items():
            if name != "Content-Length":
                lines.append(f"{name}: {value}")
            elif length:
                lines.append(length)
                length = ""
        if length:
            lines.append(length)
        return "\r\n".join([*lines, "", ""]).encode("utf-8", "replace") + self.body


class Request(Message):
    """A request. `uri` is the Request-URI as it is written; `request_uri` is it taken apart."""

    __slots__ = ("_request_uri", "method", "uri")

    def __init__(
        self,
        method: str,
        uri: str | SIPURI,
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        super().__init__(headers, body)
        self.method = method
        self.uri = str(uri)
        self._request_uri: tuple[str, SIPURI] | None = None

    @property
    def request_uri(self) -> SIPURI:
        if self._request_uri is None or self._request_uri[0] != self.uri:
            self._request_uri = (self.uri, SIPURI.parse(self.uri))
        return self._request_uri[1]

    @property
    def start_line(self) -> str:
        if not is_token(self.method) or any(mark in self.uri for mark in "\r\n "):
            raise SIPError(f"a request cannot begin with {shorten(self.method)} {shorten(self.uri)}")
        return f"{self.method} {self.uri} SIP/2.0"

    def __repr__(self) -> str:
        return f"<Request {self.method} {self.uri}>"

    def create_response(
        self,
        status: int,
        reason: str | None = None,
        *,
        to_tag: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> Response:
        """The response RFC 3261 section 8.2.6.2 asks for: Via, From, To, Call-ID, CSeq copied as they stand.

        `to_tag` is put on To when it has no tag yet. Works on requests that could be read only in part.
        """
        copied = Headers()
        for name, value in self.headers.items():
            if name in _COPIED or (name == "Timestamp" and status == 100):
                copied.add(name, value)
        if to_tag is not None and (to := copied.get("To")) is not None and not _has_tag(to):
            copied.set("To", f"{to};tag={to_tag}")
        for name, value in headers:
            copied.add(name, value)
        return Response(status, reason, copied, body)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Request):
            return NotImplemented
        return (self.method, self.uri, self.headers, self.body) == (
            other.method,
            other.uri,
            other.headers,
            other.body,
        )

    __hash__ = object.__hash__


class Response(Message):
    """A response; without a reason the usual phrase is taken."""

    __slots__ = ("reason", "status")

    def __init__(
        self,
        status: int,
        reason: str | None = None,
        headers: Headers | Iterable[tuple[str, str]] = (),
        body: bytes = b"",
    ) -> None:
        super().__init__(headers, body)
        self.status = status
        self.reason = reason_phrase(status) if reason is None else reason

    @property
    def start_line(self) -> str:
        return f"SIP/2.0 {self.status} " + self.reason.replace("\r", " ").replace("\n", " ")

    def __repr__(self) -> str:
        return f"<Response {self.status} {self.reason}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Response):
            return NotImplemented
        return (self.status, self.reason, self.headers, self.body) == (
            other.status,
            other.reason,
            other.headers,
            other.body,
        )

    __hash__ = object.__hash__


_COPIED = frozenset(("Via", "From", "To", "Call-ID", "CSeq"))


def _has_tag(to: str) -> bool:
    try:
        return Address.parse(to).tag is not None
    except SIPParseError:
        # An answer to a broken request keeps To as it is rather than making it worse.
        return True


def _read_vias(headers: Headers) -> list[Via]:
    vias = [Via.parse(text) for text in headers.get_list("Via")]
    if not vias:
        raise SIPParseError("the Via header is missing")
    return vias


def _read_call_id(text: str) -> str:
    text = text.strip()
    if not text or " " in text:
        raise SIPParseError(f"a Call-ID is one word, not {shorten(text)}")
    return text


def _read_contacts(headers: Headers) -> list[Address] | Literal["*"]:
    texts = headers.get_list("Contact")
    if "*" in texts:
        if len(texts) > 1:
            raise SIPParseError("Contact: * cannot stand beside other contacts")
        return "*"
    return [Address.parse(text) for text in texts]
