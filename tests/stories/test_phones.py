"""Phones of all sorts in one conference: codecs, packet times, TCP, late offers, and three ways to press a
key.
"""

import pytest
from tests.harness.documents import hang_up, role
from tests.harness.story import Story

from townhall.phone import PhoneSettings
from townhall.phone.settings import PressHow


async def test_phones_of_every_codec_and_packet_time_hear_each_other(story: Story) -> None:
    phones = {
        "mu20": PhoneSettings(codecs=("PCMU",)),
        "mu10": PhoneSettings(codecs=("PCMU",), ptime_ms=10),
        "a30": PhoneSettings(codecs=("PCMA",), ptime_ms=30),
        "mu40": PhoneSettings(codecs=("PCMU",), ptime_ms=40),
        "a60": PhoneSettings(codecs=("PCMA",), ptime_ms=60),
        "g20": PhoneSettings(codecs=("G722", "PCMU")),
        "g30": PhoneSettings(codecs=("G722",), ptime_ms=30),
    }
    for name, settings in phones.items():
        await story.call(name, role("moderator", story.room), settings)
    await story.hear({name: [other for other in phones if other != name] for name in phones})
    agreed = {name: caller.call.agreement.codec for name, caller in story.callers.items()}
    assert agreed == {name: settings.codecs[0] for name, settings in phones.items()}


async def test_phones_over_tcp_and_with_late_offers_are_phones_like_others(story: Story) -> None:
    phones = {
        "tcp": PhoneSettings(transport="tcp"),
        "late": PhoneSettings(late_offer=True),
        "both": PhoneSettings(transport="tcp", late_offer=True),
    }
    for name, settings in phones.items():
        await story.call(name, role("moderator", story.room), settings)
    await story.hear({name: [other for other in phones if other != name] for name in phones})
    await story.callers["tcp"].hang_up()
    await story.all_ended("late", "both")


@pytest.mark.parametrize("how", ["rfc4733", "info", "inband"])
@pytest.mark.parametrize("ptime_ms", [20, 60])
async def test_each_key_counts_exactly_once(story: Story, how: PressHow, ptime_ms: int) -> None:
    story.on("/digits", hang_up())
    gather = f'<Response><Gather numDigits="8" timeout="20" action="{story.url("/digits")}"/></Response>'
    settings = PhoneSettings(telephone_event=how == "rfc4733", ptime_ms=ptime_ms)
    caller = await story.call("caller", gather, settings)
    await caller.call.press("11259*90", how)
    request = await story.requested("/digits", "caller")
    assert request.parameters["Digits"] == "11259*90"
    await story.all_ended("caller")


async def test_phone_that_presses_a_short_key_by_event_is_understood(story: Story) -> None:
    story.on("/digits", hang_up())
    gather = f'<Response><Gather numDigits="2" action="{story.url("/digits")}"/></Response>'
    caller = await story.call("caller", gather)
    await caller.call.press("47", duration_ms=40, pause_ms=40)
    assert (await story.requested("/digits", "caller")).parameters["Digits"] == "47"
    await story.all_ended("caller")


async def test_phone_on_hold_hears_nothing_says_nothing_and_comes_back(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room))
    speaker = await story.call("speaker", role("speaker", story.room))
    await story.call("listener", role("listener", story.room))
    talk = {"moderator": "speaker", "speaker": "moderator", "listener": "moderator speaker"}
    await story.hear(talk)
    await speaker.call.hold("inactive")
    await story.hear({"moderator": "silence", "speaker": "silence", "listener": "moderator"})
    await speaker.call.resume()
    await story.hear(talk)
