"""From packets to a steady 20 ms per tick: reordering, jitter, loss, silence suppression and clock drift.

Packets (RFC 3550) go into a ring per leg at their RTP timestamp, and every tick reads the next 160 samples.
The read pointer stands as far behind the newest packets as their jitter asks (`delay`): it is placed when a
leg begins and after every silence, and moved while it plays by repeating or skipping one pitch period where
that is not heard. Holes are concealed (`concealment`). The packet's sequence number and marker are not
needed: timestamps say it all. Left out: decoding (callers hand over samples; `opus_playout` is the same for
packets that can be decoded only in order) and redundancy (RFC 2198).

Lengths are written for 8 kHz and multiplied where the rate is another.
"""

from typing import Protocol

import numpy as np

from townhall.audio.concealment import Concealment
from townhall.audio.delay import DelayEstimator
from townhall.audio.pitch import LONGEST_LAG, SEARCH_SAMPLES, best_lag
from townhall.audio.ring import LONGEST_RUN, SampleRing
from townhall.audio.shapes import SAMPLE_RATE, TICK_SAMPLES, Bool, Float64, Int16, Int32, Slots, UInt32

LONGEST_PACKET = 480
_KEPT_HISTORY = 640
OLDEST = 4000
"""Samples behind the pointer up to which a packet is late; older is another stream."""

_QUIET = 400.0
"""RMS (-38 dBFS) below which moving the pointer is not heard."""
_ALIKE = 0.5
_FEW_TOO_MANY = TICK_SAMPLES
_FAR_TOO_MANY = 3 * TICK_SAMPLES
_TOO_FEW = -TICK_SAMPLES // 2
_TICKS_BETWEEN_MOVES = 4
_MOST_SEARCHES = 32
"""Pitch searches of one tick and direction, 10 µs each; the surplus has its turn later. More legs than these
are not looked at all in one tick, but a quarter of them in each.
"""


class Holes(Protocol):
    """What is heard where samples are missing: `Concealment`, or `DecodedHoles` for Opus."""

    gap: Int32
    """Samples since the hole began that a leg is in, the way back out of it included; 0: no hole."""
    block: int
    """Samples of one `repair`."""
    faded_after: int
    """Samples of a hole after which nothing is heard."""

    def reset(self, slots: Slots) -> None: ...
    def begin_silent(self, slots: Slots) -> None: ...
    def open_hole(self, slots: Slots) -> Int32: ...
    def repair(self, slots: Slots, timestamps: UInt32, real: Int16, present: Bool) -> Int16: ...
    def play_again(self, slots: Slots, timestamps: UInt32, run: Int32) -> None: ...


class Playout:
    """Playout of `capacity` legs. `reset` a slot before its first packet and on a new SSRC."""

    def __init__(self, capacity: int, ring_samples: int = 8192, sample_rate: int = SAMPLE_RATE) -> None:
        self._scale = scale = sample_rate // SAMPLE_RATE
        self._ring = SampleRing(capacity, ring_samples, LONGEST_RUN * scale)
        self._farthest = ring_samples - (_KEPT_HISTORY + LONGEST_LAG) * scale
        self._oldest = OLDEST * scale
        self._rate = sample_rate
        self._tick = TICK_SAMPLES * scale
        self._glide_weights = (np.arange(self._tick, dtype=np.float32) + 0.5) / np.float32(self._tick)
        self._delay = DelayEstimator(capacity, scale)
        self._concealment: Holes = self._make_holes(capacity)
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

    def _make_holes(self, capacity: int) -> Holes:
        return Concealment(capacity, self._ring)

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
        length = samples.shape[1]
        if len(slots) == 0 or length == 0:
            return
        fitting = self._observe(slots, timestamps, now_tick, length)
        if not fitting.all():
            # A jump within one tick: the earliest packets placed the pointer, the next tick follows.
            slots, timestamps, samples = slots[fitting], timestamps[fitting], samples[fitting]
        for start in range(0, length, LONGEST_PACKET):
            self._take(slots, timestamps + np.uint32(start), samples[:, start : start + LONGEST_PACKET])

    def _observe(self, slots: Slots, timestamps: UInt32, now_tick: int, length: int) -> Bool:
        """Note that packets of `length` samples came: places the pointer, measures jitter, counts late ones.

        Returns which of them belong to the stream that the pointer follows.
        """
        self._measure_jitter(slots, timestamps, now_tick)
        self._anchor(slots, timestamps, length)
        ahead = (timestamps - self._next[slots]).view(np.int32)
        fitting = self._fits(ahead, length)
        if not fitting.all():
            slots, timestamps, ahead = slots[fitting], timestamps[fitting], ahead[fitting]
        self._delay.observe(slots, self._moved[slots] - ahead)
        self._note_newest(slots, timestamps + np.uint32(length))
        behind = ahead < 0
        if behind.any():
            self._short[slots[behind]] = True
            np.add.at(self.late, slots[ahead <= -length], 1)
        return fitting

    def read(self, slots: Slots) -> Int16:
        """The next 20 ms of each slot, int16 `(n, 160)`; a slot occurs once. Zeros where nothing came yet."""
        self._ticks += 1
        self._delay.tick()
        timestamps = self._next[slots]
        played = self._ring.samples(slots, timestamps, self._tick)
        present = self._ring.present(slots, timestamps, self._tick)
        gap = self._concealment.gap[slots]
        started = self._started[slots]
        plain = present.all(axis=1) & (gap == 0) & started
        advance = np.where(started, self._tick, 0).astype(np.int32)
        if not plain.all():
            silent = ~started | ((gap >= self._concealment.faded_after) & ~present.any(axis=1))
            played[silent] = 0
            holes = np.flatnonzero(~plain & ~silent)
            self._repair(slots, timestamps, played, present, holes)
            self._linger(slots, timestamps, advance, holes)
            self._skip_silence(slots, timestamps, advance, np.flatnonzero(silent & started))
        if self._ticks % _TICKS_BETWEEN_MOVES == 0 or len(slots) > _MOST_SEARCHES:
            self._move(slots, timestamps, played, advance, plain)
        self._ring.forget(slots, timestamps + (advance - self._tick).astype(np.uint32), self._tick)
        self._next[slots] = timestamps + advance.astype(np.uint32)
        self._moved[slots] -= np.where(started, advance - self._tick, 0).astype(np.int32)
        return played

    def rebase(self) -> None:
        """Forget when the earliest packets came, for all slots: the reader itself has stood still."""
        self._delay.rebase(slice(None))

    def jitter_ms(self, slots: Slots) -> Float64:
        """Interarrival jitter (RFC 3550 section 6.4.1) in ms, float64 `(n,)`; arrivals count in ticks."""
        jitter: Float64 = self._jitter[slots] * (1000.0 / self._rate)
        return jitter

    def delay_ms(self, slots: Slots) -> Float64:
        """How long the earliest packets wait before they are played, float64 `(n,)`, in ms."""
        wait = np.where(self._delay.known(slots), self._moved[slots] - self._delay.base(slots), 0)
        return wait * (1000.0 / self._rate)

    def _measure_jitter(self, slots: Slots, timestamps: UInt32, now_tick: int) -> None:
        transit = np.uint32(now_tick * self._tick & 0xFFFFFFFF) - timestamps
        difference = np.abs((transit - self._transit[slots]).view(np.int32))
        usable = self._started[slots] & (difference < self._oldest)
        self._transit[slots] = transit
        jitter = self._jitter[slots]
        self._jitter[slots] = np.where(usable, jitter + (difference - jitter) / 16.0, jitter)

    def _take(self, slots: Slots, timestamps: UInt32, samples: Int16) -> None:
        length = samples.shape[1]
        ahead = (timestamps - self._next[slots]).view(np.int32)
        in_time = ahead >= 0
        if in_time.all():
            self._ring.store(slots, timestamps, samples)
            return
        self._ring.store(slots[in_time], timestamps[in_time], samples[in_time])
        partly = ~in_time & (ahead > -length)
        self._store_rest(slots[partly], timestamps[partly], samples[partly])

    def _store_rest(self, slots: Slots, timestamps: UInt32, samples: Int16) -> None:
        """Packets of which a part is late; what was played in its place stays the history."""
        if len(slots) == 0:
            return
        behind = self._next[slots] - np.uint32(LONGEST_PACKET)
        history = self._ring.samples(slots, behind, LONGEST_PACKET)
        self._ring.store(slots, timestamps, samples)
        self._ring.amend(slots, behind, history)
        self._ring.forget(slots, behind, LONGEST_PACKET)

    def _fits(self, ahead: Int32, length: int) -> Bool:
        """Whether packets so far ahead of the pointer belong to the stream that it follows."""
        fits: Bool = (ahead >= -self._oldest) & (ahead <= self._farthest - length)
        return fits

    def _anchor(self, slots: Slots, timestamps: UInt32, length: int) -> None:
        """Place the pointer of legs that begin, whose clock jumped, or that speak again after a silence."""
        started = self._started[slots]
        next_ = self._next[slots]
        ahead = (timestamps - next_).view(np.int32)
        newest = self._newest[slots]
        jumped = ~self._fits(ahead, length)
        faded = self._concealment.gap[slots] >= self._concealment.faded_after
        drained = faded & ((newest - next_).view(np.int32) <= 0)
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
        self._placed(slots)

    def _placed(self, slots: Slots) -> None:
        """The pointer of these slots has jumped."""

    def _note_newest(self, slots: Slots, ends: UInt32) -> None:
        gain = np.maximum((ends - self._newest[slots]).view(np.int32), 0)
        np.maximum.at(self._gain, slots, gain)
        self._newest[slots] += self._gain[slots].astype(np.uint32)
        self._gain[slots] = 0

    def _repair(self, slots: Slots, timestamps: UInt32, played: Int16, present: Bool, rows: Slots) -> None:
        """Fill the rows that lack samples, or come out of a hole, in place."""
        if len(rows) == 0:
            return
        self.concealed[slots[rows]] += self._tick - present[rows].sum(axis=1)
        size = self._concealment.block
        for start in range(0, self._tick, size):
            block = slice(start, start + size)
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
        hole = np.minimum(self._concealment.open_hole(slots[rows]), self._tick)
        dry = (self._newest[slots[rows]] - timestamps[rows]).view(np.int32) <= self._tick
        wanting = np.where(dry, np.maximum(-self._excess(slots[rows]), 0), 0)
        stay = np.minimum(hole, wanting)
        advance[rows] -= stay
        self._lingered(slots[rows], timestamps[rows] + np.uint32(self._tick), stay)

    def _lingered(self, slots: Slots, ends: UInt32, by: Int32) -> None:
        """The tick that ends at `ends` in the ring is not the pointer's way: it stays behind `by` samples.

        What was played lies behind it then.
        """
        back = by > 0
        if back.any():
            slots, ends, by = slots[back], ends[back], by[back]
            past = np.uint32(SEARCH_SAMPLES)
            moved = self._ring.samples(slots, ends - past, SEARCH_SAMPLES)
            self._ring.amend(slots, ends - past - by.astype(np.uint32), moved)

    def _skip_silence(self, slots: Slots, timestamps: UInt32, advance: Int32, rows: Slots) -> None:
        """Silent legs whose next packets lie too far ahead: go to meet them."""
        pending = (self._newest[slots[rows]] - timestamps[rows]).view(np.int32) > self._tick
        rows = rows[pending]
        rows = rows[self._excess(slots[rows]) > 0]
        if len(rows) == 0:
            return
        distance = self._distance(slots[rows], timestamps[rows] + np.uint32(self._tick))
        advance[rows] += np.minimum(distance, self._excess(slots[rows])).astype(np.int32)

    def _distance(self, slots: Slots, timestamps: UInt32) -> Slots:
        """Samples from each timestamp to the next that is there, at most a long packet's."""
        present = self._ring.present(slots, timestamps, LONGEST_PACKET)
        return np.where(present.any(axis=1), present.argmax(axis=1), LONGEST_PACKET)

    def _move(self, slots: Slots, timestamps: UInt32, played: Int16, advance: Int32, plain: Bool) -> None:
        """Shorten or lengthen by a pitch period where the wait is not what it should be."""
        excess = self._excess(slots)
        scale = self._scale
        turn = np.True_
        if len(slots) > _MOST_SEARCHES:
            turn = (slots + self._ticks) % _TICKS_BETWEEN_MOVES == 0
        many = self._some(np.flatnonzero(turn & plain & (excess >= _FEW_TOO_MANY * scale)))
        if len(many):
            run = (TICK_SAMPLES + LONGEST_LAG) * scale
            many = many[self._ring.present(slots[many], timestamps[many], run).all(axis=1)]
            self._glide(slots, timestamps, played, advance, many, 1, excess[many] >= _FAR_TOO_MANY * scale)
        whole_at_end = self._started[slots] & (self._concealment.gap[slots] == 0)
        lacking = (excess <= _TOO_FEW * scale) | ((excess < 0) & self._short[slots])
        few = self._some(np.flatnonzero(turn & whole_at_end & lacking))
        if len(few):
            self._glide(slots, timestamps, played, advance, few, -1, np.ones(len(few), np.bool_))
            again = few[~plain[few] & (advance[few] < self._tick)]
            if len(again):
                ends = timestamps[again] + advance[again].astype(np.uint32)
                self._concealment.play_again(slots[again], ends, self._tick - advance[again])

    def _some(self, rows: Slots) -> Slots:
        """As many rows as may be searched in this tick, other ones each time."""
        if len(rows) <= _MOST_SEARCHES:
            return rows
        return np.roll(rows, -self._ticks * _MOST_SEARCHES)[:_MOST_SEARCHES]

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
        begin = timestamps[rows] - np.uint32(0 if direction > 0 else LONGEST_LAG * self._scale)
        signal = self._ring.samples(slots[rows], begin, SEARCH_SAMPLES * self._scale).astype(np.float32)
        if self._scale > 1:  # two samples off are not heard in a cross-fade
            signal = signal.reshape(len(rows), SEARCH_SAMPLES, self._scale).mean(axis=2)
        lag, likeness = best_lag(signal)
        lag = lag * self._scale
        quiet = np.sqrt(np.mean(np.square(signal), axis=1)) < _QUIET
        chosen = np.flatnonzero(quiet | (loud_too & (likeness > _ALIKE)))
        rows, lag = rows[chosen], lag[chosen]
        start = timestamps[rows] + (direction * lag).astype(np.uint32)
        there = self._ring.samples(slots[rows], start, self._tick)
        here = played[rows]
        played[rows] = np.rint(here + (there - here.astype(np.float32)) * self._glide_weights).astype(
            np.int16
        )
        advance[rows] += (direction * lag).astype(np.int32)
        if direction > 0:
            self._ring.forget(slots[rows], timestamps[rows], self._tick)
        else:
            self._short[slots[rows]] = False


def _earliest(slots: Slots, timestamps: UInt32) -> tuple[Slots, UInt32]:
    """Each slot once, with the first of its timestamps."""
    distinct, first, inverse = np.unique(slots, return_index=True, return_inverse=True)
    reference = timestamps[first]
    least = np.zeros(len(distinct), np.int32)
    np.minimum.at(least, inverse, (timestamps - reference[inverse]).view(np.int32))
    return distinct, reference + least.astype(np.uint32)
