"""What the tick notices and tells: keys pressed as tones, legs fallen silent. Speech is in `conditioning`."""

from collections.abc import Callable

import numpy as np

from townhall.audio.inband import InbandDigits
from townhall.media.legs import Legs
from townhall.media.plan import Plan
from townhall.media.protocol import DigitPressed, Event, LegSilent
from townhall.media.shapes import Int16s, Int64s


class Notices:
    """The detectors of all legs."""

    def __init__(self, legs: Legs, emit: Callable[[Event], None]) -> None:
        self._legs = legs
        self._emit = emit
        self._in_band = InbandDigits(legs.capacity)

    def follow(self, fresh: Int64s) -> None:
        """A new plan: `fresh` are newly read."""
        self._in_band.reset(fresh)

    def take(self, plan: Plan, frames: Int16s) -> None:
        """This tick's frames `(reading, 160)`."""
        if len(plan.in_band):
            self._notice_tones(plan.reading[plan.in_band], frames[plan.in_band])

    def look_for_silence(self, now: float) -> None:
        """Tell of legs from which nothing has come for as long as they are allowed."""
        legs = self._legs
        quiet = now - legs.last_packet
        silent = legs.connected & (legs.silence_limit > 0) & (quiet > legs.silence_limit)
        for slot in np.flatnonzero(silent & ~legs.silent_told).tolist():
            legs.silent_told[slot] = True
            self._emit(LegSilent(int(legs.number[slot]), round(float(quiet[slot]), 1)))
        legs.silent_told &= silent

    def _notice_tones(self, slots: Int64s, frames: Int16s) -> None:
        pressing, digits = self._in_band.detect(slots, frames)
        for slot, digit in zip(pressing.tolist(), digits, strict=True):
            self._emit(DigitPressed(int(self._legs.number[slot]), digit, "inband"))
