"""Browsers that take part in stories: one headless Chromium for a whole test process, a context for each tab.

`Chromium` is the process; `Browsing` is one test's connection to it (Playwright over the DevTools protocol,
so that every test may have an event loop of its own); a `Tab` is one page with a voice (a tone instead of the
microphone) and an ear (`browser_ear`). Whatever a page complains of, an exception or an error on its console,
fails the test unless the test expects it.

What pages get before their own scripts run is in `browser_scripts/`.
"""

import asyncio
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from playwright.async_api import Browser, BrowserContext, ConsoleMessage, Page, Route, async_playwright
from tests.harness.browser_ear import BrowserEar

_SCRIPTS = Path(__file__).parent / "browser_scripts"
_NAMES = ("chromium", "chromium-browser", "google-chrome")
_READY_WITHIN_S = 60.0
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--autoplay-policy=no-user-gesture-required",
    "--allow-loopback-in-peer-connection",
    # A page that a test has made up (`serve_files`) may speak to this machine's servers.
    "--disable-features=WebRtcHideLocalIpsWithMdns,LocalNetworkAccessChecks,LocalNetworkAccessChecksWebSockets",
    # Nothing leaves this machine, and no tab is put to sleep because another one is in front of it.
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    "--remote-debugging-port=0",
)

Place = Callable[[str, int], Awaitable[tuple[str, int]]]
"""Where a browser is sent instead of the ICE candidate that the server names: a relay (`browser_network`)."""


class ChromiumFailed(AssertionError):
    """The browser is not there, or did not start."""


class Chromium:
    """`with Chromium(directory) as chromium: chromium.endpoint`; the directory is its profile's."""

    def __init__(self, directory: Path, *flags: str) -> None:
        self._directory = directory
        self._flags = flags
        self._process: subprocess.Popen[bytes] | None = None
        self.endpoint = ""
        """The DevTools WebSocket."""

    def __enter__(self) -> Self:
        program = next((found for name in _NAMES if (found := shutil.which(name))), None)
        if program is None:
            raise ChromiumFailed(
                f"none of {', '.join(_NAMES)} is installed: run scripts/install-test-clients"
            )
        log = self._directory / "chromium.log"
        command = [program, *_FLAGS, *self._flags, f"--user-data-dir={self._directory}", "about:blank"]
        with log.open("wb") as written:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=written, stderr=written, start_new_session=True
            )
        try:
            self.endpoint = self._wait_ready(log)
        except ChromiumFailed:
            self._kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._kill()

    def _wait_ready(self, log: Path) -> str:
        assert self._process is not None
        deadline = time.monotonic() + _READY_WITHIN_S
        while True:
            found = re.search(r"DevTools listening on (ws://\S+)\n", log.read_text(errors="replace"))
            if found:
                return found[1]
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ChromiumFailed(f"Chromium did not start\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.02)

    def _kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@dataclass(eq=False)
class Tab:
    """One page in a context of its own (cookies, storage), with a voice and an ear."""

    name: str
    tone_hz: float
    context: BrowserContext
    page: Page
    ear: BrowserEar
    faults: list[str] = field(default_factory=list)
    """What the page complained of, and no `expected` one."""
    expected: list[re.Pattern[str]] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    """Every line of its console: shown when a test has failed."""

    def expect_fault(self, pattern: str) -> None:
        """Errors in which this regular expression is found are no faults from now on."""
        self.expected.append(re.compile(pattern))

    def complain(self, text: str) -> None:
        if not any(pattern.search(text) for pattern in self.expected):
            self.faults.append(text)

    def on_console(self, message: ConsoleMessage) -> None:
        self.said.append(f"{message.type}: {message.text}")
        if message.type == "error":
            self.complain(f"{message.text} ({message.location.get('url', '')})")

    async def say(self, hz: float | None) -> None:
        """Another tone into the microphone; None: nothing."""
        await self.page.evaluate("hz => townhallTest.say(hz)", hz)

    async def speak(self) -> None:
        """Something like speech into the microphone, in the tone's place."""
        await self.page.evaluate("() => townhallTest.speak()")

    async def codec(self) -> str:
        """What the newest connection receives: `audio/opus`, `audio/PCMU` …; "" before any came."""
        return str(await self.page.evaluate("() => townhallTest.codec()"))

    async def stats(self, kind: str) -> dict[str, Any]:
        """The newest connection's first statistics of this kind (`inbound-rtp`, `candidate-pair` …)."""
        found: dict[str, Any] = await self.page.evaluate("kind => townhallTest.stats(kind)", kind)
        return found

    async def vanish(self) -> None:
        """Close the tab without letting its page say goodbye: as when the machine is switched off."""
        session = await self.context.new_cdp_session(self.page)
        # A crashed renderer runs no `pagehide` and sends nothing more; Playwright is told of it by an event.
        async with self.page.expect_event("crash"):
            sending = asyncio.ensure_future(session.send("Page.crash"))
            sending.add_done_callback(lambda done: done.cancelled() or done.exception())
        self.ear.end()


class Browsing:
    """`async with Browsing(chromium.endpoint) as browsing: tab = await browsing.open("ann", 440.0, url)`."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._stack = AsyncExitStack()
        self._browser: Browser | None = None
        self.tabs: list[Tab] = []

    async def __aenter__(self) -> Self:
        playwright = await self._stack.enter_async_context(async_playwright())
        self._browser = await playwright.chromium.connect_over_cdp(self._endpoint)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        faults = [f"{tab.name}: {fault}" for tab in self.tabs for fault in tab.faults]
        for tab in self.tabs:
            print(*(f"{tab.name} console {line}" for line in tab.said), sep="\n")
            tab.ear.end()
        for tab in self.tabs:
            await tab.context.close()
        assert self._browser is not None
        await self._browser.close()
        await self._stack.aclose()
        if error is None:
            assert not faults, "a page complained:\n" + "\n".join(faults)

    async def tab(
        self,
        name: str,
        tone_hz: float = 0.0,
        *,
        microphone: str = "tone",
        place: Place | None = None,
        plain_loopback: bool = False,
        phone_sized: bool = False,
        **context: Any,
    ) -> Tab:
        """A blank tab. `tone_hz`: what its microphone hears; 0: nothing.

        `microphone`: `tone`, `refused`, `missing` or `busy`. `place`: where to look for the server's ICE
        candidates (a relay). `plain_loopback`: let `wss://` to this machine be `ws://`, for pages of the
        official SDK, which knows no other.
        `phone_sized`: a small touch screen. `context`: as for Playwright's `Browser.new_context`.
        """
        assert self._browser is not None
        if phone_sized:
            context = {
                "viewport": {"width": 390, "height": 844},
                "has_touch": True,
                "is_mobile": True,
                **context,
            }
        # Pages that stand still leave the processor to the sound.
        made = await self._browser.new_context(**{"reduced_motion": "reduce", **context})
        ear = BrowserEar(name)
        page = await made.new_page()
        tab = Tab(name, tone_hz, made, page, ear)
        self.tabs.append(tab)
        page.on("console", tab.on_console)
        page.on("pageerror", lambda error: tab.complain(f"{error.message}\n{error.stack or ''}"))
        page.on("close", lambda _: ear.end())
        await page.expose_function("townhallHeard", ear.take)
        await page.expose_function("townhallOver", ear.end)
        await page.expose_function("townhallPlace", place or _as_it_is)
        asked = {
            "tone": tone_hz,
            "microphone": microphone,
            "relayed": place is not None,
            "plainLoopback": plain_loopback,
        }
        scripts = [
            (_SCRIPTS / f"{part}.js").read_text() for part in ("setting", "microphone", "ears", "roads")
        ]
        await page.add_init_script("\n".join([f"globalThis.townhallAsked = {json.dumps(asked)};", *scripts]))
        return tab

    async def open(self, name: str, tone_hz: float, url: str, **options: Any) -> Tab:
        """A tab that has loaded `url`; options as for `tab`."""
        tab = await self.tab(name, tone_hz, **options)
        await tab.page.goto(url)
        return tab


async def _as_it_is(host: str, port: int) -> tuple[str, int]:
    return host, port


async def serve_files(tab: Tab, base: str, files: Mapping[str, Path | bytes | str]) -> None:
    """Let the tab find these files below the URL `base`, though no server has them: a page at our origin."""
    types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".wav": "audio/wav"}

    async def answer(route: Route) -> None:
        name = route.request.url.removeprefix(base).partition("?")[0]
        file = files.get(name)
        if file is None:
            await route.fulfill(status=404, body=f"no {name} in this test")
            return
        body = file.read_bytes() if isinstance(file, Path) else file
        kind = types.get(Path(name).suffix, "application/octet-stream")
        await route.fulfill(body=body, content_type=f"{kind}; charset=utf-8" if "text" in kind else kind)

    await tab.page.route(f"{base}**", answer)


_names = itertools.count(1)


def unused_name(prefix: str = "browser") -> str:
    """A name that no other tab of this process has."""
    return f"{prefix}{next(_names)}"
