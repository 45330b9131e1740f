"""Strangers, and pages gone mad, at the browsers' WebSocket; those who are in a call notice nothing."""

import asyncio
import json
import os
import random
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any

import jwt
import pytest
from tests.harness.remote_control import client_of
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN
from tests.harness.signal_house import Page, make_token, page_sdp
from tests.harness.story import Story
from tests.harness.unnoticed import marks, nobody_noticed, two_who_talk
from websockets.exceptions import ConnectionClosed, InvalidStatus

from townhall.sdp.webrtc import IceCredentials, WebLocal, make_web_offer
from townhall.signalling.voice_sdk import Limits


def page_of(story: Story, source: str) -> Page:
    """A page at an address of its own."""
    url = f"ws://{story.server.address}:{story.server.http_port}/signal"
    return Page(url, local_addr=(source, 0), max_size=None)


class Keys:
    """An API key and an application of the server's, made by its REST API."""

    def __init__(self, story: Story) -> None:
        client = client_of(story)
        key = client.new_keys.create()
        self.sid, self.secret = key.sid, key.secret
        self.application_sid = client.applications.create(voice_url=story.url("/voice")).sid

    def token(self, **changes: Any) -> str:
        return make_token(
            **{
                "identity": "mallory",
                "account_sid": ACCOUNT_SID,
                "key_sid": self.sid,
                "secret": self.secret,
                "application_sid": self.application_sid,
                **changes,
            }
        )


@pytest.fixture
async def keys(story: Story) -> Keys:
    return await asyncio.to_thread(Keys, story)


async def elsewhere(doing: Coroutine[Any, Any, None]) -> None:
    """Do it in a loop of its own, so that it does not hold up the phones, which live in this one."""
    await asyncio.to_thread(asyncio.run, doing)


def offer() -> str:
    """A good one, from somebody whom no packet will ever come from."""
    ice = IceCredentials("mallory", "m" * 22)
    local = WebLocal((("127.0.0.1", 9),), ice, "sha-256 " + ":".join(["AB"] * 32))
    return bytes(make_web_offer(local)).decode().replace("a=ice-lite\r\n", "")


def still_well(story: Story, since: int) -> None:
    written = story.server.log[since:]
    assert "Traceback" not in written
    assert AUTH_TOKEN not in story.server.log
    assert len(written) < 400_000


async def pour(page: Page, frames: list[Any], chance: random.Random) -> None:
    """Send any of these until the server has enough."""
    with suppress(ConnectionClosed):
        while True:
            await page.socket.send(chance.choice(frames))
            await asyncio.sleep(0)


async def rave(page: Page, chance: random.Random) -> None:
    """Send what comes to mind."""
    frames: list[Any] = [
        "rubbish",
        "[" * 30_000,
        os.urandom(3000),
        "\n" * 1000,
        "x" * 5_000_000,
        os.urandom(2_000_000),
        *(
            json.dumps({"type": kind, "payload": {"callsid": "CA1", "sdp": "x"}})
            for kind in ("answer", "hangup")
        ),
        *(json.dumps({"type": kind, "payload": kind}) for kind in ("listen", "invite", "register")),
    ]
    await pour(page, frames, chance)


async def test_rubbish_and_megabytes_are_not_noticed_in_a_conference(story: Story) -> None:
    await two_who_talk(story)
    before, log = marks(story), len(story.server.log)
    chance = random.Random(5)

    async def stranger() -> None:
        for _ in range(40):
            async with page_of(story, "127.0.42.1") as page, asyncio.timeout(30):
                await rave(page, chance)

    await elsewhere(stranger())
    await nobody_noticed(story, before)
    still_well(story, log)


async def test_page_with_a_token_that_floods_is_closed_and_not_noticed(story: Story, keys: Keys) -> None:
    await two_who_talk(story)
    before, log = marks(story), len(story.server.log)
    frames = [
        "\n",
        json.dumps({"type": "register", "payload": {}}),
        json.dumps({"type": "listen", "payload": {"token": keys.token()}}),
        json.dumps({"type": "dtmf", "payload": {"callsid": "CA1", "dtmf": "1" * 128}}),
    ]

    async def mad(frame: str) -> None:
        async with page_of(story, "127.0.42.2") as page, asyncio.timeout(30):
            await page.listen(keys.token())
            await pour(page, [frame], random.Random(0))

    for frame in frames:
        await elsewhere(mad(frame))
    await nobody_noticed(story, before)
    still_well(story, log)


async def test_forged_tokens_let_nobody_in(story: Story, keys: Keys) -> None:
    good = keys.token()
    header, claims, signature = good.split(".")
    said = jwt.decode(good, options={"verify_signature": False})
    kind = {"cty": "twilio-fpa;v=1"}
    forged = [
        keys.token(secret="x" * 32),
        keys.token(secret=AUTH_TOKEN),
        keys.token(key_sid=ACCOUNT_SID, secret=AUTH_TOKEN),
        keys.token(key_sid="SK" + "0" * 32),
        keys.token(account_sid="AC" + "0" * 32),
        keys.token(ttl_s=-10),
        keys.token(ttl_s=90_000),
        jwt.encode(said, "", "none", headers=kind),
        jwt.encode(said, keys.secret * 2, "HS512", headers=kind),
        jwt.encode(said, keys.secret, "HS256"),
        f"{header}.{claims}.",
        f"{header}.{claims}.{signature[::-1]}",
        ACCOUNT_SID,
        AUTH_TOKEN,
    ]
    for token in forged:
        async with page_of(story, "127.0.42.3") as page:
            await page.say("listen", token=token)
            assert await page.hear_error() in (31201, 31204, 31205)
            await page.dismissed()
    async with page_of(story, "127.0.42.3") as page:
        await page.listen(good)


async def test_sockets_that_say_nothing_leave_room_for_others(story: Story, keys: Keys) -> None:
    await two_who_talk(story)
    before = marks(story)

    async def stranger() -> None:
        async with AsyncExitStack() as silent:
            opened = 0
            with suppress(InvalidStatus):
                for opened in range(200):  # noqa: B007
                    await silent.enter_async_context(page_of(story, "127.0.42.4"))
            assert opened == Limits().unlistened_per_source
            async with page_of(story, "127.0.42.5") as other:
                await other.listen(keys.token())
                await other.register()

    await elsewhere(stranger())
    await nobody_noticed(story, before)


BROKEN_OFFERS = [
    "v=0",
    "x",
    page_sdp(),
    offer().replace("a=rtcp-mux\r\n", ""),
    offer().replace("sha-256", "sha-1"),
    offer().replace("a=ice-pwd", "a=x"),
    offer().replace("UDP/TLS/RTP/SAVPF", "RTP/AVP"),
    offer().replace("m=audio", "m=video"),
    offer().replace("opus", "x").replace("PCM", "x"),
    offer() + "a=x:y\r\n" * 3000,
]


async def test_malformed_offers_are_refused_before_anything_is_opened(story: Story, keys: Keys) -> None:
    log = len(story.server.log)
    async with page_of(story, "127.0.42.6") as page:
        await page.listen(keys.token())
        for number, sdp in enumerate(BROKEN_OFFERS):
            await page.say("invite", callsid=f"TJS{number}", sdp=sdp, twilio={})
            payload = await page.hear("hangup")
            assert (payload["callsid"], payload["error"]["code"]) == (f"TJS{number}", 31400), sdp[:300]
    await story.server_is_empty()
    still_well(story, log)


async def test_flood_of_calls_from_pages_leaves_room_for_others(story: Story, keys: Keys) -> None:
    await two_who_talk(story)
    before, log = marks(story), len(story.server.log)

    async def flood(number: int) -> None:
        async with page_of(story, f"127.0.42.{10 + number}") as page:
            await page.listen(keys.token(identity=f"mallory{number}"))
            for call in range(60):
                await page.say("invite", callsid=f"TJS{call}", sdp=offer(), twilio={"params": "To=1"})
                await asyncio.sleep(0.05)  # as many as one socket may send
                if call % 3 == 0:
                    await page.say("hangup", callsid=f"TJS{call}")
            page.drop()

    async def floods() -> None:
        await asyncio.gather(*(flood(number) for number in range(5)))

    await elsewhere(floods())
    await nobody_noticed(story, before)
    still_well(story, log)


async def test_page_that_answers_what_it_was_not_asked_gets_no_call(story: Story, keys: Keys) -> None:
    await two_who_talk(story)
    before = marks(story)
    live = [call.sid for call in await asyncio.to_thread(client_of(story).calls.list, status="in-progress")]
    assert live
    async with page_of(story, "127.0.42.9") as page:
        await page.listen(keys.token())
        for sid in live[:5]:
            for reconnect in ("", "x" * 43, keys.token()[:500]):
                await page.say("invite", callsid=sid, reconnect=reconnect, sdp=offer(), twilio={})
                assert (await page.hear("hangup"))["error"]["code"] == 31209
            await page.say("answer", callsid=sid, sdp=offer())
            assert (await page.hear("hangup"))["error"]["code"] == 31008
            for kind in ("hangup", "reject", "reinvite", "dtmf"):
                await page.say(kind, callsid=sid, sdp=offer(), dtmf="1")
        await page.silent()
    await nobody_noticed(story, before)
