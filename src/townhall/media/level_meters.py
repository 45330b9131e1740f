"""How loud the talkers of watched buses are, ten times a second; costs nothing while nobody watches.

Levels are RMS in dB below overload, as RFC 6464 counts them: 0 is loudest, 127 silence.
"""

import numpy as np

from townhall.media.plan import Plan
from townhall.media.protocol import Levels
from townhall.media.shapes import Floats, Int16s, Int64s, Slots

TICKS = 5
_SILENCE = 127
_OVERLOAD = 32768.0**2


class LevelMeters:
    """The meters of all legs. Buses are watched by name, whether anybody is in them or not."""

    def __init__(self, capacity: int) -> None:
        self.watched: set[str] = set()
        self._power: Floats = np.zeros(capacity)
        """Sum of the mean squares of each slot since the last report."""
        self._frames = np.zeros(capacity, np.int64)

    def watch(self, bus: str, on: bool) -> None:
        """Begin or end to tell of a bus."""
        (self.watched.add if on else self.watched.discard)(bus)

    def take(self, plan: Plan, frames: Int16s) -> None:
        """This tick's frames `(reading, 160)`."""
        if not self.watched or not plan.talkers:
            return
        signal = frames[: plan.talkers].astype(np.float32)
        slots = plan.reading[: plan.talkers]
        self._power[slots] += np.einsum("ij,ij->i", signal, signal) / signal.shape[1]
        self._frames[slots] += 1

    def report(self, plan: Plan, buses: dict[str, int], bus_of: Slots, numbers: Int64s) -> list[Levels]:
        """What there is to tell of each watched bus that somebody is in; begins anew.

        `buses`: rows of the watched buses by name. `bus_of` and `numbers` `(legs,)`: bus and number of each.
        """
        slots = plan.reading[: plan.talkers]
        dbov = self._dbov(slots)
        self._power[slots] = 0.0
        self._frames[slots] = 0
        told = []
        for name, row in buses.items():
            here = bus_of[slots] == row
            told.append(Levels(name, numbers[slots[here]].tolist(), dbov[here].tolist()))
        return told

    def _dbov(self, slots: Int64s) -> Int64s:
        mean = self._power[slots] / np.maximum(self._frames[slots], 1)
        below = -10.0 * np.log10(mean / _OVERLOAD + 1e-13)
        return np.clip(np.rint(below), 0, _SILENCE).astype(np.int64)
