"""What is played where samples are missing, so that neither the hole nor its edges are heard.

A hole whose end is there already is filled from both sides at once (`bridging`), and a short one is mended
until it fits them (`prediction`). Where nothing is known of what follows, the last pitch periods go on, for
20 ms at full level and until 80 ms fading; when the signal is there they are led over to it. In the spirit of
ITU-T G.711 Appendix I, without its delay, and with the other side that it has not. Works on the few rows that
lack samples in a tick, at 8 kHz.
"""

import numpy as np

from townhall.audio.bridging import FADED_AFTER, bridge, faded
from townhall.audio.periods import FUTURE, JOIN, Periods, repeat
from townhall.audio.pitch import LONGEST_LAG, SEARCH_SAMPLES, best_lag
from townhall.audio.prediction import LONGEST, ORDER, PAST, mend
from townhall.audio.ring import SampleRing
from townhall.audio.shapes import TICK_SAMPLES, Bool, Float32, Int16, Int32, Slots, UInt32

LONGEST_BRIDGE = 480
"""Samples of the longest hole that is filled from both sides: 60 ms."""

_ALONE = 140
"""What goes on alone repeats whole periods of about so many samples: one short one would buzz."""
_CROSS_FADE = 40
_MOST_MENDED = 32
"""Holes of one tick that are mended by prediction, 80 µs each; the others stay as they were bridged."""
_MOST_SOUGHT = 64
"""Legs of one tick whose holes are filled with all care, some 70 µs each. More have holes at once only where
what carries them all has failed; the surplus repeats its last 20 ms, for no tick may be late.
"""
_MOST_HOLES = 4
"""Holes of one tick that are looked at; packets of 10 ms make no more than two."""

_STEPS = np.arange(TICK_SAMPLES, dtype=np.int32)


class Concealment:
    """The holes that `capacity` legs are in. Times are RTP timestamps in the legs' rings."""

    block = TICK_SAMPLES
    faded_after = FADED_AFTER

    def __init__(self, capacity: int, ring: SampleRing) -> None:
        self._ring = ring
        self.gap = np.zeros(capacity, np.int32)
        """Samples since the hole began that a leg is in at the end of the tick; 0: none. `(capacity,)`."""
        self._samples = np.zeros((capacity, LONGEST_LAG), np.float32)
        self._lag = np.full(capacity, LONGEST_LAG, np.int32)
        self._pitch = np.full(capacity, LONGEST_LAG, np.int32)
        self._step = np.zeros(capacity, np.float32)
        self._due = np.zeros(capacity, np.uint32)
        self._ahead = np.zeros(capacity, np.int32)
        """Samples from `_due` on that are filled already."""

    def reset(self, slots: Slots) -> None:
        self.gap[slots] = 0
        self._ahead[slots] = 0

    def begin_silent(self, slots: Slots) -> None:
        """The slots come out of silence: what they play next fades in."""
        self.gap[slots] = FADED_AFTER
        self._samples[slots] = 0
        self._step[slots] = 0
        self._ahead[slots] = 0

    def open_hole(self, slots: Slots) -> Int32:
        """Samples since the hole began that a leg is in, 0 where the signal is back; int32 `(n,)`."""
        hole: Int32 = self.gap[slots]
        return hole

    def repair(self, slots: Slots, timestamps: UInt32, real: Int16, present: Bool) -> Int16:
        """What to play for one tick: `real` int16 `(n, 160)` at `timestamps`, of which only `present` is to
        be used.
        """
        result = real.astype(np.float32)
        silent = self.gap[slots] >= FADED_AFTER
        if silent.any():
            none = np.zeros((int(silent.sum()), SEARCH_SAMPLES), np.int16)
            self._ring.amend(slots[silent], timestamps[silent] - np.uint32(SEARCH_SAMPLES), none)
        settled = self._take_filled(slots, timestamps, result, present)
        back = np.flatnonzero((self.gap[slots] > 0) & present[:, 0])
        if len(back):
            self._return(slots[back], result, back, settled[back])
        done = np.zeros(len(slots), np.int32)
        for turn in range(1, _MOST_HOLES + 1):
            self._ring.amend(slots, timestamps, _pcm(result))  # what is played is the next hole's history
            missing = ~settled & (done[:, None] <= _STEPS)
            rows = np.flatnonzero(missing.any(axis=1))
            if not len(rows):
                break
            onset = missing[rows].argmax(axis=1).astype(np.int32)
            end = self._end(slots[rows], timestamps[rows] + onset.astype(np.uint32))
            end[_MOST_SOUGHT:] = 0
            if turn == _MOST_HOLES:
                end[:] = 0
            done[rows] = self._fill(slots[rows], timestamps[rows], result, rows, onset, end)
        return _pcm(result)

    def play_again(self, slots: Slots, timestamps: UInt32, run: Int32) -> None:
        """The pointer went back to `timestamps`: what is missing in the next `run` samples is filled."""
        self._due[slots], self._ahead[slots] = timestamps, run
        self.gap[slots] = run

    def _take_filled(self, slots: Slots, timestamps: UInt32, result: Float32, present: Bool) -> Bool:
        """Which samples of the tick stand: real ones, and what was filled together with an earlier tick."""
        ahead = np.where(self._due[slots] == timestamps, self._ahead[slots], 0)
        rows = np.flatnonzero(ahead > 0)
        if not len(rows):
            return present
        self._ahead[slots[rows]] = 0
        self.gap[slots[rows]] = 0
        filled = ahead[rows, None] > _STEPS
        came = present[rows] & filled
        interrupted = came.any(axis=1)
        if interrupted.any():  # a late packet lies upon what was filled
            broken = np.flatnonzero(interrupted)
            at = came[broken].argmax(axis=1).astype(np.int32)
            filled[broken] &= at[:, None] > _STEPS
            self._level_step(slots, timestamps, result, rows[broken], at)
        more = np.flatnonzero(~interrupted & (ahead[rows] > TICK_SAMPLES))
        self._note_filled(slots[rows[more]], timestamps[rows[more]], ahead[rows[more]])
        settled = present.copy()
        settled[rows] |= filled
        return settled

    def _note_filled(self, slots: Slots, timestamps: UInt32, until: Int32) -> None:
        """The hole is filled `until` so many samples after the tick's beginning, which is after its end."""
        self._ahead[slots] = until - TICK_SAMPLES
        self._due[slots] = timestamps + np.uint32(TICK_SAMPLES)
        self.gap[slots] = np.minimum(until - TICK_SAMPLES, FADED_AFTER - 1)

    def _level_step(self, slots: Slots, timestamps: UInt32, result: Float32, rows: Slots, at: Int32) -> None:
        """Spread the step between the sample before `at` and the one there: behind it, or before it where the
        tick has room.
        """
        last = self._ring.samples(slots[rows], timestamps[rows] - np.uint32(1), 1)[:, 0]
        before = np.where(at > 0, result[rows, np.maximum(at - 1, 0)], last)
        step = (before - result[rows, at])[:, None]
        since = (_STEPS - at[:, None]) / np.float32(JOIN)
        behind = np.where(since >= 0, np.maximum(1 - since, 0), 0)
        ahead = -np.where(since < 0, np.maximum(1 + since, 0), 0)
        result[rows] += step * np.where(at[:, None] < JOIN, behind, ahead)

    def _return(self, slots: Slots, result: Float32, rows: Slots, settled: Bool) -> None:
        """The signal is back at the tick's beginning: lead what went on over to it."""
        run = np.where(settled.all(axis=1), TICK_SAMPLES, settled.argmin(axis=1))
        span = np.minimum(run, _CROSS_FADE)[:, None].astype(np.float32)
        steps = _STEPS[:_CROSS_FADE]
        position = self.gap[slots][:, None] + steps
        weight = np.minimum((steps + np.float32(0.5)) / span, 1)
        old = self._periods(slots).at(position.astype(np.float32)) * faded(position)
        mine = result[rows, :_CROSS_FADE]
        result[rows, :_CROSS_FADE] = old + (mine - old) * weight
        self.gap[slots] = 0

    def _end(self, slots: Slots, begin: UInt32) -> Int32:
        """Length of the holes that begin there, 0 where their end has not come; int32 `(n,)`."""
        there = self._ring.present(slots, begin, LONGEST_BRIDGE)
        length: Int32 = there.argmax(axis=1).astype(np.int32)
        return length

    def _fill(
        self, slots: Slots, timestamps: UInt32, result: Float32, rows: Slots, onset: Int32, end: Int32
    ) -> Int32:
        """Fill the holes that begin at `onset` in the tick; how far of it is done now, int32 `(n,)`."""
        fresh = np.flatnonzero((self.gap[slots] == 0) | (onset > 0))
        if len(fresh):
            self._begin(slots[fresh], timestamps[fresh] + onset[fresh].astype(np.uint32), end[fresh] > 0)
        done = np.full(len(slots), TICK_SAMPLES, np.int32)
        both = np.flatnonzero(end > 0)
        if len(both):
            done[both] = self._bridge(
                slots[both], timestamps[both], result, rows[both], onset[both], end[both]
            )
        alone = np.flatnonzero(end == 0)
        if len(alone):
            self._go_on(slots[alone], result, rows[alone], onset[alone])
        return done

    def _begin(self, slots: Slots, holes: UInt32, bridged: Bool) -> None:
        """Holes begin at the timestamps `holes`: find what to repeat."""
        past = self._ring.samples(slots, holes - np.uint32(SEARCH_SAMPLES), SEARCH_SAMPLES)
        history = past.astype(np.float32)
        pitch = np.full(len(slots), LONGEST_LAG, np.int32)
        pitch[:_MOST_SOUGHT] = best_lag(history[:_MOST_SOUGHT])[0]
        times = np.where(bridged, 1, np.maximum(_ALONE // pitch, 1)).astype(np.int32)
        periods = repeat(history, pitch, times, np.full(len(slots), SEARCH_SAMPLES, np.int32))
        self._samples[slots] = periods.samples
        self._lag[slots], self._pitch[slots] = periods.lag, pitch
        self._step[slots] = periods.step
        self.gap[slots] = 0

    def _periods(self, slots: Slots) -> Periods:
        return Periods(self._samples[slots], self._lag[slots], self._pitch[slots], self._step[slots])

    def _go_on(self, slots: Slots, result: Float32, rows: Slots, onset: Int32) -> None:
        """Nothing is known of what follows: repeat until the end of the tick."""
        since = _STEPS - onset[:, None]
        position = self.gap[slots][:, None] + np.maximum(since, 0)
        made = self._periods(slots).at(position.astype(np.float32)) * faded(position)
        result[rows] = np.where(since >= 0, made, result[rows])
        self.gap[slots] = np.minimum(self.gap[slots] + TICK_SAMPLES - onset, 2 * FADED_AFTER)

    def _bridge(
        self, slots: Slots, timestamps: UInt32, result: Float32, rows: Slots, onset: Int32, length: Int32
    ) -> Int32:
        """Fill whole holes of `length`, beyond the tick as well; how far of it is done now, int32 `(n,)`."""
        begin = timestamps + onset.astype(np.uint32)
        ends = begin + length.astype(np.uint32)
        there = self._ring.present(slots, ends, FUTURE)
        known = np.where(there.all(axis=1), FUTURE, there.argmin(axis=1)).astype(np.int32)
        future = self._ring.samples(slots, ends, FUTURE).astype(np.float32)
        future[np.arange(FUTURE) >= known[:, None]] = 0
        made = bridge(self._periods(slots), self.gap[slots], length, future, known)
        self._mend(slots, begin, made, length, future, known)
        width = made.shape[1]
        inside = np.arange(width) < length[:, None]
        self._ring.amend(slots, begin, np.where(inside, _pcm(made), self._ring.samples(slots, begin, width)))
        place = _STEPS - onset[:, None]
        mine = (place >= 0) & (place < length[:, None])
        values = np.take_along_axis(made, np.clip(place, 0, width - 1), axis=1)
        result[rows] = np.where(mine, values, result[rows])
        self.gap[slots] = 0
        until = onset + length
        more = np.flatnonzero(until > TICK_SAMPLES)
        self._note_filled(slots[more], timestamps[more], until[more])
        done: Int32 = np.minimum(until, TICK_SAMPLES)
        return done

    def _mend(
        self, slots: Slots, begin: UInt32, made: Float32, length: Int32, future: Float32, known: Int32
    ) -> None:
        """Better what was `made` for short holes, in place."""
        rows = np.flatnonzero((length <= LONGEST) & (known >= ORDER))[:_MOST_MENDED]
        if not len(rows):
            return
        width = min(made.shape[1], LONGEST)
        signal = np.zeros((len(rows), PAST + LONGEST + FUTURE), np.float32)
        signal[:, :PAST] = self._ring.samples(slots[rows], begin[rows] - np.uint32(PAST), PAST)
        signal[:, PAST : PAST + width] = made[rows, :width]
        after = PAST + length[rows, None] + np.arange(FUTURE)
        np.put_along_axis(signal, after, future[rows], axis=1)
        made[rows, :width] = mend(signal, length[rows])[:, :width]


def _pcm(signal: Float32) -> Int16:
    samples: Int16 = np.clip(np.rint(signal), -32768, 32767).astype(np.int16)
    return samples
