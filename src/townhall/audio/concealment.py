"""What is played where samples are missing.

The last pitch period before the hole is repeated, joined without a step, and fades to silence in 60 ms; where
the real signal returns, the repetition goes on beneath it for 5 ms while they cross-fade. In the spirit of
ITU-T G.711 Appendix I, without its delay; works on the few rows that lack samples in this tick, in blocks of
10 ms, within which a signal changes between present and missing at most once because no packet is shorter.
"""

import numpy as np

from townhall.audio.pitch import SEARCH_SAMPLES, best_lag
from townhall.audio.ring import SampleRing
from townhall.audio.shapes import Bool, Float32, Int16, Int32, Slots, UInt32

BLOCK = 80
FADED_AFTER = 480
"""Samples of a hole after which its concealment is silent: 60 ms."""

_HOLD = 80
"""Samples at full level before the fade begins."""
_CROSS_FADE = 40
_JOIN = 24
"""Samples over which the step at a join is spread."""

_STEPS = np.arange(BLOCK, dtype=np.int32)


class Concealment:
    """The holes that `capacity` legs are in, at 8 kHz. Times are RTP timestamps in the legs' rings."""

    block = BLOCK
    faded_after = FADED_AFTER

    def __init__(self, capacity: int, ring: SampleRing) -> None:
        self._ring = ring
        self.gap = np.zeros(capacity, np.int32)
        """Samples since the hole began, the cross-fade after it included; 0: no hole. int32 `(capacity,)`."""
        self._recovered = np.zeros(capacity, np.int32)
        self._source = np.zeros(capacity, np.uint32)
        self._lag = np.full(capacity, SEARCH_SAMPLES, np.int32)
        self._step = np.zeros(capacity, np.float32)

    def reset(self, slots: Slots) -> None:
        self.gap[slots] = 0
        self._recovered[slots] = 0

    def begin_silent(self, slots: Slots) -> None:
        """The slots come out of silence: what they play next fades in."""
        self.gap[slots] = FADED_AFTER
        self._recovered[slots] = 0
        self._lag[slots] = SEARCH_SAMPLES
        self._step[slots] = 0

    def open_hole(self, slots: Slots) -> Int32:
        """Samples since the hole began that a leg is in, 0 where the signal is back; int32 `(n,)`."""
        return np.where(self._recovered[slots] > 0, 0, self.gap[slots]).astype(np.int32)

    def repair(self, slots: Slots, timestamps: UInt32, real: Int16, present: Bool) -> Int16:
        """What to play for one block: `real` int16 `(n, 80)` at `timestamps`, of which only `present` is to
        be used.
        """
        result = real.copy()
        inside = self.gap[slots] > 0
        rows = np.flatnonzero(inside)
        begins: Bool = np.logical_not(present.all(axis=1))
        if len(rows):
            returned = self._go_on(slots[rows], timestamps[rows], real[rows], present[rows])
            result[rows] = returned
            begins[rows] &= (self.gap[slots[rows]] == 0) & present[rows, 0]
        rows = np.flatnonzero(begins)
        if len(rows):
            result[rows] = self._begin(slots[rows], timestamps[rows], result[rows], present[rows])
        return result

    def _go_on(self, slots: Slots, timestamps: UInt32, real: Int16, present: Bool) -> Int16:
        """Rows in a hole at the start of the block: repeat on, cross-fade to the signal where it returns."""
        recovered = self._recovered[slots]
        back = np.where(present.any(axis=1), present.argmax(axis=1), BLOCK)
        back = np.where(recovered > 0, -recovered, back).astype(np.int32)
        position = self.gap[slots][:, None] + _STEPS
        repeated = self._repeat(slots, position)
        weight = np.clip((_STEPS - back[:, None] + 0.5) / np.float32(_CROSS_FADE), 0.0, 1.0)
        mixed = repeated * _fade(position) * (1.0 - weight) + real * weight
        self._keep(slots, timestamps, np.where(back[:, None] > _STEPS, repeated, real))

        since_return = np.maximum(BLOCK - back, 0)
        over = since_return >= _CROSS_FADE
        gap = np.minimum(self.gap[slots] + BLOCK, 2 * FADED_AFTER)
        self.gap[slots] = np.where(over, 0, gap)
        self._recovered[slots] = np.where(over, 0, since_return)
        return _pcm(mixed)

    def _begin(self, slots: Slots, timestamps: UInt32, real: Int16, present: Bool) -> Int16:
        """Rows whose signal ends within the block: find what to repeat, repeat it from there."""
        onset = present.argmin(axis=1).astype(np.uint32)
        hole = timestamps + onset
        past = self._ring.samples(slots, hole - np.uint32(SEARCH_SAMPLES), SEARCH_SAMPLES)
        history = past.astype(np.float32)
        lag, _ = best_lag(history)
        self._lag[slots] = lag
        self._source[slots] = hole - lag.astype(np.uint32)
        rows = np.arange(len(slots))
        self._step[slots] = history[:, -1] - history[rows, SEARCH_SAMPLES - 1 - lag]
        position = _STEPS - onset[:, None].astype(np.int32)
        repeated = self._repeat(slots, np.maximum(position, 0))
        missing = position >= 0
        self._keep(slots, timestamps, np.where(missing, repeated, real))
        self.gap[slots] = BLOCK - onset.astype(np.int32)
        self._recovered[slots] = 0
        return _pcm(np.where(missing, repeated * _fade(position), real))

    def _repeat(self, slots: Slots, position: Int32) -> Float32:
        """The repeated period at each position `(n, 80)` since the hole began."""
        phase = position % self._lag[slots][:, None]
        samples = self._ring.pick(slots, self._source[slots][:, None] + phase.astype(np.uint32))
        join = np.maximum(1.0 - phase / np.float32(_JOIN), 0.0)
        repeated: Float32 = samples + self._step[slots][:, None] * join
        return repeated

    def _keep(self, slots: Slots, timestamps: UInt32, played: Float32) -> None:
        """The next hole's history is what was played, before the fade."""
        self._ring.amend(slots, timestamps, _pcm(played))


def _fade(position: Int32) -> Float32:
    span = np.float32(FADED_AFTER - _HOLD)
    faded: Float32 = np.clip((FADED_AFTER - position) / span, 0.0, 1.0).astype(np.float32)
    return faded


def _pcm(signal: Float32) -> Int16:
    samples: Int16 = np.clip(np.rint(signal), -32768, 32767).astype(np.int16)
    return samples
