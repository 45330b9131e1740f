"""The console in real conferences: what is clicked is heard, and every moderator sees what the others do."""

import asyncio
import re

import pytest
from playwright.async_api import expect
from tests.harness.browser_page import ConsolePage
from tests.harness.browser_story import Browsers
from tests.harness.callee import callee
from tests.harness.speech import speech
from tests.harness.story import Story

PIN = "471100"
KEYS = {"listener": "1", "speaker": "2", "moderator": f"3{PIN}#"}


@pytest.fixture
async def line(story: Story) -> str:
    return await story.line(moderator_pin=PIN)


async def enter(story: Story, line: str, *names: str) -> None:
    """Phones call the line and press their role's keys; a name is a role, with a number behind it or not."""
    await asyncio.gather(*(story.dial(name, line) for name in names))
    await asyncio.gather(*(press(story, name) for name in names))


async def press(story: Story, name: str) -> None:
    caller = story.callers[name]
    await caller.call.hears("sound", within_s=20, since=0)
    for keys in KEYS[name.rstrip("0123456789")]:
        await caller.press(keys)


async def test_people_are_muted_held_coached_and_removed_by_clicks(
    story: Story, browsers: Browsers, line: str
) -> None:
    await browsers.enter("moderator", line, KEYS["moderator"])
    await enter(story, line, "speaker", "listener")
    talk = {"moderator": "speaker", "speaker": "moderator", "listener": "moderator speaker"}
    await story.hear(talk, within_s=25)
    anna, ben = await asyncio.gather(*(browsers.console(name, line, PIN) for name in ("Anna", "Ben")))
    await anna.shows("moderator", "speaker", "listener")
    await anna.header("Live")
    story.callers["speaker"].call.say_nothing()
    await anna.state("speaker", "Can speak")
    story.callers["speaker"].call.say_samples(speech(60.0))
    await anna.state("speaker", "Talking")
    story.callers["speaker"].call.say_tone(story.callers["speaker"].tone_hz)

    await anna.act_on("speaker", "Mute")
    await story.hear({**talk, "moderator": "silence", "listener": "moderator"})
    await anna.state("speaker", "Muted")
    await ben.tells("Anna muted speaker")
    await ben.act_on("speaker", "Unmute")
    await story.hear(talk)
    await anna.tells("Ben unmuted speaker")

    await anna.act_on("speaker", "Hold")
    await story.hear({"moderator": "silence", "speaker": "music", "listener": "moderator"})
    await ben.act_on("speaker", "Take back")
    await story.hear(talk)

    await anna.act_on("speaker", "Coach")
    await story.hear({**talk, "listener": "speaker"})
    await anna.state("moderator", "Coaching speaker")
    await anna.act_on("moderator", "Stop coaching")
    await story.hear(talk)

    await ben.act_on("listener", "Remove")
    await ben.confirm("Remove")
    await story.all_ended("listener", within_s=20)
    await anna.lost("listener")
    await story.hear({"moderator": "speaker", "speaker": "moderator"})


async def test_whole_conference_is_muted_announced_to_and_ended_by_clicks(
    story: Story, browsers: Browsers, line: str
) -> None:
    await enter(story, line, "moderator", "speaker")
    talk = {"moderator": "speaker", "speaker": "moderator"}
    await story.hear(talk, within_s=25)
    anna = await browsers.console("Anna", line, PIN)
    await anna.shows("moderator", "speaker")

    await anna.act("Mute all")
    await story.hear({**talk, "moderator": "silence"})
    await enter(story, line, "speaker2")
    await story.hear({"moderator": "silence", "speaker": "moderator", "speaker2": "moderator"}, within_s=20)
    await anna.state("speaker2", "Muted")
    await anna.act("Release all")
    everybody = {
        "moderator": "speaker speaker2",
        "speaker": "moderator speaker2",
        "speaker2": "moderator speaker",
    }
    await story.hear(everybody)

    await anna.act("Mute all")
    story.callers["moderator"].call.say_nothing()
    await story.hear({name: "silence" for name in everybody})
    marks = {name: story.callers[name].call.mark() for name in everybody}
    await anna.act("Announce")
    await anna.fill(say="The doors close in five minutes.")
    await anna.confirm("Announce")
    for name, mark in marks.items():
        await story.callers[name].call.hears("sound", within_s=20, since=mark)

    await anna.act("End")
    await anna.confirm("End for everybody")
    await story.all_ended(*everybody, within_s=25)
    await anna.header("^Ended")


async def test_room_is_locked_a_guest_dialled_and_recorded_by_clicks(
    story: Story, browsers: Browsers, line: str
) -> None:
    await enter(story, line, "moderator")
    await story.hear({"moderator": "music"}, within_s=25)
    anna = await browsers.console("Anna", line, PIN)
    await anna.act("Lock")
    await anna.sign("Locked")
    await enter(story, line, "speaker")
    await story.all_ended("speaker", within_s=30)

    guest = await callee(story, "gus", registered=False)
    await anna.act("Dial guest")
    await anna.fill(dial_to=guest.uri, dial_label="Dr. Gus")
    await anna.confirm("Dial")
    await anna.state("Dr. Gus", "Ringing")
    await guest.answers()
    await story.hear({"moderator": "gus", "gus": "moderator"}, within_s=20)
    await anna.shows("Dr. Gus")

    await anna.act("Record")
    await anna.sign("Recording")
    await story.hear({"moderator": "gus", "gus": "moderator"})
    await anna.act("Stop rec")
    await anna.sign("Not recording")
    await hears_recording(anna)


async def hears_recording(console: ConsolePage) -> None:
    """The recording is to be played and downloaded, by the links that the console shows."""
    page = console.tab.page
    await page.get_by_role("tab", name=re.compile("^Recordings")).click()
    link = page.locator("#panel-recordings a[href*='.mp3']").first
    await expect(link).to_be_visible(timeout=30_000)
    address = await link.get_attribute("href")
    answer = await page.request.get(f"{page.url.partition('/console')[0]}{address}")
    assert (answer.status, answer.headers["content-type"]) == (200, "audio/mpeg")
    assert len(await answer.body()) > 2000
