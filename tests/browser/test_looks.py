"""How the pages look while a conference is live: pictures for people, and nobody shut out.

The pictures are in `build/screenshots/`. `make screenshots` lets the talk go on for longer
(`TOWNHALL_TALK_S`) and takes the console's for the README.
"""

import asyncio
import os

from tests.harness.browser_looks import LOOKS, look_over
from tests.harness.browser_page import ConsolePage, PagePhone
from tests.harness.browser_story import Browsers
from tests.harness.callee import callee
from tests.harness.speech import speech
from tests.harness.story import Story

PIN = "471100"
TALK_S = float(os.environ.get("TOWNHALL_TALK_S", "0"))
NUMBERS = ("+15550142", "+15550117", "+15550163", "+15550128", "+15550190", "+15550155")


async def test_live_conference_shuts_nobody_out(story: Story, browsers: Browsers) -> None:
    line = await story.line(moderator_pin=PIN, conference="Quarterly town hall")
    moderator = await browsers.enter("Amara Adeyemi", line, f"3{PIN}#")
    await browsers.enter("Tomasz Nowak", line, "2")
    for number in NUMBERS:
        caller = await story.dial(number, line)
        await caller.call.hears("sound", within_s=20, since=0)
        await caller.press("2" if number in NUMBERS[:2] else "1")

    console = await browsers.console("Amara", line, PIN)
    await console.shows(*story.callers)
    guest = await callee(story, "gus", registered=False)
    await console.act("Dial guest")
    await console.fill(dial_to=guest.uri, dial_label="Dr. Elena Fontaine")
    await console.confirm("Dial")
    await guest.answers()
    await console.act("Record")
    await console.sign("Recording")
    await console.act_on(NUMBERS[1], "Mute")
    await console.state(NUMBERS[1], "Muted")
    for name in ("Dr. Elena Fontaine", NUMBERS[0], "Tomasz Nowak", "Amara Adeyemi"):
        await speak_up(story, console, name)
    await look_over(console.tab.page, "live")
    await look_over(moderator.tab.page, "phone-live", LOOKS[::3])


async def speak_up(story: Story, console: ConsolePage, name: str) -> None:
    """Have one of them be silent, for as long as is wanted, and speak: a tone is nobody talking."""
    caller = story.callers.get(name) or story.callers["gus"]
    if isinstance(caller, PagePhone):
        await caller.tab.say(None)
    else:
        caller.call.say_nothing()
    await console.state(name, "Can speak")
    await asyncio.sleep(TALK_S / 4)
    if isinstance(caller, PagePhone):
        await caller.tab.speak()
    else:
        caller.call.say_samples(speech(120.0))
    await console.state(name, "Talking")
