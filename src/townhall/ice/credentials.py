"""Username fragments and passwords: how an ICE agent knows whose check it has before it (RFC 8839 section
5.4).
"""

import re
import secrets
from dataclasses import dataclass, field

from townhall.errors import TownhallError

ICE_CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
UFRAG_LENGTH = 16
"""Longer than RFC 8445 section 5.3 asks for (24 bits): a fragment that cannot be guessed costs a flood its
only way to make us compute an HMAC.
"""
PWD_LENGTH = 24

_UFRAG = re.compile(r"[A-Za-z0-9+/]{4,256}")
_PWD = re.compile(r"[A-Za-z0-9+/]{22,256}")


class IceError(TownhallError):
    """Credentials that no ICE agent may have, or that another peer has already."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """One side's `a=ice-ufrag` and `a=ice-pwd`."""

    ufrag: str
    pwd: str = field(repr=False)

    def check(self) -> "Credentials":
        """Itself. Raises `IceError` when it is none by RFC 8839 section 5.4."""
        if not _UFRAG.fullmatch(self.ufrag):
            raise IceError(f"ice-ufrag {self.ufrag[:40]!r} is not 4 to 256 letters, digits, + and /")
        if not _PWD.fullmatch(self.pwd):
            raise IceError(
                f"an ice-pwd of {len(self.pwd)} characters is not 22 to 256 letters, digits, + and /"
            )
        return self


def new_credentials() -> Credentials:
    """Fresh ones, from the system's randomness."""
    return Credentials(_word(UFRAG_LENGTH), _word(PWD_LENGTH))


def _word(length: int) -> str:
    return "".join(ICE_CHARACTERS[byte & 63] for byte in secrets.token_bytes(length))
