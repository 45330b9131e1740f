"""A phone made of the unmodified `@twilio/voice-sdk` from npm, in a tab.

Its page is served at the server's own origin (by the browser's own hand: the server knows nothing of it), so
the SDK finds `/signal` there. Whatever the SDK would fetch from Twilio, sounds and a place for its events, is
answered here.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Route
from tests.harness.browser import Browsing, Tab, serve_files
from tests.harness.browser_ear import BrowserEar
from tests.harness.matrix import Seat

from townhall.audio import write_wav
from townhall.phone.hearing import RATE

_PAGES = Path(__file__).parent / "browser_pages"
_SDK = (
    Path(__file__).parents[1]
    / "interop"
    / "node"
    / "node_modules"
    / "@twilio"
    / "voice-sdk"
    / "dist"
    / "twilio.min.js"
)
_FILES = {"sdk.html": _PAGES / "sdk.html", "sdk.js": _PAGES / "sdk.js", "twilio.min.js": _SDK}


@dataclass(frozen=True)
class Told:
    """An event of the Device or Call; `detail`: an error's code and message, a call's parameters."""

    source: str
    event: str
    detail: dict[str, Any]


@dataclass(eq=False)
class SDKPhone:
    """Made by `open_sdk_phone`; it sits in a story like any caller."""

    tab: Tab
    heard_of: list[Told] = field(default_factory=list)
    """Everything that was told, in order."""
    _taken: set[int] = field(default_factory=set)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def name(self) -> str:
        return self.tab.name

    @property
    def tone_hz(self) -> float:
        return self.tab.tone_hz

    @property
    def call(self) -> BrowserEar:
        """As a story's caller has a call: what is heard, and whether it is over."""
        return self.tab.ear

    @property
    def seat(self) -> Seat:
        return Seat(self.name, self.tone_hz, self.tab.ear)

    # ---- doing ---------------------------------------------------------------------------------------------

    async def do(self, script: str, argument: object = None) -> Any:
        """Run JavaScript with `phone` (`browser_pages/sdk.js`) and `it`, the argument."""
        return await self.tab.page.evaluate(f"async (it) => {{ {script} }}", argument)

    async def register(self) -> None:
        await self.do("await phone.device.register()")

    async def connect(self, within_s: float = 30.0, **params: str) -> None:
        """Call the token's application; returns once it has answered and sound comes in."""
        await self.dial(**params)
        await self.told("call", "accept", within_s)
        await self.tab.ear.begins(within_s)

    async def dial(self, **params: str) -> None:
        """As `connect`, without waiting for an answer."""
        await self.do("await phone.connect(it)", params)

    async def answer(self, within_s: float = 30.0) -> dict[str, Any]:
        """Accept the call that rings, or the next one; returns its parameters."""
        ringing = await self.told("device", "incoming", within_s)
        await self.do("phone.call.accept()")
        await self.told("call", "accept", within_s)
        await self.tab.ear.begins(within_s)
        return ringing.detail

    async def press(self, keys: str) -> None:
        await self.do("phone.call.sendDigits(it)", keys)

    async def mute(self, on: bool = True) -> None:
        await self.do("phone.call.mute(it)", on)

    async def hang_up(self) -> None:
        await self.do("phone.call.disconnect()")
        await self.told("call", "disconnect")

    async def state(self) -> dict[str, Any]:
        """Of the call and the device, as `browser_pages/sdk.js` has it."""
        found: dict[str, Any] = await self.tab.page.evaluate("phone.state()")
        return found

    # ---- being told ----------------------------------------------------------------------------------------

    def take(self, source: str, event: str, detail: dict[str, Any]) -> None:
        """The page tells of an event."""
        self.heard_of.append(Told(source, event, detail))
        self._more.set()
        self._more = asyncio.Event()

    async def told(self, source: str, event: str, within_s: float = 30.0) -> Told:
        """The first such event that was not asked for before, whether it has come or is to come."""
        try:
            async with asyncio.timeout(within_s):
                while True:
                    for index, told in enumerate(self.heard_of):
                        if index not in self._taken and (told.source, told.event) == (source, event):
                            self._taken.add(index)
                            return told
                    await self._more.wait()
        except TimeoutError:
            raise AssertionError(
                f"{self.name}: no {source} {event} within {within_s:g} s, but {self.heard_of}"
            ) from None


async def open_sdk_phone(
    browsing: Browsing,
    name: str,
    tone_hz: float,
    origin: str,
    token: str,
    options: Mapping[str, Any] | None = None,
    **tab: Any,
) -> SDKPhone:
    """A tab with a Device of this token. `options`: the Device's own; `tab`: as for `Browsing.tab`."""
    made = await browsing.tab(name, tone_hz, **{"plain_loopback": True, **tab})
    phone = SDKPhone(made)
    await made.page.expose_function("townhallTold", phone.take)
    await serve_files(made, f"{origin}/sdk-test/", _FILES)
    await made.page.route("https://*.twilio.com/**", _answer_for_twilio)
    await made.page.goto(f"{origin}/sdk-test/sdk.html")
    await phone.do("phone.start(it.token, it.options)", {"token": token, "options": dict(options or {})})
    return phone


async def _answer_for_twilio(route: Route) -> None:
    """Sounds are a moment of silence; events are taken and thrown away."""
    headers = {
        "Access-Control-Allow-Origin": "*",
        "Access-Control-Allow-Headers": "content-type, x-twilio-token",
    }
    if route.request.url.startswith("https://sdk."):
        silence = write_wav(np.zeros(RATE // 10, np.int16), RATE)
        await route.fulfill(body=silence, content_type="audio/wav", headers=headers)
    else:
        await route.fulfill(status=200, json={}, headers=headers)
