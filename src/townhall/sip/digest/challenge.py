"""WWW-Authenticate and Authorization as data (RFC 7616 sections 3.3 and 3.4, RFC 3261 section 22)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from townhall.sip.errors import SIPParseError
from townhall.sip.grammar import quote, shorten, split_list, unquote

_SCHEME = re.compile(r"\s*([A-Za-z0-9_\-]+)\s+(?=[A-Za-z0-9_\-]+\s*=)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a server asks for. `qop` is empty when it offers none; `algorithm` is MD5 when it names none."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: tuple[str, ...] = ()
    opaque: str | None = None
    stale: bool = False

    @classmethod
    def parse(cls, text: str) -> Challenge:
        """The first digest challenge in a header value; raises `SIPParseError`."""
        challenges = parse_challenges([text])
        if not challenges:
            raise SIPParseError(f"a digest challenge was expected, not {shorten(text)}")
        return challenges[0]

    def __str__(self) -> str:
        parts = [f"realm={quote(self.realm)}", f"nonce={quote(self.nonce)}"]
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            parts.append(f"qop={quote(','.join(self.qop))}")
        if self.stale:
            parts.append("stale=true")
        return "Digest " + ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a client answers. `nc` is the nonce count; 0 and no `cnonce` when there is no `qop`."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str | None = None
    cnonce: str | None = None
    nc: int = 0
    opaque: str | None = None

    @classmethod
    def parse(cls, text: str) -> Credentials:
        """Read an Authorization header; raises `SIPParseError`."""
        found = _read_fields(text)
        if not found or found[0][0] != "digest":
            raise SIPParseError(f"digest credentials were expected, not {shorten(text)}")
        fields = found[0][1]
        for name in ("username", "realm", "nonce", "uri", "response"):
            if name not in fields:
                raise SIPParseError(f"digest credentials need {name}, there is none in {shorten(text)}")
        qop = fields.get("qop")
        return cls(
            username=fields["username"],
            realm=fields["realm"],
            nonce=fields["nonce"],
            uri=fields["uri"],
            response=fields["response"].lower(),
            algorithm=fields.get("algorithm") or "MD5",
            qop=qop.lower() if qop else None,
            cnonce=fields.get("cnonce"),
            nc=_read_nonce_count(fields.get("nc")),
            opaque=fields.get("opaque"),
        )

    def __str__(self) -> str:
        parts = [
            f"username={quote(self.username)}",
            f"realm={quote(self.realm)}",
            f"nonce={quote(self.nonce)}",
            f"uri={quote(self.uri)}",
            f"response={quote(self.response)}",
            f"algorithm={self.algorithm}",
        ]
        if self.cnonce is not None:
            parts.append(f"cnonce={quote(self.cnonce)}")
        if self.opaque is not None:
            parts.append(f"opaque={quote(self.opaque)}")
        if self.qop is not None:
            parts.append(f"qop={self.qop}, nc={self.nc:08x}")
        return "Digest " + ", ".join(parts)


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """All digest challenges in the values of WWW-Authenticate headers, in order.

    Other schemes, and challenges without realm or nonce, are passed over. Raises `SIPParseError` when
    quotes are open.
    """
    challenges = []
    for value in values:
        for scheme, fields in _read_fields(value):
            if scheme == "digest" and "realm" in fields and "nonce" in fields:
                challenges.append(_read_challenge(fields))
    return challenges


def _read_challenge(fields: dict[str, str]) -> Challenge:
    options = (option.strip().lower() for option in fields.get("qop", "").split(","))
    return Challenge(
        realm=fields["realm"],
        nonce=fields["nonce"],
        algorithm=fields.get("algorithm") or "MD5",
        qop=tuple(option for option in options if option),
        opaque=fields.get("opaque"),
        stale=fields.get("stale", "").lower() == "true",
    )


def _read_fields(text: str) -> list[tuple[str, dict[str, str]]]:
    """(scheme, fields) of each challenge in a value: commas separate both challenges and their fields."""
    found: list[tuple[str, dict[str, str]]] = []
    for element in split_list(text):
        match = _SCHEME.match(element)
        if match is not None:
            found.append((match[1].lower(), {}))
            element = element[match.end() :]
        if found:
            name, _, value = element.partition("=")
            found[-1][1].setdefault(name.strip().lower(), unquote(value.strip()))
    return found


def _read_nonce_count(text: str | None) -> int:
    if text is None:
        return 0
    if re.fullmatch(r"[0-9A-Fa-f]{1,8}", text) is None:
        raise SIPParseError(f"a nonce count of 8 hexadecimal digits was expected, not {shorten(text)}")
    return int(text, 16)
