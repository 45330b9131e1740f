"""The tutorial's steps and commands, taken as they stand on the page, in a browser and by a phone."""

import asyncio
import os
import re
import shlex
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest
from playwright.async_api import Locator, expect
from tests.harness.browser import Browsing, Tab
from tests.harness.browser_page import ConsolePage
from tests.harness.server import TownhallServer

from townhall.phone.hearing import Samples
from townhall.phone.listening import is_tone

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial" / "first-town-hall.md").read_text("utf-8")
PRINTED = re.search(r"```\n(Townhall .*?)```", PAGE, re.DOTALL)
WITHIN_MS = 30_000
MICROPHONES = {"Ada": 620.0, "Ben": 900.0}
TELEPHONE_HZ = 440.0
_STEP = re.compile(r"^\d+\. (.*)")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TownhallServer]:
    with TownhallServer(tmp_path, log_level="info") as server:
        yield server


class Terminal:
    """One command of the page, running in a process of its own."""

    def __init__(self, command: str, server: TownhallServer) -> None:
        words = shlex.split(command.replace("127.0.0.1:5060", f"{server.address}:{server.sip_port}"))
        assert words[0] == ".venv/bin/townhall", command
        self._words = words[1:]
        self._server = server
        self.printed: list[str] = []

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "townhall.cli", *self._words),
            cwd=self._server.data_dir,
            env=self._server.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGKILL)
            await self._process.wait()

    async def prints(self, words: str) -> None:
        """Read on until a line holds these words."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            while line := (await self._process.stdout.readline()).decode():
                self.printed.append(line.rstrip("\n"))
                if words in line:
                    return
        raise AssertionError(f"{words!r} was not printed, but\n" + "\n".join(self.printed))

    async def ends(self) -> None:
        """Wait until it is done; it must have gone well."""
        rest, _ = await asyncio.wait_for(self._process.communicate(), 60)
        self.printed += rest.decode().splitlines()
        assert self._process.returncode == 0, "\n".join(self.printed)


class Reader:
    """Somebody who does what the page says, section by section. `tabs`: those that were opened, in order."""

    def __init__(self, server: TownhallServer, browsing: Browsing) -> None:
        self._server = server
        self._browsing = browsing
        self.tabs: list[Tab] = []
        self._deeds = {
            r"Open <(http://\S+)>.*": self._open,
            r"Type \*\*(.+?)\*\* into \*\*(.+?)\*\*\.": self._type,
            r"Click \*\*(.+?)\*\*(?:, and to be sure, \*\*(.+?)\*\*)?\..*": self._click,
            r"Press \*\*(.)\*\* .*": self._press,
            r"The page says \*\*(.+?)\*\*.*": self._read,
            r"Point at the line of \*\*(.+?)\*\* and click \*\*(.+?)\*\*\..*": self._point,
        }

    async def does(self, number: int, first: int = 1, last: int = 99) -> None:
        """The numbered steps of a section, from one number to another."""
        for step in steps(number)[first - 1 : last]:
            for pattern, deed in self._deeds.items():
                if found := re.fullmatch(pattern, step):
                    await deed(*found.groups())
                    break
            else:
                raise AssertionError(f"this reader does not know how to do: {step}")

    async def _open(self, url: str) -> None:
        here = url.replace("http://127.0.0.1:8080", self._server.url)
        # Which tab it is can be told by who speaks into it, and the sections are in the order of these.
        name, hz = [*MICROPHONES.items(), ("console", 0.0)][len(self.tabs)]
        self.tabs.append(await self._browsing.open(name, hz, here))
        self.tabs[-1].page.set_default_timeout(WITHIN_MS * 2)

    async def _type(self, words: str, field: str) -> None:
        await self.tabs[-1].page.get_by_label(field).and_(self._seen("input")).fill(words)

    async def _click(self, button: str, then: str | None) -> None:
        await self.tabs[-1].page.get_by_role("button", name=button, exact=True).click()
        if then:
            await self.tabs[-1].page.get_by_role("button", name=then, exact=True).click()

    async def _press(self, key: str) -> None:
        await self.tabs[-1].page.keyboard.press(key)

    async def _read(self, words: str) -> None:
        on = [tab for tab in self.tabs if tab.name != "console"]
        for tab in on if len(self.tabs) > len(on) else self.tabs[-1:]:
            await expect(tab.page.get_by_text(words).first).to_be_visible(timeout=WITHIN_MS)

    async def _point(self, name: str, button: str) -> None:
        await ConsolePage(self.tabs[-1]).act_on(name, button)

    def _seen(self, selector: str) -> Locator:
        return self.tabs[-1].page.locator(f"{selector}:visible")


def section(number: int) -> str:
    found = re.search(rf"^## {number}\. .*?(?=^## |\Z)", PAGE, re.DOTALL | re.MULTILINE)
    assert found is not None
    return found[0]


def steps(number: int) -> list[str]:
    return [found[1] for line in section(number).splitlines() if (found := _STEP.match(line))]


def commands(number: int) -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", section(number), re.DOTALL)
    return [line for block in blocks for line in block.splitlines()]


@pytest.mark.timeout(300)
async def test_tutorial_works_word_for_word(server: TownhallServer, browsing: Browsing) -> None:
    reader = Reader(server, browsing)
    assert commands(1) == ["make serve"]

    await reader.does(2)
    ada = reader.tabs[0]
    await ada.ear.hears("music", within_s=30)

    await reader.does(3)
    ben = reader.tabs[1]
    await ada.ear.hears(only("Ben"), within_s=30)
    await ben.ear.hears("silence", within_s=30)

    async with Terminal(commands(4)[0], server) as telephone:
        await telephone.prints("pressed 2")
        await ada.ear.hears(only("Ben", "telephone"), within_s=30)
        await ben.ear.hears(only("telephone"), within_s=30)

        async with Terminal(commands(5)[0], server) as guarding:
            await guarding.ends()
        await reader.does(5, last=4)
        console = ConsolePage(reader.tabs[2])
        await console.shows("Ada", "Ben", "carla")
        await reader.does(5, first=5, last=5)
        await ada.ear.hears(only("Ben"), within_s=30)
        await reader.does(5, first=6)
        await telephone.ends()
        assert "the other side hung up" in telephone.printed
    assert steps(4) == []


def only(*names: str) -> Callable[[Samples], bool]:
    """Whether exactly these voices are heard."""
    tones = {**MICROPHONES, "telephone": TELEPHONE_HZ}

    def judge(samples: Samples) -> bool:
        return {name for name, hz in tones.items() if is_tone(samples, hz)} == set(names)

    return judge


def test_server_prints_what_the_page_shows(server: TownhallServer) -> None:
    assert PRINTED is not None
    shown = PRINTED[1].replace("127.0.0.1:5060", f"{server.address}:{server.sip_port}")
    shown = shown.replace("http://127.0.0.1:8080", server.url)
    server.wait_for_log(shown.strip())  # it answers before it says so
