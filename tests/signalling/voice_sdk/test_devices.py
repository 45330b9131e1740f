"""A socket's life: listen, register, renewal and expiry of its token, heartbeats, and how it ends."""

import asyncio
import json
import time
from urllib.parse import urlsplit

import jwt
import pytest
from tests.harness.signal_house import (
    ACCOUNT_SID,
    APPLICATION_SID,
    CALL_SID,
    KEY_SID,
    SECRET,
    SignalHouse,
    make_token,
    open_house,
    page_sdp,
)
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from townhall.signalling.voice_sdk import Limits, VoiceSDKSettings


def token_that_expires(in_s: float, identity: str = "alice") -> str:
    grants = {
        "identity": identity,
        "voice": {"incoming": {"allow": True}, "outgoing": {"application_sid": APPLICATION_SID}},
    }
    claims = {"iss": KEY_SID, "sub": ACCOUNT_SID, "exp": time.time() + in_s, "grants": grants}
    return jwt.encode(claims, SECRET, "HS256", headers={"cty": "twilio-fpa;v=1"})


async def test_good_token_is_welcomed_with_what_the_sdk_wants_to_know(house: SignalHouse) -> None:
    async with house.page() as page:
        payload = await page.listen(make_token("alice", ttl_s=600))
        assert payload["token"]["identity"] == "alice"
        assert 590 <= payload["token"]["ttl"] <= 600
        assert (payload["edge"], payload["region"]) == ("townhall", "townhall")
        assert payload["home"] == house.url.removeprefix("ws://").removesuffix("/signal") + "/insights?"


@pytest.mark.parametrize(
    ("path", "host", "edge", "home"),
    [
        ("/signal", "calls.example.com", "townhall", "calls.example.com/insights?"),
        ("/deep/er/signal", "[::1]:8443", "townhall", "[::1]:8443/insights?"),
        ("/signal", "voice-js.ashburn.twilio.com", "ashburn", None),
        ("/e?.twilio.com/signal", "voice-js.localhost:8443", "localhost:8443/e?", "localhost:8443/insights?"),
        ("/signal", "evil!host", "townhall", None),
    ],
)  # fmt: skip
async def test_edge_and_home_follow_from_the_pages_address(
    house: SignalHouse, path: str, host: str, edge: str, home: str | None
) -> None:
    port = urlsplit(house.url).port
    async with connect(f"ws://{host}{path}", host="127.0.0.1", port=port) as socket:
        await socket.send(json.dumps({"type": "listen", "payload": {"token": make_token()}}))
        while (text := await socket.recv()) == "\n":
            pass
        payload = json.loads(text)["payload"]
        assert (payload["edge"], payload.get("home")) == (edge, home)


@pytest.mark.parametrize("home", [None, "stats.example.com/x?"])
async def test_home_is_as_the_settings_have_it(home: str | None) -> None:
    async with open_house(VoiceSDKSettings(home=home)) as house, house.page() as page:
        assert (await page.listen()).get("home") == home


@pytest.mark.parametrize("path", ["/", "/signals", "/signal/x", "/?x=/signal", "/?.twilio.com/other"])
async def test_other_addresses_are_not_served(house: SignalHouse, path: str) -> None:
    with pytest.raises(InvalidStatus):
        await connect(house.url.removesuffix("/signal") + path)


@pytest.mark.parametrize(
    ("token", "code"),
    [
        ("", 31204),
        ("garbage", 31204),
        (make_token(secret="x" * 32), 31204),
        (make_token(key_sid="SK" + "0" * 32), 31201),
        (make_token(account_sid="AC" + "0" * 32), 31201),
        (token_that_expires(-1), 31205),
    ],
    ids=["empty", "garbage", "another secret", "unknown key", "another account", "expired"],
)
async def test_bad_token_is_refused_and_the_socket_closed_for_good(
    house: SignalHouse, token: str, code: int
) -> None:
    async with house.page() as page:
        await page.say("listen", token=token)
        assert await page.hear_error() == code
        await page.dismissed()


async def test_nothing_goes_before_listen(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.say("register", media={"audio": True})
        assert await page.hear_error() == 31102
        await page.listen()
        await page.register()


async def test_socket_without_listen_is_closed() -> None:
    settings = VoiceSDKSettings(limits=Limits(listen_within_s=0.05))
    async with open_house(settings) as house, house.page() as page:
        assert await page.hear_error() == 31102
        await page.dismissed()


class TestRenewal:
    async def test_another_token_by_listen_on_the_same_socket(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            payload = await page.listen(make_token(ttl_s=100))
            assert payload["token"]["ttl"] <= 100
            assert house.sdk.devices("alice") == 1

    async def test_bad_one_leaves_the_good_one(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            await page.say("listen", token="garbage")
            assert await page.hear_error() == 31204
            assert house.sdk.devices("alice") == 1
            await page.silent()

    async def test_another_identity_is_another_device(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            payload = await page.listen(make_token("bob"))
            assert payload["token"]["identity"] == "bob"
            assert (house.sdk.devices("alice"), house.sdk.devices("bob")) == (0, 0)
            await page.register()
            assert (house.sdk.devices("alice"), house.sdk.devices("bob")) == (0, 1)

    async def test_another_identity_cannot_take_over_a_call(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            await page.say("invite", callsid="TJS1", sdp=page_sdp(), twilio={})
            invite = await house.invite()
            await page.say("listen", token=make_token("bob"))
            assert await page.hear_error() == 31204
            assert house.sdk.devices("alice") == 1
            assert not invite.session.ended.is_set()

    async def test_expiry_is_told(self, house: SignalHouse) -> None:
        async with house.page() as page:
            await page.listen(token_that_expires(3.0))
            await page.register()
            assert await page.hear_error() == 31205
            assert house.sdk.devices("alice") == 0

    async def test_calls_outlive_the_token_and_no_new_ones_begin(self, house: SignalHouse) -> None:
        async with house.registered() as page:
            await page.say("invite", callsid="TJS1", sdp=page_sdp(), twilio={})
            invite = await house.invite()
            invite.call_sid = CALL_SID
            await invite.answer(b"v=0")
            token = (await page.hear("answer"))["reconnect"]
            house.expire("alice")
            assert await page.hear_error() == 31205
            assert not invite.session.ended.is_set()
            await page.say("register", media={"audio": True})
            assert await page.hear_error() == 31205
            await page.say("invite", callsid="TJS2", sdp=page_sdp(), twilio={})
            assert (await page.hear("hangup"))["error"]["code"] == 31205
            await page.say("invite", callsid=CALL_SID, reconnect=token, sdp=page_sdp(), twilio={})
            assert (await page.hear("hangup"))["error"]["code"] == 31205
            await page.listen()
            assert house.sdk.devices("alice") == 1
            await page.say("hangup", callsid=CALL_SID)
            assert (await invite.session.wait_ended()).cause == "bye"

    async def test_expired_one_that_is_not_renewed_ends_the_socket_after_its_calls(self) -> None:
        async with open_house(VoiceSDKSettings(renewal_s=0.05)) as house, house.registered() as page:
            await page.say("invite", callsid="TJS1", sdp=page_sdp(), twilio={})
            invite = await house.invite()
            house.expire("alice")
            assert await page.hear_error() == 31205
            await page.silent()
            await invite.session.hang_up()
            await page.hear("hangup")
            await page.dismissed()


class TestHeartbeat:
    async def test_server_says_something_all_the_time(self) -> None:
        async with open_house(VoiceSDKSettings(heartbeat_s=0.02)) as house, house.page() as page:
            for _ in range(3):
                assert await page.socket.recv() == "\n"

    async def test_heartbeats_of_the_page_are_not_answered(self, house: SignalHouse) -> None:
        async with house.page() as page:
            assert await page.socket.recv() == "\n"
            for _ in range(5):
                await page.socket.send("\n")
            await page.listen()
            assert page.heartbeats == 0

    async def test_page_that_answers_none_is_gone(self) -> None:
        settings = VoiceSDKSettings(heartbeat_s=0.02, silence_s=0.5)
        async with open_house(settings) as house, house.page(answers_heartbeats=False) as page:
            await page.listen()
            await page.closed()
            assert house.sdk.devices("alice") == 0

    async def test_page_that_answers_stays(self) -> None:
        settings = VoiceSDKSettings(heartbeat_s=0.02, silence_s=1.5)
        async with open_house(settings) as house, house.registered() as page:
            for _ in range(100):  # two seconds at least
                assert await page.socket.recv() == "\n"
                await page.socket.send("\n")
            assert house.sdk.devices("alice") == 1


async def test_server_that_stops_hangs_up_and_lets_pages_come_back(house: SignalHouse) -> None:
    async with house.page() as page:
        await page.listen()
        await page.say("invite", callsid="TJS1", sdp=page_sdp(), twilio={})
        invite = await house.invite()
        stopping = asyncio.create_task(house.sdk.stop())
        assert await page.hear("hangup") == {"callsid": "TJS1"}
        assert await page.closed() == 1012  # and no `close`, after which the SDK would stay away
        await stopping
        assert (await invite.session.wait_ended()).cause == "local"
        with pytest.raises(InvalidStatus):
            await connect(house.url)
