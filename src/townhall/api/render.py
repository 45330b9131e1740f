"""The wire's words out: dates, lengths of time, URIs and JSON, as every resource writes them.

Dates are RFC 2822 and always `+0000` (twilio-python reads no other offset). What we do not have is null, and
is written.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.responses import Response

API_VERSION = "2010-04-01"
Resource = dict[str, Any]


def date_of(at: datetime | None) -> str | None:
    """`Fri, 18 Feb 2011 19:26:50 +0000`."""
    return None if at is None else format_datetime(at.astimezone(UTC))


def seconds_of(seconds: float | None) -> str | None:
    """A duration as Twilio writes it: whole seconds, as a string."""
    return None if seconds is None else str(int(seconds))


def account_uri(account_sid: str, *parts: str) -> str:
    """`/2010-04-01/Accounts/AC…/Calls/CA….json`."""
    inner = "".join(f"/{quote(part, safe='')}" for part in parts)
    return f"/{API_VERSION}/Accounts/{account_sid}{inner}.json"


def subresources(account_sid: str, names: Mapping[str, str], *parts: str) -> dict[str, str]:
    """`subresource_uris`: `names` maps a key to the last part of its path."""
    return {key: account_uri(account_sid, *parts, last) for key, last in names.items()}


def answer(resource: Resource, status: int = 200) -> Response:
    return Response(msgspec.json.encode(resource), status_code=status, media_type="application/json")


def deleted() -> Response:
    return Response(status_code=204)
