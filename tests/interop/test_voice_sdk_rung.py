"""The official `@twilio/voice-sdk` in Chromium is called: by `<Dial><Client>`, the REST API, another page."""

import asyncio
from typing import Any

from tests.harness.browser import unused_name
from tests.harness.browser_sdk import SDKPhone
from tests.harness.browser_story import Browsers
from tests.harness.documents import role
from tests.harness.remote_control import client_of
from tests.harness.server import ACCOUNT_SID
from tests.harness.story import Story
from twilio.twiml.voice_response import Client, VoiceResponse

PARAMETERS = {"room": "7 & more", "greeting": "héllo +%="}


def dial_client(story: Story, identity: str, **dial: Any) -> str:
    """`<Dial><Client>` with custom parameters, telling `/left` how it ended."""
    response = VoiceResponse()
    client = Client()
    client.identity(identity)
    for name, value in PARAMETERS.items():
        client.parameter(name=name, value=value)
    response.dial(action=story.url("/left"), **dial).append(client)
    return str(response)


async def rung(browsers: Browsers, identity: str, **more: Any) -> SDKPhone:
    """A page that waits for calls. Once answered, the story hears it under this name."""
    phone = await browsers.phone(identity, **more)
    await phone.register()
    return phone


async def answers(story: Story, phone: SDKPhone) -> dict[str, Any]:
    parameters = await phone.answer()
    story.callers[phone.name] = phone
    return parameters


async def dial_result(story: Story, caller: str) -> dict[str, str]:
    return (await story.requested("/left", caller)).parameters


async def test_phone_calls_a_page_and_both_talk(story: Story, browsers: Browsers) -> None:
    for codec in ("opus", "pcmu"):
        name, caller = unused_name(), f"caller-{codec}"
        bob = await rung(browsers, name, codec=codec)
        ann = await story.call(caller, dial_client(story, name))
        told = await answers(story, bob)
        assert (told["To"], told["AccountSid"]) == (f"client:{name}", ACCOUNT_SID)
        assert caller in told["From"]
        assert (await bob.state())["custom"] == PARAMETERS
        await story.hear({caller: name, name: caller}, within_s=20)
        assert await bob.tab.codec() == ("audio/opus" if codec == "opus" else "audio/PCMU")
        await ann.hang_up()
        await bob.told("call", "disconnect")
        result = await dial_result(story, caller)
        assert result["DialCallStatus"] in ("completed", "answered")
        assert result["DialCallSid"] == told["CallSid"]


async def test_page_that_hangs_up_lets_the_caller_go_on(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob = await rung(browsers, name)
    await story.call("ann", dial_client(story, name))
    await answers(story, bob)
    await bob.hang_up()
    assert (await dial_result(story, "ann"))["DialCallStatus"] == "completed"


async def test_page_that_rejects_is_busy(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob = await rung(browsers, name)
    await story.call("ann", dial_client(story, name))
    await bob.told("device", "incoming")
    await bob.do("phone.call.reject()")
    assert (await dial_result(story, "ann"))["DialCallStatus"] == "busy"


async def test_page_that_ignores_is_rung_until_the_caller_has_waited_enough(
    story: Story, browsers: Browsers
) -> None:
    name = unused_name()
    bob = await rung(browsers, name)
    await story.call("ann", dial_client(story, name, timeout=5))
    await bob.told("device", "incoming")
    await bob.do("phone.call.ignore()")
    assert (await dial_result(story, "ann"))["DialCallStatus"] == "no-answer"


async def test_caller_who_gives_up_is_cancelled(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob = await rung(browsers, name)
    ann = await story.call("ann", dial_client(story, name))
    await bob.told("device", "incoming")
    await ann.hang_up()
    await bob.told("call", "cancel")
    assert not (await bob.state())["busy"]


async def test_first_of_two_pages_to_answer_has_the_call(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    first, second = await rung(browsers, name), await rung(browsers, name)
    ann = await story.call("ann", dial_client(story, name))
    await first.told("device", "incoming")
    await answers(story, second)
    await first.told("call", "cancel")
    await story.hear({"ann": name, name: "ann"}, within_s=20)
    await ann.hang_up()
    await second.told("call", "disconnect")


async def test_page_that_unregisters_is_called_no_more(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob = await rung(browsers, name)
    await bob.do("await phone.device.unregister()")
    assert (await bob.state())["device"] == "unregistered"
    await story.call("ann", dial_client(story, name))
    assert (await dial_result(story, "ann"))["DialCallStatus"] in ("no-answer", "failed")


async def test_api_calls_a_page_into_a_conference(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob = await rung(browsers, name)
    await story.call("moderator", role("moderator", story.room))
    create = client_of(story).calls.create
    call = await asyncio.to_thread(
        create,
        to=f"client:{name}?room=7%20%26%20more&x=1",
        from_="+15550100",
        twiml=role("speaker", story.room),
    )
    told = await answers(story, bob)
    assert (told["CallSid"], told["From"]) == (call.sid, "+15550100")
    assert (await bob.state())["custom"] == {"room": "7 & more", "x": "1"}
    await story.hear({"moderator": name, name: "moderator"}, within_s=20)
    await asyncio.to_thread(client_of(story).calls(call.sid).update, status="completed")
    await bob.told("call", "disconnect")


async def test_api_withdraws_a_call_that_rings(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob = await rung(browsers, name)
    calls = client_of(story).calls
    call = await asyncio.to_thread(
        calls.create, to=f"client:{name}", from_="+15550100", twiml=role("speaker", story.room)
    )
    await bob.told("device", "incoming")
    await asyncio.to_thread(calls(call.sid).update, status="canceled")
    await bob.told("call", "cancel")
    assert (await asyncio.to_thread(calls(call.sid).fetch)).status == "canceled"


async def test_page_calls_page(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob = await rung(browsers, name, codec="pcmu")
    story.give("alice", dial_client(story, name))
    alice = await browsers.phone("alice")
    await alice.dial()
    told = await answers(story, bob)
    assert told["From"] == "client:alice"
    await alice.told("call", "accept", 20)
    story.callers["alice"] = alice
    await story.hear({"alice": name, name: "alice"}, within_s=20)
    await alice.hang_up()
    await bob.told("call", "disconnect")


async def test_call_that_rings_is_handed_to_another_page(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob, other = await rung(browsers, name), await browsers.phone(name)
    ann = await story.call("ann", dial_client(story, name))
    await bob.told("device", "incoming")
    token = await bob.do("return phone.call.connectToken")
    await other.do("phone.take(await phone.device.connect({ connectToken: it }))", token)
    await other.told("call", "accept", 20)
    await bob.told("call", "cancel")
    story.callers[name] = other
    await other.tab.ear.begins(20)
    await story.hear({"ann": name, name: "ann"}, within_s=20)
    await ann.hang_up()
    await other.told("call", "disconnect")


async def test_page_presses_keys_in_a_call_that_it_was_given(story: Story, browsers: Browsers) -> None:
    name = unused_name()
    bob = await rung(browsers, name)
    response = VoiceResponse()
    response.gather(num_digits=3, action=story.url("/left"), timeout=20)
    create = client_of(story).calls.create
    await asyncio.to_thread(create, to=f"client:{name}", from_="+15550100", twiml=str(response))
    await bob.answer()
    await bob.press("4#5")
    assert (await story.requested("/left")).parameters["Digits"] in ("4", "4#5")
