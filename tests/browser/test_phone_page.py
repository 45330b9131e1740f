"""The phone page: calling a line, the menu by its keypad, and the conference with phones."""

import asyncio

from playwright.async_api import expect
from tests.harness.browser_story import Browsers
from tests.harness.story import Story


async def test_menu_leads_pages_and_phones_into_one_conference(story: Story, browsers: Browsers) -> None:
    line = await story.line()
    listener = await browsers.enter("listener", line, "1")
    speaker = await browsers.enter("speaker", line, "2")
    caller = await story.dial("caller", line)
    await caller.call.hears("sound", since=0)
    await caller.press("2")
    await asyncio.gather(*(one.call.hears("music", within_s=20) for one in (listener, speaker, caller)))
    moderator = await browsers.enter("moderator", line, "3")
    talk = {
        "listener": "speaker caller moderator",
        "speaker": "caller moderator",
        "caller": "speaker moderator",
        "moderator": "speaker caller",
    }
    await story.hear(talk, within_s=20)
    await speaker.mute()
    await story.hear({**talk, "listener": "caller moderator", "caller": "moderator", "moderator": "caller"})

    mark = listener.call.mark()
    await moderator.hang_up()
    await listener.call.hears("sound", since=mark)
    await story.all_ended("listener", "speaker", "caller", within_s=25)
    await expect(listener.button("Call")).to_be_visible()
    await expect(listener.tab.page.get_by_text("The call ended after")).to_be_visible()
