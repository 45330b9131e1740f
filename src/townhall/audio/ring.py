"""One ring of samples per leg, addressed by RTP timestamp, with the presence of every sample.

A position is the timestamp modulo the ring's length, a power of two, so the timestamp's own wrap at 2**32
needs no care. The ends of each ring are repeated beyond its other end: any run of up to `LONGEST_RUN` samples
is contiguous in memory, and rows are copied whole instead of sample by sample.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from townhall.audio.shapes import Bool, Int16, Slots, UInt32

LONGEST_RUN = 640
"""Samples that one call can move, at 8 kHz: a 60 ms packet, or a packet and the history that its concealment
needs.
"""


_Any = NDArray[Any]


class SampleRing:
    """`capacity` rings of `length` samples; `length` is a power of two, at least four times `longest_run`."""

    def __init__(self, capacity: int, length: int, longest_run: int = LONGEST_RUN) -> None:
        if length & (length - 1) or length < 4 * longest_run:
            least = 4 * longest_run
            raise ValueError(f"ring of {length} samples: expected a power of two of at least {least}")
        self.length = length
        self.longest_run = longest_run
        # Front margin, the ring, the rear margin that is read, and room for writes that run out of that.
        width = longest_run + length + 2 * longest_run
        self._samples = np.zeros((capacity, width), np.int16)
        self._present = np.zeros((capacity, width), np.bool_)

    def clear(self, slots: Slots) -> None:
        self._samples[slots] = 0
        self._present[slots] = False

    def forget_all(self, slots: Slots) -> None:
        """Mark everything as missing and keep the samples as history."""
        self._present[slots] = False

    def store(self, slots: Slots, timestamps: UInt32, samples: Int16) -> None:
        """Put `samples` int16 `(n, run)` at `timestamps` `(n,)` and mark them present; a slot may occur
        repeatedly.
        """
        self._put(self._samples, slots, timestamps, samples, samples.shape[1])
        self._put(self._present, slots, timestamps, True, samples.shape[1])

    def amend(self, slots: Slots, timestamps: UInt32, samples: Int16) -> None:
        """Put samples without marking them present: what was played in place of what is missing."""
        self._put(self._samples, slots, timestamps, samples, samples.shape[1])

    def forget(self, slots: Slots, timestamps: UInt32, run: int) -> None:
        """Mark `run` samples from `timestamps` on as missing."""
        self._put(self._present, slots, timestamps, False, run)

    def samples(self, slots: Slots, timestamps: UInt32, run: int) -> Int16:
        """A copy of `run` samples from each timestamp on, int16 `(n, run)`, present or not."""
        copied: Int16 = self._runs(self._samples, run)[slots, self._position(timestamps) + self.longest_run]
        return copied

    def present(self, slots: Slots, timestamps: UInt32, run: int) -> Bool:
        """The presence of `run` samples from each timestamp on, bool `(n, run)`."""
        copied: Bool = self._runs(self._present, run)[slots, self._position(timestamps) + self.longest_run]
        return copied

    def pick(self, slots: Slots, timestamps: UInt32) -> Int16:
        """Single samples: `timestamps` is `(n, k)`, the result int16 `(n, k)`."""
        picked: Int16 = self._samples[slots[:, None], self._position(timestamps) + self.longest_run]
        return picked

    def _position(self, timestamps: UInt32) -> Slots:
        return (timestamps & np.uint32(self.length - 1)).astype(np.intp)

    def _runs(self, array: _Any, run: int) -> _Any:
        """A view `(capacity, starts, run)` of every run of `run` samples, without a copy."""
        rows, width = array.shape
        row, item = array.strides
        return np.ndarray((rows, width - run + 1, run), array.dtype, array, 0, (row, item, item))

    def _put(self, array: _Any, slots: Slots, timestamps: UInt32, value: Int16 | bool, run: int) -> None:
        runs = self._runs(array, run)
        position = self._position(timestamps)
        runs[slots, position + self.longest_run] = value
        at_front, at_end = position < self.longest_run, position + run > self.length
        for beyond, shift in ((at_front, self.length), (at_end, -self.length)):
            again = np.flatnonzero(beyond)
            if len(again):
                part = value if isinstance(value, bool) else value[again]
                runs[slots[again], position[again] + self.longest_run + shift] = part
