"""Declared attributes: each verb and noun has a table of name, kind, default and error number.

A bad value is a warning with the attribute's own number that says what was read and what was expected; the
default is used and the document goes on. An unknown attribute is 12200. Names and values are case-sensitive,
as Twilio's are.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Generic, Literal, TypeVar

from lxml import etree

from townhall.twiml.kinds import Kind
from townhall.twiml.notices import NoticeBook, quoted

T = TypeVar("T")


@dataclass(frozen=True)  # no slots: Python 3.11 can't subscript such a class when calling it
class Attribute(Generic[T]):
    name: str
    kind: Kind[T]
    default: T
    code: int
    """Twilio's error number for a bad value."""
    level: Literal["error", "warning"] = "warning"


class AttributeReader:
    """Reads an element's attributes by its table: `reader[VOICE]` is the value, or the default."""

    def __init__(self, element: etree._Element, table: Iterable[Attribute[Any]], notices: NoticeBook) -> None:
        self._element = element
        self._notices = notices
        self._refused: set[str] = set()
        known = {attribute.name for attribute in table}
        for name in element.attrib:
            if str(name) not in known:
                notices.warn(12200, f"<{element.tag}> has no attribute {quoted(str(name))}; ignored")

    def __getitem__(self, attribute: Attribute[T]) -> T:
        text = self.written(attribute)
        if text is None:
            return attribute.default
        try:
            return attribute.kind.read(text)
        except ValueError:
            if attribute.name not in self._refused:
                self._refuse(attribute, text)
            return attribute.default

    def check(self, *attributes: Attribute[Any]) -> None:
        """Report bad values of attributes that change nothing here."""
        for attribute in attributes:
            self[attribute]

    def written(self, attribute: Attribute[Any]) -> str | None:
        """The attribute as it stands in the document, or None."""
        text = self._element.get(attribute.name)
        return None if text is None else str(text)

    def bad(self, attribute: Attribute[Any]) -> bool:
        """Whether the attribute is there with a value that it may not have."""
        text = self.written(attribute)
        if text is None:
            return False
        try:
            attribute.kind.read(text)
        except ValueError:
            return True
        return False

    def _refuse(self, attribute: Attribute[Any], text: str) -> None:
        self._refused.add(attribute.name)
        self._notices.warn(
            attribute.code,
            f"<{self._element.tag}> {attribute.name}: read {quoted(text)}, "
            f"expected {attribute.kind.expected}; using {_shown(attribute.default)}",
            attribute.level,
        )


def _shown(default: object) -> str:
    if default is None or default == frozenset():
        return "none"
    if isinstance(default, bool):
        return "true" if default else "false"
    return quoted(default) if isinstance(default, str) else str(default)
