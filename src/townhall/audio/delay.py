"""How long each leg's audio must wait before it is played.

What counts is not the clock but whether packets are there when their tick comes. Each packet's *lateness* is
how far the read pointer has come towards its timestamp when it arrives, in samples, counted so that moving
the pointer does not change it. The earliest packets of the last seconds are the base; a decaying histogram of
lateness above the base says how much wait catches nearly all packets. It forgets slowly, so that spikes
that come every other second are known when the next one comes. (The histogram is the idea of WebRTC's NetEq;
the code is ours.)
"""

import numpy as np

from townhall.audio.shapes import TICK_SAMPLES, Bool, Int32, Slots

_BIN = 80
_BINS = 32
_KEEP = np.float32(0.997)
"""Weight that a packet's arrival keeps when the next arrives: a memory of some 300 packets."""
_LEAST, _PLENTY = np.float32(0.985), np.float32(0.995)
"""Shares of packets: with fewer in time the wait grows, with more it shrinks. In between it stays, for each
move is a small wrong, and many of them are a greater one than a late packet.
"""
_LEAST_ROUGH, _PLENTY_ROUGH = np.float32(0.993), np.float32(0.998)
"""The same on a line that is never calm: there the last step of the wait is cheap and brings much."""
_MUST = np.float32(0.9)
_LONGEST_FOR_SPIKES = 800
"""On a calm line no more than this share of packets is waited for longer than so many samples, 100 ms: all
words would wait for the last few packets of high spikes. Up to there spikes are waited for throughout, since
a wait that follows each of them is heard more.
"""
_CALM_BINS = 2
"""A line is rough when less than half of its packets come within so many bins, 20 ms, of the earliest."""
_TURNS = 8
"""Every so many ticks a leg's wait is thought over, and whenever a packet was late."""
_LONGEST = 2000
"""At 8 kHz, 250 ms: beyond, talking to each other suffers more than loss does."""
_UNKNOWN = np.int32(2**30)
_WINDOW_TICKS = 100


class DelayEstimator:
    """The wanted delay of `capacity` legs, in samples above that of the earliest packets.

    `scale`: the sample rate in multiples of 8 kHz.
    """

    def __init__(self, capacity: int, scale: int = 1) -> None:
        self._bin, self._longest, self._shortest = _BIN * scale, _LONGEST * scale, TICK_SAMPLES * scale
        self._for_spikes = _LONGEST_FOR_SPIKES * scale
        self._counts = np.zeros((capacity, _BINS), np.float32)
        self._earliest = np.full((2, capacity), _UNKNOWN, np.int32)
        self._ticks = 0
        self.target = np.full(capacity, self._shortest, np.int32)
        """Samples that the earliest packets should wait, int32 `(capacity,)`."""

    def reset(self, slots: Slots) -> None:
        self._counts[slots] = 0
        self.target[slots] = self._shortest
        self.rebase(slots)

    def rebase(self, slots: Slots | slice) -> None:
        """Forget the base, after a jump of the timestamps, and keep what is known of the jitter."""
        self._earliest[:, slots] = _UNKNOWN

    def observe(self, slots: Slots, lateness: Int32) -> None:
        """Packets came with this lateness `(n,)`; a slot may occur repeatedly."""
        np.minimum.at(self._earliest[0], slots, lateness)
        above = lateness - self.base(slots)
        bins = np.minimum(np.maximum(-(-above // self._bin), 0), _BINS - 1)
        self._counts[slots] *= _KEEP
        np.add.at(self._counts, (slots, bins), np.float32(1.0) - _KEEP)
        due = (above > self.target[slots]) | ((slots + self._ticks) % _TURNS == 0)
        self._decide(slots[due])

    def _decide(self, slots: Slots) -> None:
        cumulative = np.cumsum(self._counts[slots], axis=1)
        total = cumulative[:, -1:]
        rough = cumulative[:, _CALM_BINS : _CALM_BINS + 1] < 0.5 * total
        least, most = (
            (cumulative >= np.where(rough, on_rough, on_calm) * total).argmax(axis=1) * self._bin
            for on_rough, on_calm in ((_LEAST_ROUGH, _LEAST), (_PLENTY_ROUGH, _PLENTY))
        )
        must = (cumulative >= _MUST * total).argmax(axis=1) * self._bin
        bound = np.where(rough[:, 0], self._longest, np.maximum(must, self._for_spikes))
        wanted = np.minimum(np.maximum(self.target[slots], np.minimum(least, bound)), np.minimum(most, bound))
        self.target[slots] = np.minimum(np.maximum(wanted, self._shortest), self._longest)

    def base(self, slots: Slots) -> Int32:
        """Lateness of the earliest packets of the last 2 to 4 s, int32 `(n,)`; huge where none came."""
        now, before = self._earliest
        base: Int32 = np.minimum(now[slots], before[slots])
        return base

    def known(self, slots: Slots) -> Bool:
        """Whether there is a base, bool `(n,)`."""
        known: Bool = self.base(slots) != _UNKNOWN
        return known

    def tick(self) -> None:
        """20 ms have passed."""
        self._ticks += 1
        if self._ticks % _WINDOW_TICKS == 0:
            self._earliest[1] = self._earliest[0]
            self._earliest[0] = _UNKNOWN
