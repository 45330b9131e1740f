"""Access tokens with a voice grant, as Twilio's packages make them (JWT, HS256 with an API key's secret).

https://www.twilio.com/docs/iam/access-tokens. Checked are the form (`cty`), the algorithm, the account, the
signature, the times and the grant. Left out: push credentials, regions (`twr` is ignored), other grants; an
account's auth token signs none.
"""

from __future__ import annotations

import re
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import jwt

from townhall.errors import TownhallError
from townhall.signalling.voice_sdk.codes import AUTHORIZATION, INVALID_TOKEN, TOKEN_EXPIRED

CONTENT_TYPE = "twilio-fpa;v=1"
LONGEST_S = 86_400
"""A token lives for 24 hours at most (Twilio's page)."""
MOST_CHARACTERS = 8192

_LEEWAY_S = 30  # clocks of two machines
_MOST_IDENTITY = 256
_MOST_PARAMETERS = 100
_KEY_SID = re.compile(r"SK[0-9a-f]{32}")
_APPLICATION_SID = re.compile(r"AP[0-9a-f]{32}")


class TokenError(TownhallError):
    """A token is refused. `code` is for the wire: 31204 invalid (the page sees 20101), 31205 expired
    (20104), 31201 not of this account (20151).
    """

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token allows. Without an `application_sid` its bearer cannot call, without `incoming` not be
    called.
    """

    identity: str
    application_sid: str | None
    parameters: tuple[tuple[str, str], ...]
    incoming: bool
    expires_at: float
    """Unix time."""


class AccessTokens:
    """Checks tokens against the API keys of one account; `secret_of` gives a key's secret, None if there is
    no such key.
    """

    def __init__(self, account_sid: str, secret_of: Callable[[str], Awaitable[str | None]]) -> None:
        self.account_sid = account_sid
        self._secret_of = secret_of

    async def check(self, token: str) -> Grant:
        """What the token allows, if it is good now; raises `TokenError`."""
        if len(token) > MOST_CHARACTERS:
            raise TokenError(INVALID_TOKEN, f"an access token has {MOST_CHARACTERS} characters at most")
        key_sid = _issuer_of(token)
        secret = await self._secret_of(key_sid)
        if not secret:
            raise TokenError(AUTHORIZATION, f"there is no API key {key_sid} in this account")
        claims = _verified(token, secret)
        if claims.get("sub") != self.account_sid:
            raise TokenError(AUTHORIZATION, "the access token is of another account (sub)")
        return _grant_of(claims)


def _issuer_of(token: str) -> str:
    """The key that a token says it is signed with; nothing of it is believed yet."""
    try:
        header = jwt.get_unverified_header(token)
        claims: Any = jwt.decode(token, options={"verify_signature": False})
    except (jwt.PyJWTError, ValueError, RecursionError):
        raise TokenError(INVALID_TOKEN, "this is no access token: a JWT was expected") from None
    if header.get("alg") != "HS256":
        raise TokenError(INVALID_TOKEN, "an access token is signed with HS256")
    if header.get("cty") != CONTENT_TYPE:
        raise TokenError(INVALID_TOKEN, f"an access token has the cty {CONTENT_TYPE}")
    key_sid = claims.get("iss") if isinstance(claims, dict) else None
    if not isinstance(key_sid, str) or _KEY_SID.fullmatch(key_sid) is None:
        raise TokenError(INVALID_TOKEN, "an access token names its API key, SK…, in iss")
    return key_sid


def _verified(token: str, secret: str) -> dict[str, Any]:
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            secret,
            algorithms=["HS256"],
            leeway=_LEEWAY_S,
            options={
                "require": ["exp", "iss", "sub"],
                "verify_iat": False,
                "verify_aud": False,
                "verify_exp": False,
            },
        )
    except jwt.ImmatureSignatureError:
        raise TokenError(INVALID_TOKEN, "the access token is not valid yet (nbf)") from None
    except jwt.InvalidSignatureError:
        raise TokenError(INVALID_TOKEN, "the access token's signature is wrong: another secret?") from None
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        raise TokenError(INVALID_TOKEN, f"the access token cannot be read: {error}"[:200]) from None
    return claims


def _grant_of(claims: dict[str, Any]) -> Grant:
    grants = _table(claims.get("grants"))
    identity = grants.get("identity")
    if (
        not isinstance(identity, str)
        or not 1 <= len(identity) <= _MOST_IDENTITY
        or not identity.isprintable()
    ):
        raise TokenError(
            INVALID_TOKEN, f"an identity of 1 to {_MOST_IDENTITY} characters was expected in grants"
        )
    if not isinstance(grants.get("voice"), dict):
        raise TokenError(INVALID_TOKEN, "the access token has no voice grant")
    voice = _table(grants["voice"])
    outgoing = _table(voice.get("outgoing"))
    application_sid = outgoing.get("application_sid")
    if application_sid is not None and not (
        isinstance(application_sid, str) and _APPLICATION_SID.fullmatch(application_sid)
    ):
        raise TokenError(INVALID_TOKEN, "an application's SID, AP…, was expected in outgoing.application_sid")
    return Grant(
        identity=identity,
        application_sid=application_sid,
        parameters=_parameters(outgoing.get("params")),
        incoming=_table(voice.get("incoming")).get("allow") is True,
        expires_at=_expiry(claims.get("exp")),
    )


def _expiry(exp: object) -> float:
    now = time.time()
    if isinstance(exp, bool) or not isinstance(exp, int | float) or not abs(exp) < 1e12:
        raise TokenError(INVALID_TOKEN, "a Unix time was expected in exp")
    if exp <= now:
        raise TokenError(TOKEN_EXPIRED, "the access token has expired")
    if exp > now + LONGEST_S + _LEEWAY_S:
        raise TokenError(INVALID_TOKEN, "an access token lives for 24 hours at most (exp)")
    return float(exp)


def _table(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _parameters(value: object) -> tuple[tuple[str, str], ...]:
    """The grant's own parameters as texts; what is neither text, number nor truth value is passed over."""
    found = [
        (name, item if isinstance(item, str) else str(item).lower() if isinstance(item, bool) else str(item))
        for name, item in _table(value).items()
        if isinstance(item, str | int | float)
    ]
    return tuple(found[:_MOST_PARAMETERS])
