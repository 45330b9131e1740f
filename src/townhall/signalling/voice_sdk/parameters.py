"""A call's custom parameters: the page's and its token's on the way in, ours on the way out."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import parse_qsl, quote

from townhall.signalling.voice_sdk.codes import PARAMETERS_TOO_LONG
from townhall.signalling.voice_sdk.tokens import TokenError

MOST_PARAMETERS = 100
MOST_CHARACTERS = 4096

RESERVED = frozenset(
    name.lower()
    for name in (
        "AccountSid", "ApiVersion", "ApplicationSid", "CallSid", "CallStatus", "CallToken", "CallbackSource",
        "Caller", "CallerName", "Digits", "Direction", "ForwardedFrom", "From", "ParentCallSid",
        "SequenceNumber", "StirPassportToken", "StirVerstat", "Timestamp",
    )
)  # fmt: skip
"""What our own webhook parameters say: a page cannot say it in our place. `To` is the page's to choose."""


class TooManyParameters(TokenError):
    """A page sends more than an application is to be bothered with."""


def merged(query: str, granted: Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    """The page's `k=v&k2=v2` and the token's own parameters, which win; none of them reserved.

    Raises TooManyParameters.
    """
    if len(query) > MOST_CHARACTERS * 3:
        raise _too_many()
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="replace")
    except ValueError:
        raise _too_many() from None
    if sum(len(name) + len(value) for name, value in pairs) > MOST_CHARACTERS:
        raise _too_many()
    found = {name: value for name, value in [*pairs, *granted] if name.lower() not in RESERVED}
    return list(found.items())


def written(parameters: Sequence[tuple[str, str]]) -> str:
    """Parameters as the SDK reads them: values decoded, names taken as they stand."""
    return "&".join(f"{_name(name)}={quote(value, safe='')}" for name, value in parameters)


def _name(name: str) -> str:
    return name.replace("&", "%26").replace("=", "%3D")


def _too_many() -> TooManyParameters:
    return TooManyParameters(
        PARAMETERS_TOO_LONG,
        f"a call takes {MOST_PARAMETERS} parameters of {MOST_CHARACTERS} characters in all at most",
    )
