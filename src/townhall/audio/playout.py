"""From packets to a steady 20 ms per tick: a ring per leg, addressed by RTP timestamp (RFC 3550)."""

import numpy as np

from townhall.audio.shapes import TICK_SAMPLES, Bool, Float64, Int16, Slots, UInt32


class Playout:
    def __init__(self, capacity: int, ring_samples: int = 8192, sample_rate: int = 8000) -> None:
        self._ring = np.zeros((capacity, ring_samples), np.int16)
        self._present = np.zeros((capacity, ring_samples), np.bool_)
        self._mask = ring_samples - 1
        self._next = np.zeros(capacity, np.uint32)
        self._started = np.zeros(capacity, np.bool_)
        self._jitter = np.zeros(capacity, np.float64)
        self.late = np.zeros(capacity, np.int64)

    def reset(self, slots: Slots) -> None:
        self._present[slots] = False
        self._ring[slots] = 0
        self._started[slots] = False
        self._jitter[slots] = 0
        self.late[slots] = 0

    def write(self, slots: Slots, timestamps: UInt32, now_tick: int, samples: Int16) -> None:
        length = samples.shape[1]
        new = ~self._started[slots]
        self._next[slots[new]] = timestamps[new] - np.uint32(TICK_SAMPLES)
        self._started[slots] = True
        ahead = (timestamps - self._next[slots]).view(np.int32)
        jump = (ahead + length > self._mask) | (ahead < -4000)
        if jump.any():
            self._present[slots[jump]] = False
            self._next[slots[jump]] = timestamps[jump] - np.uint32(TICK_SAMPLES)
        late = ~jump & (ahead < 0)
        np.add.at(self.late, slots[late], 1)
        take = ~late
        at = (timestamps[take, None].astype(np.int64) + np.arange(length)) & self._mask
        self._ring[slots[take, None], at] = samples[take]
        self._present[slots[take, None], at] = True

    def read(self, slots: Slots) -> Int16:
        at = (self._next[slots, None].astype(np.int64) + np.arange(TICK_SAMPLES)) & self._mask
        row = slots[:, None]
        present: Bool = self._present[row, at]
        out = np.where(present, self._ring[row, at], 0).astype(np.int16)
        self._present[row, at] = False
        self._next[slots] += np.uint32(TICK_SAMPLES) * self._started[slots].astype(np.uint32)
        return out

    def jitter_ms(self, slots: Slots) -> Float64:
        jitter: Float64 = self._jitter[slots]
        return jitter
