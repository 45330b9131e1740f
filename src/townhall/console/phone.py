"""What the browser phone asks of the server: a token to call with, and which lines there are to call.

`POST /phone/token` gives whoever opened the page an access token of the Voice SDK's kind (Twilio's page
"Access Tokens"), good for calls to one application and for a few minutes. Who calls is nobody known: the
identity is random, `web_` and 16 hexadecimal digits, and the menu's PINs say who may moderate, as for every
telephone. A page that has a token of ours posts it back before it runs out, and keeps its identity with the
new one.

`GET /phone/lines` lists the numbers that the page offers.

docs/reference/console-api.md has the shapes. Left out: the pages themselves and their headers, which the
console serves as it serves its own.
"""

import json
import logging
import math
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv6Address, ip_address
from typing import Protocol
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from twilio.jwt import JwtDecodeError
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

log = logging.getLogger(__name__)

LONGEST_TTL_S = 600
IDENTITY_PREFIX = "web_"
SIGNAL_PATH = "/signal"
"""Where the page speaks the Voice SDK's signalling, on its own origin."""
MOST_BODY_BYTES = 8192
"""A token of ours has about 500; a body holds one and little else."""
MOST_SOURCES = 10_000
"""So many are remembered; the one not seen for longest is forgotten first, and starts afresh."""

_PRIVATE = {"Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True)
class PhoneLine:
    """A number that the page offers, and what its menu's keys do, such as `(("1", "Listen"), …)`."""

    number: str
    name: str
    keys: tuple[tuple[str, str], ...] = ()


class PhoneLines(Protocol):
    async def phone_lines(self) -> Sequence[PhoneLine]:
        """The lines to offer, in the order to show them."""


@dataclass(frozen=True, slots=True)
class PhoneSettings:
    """`api_key_sid` and its secret sign the tokens; calls go to the TwiML application `application_sid`."""

    account_sid: str
    api_key_sid: str
    api_key_secret: str = field(repr=False)
    application_sid: str
    ttl_s: int = LONGEST_TTL_S
    public_origin: str | None = None
    """Where the page is reached through a proxy that hides it: `https://calls.example.com`; a path is no
    matter.
    """
    sip_address: str | None = None
    """What a SIP phone calls, such as `sip:{number}@calls.example.com`; None: not known."""
    tokens_per_minute: float = 60.0
    """Of one source, in the long run; twice as many at once, for offices behind one address. 0: no limit."""

    def __post_init__(self) -> None:
        if not self.api_key_secret:
            raise ValueError("api_key_secret is empty; a token signed with nothing can be made by anybody")
        if not 1 <= self.ttl_s <= LONGEST_TTL_S:
            raise ValueError(
                f"ttl_s is {self.ttl_s}; a page's token is good for 1 to {LONGEST_TTL_S} seconds"
            )


def phone_routes(
    settings: PhoneSettings, lines: PhoneLines, clock: Callable[[], float] = time.monotonic
) -> list[Route]:
    """`POST /phone/token` and `GET /phone/lines`, to be mounted at the root. `clock`: monotonic seconds."""
    desk = _TokenDesk(settings, clock)

    async def list_lines(_: Request) -> Response:
        offered = await lines.phone_lines()
        found = [{"number": line.number, "name": line.name, "keys": dict(line.keys)} for line in offered]
        return JSONResponse({"lines": found, "address": settings.sip_address}, headers=_PRIVATE)

    return [
        Route("/phone/token", desk.give, methods=["POST"]),
        Route("/phone/lines", list_lines, methods=["GET"]),
    ]


class _TokenDesk:
    def __init__(self, settings: PhoneSettings, clock: Callable[[], float]) -> None:
        self._settings = settings
        self._clock = clock
        self._sources = _Sources(settings.tokens_per_minute)

    async def give(self, request: Request) -> Response:
        """A token for a page of our own, or why there is none."""
        if not is_same_origin(request, self._settings.public_origin):
            log.warning("a token for another site's page was refused: origin %s", _origin_shown(request))
            return _refusal(403, "cross-site", "Only this server's own page may ask for a token.")
        wait_s = self._sources.take(_source(request), self._clock())
        if wait_s > 0:
            return _refusal(429, "too-many", "There are too many calls from your network.", wait_s)
        body = await _body(request)
        if body is None:
            return _refusal(413, "too-large", f"The body may have {MOST_BODY_BYTES} bytes.")
        identity = self._identity_in(body) or IDENTITY_PREFIX + secrets.token_hex(8)
        return JSONResponse(
            {
                "token": self._token(identity),
                "identity": identity,
                "expires_in_s": self._settings.ttl_s,
                "signal": SIGNAL_PATH,
            },
            headers=_PRIVATE,
        )

    def _token(self, identity: str) -> str:
        settings = self._settings
        token = AccessToken(
            settings.account_sid,
            settings.api_key_sid,
            settings.api_key_secret,
            identity=identity,
            ttl=settings.ttl_s,
        )
        token.add_grant(VoiceGrant(outgoing_application_sid=settings.application_sid, incoming_allow=True))
        return str(token.to_jwt())

    def _identity_in(self, body: bytes) -> str | None:
        """The identity of the token that the page has, if that is ours and still good. Any other body is as
        good as none: whoever sends it gets an identity of his own.
        """
        settings = self._settings
        try:
            kept = json.loads(body).get("token") if body else None
            payload = AccessToken.from_jwt(kept, settings.api_key_secret).payload if kept else {}
            ours = (payload.get("iss"), payload.get("sub")) == (settings.api_key_sid, settings.account_sid)
            identity = payload["grants"]["identity"] if ours else ""
        except (ValueError, TypeError, AttributeError, KeyError, RecursionError, JwtDecodeError):
            return None
        known = isinstance(identity, str) and identity.startswith(IDENTITY_PREFIX)
        return identity if known else None


class _Sources:
    """A token bucket for each network source, in bounded memory."""

    def __init__(self, per_minute: float) -> None:
        self._rate = per_minute / 60
        self._burst = max(1.0, per_minute * 2)
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, source: str, now: float) -> float:
        """Take one, if there is one; else the seconds until there is."""
        if not self._rate:
            return 0.0
        left, at = self._left.get(source, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._rate)
        if left < 1:
            return (1 - left) / self._rate
        self._left[source] = (left - 1, now)
        self._left.move_to_end(source)
        if len(self._left) > MOST_SOURCES:
            self._left.popitem(last=False)
        return 0.0


def is_same_origin(request: Request, public_origin: str | None = None) -> bool:
    """Whether a browser says that a page of this very server asks (Fetch Metadata; RFC 6454 Origin).

    Browsers send `Sec-Fetch-Site` to https and loopback, and `Origin` with every POST. A request with neither
    is no page's.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    origin = request.headers.get("origin", "").lower()
    if not origin:
        return False
    if public_origin and urlsplit(origin)[:2] == urlsplit(public_origin.lower())[:2]:
        return True
    return urlsplit(origin).netloc == request.headers.get("host", "").lower()


def _source(request: Request) -> str:
    """The address that asks; of IPv6 the network, for one house has as many addresses as it likes."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else host


async def _body(request: Request) -> bytes | None:
    """The body; None: too long."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY_BYTES:
            return None
    return body


def _origin_shown(request: Request) -> str:
    return ascii(request.headers.get("origin", ""))[1:-1][:100]


def _refusal(status: int, code: str, message: str, wait_s: float = 0.0) -> Response:
    """An error as every endpoint of the console gives it."""
    wait = math.ceil(wait_s) or None
    error = {"code": code, "message": message, "wait_s": wait, "twilio_code": None}
    headers = _PRIVATE | ({"Retry-After": str(wait)} if wait else {})
    return JSONResponse({"error": error}, status, headers=headers)
