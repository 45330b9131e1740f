"""Holes that a decoder has filled itself: how long they are, and how loud the filling is.

Opus conceals a loss with what it knows of the voice, so there is nothing to invent here. This only says that
what goes on too long fades out, that sound fades in after silence, and how long the hole has been, which is
what the pointer's rules ask for. Works on all legs at once, in blocks of 10 ms.
"""

import numpy as np

from townhall.audio.shapes import Bool, Float32, Int16, Int32, Slots, UInt32

_HOLD_MS, _FADED_MS, _FADE_IN_MS, _BLOCK_MS = 60, 120, 5, 10


class DecodedHoles:
    """The holes of `capacity` legs at `rate` Hz."""

    def __init__(self, capacity: int, rate: int) -> None:
        self.block = _BLOCK_MS * rate // 1000
        self.faded_after = _FADED_MS * rate // 1000
        self.gap = np.zeros(capacity, np.int32)
        self._hold = _HOLD_MS * rate // 1000
        self._rise = np.float32(1000 / (_FADE_IN_MS * rate))
        self._level = np.ones(capacity, np.float32)
        self._steps = np.arange(self.block, dtype=np.int32)

    def reset(self, slots: Slots) -> None:
        self.gap[slots] = 0
        self._level[slots] = 1.0

    def begin_silent(self, slots: Slots) -> None:
        """The slots come out of silence: what they play next fades in."""
        self.gap[slots] = self.faded_after
        self._level[slots] = 0.0

    def open_hole(self, slots: Slots) -> Int32:
        """Samples since the hole began that a leg is in, 0 where the signal is back; int32 `(n,)`."""
        return np.where(self.gap[slots] > 1, self.gap[slots], 0).astype(np.int32)

    def repair(self, slots: Slots, timestamps: UInt32, real: Int16, present: Bool) -> Int16:
        """One block, int16 `(n, block)`: `real` where `present`, and what the decoder has put elsewhere."""
        steps, missing = self._steps, np.logical_not(present)
        last_present = np.maximum.accumulate(np.where(present, steps, -1), axis=1)
        since = np.where(last_present < 0, self.gap[slots][:, None] + steps + 1, steps - last_present)
        faded = self._fade(since)
        last_missing = np.maximum.accumulate(np.where(missing, steps, -1), axis=1)
        before = np.take_along_axis(faded, np.maximum(last_missing, 0), axis=1)
        before = np.where(last_missing < 0, self._level[slots][:, None], before)
        returned = np.minimum(before + self._rise * (steps - last_missing), np.float32(1.0))
        level = np.where(missing, faded, returned)
        self._level[slots] = level[:, -1]
        recovering = (level[:, -1] < 1.0).astype(np.int32)
        self.gap[slots] = np.where(present[:, -1], recovering, np.minimum(since[:, -1], 2 * self.faded_after))
        return np.rint(real * level).astype(np.int16)

    def play_again(self, slots: Slots, timestamps: UInt32, run: Int32) -> None:
        """The pointer went back: what never came was decoded all the same, so there is nothing to do."""

    def _fade(self, position: Int32) -> Float32:
        span = np.float32(self.faded_after - self._hold)
        faded: Float32 = np.clip((self.faded_after - position) / span, 0.0, 1.0).astype(np.float32)
        return faded
