"""The kinds of attribute values: how each is read, and the words that say what is expected.

Every reader takes the attribute's text and raises `ValueError` for what it does not allow.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, cast
from urllib.parse import urlsplit

T = TypeVar("T")

Method = Literal["GET", "POST"]


@dataclass(frozen=True)  # no slots: Python 3.11 can't subscript such a class when calling it
class Kind(Generic[T]):
    read: Callable[[str], T]
    expected: str


def _read_boolean(text: str) -> bool:
    return {"true": True, "false": False}[text] if text in ("true", "false") else _refuse()


def _refuse() -> bool:
    raise ValueError


BOOLEAN: Kind[bool] = Kind(_read_boolean, "true or false")


def integer(least: int, most: int | None = None) -> Kind[int]:
    """A whole number in ASCII digits; at most nine of them when there is no upper bound."""

    def read(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text):
            raise ValueError
        value = int(text)
        if value < least or (most is not None and value > most):
            raise ValueError
        return value

    return Kind(
        read,
        f"a whole number of at least {least}" if most is None else f"a whole number from {least} to {most}",
    )


def choice(*allowed: str) -> Kind[str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError
        return text

    return Kind(read, "one of " + ", ".join(allowed))


def optional(kind: Kind[T]) -> Kind[T | None]:
    """The same kind for an attribute whose default is None."""
    return cast("Kind[T | None]", kind)


def words(*allowed: str) -> Kind[frozenset[str]]:
    """Words separated by white space, all of them allowed ones."""

    def read(text: str) -> frozenset[str]:
        found = frozenset(text.split())
        if not found <= set(allowed):
            raise ValueError
        return found

    return Kind(read, "words separated by spaces out of " + ", ".join(allowed))


def matching(pattern: str, expected: str) -> Kind[str]:
    compiled = re.compile(pattern)

    def read(text: str) -> str:
        if not compiled.fullmatch(text):
            raise ValueError
        return text

    return Kind(read, expected)


def text(most: int) -> Kind[str]:
    def read(value: str) -> str:
        if len(value) > most:
            raise ValueError
        return value

    return Kind(read, f"at most {most} characters")


def _read_method(value: str) -> Method:
    if value not in ("GET", "POST"):
        raise ValueError
    return cast(Method, value)


METHOD: Kind[Method] = Kind(_read_method, "GET or POST")


def _read_url(value: str) -> str:
    """A URL or a relative reference that can become one: http or https, no control characters inside."""
    stripped = value.strip()
    if len(stripped) > 8000 or not stripped.isprintable() or "\\" in stripped:
        raise ValueError
    parts = urlsplit(stripped)
    if parts.scheme not in ("", "http", "https") or (parts.scheme and not parts.hostname):
        raise ValueError
    _ = parts.port
    return stripped


URL: Kind[str] = Kind(_read_url, "an http or https URL, absolute or relative")

LANGUAGE = matching(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8}){0,4}", "a language tag such as en-US")
ANYTHING = Kind[str](str, "anything")
