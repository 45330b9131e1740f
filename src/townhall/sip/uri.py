"""URIs in SIP messages: sip, sips and tel taken apart, every other scheme kept whole.

RFC 3261 section 19.1, RFC 3966 (tel), RFC 5118 (IPv6 in SIP). More is accepted than the grammar has:
underscores in host names, upper-case schemes, an `@` left unescaped in the user part, IPv6 without brackets.
Left out: finding servers (RFC 3263), which is signalling's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from ipaddress import AddressValueError, IPv6Address
from urllib.parse import quote, unquote

from townhall.sip.errors import SIPParseError
from townhall.sip.grammar import NO_PARAMETERS, Parameters, read_number, shorten

_SHORT = 200
"""Characters of a URI that is remembered."""
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.\-]*")
_HOST = re.compile(r"[\w.\-]+")
_FORBIDDEN = re.compile(r"[\s<>\"\x00-\x20\x7f]")
# RFC 3261 section 25.1: what may stand unescaped in user and password beside letters and digits.
_USER_SAFE = "-_.!~*'()&=+$,;?/"
_PASSWORD_SAFE = "-_.!~*'()&=+$,"
_HEADER_SAFE = "-_.!~*'()[]/?:+$"


@dataclass(frozen=True, slots=True)
class SIPURI:
    """A URI. `user` and `password` have their %-escapes resolved; `host` has no brackets around IPv6.

    A tel URI has its number in `user` and an empty host. A scheme we do not know has everything behind the
    colon in `opaque`, and nothing else.
    """

    scheme: str = "sip"
    user: str | None = None
    host: str = ""
    port: int | None = None
    password: str | None = None
    parameters: Parameters = NO_PARAMETERS
    headers: tuple[tuple[str, str], ...] = ()
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> SIPURI:
        """Read a URI; raises `SIPParseError`. Those that were read lately are remembered: each call names the
        same few in each of its messages.
        """
        return _remembered(text) if len(text) <= _SHORT else cls._read(text)

    @classmethod
    def _read(cls, text: str) -> SIPURI:
        scheme, colon, rest = text.partition(":")
        if not colon or _SCHEME.fullmatch(scheme) is None or not rest:
            raise SIPParseError(f"a URI such as sip:1000@example.com was expected, not {shorten(text)}")
        if _FORBIDDEN.search(rest) is not None:
            raise SIPParseError(f"a URI cannot have spaces or brackets: {shorten(text)}")
        scheme = scheme.lower()
        if scheme in ("sip", "sips"):
            return _parse_sip(scheme, rest)
        if scheme == "tel":
            number, _, parameters = rest.partition(";")
            return cls(scheme="tel", user=number, parameters=Parameters.parse(parameters))
        return cls(scheme=scheme, opaque=rest)

    @property
    def transport(self) -> str | None:
        """The transport parameter in lower case."""
        value = self.parameters.get("transport")
        return value.lower() if value else None

    @property
    def is_loose_router(self) -> bool:
        """Whether a route with this URI has `lr` (RFC 3261 section 16.12)."""
        return "lr" in self.parameters

    @property
    def host_port(self) -> str:
        """Host and port as they stand in a URI, IPv6 in brackets."""
        return write_host_port(self.host, self.port)

    @property
    def address_of_record(self) -> SIPURI:
        """Only scheme, user and host, the host in lower case: a key to find a registration by."""
        return SIPURI(scheme=self.scheme, user=self.user, host=self.host.lower(), opaque=self.opaque)

    def replace(self, **changes: object) -> SIPURI:
        return replace(self, **changes)  # type: ignore[arg-type]

    def is_equivalent(self, other: SIPURI) -> bool:
        """Whether RFC 3261 section 19.1.4 calls both URIs equal."""
        if (self.scheme, self.user, self.password, self.port, self.opaque) != (
            other.scheme,
            other.user,
            other.password,
            other.port,
            other.opaque,
        ) or self.host.lower() != other.host.lower():
            return False
        for name in self.parameters.keys() | other.parameters.keys():
            mine, theirs = self.parameters.get(name), other.parameters.get(name)
            in_both = name in self.parameters and name in other.parameters
            if in_both and (mine or "").lower() != (theirs or "").lower():
                return False
            if not in_both and name in ("user", "ttl", "method", "maddr", "transport"):
                return False
        return sorted((n.lower(), v) for n, v in self.headers) == sorted(
            (n.lower(), v) for n, v in other.headers
        )

    def __str__(self) -> str:
        if self.opaque is not None:
            return f"{self.scheme}:{self.opaque}"
        if self.scheme == "tel":
            return f"tel:{self.user}{self.parameters}"
        text = self.scheme + ":"
        if self.user is not None:
            text += _escape(self.user, _USER_SAFE)
            if self.password is not None:
                text += ":" + _escape(self.password, _PASSWORD_SAFE)
            text += "@"
        text += write_host_port(self.host, self.port) + str(self.parameters)
        if self.headers:
            pairs = (f"{_escape(n, _HEADER_SAFE)}={_escape(v, _HEADER_SAFE)}" for n, v in self.headers)
            text += "?" + "&".join(pairs)
        return text


_remembered = lru_cache(maxsize=2048)(SIPURI._read)


def _escape(text: str, safe: str) -> str:
    return text if text.isalnum() and text.isascii() else quote(text, safe=safe, errors="surrogateescape")


def _unescape(text: str) -> str:
    return unquote(text, errors="surrogateescape") if "%" in text else text


def _parse_sip(scheme: str, rest: str) -> SIPURI:
    user = password = None
    # The user part may hold ; and ?, so the @ is looked for first (RFC 4475 section 3.1.1.3, 3.1.1.13).
    before, at, behind = rest.partition("@")
    if at:
        host_end = _find_first(behind, ";?")
        stray = behind.rfind("@", 0, host_end)
        if stray >= 0:
            before, behind = rest[: len(before) + 1 + stray], behind[stray + 1 :]
        user, colon, secret = before.partition(":")
        user, password = _unescape(user), _unescape(secret) if colon else None
        rest = behind
    rest, question, header_text = rest.partition("?")
    host_port, _, parameter_text = rest.partition(";")
    host, port = read_host_port(host_port)
    return SIPURI(
        scheme=scheme,
        user=user,
        host=host,
        port=port,
        password=password,
        parameters=Parameters.parse(parameter_text),
        headers=_parse_headers(header_text) if question else (),
    )


def _find_first(text: str, marks: str) -> int:
    return min((i for mark in marks if (i := text.find(mark)) >= 0), default=len(text))


def _parse_headers(text: str) -> tuple[tuple[str, str], ...]:
    pairs = (pair.partition("=") for pair in text.split("&") if pair)
    return tuple((_unescape(name), _unescape(value)) for name, _, value in pairs)


def read_host_port(text: str) -> tuple[str, int | None]:
    """`host`, `host:port`, `[v6]:port`, or a bare IPv6 address; spaces around the colon are allowed (Via)."""
    text = text.strip()
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        rest = rest.strip()
        if not bracket or not is_ipv6(host) or (rest and not rest.startswith(":")):
            raise SIPParseError(f"an IPv6 address in brackets was expected, not {shorten(text)}")
        return host, read_number(rest[1:], 65535, "a port") if rest else None
    if text.count(":") > 1 and is_ipv6(text):
        return text, None
    host, colon, port = text.partition(":")
    host = host.rstrip()
    if _HOST.fullmatch(host) is None:
        raise SIPParseError(f"a host name or an IP address was expected, not {shorten(host)}")
    return host, read_number(port, 65535, "a port") if colon else None


def write_host_port(host: str, port: int | None) -> str:
    if ":" in host:
        host = f"[{host}]"
    return host if port is None else f"{host}:{port}"


def is_ipv6(text: str) -> bool:
    try:
        IPv6Address(text)
    except AddressValueError:
        return False
    return True
