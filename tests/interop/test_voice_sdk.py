"""The official `@twilio/voice-sdk` in Chromium calls applications, presses keys, hangs up and comes back."""

import asyncio
from typing import Any

import jwt
import pytest
from playwright.async_api import Request
from tests.harness.browser import unused_name
from tests.harness.browser_network import TCPRelay
from tests.harness.browser_sdk import SDKPhone
from tests.harness.browser_story import Browsers, Door
from tests.harness.documents import hang_up, role
from tests.harness.remote_control import client_of
from tests.harness.server import ACCOUNT_SID
from tests.harness.story import Story
from twilio.twiml.voice_response import VoiceResponse

TALK = {"alice": "moderator", "moderator": "alice"}
OUT_LOUD = {"enableImprovedSignalingErrorPrecision": True}


def gather(story: Story, digits: int) -> str:
    """Ask for digits and tell them to `/left`."""
    response = VoiceResponse()
    response.gather(num_digits=digits, action=story.url("/left"), timeout=20)
    return str(response)


async def device(browsers: Browsers, name: str = "alice", **more: Any) -> SDKPhone:
    return await browsers.phone(name, **more)


@pytest.mark.parametrize("codec", ["opus", "pcmu"])
async def test_page_calls_an_application_and_talks(story: Story, browsers: Browsers, codec: str) -> None:
    await story.call("moderator", role("moderator", story.room))
    alice = await browsers.call("alice", role("speaker", story.room), codec=codec)
    await story.hear(TALK, within_s=20)
    assert await alice.tab.codec() == ("audio/opus" if codec == "opus" else "audio/PCMU")
    state = await alice.state()
    assert (state["status"], state["identity"], state["edge"]) == ("open", "alice", "townhall")
    await alice.mute()
    await story.hear({"alice": "moderator", "moderator": "silence"})
    await alice.mute(False)
    await story.hear(TALK)


async def test_application_is_told_who_calls_and_what_the_page_gave(story: Story, browsers: Browsers) -> None:
    greeting = "héllo & = +%"
    story.give("alice", gather(story, 9))
    alice = await device(browsers)
    await alice.dial(To="room 1 + x", greeting=greeting, empty="", From="client:boss", CallSid="CA0")
    await alice.told("call", "accept", 20)
    asked = (await story.requested("/voice", "alice")).parameters
    expected = {
        "To": "room 1 + x",
        "Called": "room 1 + x",
        "From": "client:alice",
        "Caller": "client:alice",
        "AccountSid": ACCOUNT_SID,
        "ApplicationSid": (await browsers.door()).application_sid,
        "Direction": "inbound",
        "CallStatus": "ringing",
        "greeting": greeting,
        "empty": "",
        "CallSid": (await alice.state())["parameters"]["CallSid"],
    }
    assert {name: asked.get(name) for name in expected} == expected


async def test_either_side_hangs_up(story: Story, browsers: Browsers) -> None:
    await story.call("moderator", role("moderator", story.room))
    left = {"action": story.url("/left")}
    alice = await browsers.call("alice", role("speaker", story.room, dial=left))
    sid = (await alice.state())["parameters"]["CallSid"]
    await alice.hang_up()
    await story.hear({"moderator": "silence"})
    call = await asyncio.to_thread(client_of(story).calls(sid).fetch)
    assert (call.status, call._from, call.direction) == ("completed", "client:alice", "inbound")

    again = await browsers.call("again", role("speaker", story.room, dial=left))
    sid = (await again.state())["parameters"]["CallSid"]
    await asyncio.to_thread(client_of(story).calls(sid).update, status="completed")
    await again.told("call", "disconnect")
    assert not [told for told in again.heard_of if told.event == "error"]
    assert not (await again.state())["busy"]


async def test_page_that_gives_up_before_the_answer_ends_the_call(story: Story, browsers: Browsers) -> None:
    alice = await device(browsers)
    ringing = await device(browsers, waiting := unused_name("waiting"))
    await ringing.register()
    response = VoiceResponse()
    response.dial(answer_on_bridge=True).client(waiting)
    story.give("alice", str(response))
    await alice.dial()
    await alice.told("call", "ringing", 20)
    await ringing.told("device", "incoming", 20)
    await alice.hang_up()
    await ringing.told("call", "cancel")
    await story.server_is_empty()


@pytest.mark.parametrize("codec", ["opus", "pcmu"])
async def test_digits_go_with_the_sound(story: Story, browsers: Browsers, codec: str) -> None:
    alice = await browsers.call("alice", gather(story, 4), codec=codec)
    await alice.press("1w2*#")
    assert (await story.requested("/left", "alice")).parameters["Digits"] == "12*"


async def test_digits_are_signalled_where_the_browser_cannot_send_them(
    story: Story, browsers: Browsers
) -> None:
    alice = await browsers.call("alice", gather(story, 3))
    await alice.do("Object.defineProperty(RTCDTMFSender.prototype, 'canInsertDTMF', { get: () => false })")
    await alice.press("9w*0")
    assert (await story.requested("/left", "alice")).parameters["Digits"] == "9*0"


async def test_call_outlives_a_dropped_socket_and_is_hung_up_by_the_next(
    story: Story, browsers: Browsers
) -> None:
    async with TCPRelay(story.server.address, story.server.http_port) as relay:
        await story.call("moderator", role("moderator", story.room))
        alice = await browsers.call("alice", role("speaker", story.room), origin=relay.url)
        await alice.register()
        await alice.told("device", "registered")
        alice.tab.expect_fault("TwilioVoice|WebSocket")
        for _ in range(2):
            assert relay.cut() > 0
            await alice.told("call", "reconnecting")
            await alice.told("call", "reconnected", 30)
            await alice.told("device", "registered", 30)
        await story.hear(TALK)
        assert (await alice.state())["status"] == "open"
        await alice.hang_up()
        await story.hear({"moderator": "silence"})
        await alice.do("phone.device.destroy()")


async def test_dropped_socket_that_does_not_come_back_in_time_ends_the_call(
    story: Story, browsers: Browsers
) -> None:
    async with TCPRelay(story.server.address, story.server.http_port) as relay:
        await story.call("moderator", role("moderator", story.room))
        alice = await browsers.call("alice", role("speaker", story.room), origin=relay.url)
        alice.tab.expect_fault("TwilioVoice|WebSocket")
        relay.closed = True
        relay.cut()
        await alice.told("call", "reconnecting")
        await story.hear(TALK)
        await story.hear({"alice": "silence", "moderator": "silence"}, within_s=45)
        relay.closed = False
        await alice.told("call", "disconnect", 45)
        told = next(t for t in alice.heard_of if (t.source, t.event) == ("call", "error"))
        assert told.detail["code"] == 31209
        await alice.do("phone.device.destroy()")


class TestTokens:
    """What the page is told of its token; the numbers are those of Twilio's documentation."""

    def forged(self, door: Door, **claims: Any) -> str:
        said = jwt.decode(door.token("alice"), options={"verify_signature": False})
        return jwt.encode({**said, **claims}, door.key_secret, "HS256", headers={"cty": "twilio-fpa;v=1"})

    @pytest.mark.parametrize(
        ("kind", "code"),
        [("garbage", 20101), ("forged", 20101), ("expired", 20104), ("foreign", 20151), ("too long", 20101)],
    )
    async def test_bad_one_is_refused(self, story: Story, browsers: Browsers, kind: str, code: int) -> None:
        door = await browsers.door()
        now = jwt.decode(door.token("alice"), options={"verify_signature": False})["exp"] - 3600
        tokens = {
            "garbage": "garbage",
            "forged": door.token("alice")[:-4] + "AAAA",
            "expired": self.forged(door, exp=now - 5),
            "foreign": self.forged(door, sub="AC" + "0" * 32),
            "too long": self.forged(door, exp=now + 100_000),
        }
        alice = await device(browsers)
        alice.tab.expect_fault("TwilioVoice")
        await alice.do("phone.device.updateToken(it); phone.device.register().catch(() => {})", tokens[kind])
        assert (await alice.told("device", "error")).detail["code"] == code
        # The SDK tells of the error first, and changes its state then.
        await alice.tab.page.wait_for_function("() => phone.state().device === 'unregistered'")

    async def test_renewal_in_time_keeps_the_device_registered_and_its_call(
        self, story: Story, browsers: Browsers
    ) -> None:
        await story.call("moderator", role("moderator", story.room))
        door = await browsers.door()
        story.give("alice", role("speaker", story.room))
        alice = await device(browsers)
        await alice.do("phone.device.updateToken(it)", door.token("alice", ttl_s=15))
        await alice.register()
        story.callers["alice"] = alice
        await alice.connect()
        await alice.told("device", "tokenWillExpire", 20)
        await alice.do("phone.device.updateToken(it)", door.token("alice"))
        expires = asyncio.get_running_loop().time() + 12
        while asyncio.get_running_loop().time() < expires:
            await story.hear(TALK)
        state = await alice.state()
        assert (state["status"], state["device"]) == ("open", "registered")
        assert not [told for told in alice.heard_of if told.event == "error"]
        await alice.hang_up()
        await story.hear({"moderator": "silence"})

    async def test_expired_one_is_told_and_another_brings_the_device_back(
        self, story: Story, browsers: Browsers
    ) -> None:
        door = await browsers.door()
        story.give("alice", hang_up())
        alice = await device(browsers)
        alice.tab.expect_fault("TwilioVoice")
        await alice.do("phone.device.updateToken(it)", door.token("alice", ttl_s=4))
        await alice.register()
        assert (await alice.told("device", "error", 20)).detail["code"] == 20104
        await alice.do("phone.device.updateToken(it); await phone.device.register().catch(() => {})",
                       door.token("alice"))  # fmt: skip
        await alice.dial()
        await alice.told("call", "disconnect", 20)
        await story.requested("/voice", "alice")


class TestRefusals:
    async def refused(self, alice: SDKPhone) -> dict[str, Any]:
        alice.tab.expect_fault("TwilioVoice")
        await alice.dial()
        told = await alice.told("call", "error", 20)
        await alice.told("call", "disconnect")
        assert not (await alice.state())["busy"]
        return told.detail

    @pytest.mark.parametrize(("options", "code"), [(OUT_LOUD, 31404), ({}, 31005)])
    async def test_application_that_is_gone(
        self, story: Story, browsers: Browsers, options: dict[str, Any], code: int
    ) -> None:
        door = await browsers.door()
        alice = await device(browsers, options=options)
        await asyncio.to_thread(client_of(story).applications(door.application_sid).delete)
        assert (await self.refused(alice))["code"] == code

    async def test_application_that_rejects(self, story: Story, browsers: Browsers) -> None:
        response = VoiceResponse()
        response.reject(reason="busy")
        story.give("alice", str(response))
        assert (await self.refused(await device(browsers, options=OUT_LOUD)))["code"] == 31486

    async def test_messages_of_the_user(self, story: Story, browsers: Browsers) -> None:
        alice = await browsers.call("alice", gather(story, 9), options=OUT_LOUD)
        alice.tab.expect_fault("TwilioVoice")
        await alice.do("phone.call.sendMessage({ content: { x: 1 }, messageType: 'user-defined-message' })")
        assert (await alice.told("call", "error")).detail["code"] == 31404
        assert (await alice.state())["status"] == "open"


async def test_reports_of_calls_are_sent_nowhere_but_here(story: Story, browsers: Browsers) -> None:
    asked: list[str] = []

    def note(request: Request) -> None:
        asked.append(request.url)

    story.give("alice", gather(story, 9))
    alice = await device(browsers, options={"publishEvents": True})
    alice.tab.page.on("request", note)
    alice.tab.expect_fault("TwilioVoice|eventgw|insights|Failed to load")
    await alice.connect()
    await alice.hang_up()
    assert not [url for url in asked if "eventgw.twilio.com" in url]


async def test_device_that_is_destroyed_ends_its_call(story: Story, browsers: Browsers) -> None:
    await story.call("moderator", role("moderator", story.room))
    alice = await browsers.call("alice", role("speaker", story.room))
    await story.hear(TALK, within_s=20)
    await alice.do("phone.device.destroy()")
    await alice.told("call", "disconnect")
    await story.hear({"moderator": "silence"})
