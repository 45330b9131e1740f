"""Sound that media processes give each other through shared memory, 20 ms at a time.

The memory has *rows*; control gives one to every bus that has legs in several processes (its talkers'
sum), and to every leg that whispers to one in another process (its voice). In every tick each process writes
its own part of a row and reads the others' parts of the tick before. Nobody waits for anybody: a frame
carries the number of its tick on the grid that all processes share (`beat`), and one whose number does not
fit is silence.

A process that is late is read a tick later (at most `MOST_LAG`), and nearer again once it has been in time
for a while.
"""

import mmap
import os
import tempfile

import numpy as np

from townhall.media.shapes import TICK_SAMPLES, Bools, Int16s, Int32s, Int64s

DEPTH = 8
"""Ticks that the memory holds; more than the most lag and what a late reader may still be at."""

MOST_LAG = 4
NEARER_AFTER = 500
"""Ticks that all could have been read nearer."""

WIDE = 3 * TICK_SAMPLES
"""A wide frame: 320 samples at 16 kHz, and 160 of the same voices at 8 kHz, as they are in the row's sum."""

_STAMP = 8
_FRAME = 4 * TICK_SAMPLES
_WIDE_FRAME = 4 * WIDE


def bytes_for(workers: int, rows: int) -> int:
    """Size of the memory. It is filled, and takes room, only where a row is used."""
    return _STAMP * workers + workers * DEPTH * rows * (2 * _STAMP + _FRAME + _WIDE_FRAME)


def new_memory(workers: int, rows: int) -> int:
    """A descriptor of fresh memory without a name, for `mapped`, here and in processes that inherit it."""
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("townhall-exchange", os.MFD_CLOEXEC)
    else:
        descriptor, path = tempfile.mkstemp(prefix="townhall-exchange-")
        os.unlink(path)
    os.ftruncate(descriptor, bytes_for(workers, rows))
    return descriptor


def mapped(descriptor: int, workers: int, rows: int) -> mmap.mmap:
    """The memory behind a descriptor."""
    return mmap.mmap(descriptor, bytes_for(workers, rows))


class Exchange:
    """One process's view of the memory: it writes as `own` and reads everybody else."""

    def __init__(self, memory: mmap.mmap | bytearray, workers: int, rows: int, own: int) -> None:
        self.rows = rows
        self._own = own
        self._others = [worker for worker in range(workers) if worker != own]
        self._lags = [_Lag() for _ in self._others]
        self._wanted = [0] * len(self._others)
        self._whole = [False] * workers
        shape = (workers, DEPTH, rows)
        at = _STAMP * workers
        self._latest = np.frombuffer(memory, np.int64, workers)
        stamps = np.frombuffer(memory, np.int64, 2 * workers * DEPTH * rows, at)
        self._stamps, self._wide_stamps = stamps.reshape(2, *shape)
        at += stamps.nbytes
        frames = np.frombuffer(memory, np.int32, workers * DEPTH * rows * TICK_SAMPLES, at)
        self._frames = frames.reshape(*shape, TICK_SAMPLES)
        wide = np.frombuffer(memory, np.int32, workers * DEPTH * rows * WIDE, at + frames.nbytes)
        self._wide = wide.reshape(*shape, WIDE)

    def begin(self, beat: int) -> None:
        """A tick begins: work out which of the others' ticks is read in it."""
        for place, worker in enumerate(self._others):
            latest = int(self._latest[worker])
            self._wanted[place] = beat - self._lags[place].at(beat, latest)
            self._whole[worker] = latest >= self._wanted[place]

    def end(self, beat: int) -> None:
        """All that we have to say in this tick is written."""
        self._latest[self._own] = beat

    def put(self, beat: int, rows: Int64s, frames: Int32s | Int16s) -> None:
        """Our part of these rows, `(n, 160)`."""
        place = beat % DEPTH
        self._frames[self._own, place, rows] = frames
        self._stamps[self._own, place, rows] = beat

    def put_wide(self, beat: int, rows: Int64s, frames: Int32s) -> None:
        """Our part of these rows in the wide band, `(n, 480)`, see `WIDE`."""
        place = beat % DEPTH
        self._wide[self._own, place, rows] = frames
        self._wide_stamps[self._own, place, rows] = beat

    def add_to(self, sums: Int32s, places: Int64s, rows: Int64s) -> None:
        """Add the others' parts of `rows` to `sums[places]` `(…, 160)`; `places` are distinct."""
        for worker, fits, wanted in self._found(self._stamps, rows):
            sums[places[fits]] += self._frames[worker, wanted % DEPTH, rows[fits]]

    def add_wide_to(self, wide: Int32s, rows: Int64s) -> bool:
        """Add the others' wide parts of `rows` to `wide` `(len(rows), 480)`; False when there are none.

        Only from processes that were done with their tick when ours began: of others, the narrow sums may not
        have what would be taken from them.
        """
        found = False
        for worker, fits, wanted in self._found(self._wide_stamps, rows):
            if not self._whole[worker]:
                continue
            wide[fits] += self._wide[worker, wanted % DEPTH, rows[fits]]
            found = True
        return found

    def _found(
        self, stamps: "np.ndarray[tuple[int, ...], np.dtype[np.int64]]", rows: Int64s
    ) -> list[tuple[int, Bools, int]]:
        """For each other process that has any: which of `rows` it has, and for which tick."""
        found = []
        for worker, wanted in zip(self._others, self._wanted, strict=True):
            fits = stamps[worker, wanted % DEPTH, rows] == wanted
            if fits.any():
                found.append((worker, fits, wanted))
        return found


class _Lag:
    """How many ticks behind us another process is read."""

    def __init__(self) -> None:
        self._ticks = 1
        self._before = 1
        """What it was before the process began to be late."""
        self._late = 0
        self._early = 0

    def at(self, beat: int, latest: int) -> int:
        """The lag for this tick; `latest`: the last one that the other has written."""
        lag = self._ticks
        if latest >= beat - lag:
            self._late = 0
            self._before = lag
            self._early = self._early + 1 if latest > beat - lag and lag > 1 else 0
            if self._early >= NEARER_AFTER:
                self._ticks, self._early = lag - 1, 0
            return lag
        self._early = 0
        self._late += 1
        # Read again in the next tick what was missing in this one; but who is away so long stands still.
        away = self._late >= MOST_LAG or latest < beat - DEPTH
        self._ticks = self._before if away else min(lag + 1, MOST_LAG)
        return lag
