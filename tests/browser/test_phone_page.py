"""The phone page: calling a line, the menu by its keypad, and the conference with phones."""

import asyncio

from playwright.async_api import expect
from tests.harness.browser_story import Browsers
from tests.harness.story import Story


async def test_menu_leads_pages_and_phones_into_one_conference(story: Story, browsers: Browsers) -> None:
    line = await story.line()
    pages = [await browsers.page(name, line) for name in ("listener", "speaker")]
    await story.dial("caller", line)
    moderator = await browsers.page("moderator", line)
    await asyncio.gather(*(caller.call.hears("sound") for caller in story.callers.values()))

    await pages[0].press("1")
    await pages[1].press("2")
    await story.callers["caller"].press("2")
    waiting = ("listener", "speaker", "caller")
    await asyncio.gather(*(story.callers[name].call.hears("music") for name in waiting))
    await moderator.press("3")
    talk = {
        "listener": "speaker caller moderator",
        "speaker": "caller moderator",
        "caller": "speaker moderator",
        "moderator": "speaker caller",
    }
    await story.hear(talk, within_s=20)
    await pages[1].mute()
    await story.hear({**talk, "listener": "caller moderator", "caller": "moderator", "moderator": "caller"})

    mark = pages[0].call.mark()
    await moderator.hang_up()
    await pages[0].call.hears("sound", since=mark)
    await story.all_ended("listener", "speaker", "caller", within_s=25)
    await expect(pages[0].button("Call")).to_be_visible()
    await expect(pages[0].tab.page.get_by_text("The call ended after")).to_be_visible()
