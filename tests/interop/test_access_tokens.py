"""Access tokens as Twilio's packages for Python and for Node make them mean the same here."""

import json
import subprocess
from dataclasses import replace
from typing import Any

import pytest
from tests.harness.remotes import NODE
from tests.harness.signal_house import (
    ACCOUNT_SID,
    APPLICATION_SID,
    KEY_SID,
    SECRET,
    make_token,
    secret_of,
)

from townhall.signalling.voice_sdk import AccessTokens, Grant, TokenError

PARAMETERS = {"room": "town hall é", "seats": 7, "open": True}


def by_node(identity: str, ttl_s: int = 3600, secret: str = SECRET, **grant: Any) -> str:
    wanted = json.dumps({"identity": identity, "ttl": ttl_s, "grant": grant})
    command = ["node", str(NODE / "token.js"), ACCOUNT_SID, KEY_SID, secret, wanted]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stdout


async def check(token: str) -> Grant:
    return await AccessTokens(ACCOUNT_SID, secret_of).check(token)


async def test_both_packages_tokens_allow_the_same() -> None:
    python = make_token("Zoë the 2nd", parameters=PARAMETERS)
    node = by_node(
        "Zoë the 2nd",
        outgoingApplicationSid=APPLICATION_SID,
        outgoingApplicationParams=PARAMETERS,
        incomingAllow=True,
    )
    ours, theirs = await check(python), await check(node)
    assert replace(ours, expires_at=0.0) == replace(theirs, expires_at=0.0)
    assert abs(ours.expires_at - theirs.expires_at) < 60
    assert ours.parameters == (("room", "town hall é"), ("seats", "7"), ("open", "true"))


async def test_grant_of_nothing_is_the_same_by_both() -> None:
    for token in (make_token(application_sid=None, incoming=False), by_node("alice")):
        grant = await check(token)
        assert (grant.application_sid, grant.parameters, grant.incoming) == (None, (), False)


@pytest.mark.parametrize(("ttl_s", "secret", "code"), [(-60, SECRET, 31205), (3600, "x" * 32, 31204)])
async def test_bad_ones_are_refused_alike(ttl_s: int, secret: str, code: int) -> None:
    for token in (make_token(ttl_s=ttl_s, secret=secret), by_node("alice", ttl_s, secret)):
        with pytest.raises(TokenError) as refused:
            await check(token)
        assert refused.value.code == code
