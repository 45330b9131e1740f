"""The client's side: choose a challenge and answer it (RFC 8760 section 2.4)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from townhall.sip.digest.challenge import Challenge, Credentials, parse_challenges
from townhall.sip.digest.response import ALGORITHMS, canonical_algorithm, digest_response


def choose_challenge(challenges: Iterable[Challenge]) -> Challenge | None:
    """The challenge with the strongest algorithm we have, the first of equals; None when there is none."""
    usable = [
        challenge
        for challenge in challenges
        if canonical_algorithm(challenge.algorithm) is not None and _choose_qop(challenge) != ""
    ]
    return min(usable, key=_strength, default=None)


def answer_challenges(
    values: Iterable[str],
    *,
    username: str,
    password: str,
    method: str,
    uri: str,
    nc: int = 1,
    cnonce: str | None = None,
    body: bytes = b"",
) -> Credentials | None:
    """Credentials for the values of all WWW-Authenticate (or Proxy-Authenticate) headers of a response.

    None when no challenge can be answered. `nc` counts the requests sent with the same nonce. Raises
    `SIPParseError` when a header makes no sense.
    """
    challenge = choose_challenge(parse_challenges(values))
    algorithm = canonical_algorithm(challenge.algorithm) if challenge is not None else None
    if challenge is None or algorithm is None:
        return None
    qop = _choose_qop(challenge)
    needs_cnonce = qop is not None or algorithm.endswith("-sess")
    cnonce = (cnonce or secrets.token_hex(8)) if needs_cnonce else None
    response = digest_response(
        algorithm=algorithm,
        username=username,
        realm=challenge.realm,
        password=password,
        nonce=challenge.nonce,
        method=method,
        uri=uri,
        qop=qop,
        nc=nc,
        cnonce=cnonce,
        body=body,
    )
    return Credentials(
        username=username,
        realm=challenge.realm,
        nonce=challenge.nonce,
        uri=uri,
        response=response,
        algorithm=challenge.algorithm,
        qop=qop,
        cnonce=cnonce,
        nc=nc if qop is not None else 0,
        opaque=challenge.opaque,
    )


def _strength(challenge: Challenge) -> int:
    algorithm = canonical_algorithm(challenge.algorithm)
    return ALGORITHMS.index(algorithm) if algorithm is not None else len(ALGORITHMS)


def _choose_qop(challenge: Challenge) -> str | None:
    """The qop to answer with; None when none is offered, an empty text when none that is offered is known."""
    if not challenge.qop:
        return None
    return next((qop for qop in ("auth", "auth-int") if qop in challenge.qop), "")
