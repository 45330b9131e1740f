"""Calls of browsers outlive bad networks, and end when nobody is there any more."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from tests.harness.browser_network import TCPRelay, UDPRelay, Weather
from tests.harness.browser_page import PagePhone
from tests.harness.browser_sdk import SDKPhone
from tests.harness.browser_story import Browsers
from tests.harness.documents import role
from tests.harness.story import Story

TALK = {"speaker": "moderator", "moderator": "speaker"}


@pytest.fixture
async def relay(story: Story) -> AsyncIterator[TCPRelay]:
    """What the browser's HTTP and WebSocket go through. It is taken down before the tabs are."""
    async with TCPRelay(story.server.address, story.server.http_port) as relay:
        yield relay


async def test_tone_is_heard_through_loss_and_jitter(story: Story, browsers: Browsers) -> None:
    async with UDPRelay(Weather(loss=0.05, jitter_s=0.05)) as network:
        speaker = await browsers.call("speaker", role("speaker", story.room), place=network.place)
        await story.call("moderator", role("moderator", story.room))
        for _ in range(3):
            await story.hear(TALK, within_s=20)
        assert network.passed > 10 * network.lost > 0
        assert (await speaker.state())["status"] == "open"


async def test_call_outlives_a_socket_that_is_dropped(
    story: Story, browsers: Browsers, relay: TCPRelay
) -> None:
    speaker = await browsers.call("speaker", role("speaker", story.room), origin=relay.url)
    await story.call("moderator", role("moderator", story.room))
    await story.hear(TALK, within_s=20)
    speaker.tab.expect_fault("TwilioVoice|WebSocket")

    relay.closed = True
    assert relay.cut() > 0
    await speaker.told("call", "reconnecting")
    await story.hear(TALK)
    relay.closed = False
    await speaker.told("call", "reconnected", within_s=30)
    await story.hear(TALK)
    await story.callers["moderator"].hang_up()
    await speaker.told("call", "disconnect")


async def test_phone_page_outlives_a_socket_that_is_dropped(
    story: Story, browsers: Browsers, relay: TCPRelay
) -> None:
    line = await story.line()
    speaker = await browsers.page("speaker", line, origin=relay.url)
    await talk_on(story, line, speaker)
    speaker.tab.expect_fault("WebSocket|Failed to load resource")

    relay.closed = True
    assert relay.cut() > 0
    await speaker.stands("Reconnecting …")
    await story.hear(TALK)
    relay.closed = False
    await speaker.stands("Connected")
    await story.hear(TALK)
    await speaker.hang_up()
    await story.hear({"moderator": "silence"})


async def test_server_that_is_found_at_another_address_is_heard_again(
    story: Story, browsers: Browsers
) -> None:
    async with UDPRelay() as network:
        speaker = await browsers.call("speaker", role("speaker", story.room), place=network.place)
        await story.call("moderator", role("moderator", story.room))
        await story.hear(TALK, within_s=20)
        speaker.tab.expect_fault("TwilioVoice")
        network.move_server()
        await speaker.told("call", "reconnecting", within_s=30)
        await speaker.told("call", "reconnected", within_s=30)
        await story.hear(TALK, within_s=20)


async def test_phone_page_finds_the_server_at_another_address(story: Story, browsers: Browsers) -> None:
    async with UDPRelay() as network:
        line = await story.line()
        speaker = await browsers.page("speaker", line, place=network.place)
        await talk_on(story, line, speaker)
        network.move_server()
        await speaker.stands("Sound interrupted, looking for another way …")
        await speaker.stands("Connected")
        await story.hear(TALK, within_s=20)


async def test_browser_whose_own_address_changes_is_heard_on(story: Story, browsers: Browsers) -> None:
    async with UDPRelay() as network:
        await browsers.call("speaker", role("speaker", story.room), place=network.place)
        await story.call("moderator", role("moderator", story.room))
        await story.hear(TALK, within_s=20)
        network.move_browser()
        await network.answered()
        await story.hear(TALK, within_s=20)


async def test_call_of_a_tab_that_vanished_ends(story: Story, browsers: Browsers) -> None:
    left = {"action": story.url("/left")}
    speaker, moderator = await asyncio.gather(
        browsers.call("speaker", role("speaker", story.room, dial=left)),
        story.call("moderator", role("moderator", story.room, **story.events)),
    )
    await story.hear(TALK, within_s=20)
    await speaker.tab.vanish()
    await story.event("participant-leave", within_s=30)
    await story.hear({"moderator": "silence"})
    assert not moderator.call.is_over


async def talk_on(story: Story, line: str, speaker: PagePhone | SDKPhone) -> None:
    """The speaker, who has called the line, and a moderator by phone go through its menu."""
    moderator = await story.dial("moderator", line)
    await asyncio.gather(speaker.call.hears("sound"), moderator.call.hears("sound"))
    await speaker.press("2")
    await moderator.press("3")
    await story.hear(TALK, within_s=20)
