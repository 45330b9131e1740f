"""Our own pages in a tab, used as people use them: by what is written on their buttons.

`PagePhone` is the phone page, `ConsolePage` the moderator's console.
"""

import asyncio
import re
from dataclasses import dataclass

from playwright.async_api import Locator, expect
from tests.harness.browser import Tab
from tests.harness.browser_ear import BrowserEar
from tests.harness.matrix import Seat

WITHIN_S = 20.0

_WATCH = """() => {
  const said = (globalThis.townhallStood = []);
  const look = () => said.push(document.querySelector(".phone-state")?.textContent);
  new MutationObserver(look).observe(document.body, { subtree: true, childList: true, characterData: true });
}"""
_STOOD = """words => new Promise((done) => {
  const look = () => (townhallStood.includes(words) ? done() : setTimeout(look, 50));
  look();
})"""


@dataclass(eq=False)
class PagePhone:
    """The phone page; it sits in a story like any caller."""

    tab: Tab

    @property
    def name(self) -> str:
        return self.tab.name

    @property
    def tone_hz(self) -> float:
        return self.tab.tone_hz

    @property
    def call(self) -> BrowserEar:
        return self.tab.ear

    @property
    def seat(self) -> Seat:
        return Seat(self.name, self.tone_hz, self.tab.ear)

    @property
    def state(self) -> Locator:
        """The words that say how the call stands."""
        return self.tab.page.locator(".phone-state")

    async def dial(self) -> None:
        """Call the line that is chosen; returns once there is sound (or silence) from it."""
        await self.tab.page.get_by_label("Your name").fill(self.name)
        await self.button("Call").click()
        await self.stands("Connected")
        await self.tab.ear.begins(WITHIN_S)

    async def stands(self, words: str, within_s: float = 40.0) -> None:
        """Wait until the page says so of its call."""
        await expect(self.state).to_have_text(words, timeout=within_s * 1000)

    async def watch(self) -> None:
        """Have the page keep how its call stands from now on, however short it stands so: see `stood`."""
        await self.tab.page.evaluate(_WATCH)

    async def stood(self, words: str, within_s: float = 40.0) -> None:
        """Wait until the page has said so of its call since `watch`, whatever it says by now."""
        await asyncio.wait_for(self.tab.page.evaluate(_STOOD, words), within_s)

    async def press(self, keys: str) -> None:
        keypad = self.tab.page.get_by_role("group", name="Keypad")
        for key in keys:
            await keypad.get_by_role("button", name=re.compile("^" + re.escape(key))).click()

    async def mute(self) -> None:
        """Press Mute: the second time, it is over."""
        await self.button("Mute").click()

    async def hang_up(self) -> None:
        await self.button("Hang up").click()

    def button(self, words: str) -> Locator:
        return self.tab.page.get_by_role("button", name=words, exact=True)


@dataclass(eq=False)
class ConsolePage:
    """The console, signed in. Acts are clicked; what they did is to be heard, and read in the events."""

    tab: Tab

    async def sign_in(self, line: str, pin: str, name: str) -> None:
        """As a moderator of a line."""
        page = self.tab.page
        await page.get_by_label("Line", exact=True).select_option(line)
        await page.get_by_label("Moderator PIN").fill(pin)
        await page.get_by_label("Your name").fill(name)
        await page.get_by_role("button", name="Sign in", exact=True).click()
        await expect(page.locator("#sign-in")).to_be_hidden(timeout=WITHIN_S * 1000)

    async def shows(self, *names: str) -> None:
        """Wait until the roster has these people."""
        for name in names:
            await expect(self.person(name)).to_be_visible(timeout=WITHIN_S * 1000)

    async def lost(self, name: str) -> None:
        """Wait until the roster no longer has this one."""
        await expect(self.person(name)).to_have_count(0, timeout=WITHIN_S * 1000)

    def person(self, name: str) -> Locator:
        """The row of a person who is there."""
        named = self.tab.page.locator(".name", has_text=re.compile(f"^{re.escape(name)}$"))
        return self.tab.page.locator(".row.person:not([data-is=gone])").filter(has=named)

    async def act(self, words: str) -> None:
        """One of the big buttons: `Mute all`, `Lock` …"""
        await self.tab.page.locator("#acts").get_by_role("button", name=re.compile(f"^{words}")).click()

    async def act_on(self, name: str, words: str) -> None:
        """A button of a person's row: `Mute`, `Hold`, `Coach`, `Remove` …"""
        row = self.person(name)
        await row.hover()
        await row.get_by_role("button", name=f"{words} {name}", exact=True).click()

    async def confirm(self, words: str) -> None:
        """Say yes in the dialog that asks."""
        await self.tab.page.get_by_role("dialog").get_by_role("button", name=words, exact=True).click()

    async def fill(self, **fields: str) -> None:
        """Fill the fields of the dialog that is open, by their ids."""
        for name, value in fields.items():
            await self.tab.page.locator(f"#{name.replace('_', '-')}").fill(value)

    async def tells(self, words: str) -> None:
        """Wait until an event reads so (a regular expression)."""
        entry = self.tab.page.locator("#entries li", has_text=re.compile(words))
        await expect(entry.first).to_be_attached(timeout=WITHIN_S * 1000)

    async def state(self, name: str, words: str) -> None:
        """Wait until the roster says so of a person: `Muted`, `On hold`, `Talking` …"""
        await expect(self.person(name).locator(".how")).to_have_text(words, timeout=WITHIN_S * 1000)

    async def sign(self, words: str) -> None:
        """Wait until one of the signs beside the clock begins so: `Recording`, `Locked` …"""
        signs = self.tab.page.get_by_role("list", name="Signs").get_by_role("listitem")
        lit = signs.filter(has_text=re.compile(f"^{re.escape(words)}"))
        await expect(lit).to_be_visible(timeout=WITHIN_S * 1000)

    async def header(self, words: str) -> None:
        """Wait until the conference's state reads so."""
        await expect(self.tab.page.locator("#state-words")).to_have_text(
            re.compile(words), timeout=WITHIN_S * 1000
        )
