"""Which access tokens are taken, and what they allow."""

import asyncio
import base64
import json
import time
from typing import Any

import jwt
import pytest
from tests.harness.signal_house import (
    ACCOUNT_SID,
    APPLICATION_SID,
    KEY_SID,
    SECRET,
    make_token,
    secret_of,
)

from townhall.signalling.voice_sdk import AccessTokens, Grant, TokenError

NOW = time.time()
GOOD: dict[str, Any] = {
    "jti": f"{KEY_SID}-{int(NOW)}",
    "iss": KEY_SID,
    "sub": ACCOUNT_SID,
    "exp": int(NOW) + 3600,
    "grants": {"identity": "alice", "voice": {}},
}
HEADER = {"cty": "twilio-fpa;v=1"}


def check(token: str) -> Grant:
    return asyncio.run(AccessTokens(ACCOUNT_SID, secret_of).check(token))


def refused(token: str) -> tuple[int, str]:
    with pytest.raises(TokenError) as error:
        check(token)
    return error.value.code, error.value.message


def signed(header: dict[str, Any] | None = None, secret: str = SECRET, **claims: Any) -> str:
    made = {name: value for name, value in {**GOOD, **claims}.items() if value is not None}
    return jwt.PyJWS().encode(
        json.dumps(made).encode(), secret, "HS256", headers=HEADER if header is None else header
    )


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def test_token_of_twilios_package_says_what_it_allows() -> None:
    grant = check(make_token("alice", parameters={"room": "town hall", "n": 2, "on": True, "deep": {"x": 1}}))
    assert grant.identity == "alice"
    assert grant.application_sid == APPLICATION_SID
    assert grant.parameters == (("room", "town hall"), ("n", "2"), ("on", "true"))
    assert grant.incoming
    assert abs(grant.expires_at - time.time() - 3600) < 60


def test_grant_without_anything_allows_nothing() -> None:
    grant = check(signed())
    assert (grant.application_sid, grant.parameters, grant.incoming) == (None, (), False)


@pytest.mark.parametrize("incoming", [{}, {"allow": False}, {"allow": "true"}, {"allow": 1}, [], "x"])
def test_only_true_allows_incoming_calls(incoming: object) -> None:
    assert not check(signed(grants={"identity": "a", "voice": {"incoming": incoming}})).incoming


@pytest.mark.parametrize("header", [{}, {"cty": "JWT"}, {"cty": "twilio-fpa;v=2"}, {"cty": 1}])
def test_other_kinds_of_token_are_refused(header: dict[str, Any]) -> None:
    code, message = refused(signed(header))
    assert code == 31204
    assert "cty" in message


def test_unsigned_token_is_refused() -> None:
    for algorithm in ("none", "None", "NONE", ""):
        token = f"{part({'typ': 'JWT', 'alg': algorithm, **HEADER})}.{part(GOOD)}."
        assert refused(token)[0] == 31204


@pytest.mark.parametrize("algorithm", ["HS384", "HS512"])
def test_other_algorithms_are_refused_though_the_secret_is_right(algorithm: str) -> None:
    token = jwt.encode(GOOD, SECRET * 2, algorithm, headers=HEADER)
    assert refused(token) == (31204, "an access token is signed with HS256")


def test_header_that_claims_another_algorithm_than_it_was_signed_with_is_refused() -> None:
    _, claims, signature = signed().split(".")
    for algorithm in ("RS256", "ES256", "HS512"):
        assert refused(f"{part({'alg': algorithm, **HEADER})}.{claims}.{signature}")[0] == 31204


def test_changed_claims_are_refused() -> None:
    header, _, signature = signed().split(".")
    other = {**GOOD, "grants": {"identity": "boss", "voice": {}}}
    code, message = refused(f"{header}.{part(other)}.{signature}")
    assert code == 31204
    assert "signature" in message


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"exp": int(NOW) - 1}, 31205),
        ({"exp": 0}, 31205),
        ({"exp": -1e9}, 31205),
        ({"exp": int(NOW) + 90_000}, 31204),
        ({"exp": 10**30}, 31204),
        ({"exp": True}, 31204),
        ({"exp": "tomorrow"}, 31204),
        ({"exp": None}, 31204),
        ({"nbf": int(NOW) + 80_000}, 31204),
        ({"nbf": "soon"}, 31204),
        ({"sub": "AC" + "0" * 32}, 31201),
        ({"sub": None}, 31204),
        ({"sub": 7}, 31204),
        ({"iss": "SK" + "0" * 32}, 31201),
        ({"iss": ACCOUNT_SID}, 31204),
        ({"iss": None}, 31204),
        ({"iss": ["SK"]}, 31204),
        ({"grants": None}, 31204),
        ({"grants": []}, 31204),
        ({"grants": {"identity": "alice"}}, 31204),
        ({"grants": {"identity": "alice", "voice": None}}, 31204),
        ({"grants": {"identity": "alice", "video": {}}}, 31204),
        ({"grants": {"voice": {}}}, 31204),
        ({"grants": {"identity": "", "voice": {}}}, 31204),
        ({"grants": {"identity": 7, "voice": {}}}, 31204),
        ({"grants": {"identity": "a\nb", "voice": {}}}, 31204),
        ({"grants": {"identity": "x" * 257, "voice": {}}}, 31204),
        ({"grants": {"identity": "a", "voice": {"outgoing": {"application_sid": "CA1"}}}}, 31204),
        ({"grants": {"identity": "a", "voice": {"outgoing": {"application_sid": ["AP"]}}}}, 31204),
    ],
)
def test_claims_that_do_not_fit_are_refused(claims: dict[str, Any], code: int) -> None:
    assert refused(signed(**claims))[0] == code


def test_clocks_may_differ_a_little() -> None:
    assert check(signed(nbf=int(time.time()) + 5)).identity == "alice"


def test_account_s_auth_token_signs_no_access_tokens() -> None:
    assert refused(make_token(key_sid=ACCOUNT_SID, secret="the auth token of the account......"))[0] == 31204


WITH_HEADER = part({"alg": "HS256", **HEADER})


@pytest.mark.parametrize(
    "token",
    ["", ".", "..", "a.b.c", "é", "\ud800", "x" * 9000, "[" * 4000, "eyJ.eyJ.eyJ",
     f"{part([])}.{part(GOOD)}.x",
     f"{WITH_HEADER}.{part([])}.x", f"{WITH_HEADER}.{'W' * 4000}.x"],
    ids=list("abcdefghijkl"),  # the same ones at any time
)  # fmt: skip
def test_garbage_is_refused(token: str) -> None:
    assert refused(token)[0] == 31204


def test_nobody_s_secret_is_in_what_is_said() -> None:
    for token in (signed(secret="x" * 32), signed(exp=1), signed(sub="AC1"), signed(iss="SK1")):
        assert SECRET not in refused(token)[1]
