"""Sums of runs of rows: of the talkers of every bus, who stand side by side.

`np.add.reduceat` does the same, but pays for every run what a hundred additions cost. Here all runs of one
length are a single block, summed at once; there are few different lengths, and often only one.
"""

import numpy as np

from townhall.audio.shapes import Int16, Int32, Slots


class RunSums:
    """Runs that begin at rows `starts` `(runs,)`, ascending; the last one ends before row `end`."""

    def __init__(self, starts: Slots, end: int) -> None:
        self._runs, self._end = len(starts), end
        lengths = np.diff(starts, append=end)
        self._blocks: list[tuple[Slots, Slots]] = []
        """Runs `(n,)` of one length, and their rows `(n, length)`."""
        for length in np.unique(lengths).tolist():
            runs = np.flatnonzero(lengths == length)
            self._blocks.append((runs, starts[runs][:, None] + np.arange(length)))

    def of(self, frames: Int16) -> Int32:
        """The sums `(runs, samples)` of `frames` `(rows, samples)`; rows from `end` on are in none."""
        sums = np.empty((self._runs, frames.shape[1]), np.int32)
        if len(self._blocks) == 1:
            voices = frames[: self._end].reshape(self._runs, -1, frames.shape[1])
            np.add.reduce(voices, axis=1, dtype=np.int32, out=sums)
            return sums
        for runs, rows in self._blocks:
            sums[runs] = np.add.reduce(frames.take(rows, axis=0), axis=1, dtype=np.int32)
        return sums
