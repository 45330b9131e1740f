"""What a browser's tab hears: the remote sound of its connections, as samples at 8 kHz.

It is asked as a phone's call is (`tests.harness.matrix.Ear`), so stories search it for tones in the same
way. The page sends it in pieces of a tenth of a second (`browser_scripts/ears.js`).
"""

import asyncio
import base64
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from townhall.audio import write_wav
from townhall.phone import NotHeard
from townhall.phone.call import describe
from townhall.phone.hearing import RATE, Samples
from townhall.phone.listening import WINDOW, Judge, Sound, judge_of


@dataclass(frozen=True)
class Ended:
    """A call is over; stories ask how a phone's ended, and a browser's page says no more than this."""

    cause: str = "bye"


class BrowserEar:
    """One timeline for all the connections that a tab has had: it grows while there is one."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._pieces: list[Samples] = []
        self._end = 0
        self._live = False
        self._began = asyncio.Event()
        self._over = asyncio.Event()
        self._changed = asyncio.Event()

    # ---- what the page tells -------------------------------------------------------------------------------

    def take(self, piece: str) -> None:
        """Int16 samples at 8 kHz, little endian, in base 64."""
        samples = np.frombuffer(base64.b64decode(piece), "<i2")
        self._pieces.append(samples)
        self._end += len(samples)
        self._live = True
        self._began.set()
        self._over.clear()
        self._tell()

    def end(self) -> None:
        """No connection is left, or the tab is closed."""
        self._live = False
        self._over.set()
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    # ---- what stories ask ----------------------------------------------------------------------------------

    @property
    def is_over(self) -> bool:
        """Whether it hears nothing because there is no call (any more)."""
        return not self._live

    @property
    def received(self) -> Samples:
        """All that was heard so far, shape (samples,) at 8 kHz."""
        if len(self._pieces) > 1:
            self._pieces = [np.concatenate(self._pieces)]
        return self._pieces[0] if self._pieces else np.zeros(0, np.int16)

    @property
    def report(self) -> str:
        return f"{self._end / RATE:.1f} s" + (", over" if self.is_over else "")

    packets_sent = "its own"

    def mark(self) -> int:
        """This moment on the timeline of what is heard."""
        return self._end

    def heard_since(self, mark: int) -> Samples:
        return self.received[mark:].copy()

    async def begins(self, within_s: float = 30.0) -> None:
        """Wait until sound (or silence) comes in at all."""
        try:
            await asyncio.wait_for(self._began.wait(), within_s)
        except TimeoutError:
            raise NotHeard(f"{self._name}: no connection carried sound within {within_s:g} s") from None

    async def ended(self, within_s: float = 30.0) -> Ended:
        """Wait until the page has no connection left."""
        try:
            await asyncio.wait_for(self._over.wait(), within_s)
        except TimeoutError:
            raise NotHeard(f"{self._name}: still connected after {within_s:g} s") from None
        return Ended()

    async def listen(self, seconds: float) -> Samples:
        """The next so many seconds, shape (samples,); raises `NotHeard` when the call ends before."""
        mark = self.mark()
        wanted = round(seconds * RATE)
        while self.mark() - mark < wanted:
            if self.is_over:
                raise NotHeard(f"{self._name}: the call ended while listening for {seconds:g} s")
            await self._changed.wait()
        return self.heard_since(mark)[:wanted]

    async def hears(self, sound: Sound | Judge, within_s: float = 30.0, since: int | None = None) -> int:
        """Wait until `sound` is heard for 200 ms; returns the mark where those begin.

        `since`: how far back to look; None is from now on. Raises `NotHeard`, saying what was heard instead.
        """
        judge = judge_of(sound)
        position = self.mark() if since is None else since
        try:
            async with asyncio.timeout(within_s):
                while True:
                    while self.mark() - position >= WINDOW:
                        if judge(self.received[position : position + WINDOW]):
                            return position
                        position += WINDOW // 4
                    await self._changed.wait()
        except TimeoutError:
            heard = describe(self.received[-WINDOW:]) if self.mark() >= WINDOW else "nothing at all"
            raise NotHeard(f"{self._name} did not hear {sound} within {within_s:g} s, but {heard}") from None

    def save(self, path: Path) -> None:
        """Write all that was heard as a WAV file, 8 kHz mono."""
        path.write_bytes(write_wav(self.received, RATE))
