"""Noise suppression for the talkers who are to have it, in both bands; made when the first one is."""

import numpy as np

from townhall.audio.resampling import WIDE_SAMPLES
from townhall.audio.shapes import Bool
from townhall.audio.suppression import NoiseSuppressor
from townhall.media.shapes import TICK_SAMPLES, Int16s, Int64s


class Suppressing:
    """Of `capacity` legs; `usual` is what the settings say of each."""

    def __init__(self, capacity: int, usual: bool) -> None:
        self._capacity = capacity
        self._usual = usual
        self._wanted: Bool = np.full(capacity, usual)
        self._narrow: NoiseSuppressor | None = None
        self._wide: NoiseSuppressor | None = None

    def set_leg(self, slot: int, wanted: bool | None) -> None:
        """Whether one leg has it; None: as usual."""
        wanted = self._usual if wanted is None else wanted
        if wanted != self._wanted[slot]:
            self._wanted[slot] = wanted
            self.reset(np.array([slot]))

    def reset(self, slots: Int64s) -> None:
        """What came from these legs is no longer continued."""
        for suppressor in (self._narrow, self._wide):
            if suppressor is not None:
                suppressor.reset(slots)

    def among(self, slots: Int64s) -> Int64s:
        """Places of the slots that have it."""
        return np.flatnonzero(self._wanted[slots])

    def narrow(self, slots: Int64s, frames: Int16s) -> Int16s:
        """Frames `(slots, 160)` with less noise, 12 ms late."""
        if self._narrow is None:
            self._narrow = NoiseSuppressor(self._capacity, TICK_SAMPLES)
        return self._narrow.process(slots, frames)

    def wide(self, slots: Int64s, frames: Int16s) -> Int16s:
        """Frames `(slots, 320)` with less noise, 12 ms late."""
        if self._wide is None:
            self._wide = NoiseSuppressor(self._capacity, WIDE_SAMPLES)
        return self._wide.process(slots, frames)
