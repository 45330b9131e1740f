"""Content-Type, and the media ranges of Accept (RFC 3261 sections 20.1 and 20.15)."""

from __future__ import annotations

from dataclasses import dataclass

from townhall.sip.errors import SIPParseError
from townhall.sip.grammar import NO_PARAMETERS, Parameters, is_token, shorten


@dataclass(frozen=True, slots=True)
class MediaType:
    """`type` and `subtype` in lower case; either may be `*` in an Accept header."""

    type: str
    subtype: str
    parameters: Parameters = NO_PARAMETERS

    @classmethod
    def parse(cls, text: str) -> MediaType:
        essence, _, parameters = text.partition(";")
        kind, slash, subtype = essence.partition("/")
        kind, subtype = kind.strip().lower(), subtype.strip().lower()
        if not slash or not is_token(kind) or not is_token(subtype):
            raise SIPParseError(f"a media type such as application/sdp was expected, not {shorten(text)}")
        return cls(kind, subtype, Parameters.parse(parameters))

    @property
    def essence(self) -> str:
        """Type and subtype without parameters, such as `application/sdp`."""
        return f"{self.type}/{self.subtype}"

    def accepts(self, other: MediaType) -> bool:
        """Whether this media range covers `other`."""
        return self.type in ("*", other.type) and self.subtype in ("*", other.subtype)

    def __str__(self) -> str:
        return self.essence + str(self.parameters)
