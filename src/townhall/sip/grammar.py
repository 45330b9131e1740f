"""The pieces of RFC 3261 section 25 that several headers share: tokens, quoted strings, lists, parameters.

Everything here reads leniently and in linear time; what cannot be read at all raises `SIPParseError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from townhall.sip.errors import SIPParseError

TOKEN = re.compile(r"[A-Za-z0-9\-.!%*_+`'~]+")
_QUOTED = re.compile(r'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_LIST_MARK = re.compile(r'[,"<]')
_PARAMETER_MARK = re.compile(r'[;"]')


# A datagram of nothing but commas must not cost more than one of headers; no route is that long.
MAX_ELEMENTS = 256


def is_token(text: str) -> bool:
    return TOKEN.fullmatch(text) is not None


def quote(text: str) -> str:
    """`text` as a quoted-string; line ends, which no header can carry, become spaces."""
    text = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + text.replace("\r", " ").replace("\n", " ") + '"'


def unquote(text: str) -> str:
    """The meaning of a quoted-string; anything else is returned as it is."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        return text
    return _ESCAPED.sub(r"\1", text[1:-1]) if "\\" in text else text[1:-1]


def read_quoted(text: str, start: int) -> tuple[str, int]:
    """The meaning of the quoted-string that begins at `start`, and the index behind its closing quote."""
    match = _QUOTED.match(text, start)
    if match is None:
        raise SIPParseError(f"a quoted string is not closed: {shorten(text[start:])}")
    return unquote(match[0]), match.end()


def shorten(text: str) -> str:
    """`text` for an error message: printable, at most 60 characters."""
    return repr(text if len(text) <= 60 else text[:57] + "...")


def read_number(text: str, maximum: int, what: str) -> int:
    """A decimal number of ASCII digits, leading zeros allowed, at most `maximum`."""
    text = text.strip()
    if not (text.isascii() and text.isdigit()):
        raise SIPParseError(f"{what} must be a number, not {shorten(text)}")
    digits = text.lstrip("0")
    if len(digits) > 20 or int(digits or "0") > maximum:
        raise SIPParseError(f"{what} must be at most {maximum}, not {shorten(text)}")
    return int(digits or "0")


def split_list(text: str) -> list[str]:
    """The elements of a comma-separated list, stripped, empty ones left out.

    Commas in quoted strings and between angle brackets do not separate (RFC 3261 section 7.3.1).
    """
    if "," not in text:
        text = text.strip()
        return [text] if text else []
    if text.count(",") >= MAX_ELEMENTS:
        raise SIPParseError(f"a list may have {MAX_ELEMENTS} elements, not as many as {shorten(text)}", 513)
    if '"' not in text and "<" not in text:
        return [part for piece in text.split(",") if (part := piece.strip())]
    return [part for piece in _split(text, _LIST_MARK) if (part := piece.strip())]


def _split(text: str, mark: re.Pattern[str]) -> Iterator[str]:
    start = at = 0
    while (match := mark.search(text, at)) is not None:
        found = match[0]
        if found == '"':
            at = read_quoted(text, match.start())[1]
        elif found == "<":
            at = text.find(">", match.end()) + 1
            if not at:
                raise SIPParseError(f"an angle bracket is not closed: {shorten(text[match.start() :])}")
        else:
            yield text[start : match.start()]
            start = at = match.end()
    yield text[start:]


class Parameters(Mapping[str, str | None]):
    """Header or URI parameters: ordered, immutable, names compared without case, None for a bare name.

    Values are kept as they were written, so a quoted string keeps its quotes and escapes and is written back
    unchanged; `text` gives its meaning.
    """

    __slots__ = ("_items",)
    _items: dict[str, str | None]

    def __init__(self, items: Mapping[str, str | None] | Iterable[tuple[str, str | None]] = ()) -> None:
        pairs = items.items() if isinstance(items, Mapping) else items
        self._items = {}
        for name, value in pairs:
            self._items.setdefault(name.lower(), value)

    @classmethod
    def parse(cls, text: str) -> Parameters:
        """Read `;name=value;name`, with or without the first semicolon; empty ones are passed over."""
        if not text or text.isspace():
            return NO_PARAMETERS
        parameters = cls.__new__(cls)
        items: dict[str, str | None] = {}
        parameters._items = items
        for piece in text.split(";") if '"' not in text else _split(text, _PARAMETER_MARK):
            name, equals, value = piece.partition("=")
            if name := name.strip().lower():
                items.setdefault(name, value.strip() if equals else None)
        return parameters

    def text(self, name: str) -> str | None:
        """The value with quotes and escapes resolved; None when it is absent or has no value."""
        value = self.get(name)
        return None if value is None else unquote(value)

    def replace(self, **changes: str | None) -> Parameters:
        """A copy in which these parameters have these values (None: a bare name)."""
        return Parameters({**self._items, **changes})

    def without(self, *names: str) -> Parameters:
        """A copy that lacks these names."""
        dropped = {name.lower() for name in names}
        return Parameters({name: value for name, value in self._items.items() if name not in dropped})

    def __getitem__(self, name: str) -> str | None:
        return self._items[name if name in self._items else name.lower()]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and (name in self._items or name.lower() in self._items)

    def __iter__(self) -> Iterator[str]:
        return iter(self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Mapping) and self._items == dict(other)

    def __hash__(self) -> int:
        return hash(frozenset(self._items.items()))

    def __str__(self) -> str:
        return "".join(f";{k}" if v is None else f";{k}={v}" for k, v in self._items.items())

    def __repr__(self) -> str:
        return f"Parameters({self._items!r})"


NO_PARAMETERS = Parameters()
