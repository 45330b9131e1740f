"""Who asks: HTTP Basic with the account's SID and token, or an API key (`SK…`) and its secret.

Everything is compared in constant time. Failed attempts are limited per address and user name, and more
loosely per address: from then on nothing is checked from there until the time that `Retry-After` names. A
client that is let in has a limit of its own. A standard API key may do all but read the account (its answer
holds the auth token) and manage keys.
"""

import base64
import binascii
import hmac
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request

from townhall.api.errors import APIError
from townhall.api.limits import RateLimit
from townhall.ids import is_sid
from townhall.store import APIKey

CHALLENGE = {"WWW-Authenticate": 'Basic realm="Twilio API"'}
FAILURES = (10, 60.0)
"""So many wrong passwords at once for one user name from one address, then one in so many seconds."""
FAILURES_OF_ADDRESS = (100, 2.0)
MOST_CREDENTIALS = 1024


@dataclass(frozen=True, slots=True)
class Client:
    """Who is let in. `name` is his user name. A `standard` one came with a standard API key."""

    name: str
    standard: bool = False


KeyCheck = Callable[[str, str], Awaitable[APIKey | None]]
"""The API key of this SID if this is its secret, compared in constant time."""


class Doorkeeper:
    """Lets clients in. `requests_per_s` limits each; 0 does not."""

    def __init__(
        self,
        account_sid: str,
        auth_token: str,
        verify_key: KeyCheck,
        *,
        requests_per_s: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._account_sid = account_sid
        self._auth_token = auth_token
        self._verify_key = verify_key
        self._clock = clock
        self._requests = RateLimit(requests_per_s, max(1.0, 2 * requests_per_s))
        burst, period_s = FAILURES
        self._failures = RateLimit(1 / period_s, burst)
        burst, period_s = FAILURES_OF_ADDRESS
        self._failures_of_address = RateLimit(1 / period_s, burst)

    async def admit(self, request: Request) -> Client:
        """Who sent this request; raises `APIError` 20003 or 20429."""
        address = request.client.host if request.client else ""
        name, password = _credentials(request.headers.get("authorization", ""))
        now = self._clock()
        suspect = f"{address} {name}"
        wait_s = max(self._failures.wait_s(suspect, now), self._failures_of_address.wait_s(address, now))
        if wait_s:
            raise _too_many(wait_s, "wrong credentials; correct them before you try again")
        client = await self._identify(name, password)
        if client is None:
            if name or password:
                self._failures.take(suspect, now)
                self._failures_of_address.take(address, now)
            raise APIError(20003, "Authenticate", headers=CHALLENGE)
        wait_s = self._requests.take(f"{address} {name}", now)
        if wait_s:
            raise _too_many(wait_s, "requests; slow down")
        return client

    async def _identify(self, name: str, password: str) -> Client | None:
        if is_sid(name, "SK"):
            key = await self._verify_key(name, password)
            return Client(name, standard=key.kind == "standard") if key else None
        # Both are compared in any case, so that the time taken tells nothing.
        right_name = hmac.compare_digest(name.encode(), self._account_sid.encode())
        right_token = hmac.compare_digest(password.encode(), self._auth_token.encode())
        return Client(name) if right_name and right_token else None


def _too_many(wait_s: float, what: str) -> APIError:
    seconds = str(max(1, math.ceil(wait_s)))
    return APIError(20429, f"Too many {what} (wait {seconds} s)", headers={"Retry-After": seconds})


def _credentials(header: str) -> tuple[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "basic" or len(rest) > MOST_CREDENTIALS:
        return "", ""
    try:
        name, _, password = base64.b64decode(rest.strip(), validate=True).decode("utf-8").partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return name, password
