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
ALL_TALK = {"speaker": "page moderator", "page": "speaker moderator", "moderator": "speaker page"}


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


async def test_calls_outlive_a_socket_that_is_dropped(
    story: Story, browsers: Browsers, relay: TCPRelay
) -> None:
    page, sdk = await both(story, browsers, origin=relay.url)
    sdk.tab.expect_fault("TwilioVoice|WebSocket")
    page.tab.expect_fault("WebSocket|Failed to load resource")
    relay.closed = True
    assert relay.cut() > 0
    await sdk.told("call", "reconnecting")
    await page.stands("Reconnecting …")
    await story.hear(ALL_TALK)
    relay.closed = False
    await sdk.told("call", "reconnected", within_s=30)
    await page.stands("Connected")
    await story.hear(ALL_TALK)
    await page.hang_up()
    await story.hear(TALK)
    await story.callers["moderator"].hang_up()
    await sdk.told("call", "disconnect")


async def test_server_that_is_found_at_another_address_is_heard_again(
    story: Story, browsers: Browsers
) -> None:
    async with UDPRelay() as network:
        page, sdk = await both(story, browsers, place=network.place)
        sdk.tab.expect_fault("TwilioVoice")
        await page.watch()
        network.move_server()
        await asyncio.gather(
            tells_in_turn(sdk, "reconnecting", "reconnected"),
            page.stood("Sound interrupted, looking for another way …"),
        )
        await page.stands("Connected")
        await story.hear(ALL_TALK, within_s=20)


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


async def both(story: Story, browsers: Browsers, **tab: object) -> tuple[PagePhone, SDKPhone]:
    """The phone page and the official SDK, reached in this way, talk with a moderator who calls by phone."""
    line = await story.line(conference=story.room)
    sdk = await browsers.call("speaker", role("speaker", story.room), **tab)
    page = await browsers.enter("page", line, "2", **tab)
    await story.call("moderator", role("moderator", story.room))
    await story.hear(ALL_TALK, within_s=30)
    return page, sdk


async def tells_in_turn(sdk: SDKPhone, *events: str) -> None:
    for event in events:
        await sdk.told("call", event, within_s=40)
