"""Header fields in the order they came (RFC 3261 sections 7.3 and 20).

Names are compared without case, and the one-letter forms are the same as the long ones. Names we know are
written in their usual spelling, others as the peer spelled them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar, cast

from townhall.sip.errors import SIPError, SIPParseError
from townhall.sip.grammar import MAX_ELEMENTS, is_token, shorten, split_list

T = TypeVar("T")

# RFC 3261 section 20; Accept-Contact, Reject-Contact, Request-Disposition: RFC 3841; Referred-By: RFC 3892;
# Identity: RFC 4474; Event, Allow-Events: RFC 6665; Refer-To: RFC 3515; Session-Expires: RFC 4028.
COMPACT_FORMS = {
    "a": "Accept-Contact",
    "b": "Referred-By",
    "c": "Content-Type",
    "d": "Request-Disposition",
    "e": "Content-Encoding",
    "f": "From",
    "i": "Call-ID",
    "j": "Reject-Contact",
    "k": "Supported",
    "l": "Content-Length",
    "m": "Contact",
    "n": "Identity-Info",
    "o": "Event",
    "r": "Refer-To",
    "s": "Subject",
    "t": "To",
    "u": "Allow-Events",
    "v": "Via",
    "x": "Session-Expires",
    "y": "Identity",
}

_LONG_FORMS = [
    "Accept",
    "Accept-Encoding",
    "Accept-Language",
    "Alert-Info",
    "Allow",
    "Authentication-Info",
    "Authorization",
    "Call-Info",
    "Content-Disposition",
    "Content-Language",
    "CSeq",
    "Date",
    "Error-Info",
    "Expires",
    "In-Reply-To",
    "Max-Forwards",
    "MIME-Version",
    "Min-Expires",
    "Min-SE",
    "Organization",
    "P-Asserted-Identity",
    "Path",
    "Priority",
    "Privacy",
    "Proxy-Authenticate",
    "Proxy-Authorization",
    "Proxy-Require",
    "RAck",
    "Reason",
    "Record-Route",
    "Replaces",
    "Reply-To",
    "Require",
    "Retry-After",
    "Route",
    "RSeq",
    "Server",
    "Service-Route",
    "Timestamp",
    "Unsupported",
    "User-Agent",
    "Warning",
    "WWW-Authenticate",
]

_SPELLING = {name.lower(): name for name in (*_LONG_FORMS, *COMPACT_FORMS.values())} | COMPACT_FORMS


class Headers:
    """An ordered list of header fields with values as text, folding removed.

    Views made by `view` are kept until the headers change.
    """

    __slots__ = ("_fields", "_views")

    def __init__(self, items: Iterable[tuple[str, str]] = ()) -> None:
        # (lower-case long name, name as written, value)
        self._fields: list[tuple[str, str, str]] = []
        self._views: dict[str, object] = {}
        for name, value in items:
            self.add(name, value)

    def get(self, name: str) -> str | None:
        """The first value of this name."""
        key = _key(name)
        for field in self._fields:
            if field[0] == key:
                return field[2]
        return None

    def get_all(self, name: str) -> list[str]:
        """The value of each field of this name, as they stand: one may still hold a comma-separated list."""
        key = _key(name)
        return [field[2] for field in self._fields if field[0] == key]

    def get_list(self, name: str) -> list[str]:
        """All elements of a header that is a comma-separated list.

        Raises `SIPParseError` when quotes are open or there are more than `MAX_ELEMENTS`.
        """
        values = self.get_all(name)
        if len(values) == 1:
            return split_list(values[0])
        elements: list[str] = []
        for value in values:
            elements += split_list(value)
            if len(elements) > MAX_ELEMENTS:
                raise SIPParseError(f"a message may have {MAX_ELEMENTS} {name} elements, this has more", 513)
        return elements

    def add(self, name: str, value: str) -> None:
        """Append a field; raises `SIPError` when name or value cannot stand in a header."""
        self._fields.append(_field(name, value))
        self._views.clear()

    def prepend(self, name: str, value: str) -> None:
        """Put a field before all others."""
        self._fields.insert(0, _field(name, value))
        self._views.clear()

    def set(self, name: str, value: str) -> None:
        """Give this name exactly one field, where its first one was, or at the end."""
        field = _field(name, value)
        for index, old in enumerate(self._fields):
            if old[0] == field[0]:
                rest = [other for other in self._fields[index + 1 :] if other[0] != field[0]]
                self._fields[index:] = [field, *rest]
                break
        else:
            self._fields.append(field)
        self._views.clear()

    def remove(self, name: str) -> None:
        """Take out every field of this name; it is no error if there is none."""
        key = _key(name)
        self._fields = [field for field in self._fields if field[0] != key]
        self._views.clear()

    def items(self) -> list[tuple[str, str]]:
        return [(name, value) for _, name, value in self._fields]

    def copy(self) -> Headers:
        other = Headers()
        other._fields = self._fields.copy()
        return other

    def view(self, name: str, read: Callable[[Headers], T]) -> T:
        """What `read` makes of these headers, made once and kept under `name` until the headers change."""
        if name not in self._views:
            self._views[name] = read(self)
        return cast(T, self._views[name])

    def append_parsed(self, name: str, value: str) -> None:
        """Append a field that the parser has already checked: no colon, no line end."""
        lower = name.lower()
        spelling = _SPELLING.get(lower)
        self._fields.append((lower, name, value) if spelling is None else (spelling.lower(), spelling, value))

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and self.get(name) is not None

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.items())

    def __len__(self) -> int:
        return len(self._fields)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            return NotImplemented
        return [(f[0], f[2]) for f in self._fields] == [(f[0], f[2]) for f in other._fields]

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Headers({self.items()!r})"


def _key(name: str) -> str:
    lower = name.lower()
    return COMPACT_FORMS[lower].lower() if lower in COMPACT_FORMS else lower


def _field(name: str, value: str) -> tuple[str, str, str]:
    if not is_token(name):
        raise SIPError(f"{shorten(name)} cannot be the name of a header")
    if "\r" in value or "\n" in value:
        raise SIPError(f"the {name} header cannot hold a line end: {shorten(value)}")
    spelling = _SPELLING.get(name.lower(), name)
    return spelling.lower(), spelling, value
