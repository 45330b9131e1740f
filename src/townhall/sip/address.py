"""Addresses in From, To, Contact, Route, Record-Route and their like (RFC 3261 sections 20.10 and 25.1)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache

from townhall.sip.errors import SIPParseError
from townhall.sip.grammar import NO_PARAMETERS, Parameters, quote, read_number, read_quoted, shorten
from townhall.sip.uri import SIPURI

_SHORT = 200
"""Characters of an address that is remembered."""


@dataclass(frozen=True, slots=True)
class Address:
    """A name-addr or addr-spec with its header parameters. `display_name` has quotes and escapes resolved."""

    display_name: str | None
    uri: SIPURI
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read one address; raises `SIPParseError`.

        Without angle brackets, parameters belong to the header and not to the URI (RFC 3261 section 20).
        Display names without quotes may hold any character, as RFC 4475 section 3.1.2.15 asks the liberal to
        allow. Those that were read lately are remembered.
        """
        return _remembered(text) if len(text) <= _SHORT else cls._read(text)

    @classmethod
    def _read(cls, text: str) -> Address:
        text = text.strip()
        display_name: str | None = None
        if text.startswith('"'):
            display_name, end = read_quoted(text, 0)
            text = text[end:].lstrip()
            if not text.startswith("<"):
                raise SIPParseError(f"a URI in angle brackets must follow a quoted name, not {shorten(text)}")
        before, bracket, rest = text.partition("<")
        if not bracket:
            uri_text, _, parameter_text = text.partition(";")
            return cls(None, SIPURI.parse(uri_text.rstrip()), Parameters.parse(parameter_text))
        if display_name is None:
            display_name = before.strip() or None
            if display_name is not None and '"' in display_name:
                raise SIPParseError(f"the quotes around a display name do not match: {shorten(text)}")
        uri_text, bracket, parameter_text = rest.partition(">")
        if not bracket:
            raise SIPParseError(f"an angle bracket is not closed: {shorten(text)}")
        parameter_text = parameter_text.lstrip()
        if parameter_text and not parameter_text.startswith(";"):
            raise SIPParseError(f"parameters must begin with a semicolon, not {shorten(parameter_text)}")
        return cls(display_name, SIPURI.parse(uri_text.strip()), Parameters.parse(parameter_text))

    @property
    def tag(self) -> str | None:
        return self.parameters.get("tag")

    @property
    def expires(self) -> int | None:
        """A contact's expires parameter in seconds; None when absent or no number (RFC 3261 section 10.3)."""
        try:
            return read_number(self.parameters.get("expires") or "", 2**32 - 1, "expires")
        except SIPParseError:
            return None

    def with_tag(self, tag: str) -> Address:
        return replace(self, parameters=self.parameters.replace(tag=tag))

    def __str__(self) -> str:
        # Always with brackets, so that a comma, question mark or semicolon in the URI cannot be misread.
        name = quote(self.display_name) + " " if self.display_name is not None else ""
        return f"{name}<{self.uri}>{self.parameters}"


_remembered = lru_cache(maxsize=2048)(Address._read)
