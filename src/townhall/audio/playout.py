"""From packets to a steady 20 ms per tick: reordering, jitter, loss, silence suppression and clock drift.

Packets (RFC 3550) go into a ring per leg at their RTP timestamp, and every tick reads the next 160 samples.
The read pointer stands as far behind the newest packets as their jitter asks (`delay`): it is placed when a
leg begins and after every silence, and moved while it plays by repeating or skipping one pitch period where
that is not heard. Holes are concealed (`concealment`). The packet's sequence number and marker are not
needed: timestamps say it all. Left out: decoding (callers hand over samples) and redundancy (RFC 2198).
"""

import numpy as np

from townhall.audio.concealment import BLOCK, FADED_AFTER, Concealment
from townhall.audio.delay import DelayEstimator
from townhall.audio.pitch import LONGEST_LAG, SEARCH_SAMPLES, best_lag
from townhall.audio.ring import SampleRing
from townhall.audio.shapes import TICK_SAMPLES, Bool, Float64, Int16, Int32, Slots, UInt32

_LONGEST_PACKET = 480
_KEPT_HISTORY = 640
_OLDEST = 4000
"""Samples behind the pointer up to which a packet is late; older is another stream."""

_QUIET = 400.0
"""RMS (-38 dBFS) below which moving the pointer is not heard."""
_ALIKE = 0.5
_FEW_TOO_MANY = TICK_SAMPLES
_FAR_TOO_MANY = 3 * TICK_SAMPLES
_TOO_FEW = -BLOCK
_TICKS_BETWEEN_MOVES = 4

_TICK = np.uint32(TICK_SAMPLES)
_GLIDE = (np.arange(TICK_SAMPLES, dtype=np.float32) + 0.5) / np.float32(TICK_SAMPLES)


class Playout:
    """Playout of `capacity` legs at 8 kHz. `reset` a slot before its first packet and on a new SSRC."""

    def __init__(self, capacity: int, ring_samples: int = 8192, sample_rate: int = 8000) -> None:
        self._ring = SampleRing(capacity, ring_samples)
        self._farthest = ring_samples - _KEPT_HISTORY - LONGEST_LAG
        self._rate = sample_rate
        self._delay = DelayEstimator(capacity)
        self._concealment = Concealment(capacity, self._ring)
        self._started = np.zeros(capacity, np.bool_)
        self._next = np.zeros(capacity, np.uint32)
        self._newest = np.zeros(capacity, np.uint32)
        self._moved = np.zeros(capacity, np.int32)
        self._short = np.zeros(capacity, np.bool_)
        self._transit = np.zeros(capacity, np.uint32)
        self._jitter = np.zeros(capacity, np.float64)
        self._gain = np.zeros(capacity, np.int32)
        self._ticks = 0
        self.late = np.zeros(capacity, np.int64)
        """Packets that came after their time and were dropped, int64 `(capacity,)`."""
        self.concealed = np.zeros(capacity, np.int64)
        """Samples missing at their time to be played, not counting long silences, int64 `(capacity,)`."""

    def reset(self, slots: Slots) -> None:
        """Forget everything about the slots, int `(n,)`."""
        self._ring.clear(slots)
        self._delay.reset(slots)
        self._concealment.reset(slots)
        self._started[slots] = False
        self._moved[slots] = 0
        self._short[slots] = False
        self._jitter[slots] = 0.0
        self.late[slots] = 0
        self.concealed[slots] = 0

    def write(self, slots: Slots, timestamps: UInt32, now_tick: int, samples: Int16) -> None:
        """Take packets that arrived since the last tick, all of one length.

        `slots` int `(n,)` (a slot may occur repeatedly, packets in any order), `timestamps` uint32 `(n,)`,
        `samples` int16 `(n, length)`. `now_tick` numbers the ticks and serves to measure jitter.
        """
        if len(slots) == 0 or samples.shape[1] == 0:
            return
        self._measure_jitter(slots, timestamps, now_tick)
        self._anchor(slots, timestamps, samples.shape[1])
        ahead = (timestamps - self._next[slots]).view(np.int32)
        fitting = self._fits(ahead, samples.shape[1])
        if not fitting.all():
            # A jump within one tick: the earliest packets placed the pointer, the next tick follows.
            slots, timestamps, samples = slots[fitting], timestamps[fitting], samples[fitting]
            ahead = ahead[fitting]
        self._delay.observe(slots, self._moved[slots] - ahead)
        for start in range(0, samples.shape[1], _LONGEST_PACKET):
            self._take(slots, timestamps + np.uint32(start), samples[:, start : start + _LONGEST_PACKET])

    def read(self, slots: Slots) -> Int16:
        """The next 20 ms of each slot, int16 `(n, 160)`; a slot occurs once. Zeros where nothing came yet."""
        self._ticks += 1
        self._delay.tick()
        timestamps = self._next[slots]
        played = self._ring.samples(slots, timestamps, TICK_SAMPLES)
        present = self._ring.present(slots, timestamps, TICK_SAMPLES)
        gap = self._concealment.gap[slots]
        started = self._started[slots]
        plain = present.all(axis=1) & (gap == 0) & started
        advance = np.where(started, TICK_SAMPLES, 0).astype(np.int32)
        if not plain.all():
            silent = ~started | ((gap >= FADED_AFTER) & ~present.any(axis=1))
            played[silent] = 0
            holes = np.flatnonzero(~plain & ~silent)
            self._repair(slots, timestamps, played, present, holes)
            self._linger(slots, timestamps, advance, holes)
            self._skip_silence(slots, timestamps, advance, np.flatnonzero(silent & started))
        if self._ticks % _TICKS_BETWEEN_MOVES == 0:
            self._move(slots, timestamps, played, advance, plain)
        self._ring.forget(slots, timestamps + (advance - TICK_SAMPLES).astype(np.uint32), TICK_SAMPLES)
        self._next[slots] = timestamps + advance.astype(np.uint32)
        self._moved[slots] -= np.where(started, advance - TICK_SAMPLES, 0).astype(np.int32)
        return played

    def jitter_ms(self, slots: Slots) -> Float64:
        """Interarrival jitter (RFC 3550 section 6.4.1) in ms, float64 `(n,)`; arrivals count in ticks."""
        jitter: Float64 = self._jitter[slots] * (1000.0 / self._rate)
        return jitter

    def delay_ms(self, slots: Slots) -> Float64:
        """How long the earliest packets wait before they are played, float64 `(n,)`, in ms."""
        wait = np.where(self._delay.known(slots), self._moved[slots] - self._delay.base(slots), 0)
        return wait * (1000.0 / self._rate)

    def _measure_jitter(self, slots: Slots, timestamps: UInt32, now_tick: int) -> None:
        transit = np.uint32(now_tick * TICK_SAMPLES & 0xFFFFFFFF) - timestamps
        difference = np.abs((transit - self._transit[slots]).view(np.int32))
        usable = self._started[slots] & (difference < _OLDEST)
        self._transit[slots] = transit
        jitter = self._jitter[slots]
        self._jitter[slots] = np.where(usable, jitter + (difference - jitter) / 16.0, jitter)

    def _take(self, slots: Slots, timestamps: UInt32, samples: Int16) -> None:
        length = samples.shape[1]
        ahead = (timestamps - self._next[slots]).view(np.int32)
        self._note_newest(slots, timestamps + np.uint32(length))
        if (ahead >= 0).all():
            self._ring.store(slots, timestamps, samples)
            return
        late = ahead <= -length
        self._short[slots[ahead < 0]] = True
        np.add.at(self.late, slots[late], 1)
        in_time = ahead >= 0
        self._ring.store(slots[in_time], timestamps[in_time], samples[in_time])
        partly = ~late & ~in_time
        self._store_rest(slots[partly], timestamps[partly], samples[partly])

    def _store_rest(self, slots: Slots, timestamps: UInt32, samples: Int16) -> None:
        """Packets of which a part is late; what was played in its place stays the history."""
        if len(slots) == 0:
            return
        behind = self._next[slots] - np.uint32(_LONGEST_PACKET)
        history = self._ring.samples(slots, behind, _LONGEST_PACKET)
        self._ring.store(slots, timestamps, samples)
        self._ring.amend(slots, behind, history)
        self._ring.forget(slots, behind, _LONGEST_PACKET)

    def _fits(self, ahead: Int32, length: int) -> Bool:
        """Whether packets so far ahead of the pointer belong to the stream that it follows."""
        fits: Bool = (ahead >= -_OLDEST) & (ahead <= self._farthest - length)
        return fits

    def _anchor(self, slots: Slots, timestamps: UInt32, length: int) -> None:
        """Place the pointer of legs that begin, whose clock jumped, or that speak again after a silence."""
        started = self._started[slots]
        next_ = self._next[slots]
        ahead = (timestamps - next_).view(np.int32)
        newest = self._newest[slots]
        jumped = ~self._fits(ahead, length)
        drained = (self._concealment.gap[slots] >= FADED_AFTER) & ((newest - next_).view(np.int32) <= 0)
        news = (timestamps - newest).view(np.int32) >= 0
        placed = ~started | jumped | (drained & news)
        if not placed.any():
            return
        slots, timestamps = _earliest(slots[placed], timestamps[placed])
        self._ring.forget_all(slots)
        self._concealment.begin_silent(slots)
        self._delay.rebase(slots)
        self._started[slots] = True
        self._moved[slots] = 0
        self._next[slots] = timestamps - self._delay.target[slots].astype(np.uint32)
        self._newest[slots] = timestamps

    def _note_newest(self, slots: Slots, ends: UInt32) -> None:
        gain = np.maximum((ends - self._newest[slots]).view(np.int32), 0)
        np.maximum.at(self._gain, slots, gain)
        self._newest[slots] += self._gain[slots].astype(np.uint32)
        self._gain[slots] = 0

    def _repair(self, slots: Slots, timestamps: UInt32, played: Int16, present: Bool, rows: Slots) -> None:
        """Fill the rows that lack samples, or come out of a hole, in place."""
        if len(rows) == 0:
            return
        self.concealed[slots[rows]] += TICK_SAMPLES - present[rows].sum(axis=1)
        for start in range(0, TICK_SAMPLES, BLOCK):
            block = slice(start, start + BLOCK)
            played[rows, block] = self._concealment.repair(
                slots[rows], timestamps[rows] + np.uint32(start), played[rows, block], present[rows, block]
            )

    def _excess(self, slots: Slots) -> Int32:
        """Samples by which the earliest packets wait longer than they should, 0 where that is not known."""
        base = self._delay.base(slots)
        excess = self._moved[slots] - base - self._delay.target[slots]
        return np.where(self._delay.known(slots), excess, 0).astype(np.int32)

    def _linger(self, slots: Slots, timestamps: UInt32, advance: Int32, rows: Slots) -> None:
        """Legs that wait too little and have run dry: stay in the hole by what is wanting."""
        hole = np.minimum(self._concealment.open_hole(slots[rows]), TICK_SAMPLES)
        dry = (self._newest[slots[rows]] - timestamps[rows]).view(np.int32) <= TICK_SAMPLES
        wanting = np.where(dry, np.maximum(-self._excess(slots[rows]), 0), 0)
        advance[rows] -= np.minimum(hole, wanting)

    def _skip_silence(self, slots: Slots, timestamps: UInt32, advance: Int32, rows: Slots) -> None:
        """Silent legs whose next packets lie too far ahead: go to meet them."""
        pending = (self._newest[slots[rows]] - timestamps[rows]).view(np.int32) > TICK_SAMPLES
        rows = rows[pending]
        rows = rows[self._excess(slots[rows]) > 0]
        if len(rows) == 0:
            return
        present = self._ring.present(slots[rows], timestamps[rows] + _TICK, _LONGEST_PACKET)
        distance = np.where(present.any(axis=1), present.argmax(axis=1), _LONGEST_PACKET)
        advance[rows] += np.minimum(distance, self._excess(slots[rows])).astype(np.int32)

    def _move(self, slots: Slots, timestamps: UInt32, played: Int16, advance: Int32, plain: Bool) -> None:
        """Shorten or lengthen by a pitch period where the wait is not what it should be."""
        excess = self._excess(slots)
        many = np.flatnonzero(plain & (excess >= _FEW_TOO_MANY))
        if len(many):
            run = TICK_SAMPLES + LONGEST_LAG
            many = many[self._ring.present(slots[many], timestamps[many], run).all(axis=1)]
            self._glide(slots, timestamps, played, advance, many, 1, excess[many] >= _FAR_TOO_MANY)
        whole_at_end = self._started[slots] & (self._concealment.gap[slots] == 0)
        few = np.flatnonzero(whole_at_end & ((excess <= _TOO_FEW) | ((excess < 0) & self._short[slots])))
        if len(few):
            self._glide(slots, timestamps, played, advance, few, -1, np.ones(len(few), np.bool_))

    def _glide(
        self,
        slots: Slots,
        timestamps: UInt32,
        played: Int16,
        advance: Int32,
        rows: Slots,
        direction: int,
        loud_too: Bool,
    ) -> None:
        """Cross-fade this tick from where the pointer is to a pitch period on (1) or back (-1)."""
        if len(rows) == 0:
            return
        begin = timestamps[rows] - np.uint32(0 if direction > 0 else LONGEST_LAG)
        signal = self._ring.samples(slots[rows], begin, SEARCH_SAMPLES).astype(np.float32)
        lag, likeness = best_lag(signal)
        quiet = np.sqrt(np.mean(np.square(signal), axis=1)) < _QUIET
        chosen = np.flatnonzero(quiet | (loud_too & (likeness > _ALIKE)))
        rows, lag = rows[chosen], lag[chosen]
        start = timestamps[rows] + (direction * lag).astype(np.uint32)
        there = self._ring.samples(slots[rows], start, TICK_SAMPLES)
        here = played[rows]
        played[rows] = np.rint(here + (there - here.astype(np.float32)) * _GLIDE).astype(np.int16)
        advance[rows] += (direction * lag).astype(np.int32)
        if direction > 0:
            self._ring.forget(slots[rows], timestamps[rows], TICK_SAMPLES)
        else:
            self._short[slots[rows]] = False


def _earliest(slots: Slots, timestamps: UInt32) -> tuple[Slots, UInt32]:
    """Each slot once, with the first of its timestamps."""
    distinct, first, inverse = np.unique(slots, return_index=True, return_inverse=True)
    reference = timestamps[first]
    least = np.zeros(len(distinct), np.int32)
    np.minimum.at(least, inverse, (timestamps - reference[inverse]).view(np.int32))
    return distinct, reference + least.astype(np.uint32)
