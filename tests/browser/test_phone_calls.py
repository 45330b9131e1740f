"""The phone page in real calls: digits from its address, a call without a microphone, being called."""

import re

from playwright.async_api import expect
from tests.harness.browser_page import PagePhone
from tests.harness.browser_story import Browsers
from tests.harness.story import Story
from tests.harness.tones import tone_for

WITHIN_MS = 20_000


async def open_page(story: Story, browsers: Browsers, name: str, query: str, **tab: object) -> PagePhone:
    """The phone page with this query, which sits in the story from its first sound on."""
    url = f"{story.server.url}/{query}"
    return PagePhone(await browsers.browsing.open(name, tone_for(next(story.tones)), url, **tab))


async def test_address_presses_keys_and_who_has_no_microphone_listens(
    story: Story, browsers: Browsers
) -> None:
    line = await story.line()
    moderator = await open_page(story, browsers, "moderator", f"?line={line}&press=3")
    await expect(moderator.tab.page.get_by_text("Presses 3 once the call is connected.")).to_be_visible()
    await moderator.dial()
    story.callers["moderator"] = moderator
    listener = await open_page(story, browsers, "listener", f"?line={line}", microphone="missing")
    await listener.button("Call").click()
    await listener.button("Listen without a microphone").click()
    await listener.stands("Connected")
    await listener.tab.ear.begins()
    await listener.press("1")
    story.callers["listener"] = listener
    await story.hear({"moderator": "silence", "listener": "moderator"}, within_s=20)


async def test_page_that_may_be_called_talks_to_who_calls_it(story: Story, browsers: Browsers) -> None:
    page = await open_page(story, browsers, "page", "")
    await page.tab.page.locator("summary", has_text="Settings").click()
    await page.tab.page.get_by_label("This page may be called").check()
    address = page.tab.page.get_by_text("Others call client:web_")
    await expect(address).to_be_visible(timeout=WITHIN_MS)
    identity = re.sub(".*client:", "", await address.inner_text())
    await story.call("ann", f"<Response><Dial><Client>{identity}</Client></Dial></Response>")
    await expect(page.state).to_have_text("Calls you", timeout=WITHIN_MS)
    await page.button("Answer").click()
    await page.stands("Connected")
    await page.tab.ear.begins()
    story.callers["page"] = page
    await story.hear({"ann": "page", "page": "ann"}, within_s=20)
    await story.callers["ann"].hang_up()
    await expect(page.tab.page.get_by_text("The call ended after")).to_be_visible(timeout=WITHIN_MS)
