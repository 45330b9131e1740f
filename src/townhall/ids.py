"""SIDs of Twilio's shape: two letters that tell the resource, then 32 hexadecimal digits."""

import re
import secrets
from typing import Literal

Prefix = Literal["AC", "AP", "CA", "CF", "NO", "PN", "QU", "RE", "SD", "SK", "TK"]

_SID = re.compile(r"[A-Z]{2}[0-9a-f]{32}")


def new_sid(prefix: Prefix) -> str:
    """A fresh SID, such as `CA` and 128 random bits in hexadecimal."""
    return prefix + secrets.token_hex(16)


def is_sid(text: str, prefix: Prefix) -> bool:
    """Whether `text` has the shape of a SID of this resource."""
    return text.startswith(prefix) and _SID.fullmatch(text) is not None
