"""The wire's words in: form fields and queries, read by name and kind; a refusal says what to send instead.

Names are PascalCase as Twilio spells them. An absent parameter is None everywhere and leaves a thing as it
is; an empty one unsets a URL. Unknown parameters are ignored, as Twilio does. What is too long is never
repeated whole.
"""

import re
from collections.abc import Collection, Iterable
from datetime import UTC, date, datetime, timedelta
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from starlette.requests import ClientDisconnect, Request

from townhall.api.errors import APIError
from townhall.ids import Prefix
from townhall.twiml.control import Method

BODY_BYTES = 256 * 1024
"""Largest body of a request; the longest document is 4,000 characters."""
FIELDS = 300
TEXT_LENGTH = 1024
NAME_LENGTH = 64
"""Of a FriendlyName, but for conferences."""
URL_LENGTH = 4096

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,6})?(Z|[+ -]\d{2}:\d{2})?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_INTEGER = re.compile(r"[+-]?\d{1,12}", re.ASCII)
_SID_DIGITS = re.compile(r"[0-9a-fA-F]{32}")


class Parameters:
    """The parameters of one request; a name may occur several times."""

    def __init__(self, pairs: Iterable[tuple[str, str]] = ()) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in pairs:
            self._values.setdefault(name, []).append(value)

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def raw(self, name: str) -> str | None:
        """The last value, unchecked."""
        return self._values[name][-1] if name in self._values else None

    def pairs(self, names: Collection[str]) -> list[tuple[str, str]]:
        """Those of these parameters that were given, to be repeated in a list's URIs."""
        return [(name, value) for name in names for value in self._values.get(name, ())]

    def text(self, name: str, *, most: int = TEXT_LENGTH, code: int = 20001) -> str | None:
        value = self.raw(name)
        if value is None:
            return None
        if len(value) > most:
            raise APIError(code, f"{name} has {len(value)} characters; send at most {most}")
        if _CONTROL.search(value):
            raise APIError(code, f"{name} contains control characters; send plain text")
        return value

    def required(self, name: str, *, code: int = 20001, most: int = TEXT_LENGTH) -> str:
        value = self.text(name, most=most, code=code)
        if not value:
            raise APIError(code, f"{name} is missing; send it as a form parameter that is not empty")
        return value

    def flag(self, name: str) -> bool | None:
        value = self.raw(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise APIError(20001, f"{name} is {quoted(value)}; send true or false")
        return value.lower() == "true"

    def number(self, name: str, least: int, most: int, *, code: int = 20001) -> int | None:
        value = self.raw(name)
        if value is None:
            return None
        if not _INTEGER.fullmatch(value) or not least <= int(value) <= most:
            raise APIError(code, f"{name} is {quoted(value)}; send a whole number from {least} to {most}")
        return int(value)

    def choice(self, name: str, allowed: Collection[str], *, code: int = 20001) -> str | None:
        value = self.raw(name)
        if value is not None and value not in allowed:
            raise APIError(code, f"{name} is {quoted(value)}; send {either(allowed)}")
        return value

    def words(self, name: str, allowed: Collection[str], *, code: int = 20001) -> frozenset[str] | None:
        """A list of words: the name repeated, or one value with spaces (or commas) between them."""
        if name not in self._values:
            return None
        words = frozenset(word for value in self._values[name] for word in re.split(r"[\s,]+", value) if word)
        for word in sorted(words):
            if word not in allowed:
                raise APIError(code, f"{name} holds {quoted(word)}; send {either(allowed)}")
        return words

    def method(self, name: str, default: Method = "POST") -> Method:
        return self.given_method(name) or default

    def given_method(self, name: str) -> Method | None:
        value = self.raw(name)
        if value is None:
            return None
        if value.upper() not in ("GET", "POST"):
            raise APIError(21209, f"{name} is {quoted(value)}; send GET or POST")
        return cast(Method, value.upper())

    def url(self, name: str, *, code: int = 21205) -> str | None:
        """An absolute http or https URL; empty: none is wanted; None: nothing was said."""
        value = self.text(name, most=URL_LENGTH, code=code)
        if value:
            check_url(name, value, code)
        return value

    def sid(self, name: str, prefix: Prefix, *, code: int = 20001) -> str | None:
        """A SID of this resource, in lower case; empty: none is wanted."""
        value = self.raw(name)
        if not value:
            return value
        if not value.startswith(prefix) or not _SID_DIGITS.fullmatch(value[2:]):
            raise APIError(code, f"{name} is {quoted(value)}; send {prefix} and 32 hexadecimal digits")
        return prefix + value[2:].lower()

    def days(self, name: str, *, times: bool = False) -> "Span":
        """The filters `name`, `name<` and `name>`, each inclusive; `times` allows a time of day, too."""
        since = until = None
        for suffix in ("", "<", ">"):
            value = self.raw(name + suffix)
            if value is None or value == "":
                continue
            first, last = _span(name + suffix, value, times)
            if suffix in ("", ">"):
                since = max(filter(None, (since, first)))
            if suffix in ("", "<"):
                # "On or before midnight" is the whole of that day, as its examples show.
                until = min(filter(None, (until, last)))
        return Span(since, until)


class Span:
    """From `since` on, before `until`; None is open."""

    __slots__ = ("since", "until")

    def __init__(self, since: datetime | None = None, until: datetime | None = None) -> None:
        self.since = since
        self.until = until

    def __contains__(self, at: datetime | None) -> bool:
        if self.since is None and self.until is None:
            return True
        if at is None:
            return False
        return (self.since is None or at >= self.since) and (self.until is None or at < self.until)


def _span(name: str, value: str, times: bool) -> tuple[datetime, datetime]:
    try:
        if _DATE.fullmatch(value):
            day = date.fromisoformat(value)
            first = datetime(day.year, day.month, day.day, tzinfo=UTC)
            return first, first + timedelta(days=1)
        if times and _TIME.fullmatch(value):
            at = datetime.fromisoformat(value.replace(" ", "+"))
            at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
            return at, at + timedelta(seconds=1)
    except (ValueError, OverflowError):
        pass
    form = "YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ" if times else "YYYY-MM-DD"
    raise APIError(20001, f"{name} is {quoted(value)}; send a date as {form}, in UTC")


def check_url(name: str, value: str, code: int = 21205) -> None:
    """Raises `APIError` unless it is an absolute http or https URL."""
    try:
        parts = urlsplit(value)
        fits = parts.scheme in ("http", "https") and bool(parts.hostname) and " " not in value
        _ = parts.port
    except ValueError:
        fits = False
    if not fits:
        raise APIError(code, f"{name} is {quoted(value)}; send an absolute http or https URL")


def quoted(value: str) -> str:
    """What was read, as a message can show it."""
    shown = value if len(value) <= 60 else f"{value[:60]}…"
    return ascii(shown) if _CONTROL.search(shown) else f"'{shown}'"


def either(allowed: Collection[str]) -> str:
    words = sorted(allowed) if isinstance(allowed, frozenset | set) else list(allowed)
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + f" or {words[-1]}"


def read_query(request: Request) -> Parameters:
    return Parameters(_pairs(request.scope["query_string"], "query"))


async def read_form(request: Request) -> Parameters:
    """The parameters of a POST; raises `APIError` for a body that is no form, too long, or no UTF-8."""
    body = b""
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > BODY_BYTES:
                raise APIError(20001, f"the body is larger than {BODY_BYTES} bytes; send less", status=413)
    except ClientDisconnect:
        raise APIError(20001, "the body ended before its length; send it whole") from None
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind not in ("", "application/x-www-form-urlencoded"):
        raise APIError(
            20001,
            f"the body is {quoted(kind)}; send parameters as application/x-www-form-urlencoded",
            status=415,
        )
    return Parameters(_pairs(body, "body"))


def _pairs(text: bytes, where: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=FIELDS)
    except UnicodeDecodeError:
        raise APIError(20001, f"the {where} is not UTF-8; encode its parameters as UTF-8") from None
    except ValueError:
        raise APIError(20001, f"the {where} has too many parameters; send at most {FIELDS}") from None
