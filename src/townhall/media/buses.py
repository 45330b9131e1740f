"""The buses in use and what is being played into them."""

import numpy as np

from townhall.media.plan import BusPlays
from townhall.media.players import PlayRecord
from townhall.media.shapes import Bools, Int64s


class Buses:
    """Names to rows of the mixer; a bus exists while a leg is attached to it."""

    def __init__(self, capacity: int) -> None:
        self.rows = capacity + 1
        """One more than legs: a leg joins its new bus before it parts from the old one."""
        self.plays = BusPlays()
        """The plays that sound."""
        self._index: dict[str, int] = {}
        self._name: dict[int, str] = {}
        self._legs = np.zeros(self.rows, np.int64)
        self._free = list(range(self.rows - 1, -1, -1))
        self._all: list[tuple[int, int, int]] = []

    def index_of(self, name: str) -> int:
        """The row of a bus; -1: nobody is in it."""
        return self._index.get(name, -1)

    def join(self, name: str) -> int:
        """One leg more; the row of the bus."""
        index = self._index.get(name, -1)
        if index < 0:
            index = self._free.pop()
            self._index[name] = index
            self._name[index] = name
        self._legs[index] += 1
        return index

    def part(self, index: int) -> bool:
        """One leg less; True when it was the last and the bus is gone."""
        self._legs[index] -= 1
        if self._legs[index]:
            return False
        del self._index[self._name.pop(index)]
        self._free.append(index)
        return True

    def add_play(self, row: int, bus: int, owner: int) -> None:
        """Note a play into a bus."""
        self._all.append((row, bus, owner))

    def plays_of(self, bus: int) -> list[int]:
        """Rows of the plays into one bus."""
        return [row for row, target, _ in self._all if target == bus]

    def keep_plays(self, records: dict[int, PlayRecord]) -> None:
        """Forget the plays that are over."""
        self._all = [play for play in self._all if play[0] in records and records[play[0]].bus == play[1]]

    def show_sounding(self, running: Bools) -> None:
        """Put the plays whose clips are loaded into `plays`."""
        sounding = [play for play in self._all if running[play[0]]]
        columns: Int64s = np.array(sounding, np.int64).reshape(-1, 3)
        self.plays = BusPlays(columns[:, 0], columns[:, 1], columns[:, 2])
