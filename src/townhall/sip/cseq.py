"""CSeq and RAck: which request a message is, or is about (RFC 3261 section 20.16, RFC 3262 section 7.2)."""

from __future__ import annotations

from dataclasses import dataclass

from townhall.sip.errors import SIPParseError
from townhall.sip.grammar import is_token, read_number, shorten

# RFC 3261 section 8.1.1.5: the sequence number must be less than 2**31.
MAX_SEQUENCE_NUMBER = 2**31 - 1


@dataclass(frozen=True, slots=True)
class CSeq:
    number: int
    method: str

    @classmethod
    def parse(cls, text: str) -> CSeq:
        parts = text.split()
        if len(parts) != 2 or not is_token(parts[1]):
            raise SIPParseError(f"a CSeq such as 1 INVITE was expected, not {shorten(text)}")
        return cls(read_number(parts[0], MAX_SEQUENCE_NUMBER, "the CSeq number"), parts[1])

    def __str__(self) -> str:
        return f"{self.number} {self.method}"


@dataclass(frozen=True, slots=True)
class RAck:
    """What a PRACK acknowledges: the RSeq of a provisional response, and the CSeq of its request."""

    response_number: int
    cseq: CSeq

    @classmethod
    def parse(cls, text: str) -> RAck:
        number, _, rest = text.strip().partition(" ")
        return cls(read_number(number, 2**32 - 1, "the RAck number"), CSeq.parse(rest))

    def __str__(self) -> str:
        return f"{self.response_number} {self.cseq}"
