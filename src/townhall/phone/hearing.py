"""What a phone hears: every packet's samples laid on one timeline by RTP timestamp, gaps as zeros.

Follows RFC 3550 section 5.1 for timestamps and appendix A.1 for counting. It plays nothing, so it needs no
playout delay: a late packet simply goes to its place. What it leaves out: RTCP, and any repair of what was
lost.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

RATE = 8000
LONGEST_S = 4 * 3600
_AHEAD_SAMPLES = 2 * RATE
_BEHIND_SAMPLES = RATE // 2
"""A timestamp this far from where the clock says it belongs begins a new stretch: a sender that restarted, or
that stopped its timestamps while it was silent."""
_SETTLED_SAMPLES = RATE // 5
"""Silence is believed when nothing has arrived for this long: a packet may still be under way until then."""


@dataclass(frozen=True, slots=True)
class ReceptionReport:
    """Figures of one call's incoming stream. `longest_gap_ms` is between two arrivals."""

    packets: int
    lost: int
    late_or_double: int
    longest_gap_ms: float

    def __str__(self) -> str:
        return (
            f"{self.packets} packets, {self.lost} lost, {self.late_or_double} late or double, "
            f"longest gap {self.longest_gap_ms:.0f} ms"
        )


class Hearing:
    """A growing timeline of 8 kHz samples, beginning when the phone began to listen (`now`, monotonic
    seconds).
    """

    def __init__(self, now: float) -> None:
        self._began = now
        self._samples: Samples = np.zeros(30 * RATE, dtype=np.int16)
        self._end = 0
        self._ssrc: int | None = None
        self._first_timestamp = 0
        self._first_position = 0
        self._highest_sequence = 0
        self._expected = 0
        self._packets = 0
        self._late_or_double = 0
        self._last_arrival: float | None = None
        self._longest_gap_s = 0.0

    @property
    def end(self) -> int:
        """Number of samples on the timeline: the mark of this moment."""
        return self._end

    @property
    def samples(self) -> Samples:
        """All that was heard, shape (samples,). A view: copy it to keep it."""
        return self._samples[: self._end]

    @property
    def report(self) -> ReceptionReport:
        lost = max(0, self._expected - self._packets)
        return ReceptionReport(self._packets, lost, self._late_or_double, self._longest_gap_s * 1000)

    def since(self, mark: int) -> Samples:
        return self._samples[max(0, mark) : self._end].copy()

    def forget_gaps(self) -> None:
        """Count gaps from here on anew: what came before (ringing, hold) was no fault."""
        self._longest_gap_s = 0.0
        self._last_arrival = None

    def take(self, ssrc: int, sequence_number: int, timestamp: int, samples: Samples, now: float) -> None:
        """Lay one packet's samples (shape (samples,), int16) on the timeline."""
        self.count(ssrc, sequence_number, now)
        by_clock = int((now - self._began) * RATE)
        position = self._position(ssrc, timestamp, by_clock)
        stop = position + len(samples)
        if position < 0 or stop > LONGEST_S * RATE:
            return
        self._reach(stop)
        self._samples[position:stop] = samples

    def tick(self, now: float) -> None:
        """Let time pass: when nothing arrives, the timeline grows by silence."""
        settled = int((now - self._began) * RATE) - _SETTLED_SAMPLES
        if settled > self._end and settled <= LONGEST_S * RATE:
            self._reach(settled)

    def _position(self, ssrc: int, timestamp: int, by_clock: int) -> int:
        if ssrc == self._ssrc:
            ahead = (timestamp - self._first_timestamp + 0x80000000) % 0x1_0000_0000 - 0x80000000
            position = self._first_position + ahead
            if -_BEHIND_SAMPLES < position - by_clock < _AHEAD_SAMPLES:
                return position
        self._ssrc = ssrc
        self._first_timestamp = timestamp
        self._first_position = max(by_clock, self._end)
        return self._first_position

    def count(self, ssrc: int, sequence_number: int, now: float) -> None:
        """Count a packet of the stream that carries no audio to keep (a key's event)."""
        self._packets += 1
        if self._last_arrival is not None:
            self._longest_gap_s = max(self._longest_gap_s, now - self._last_arrival)
        self._last_arrival = now
        if ssrc != self._ssrc:
            self._highest_sequence = sequence_number
            self._expected += 1
            return
        step = (sequence_number - self._highest_sequence + 0x8000) % 0x10000 - 0x8000
        if step > 0:
            self._expected += step
            self._highest_sequence = sequence_number
        else:
            self._late_or_double += 1

    def _reach(self, stop: int) -> None:
        if stop > len(self._samples):
            grown = np.zeros(max(stop, 2 * len(self._samples)), dtype=np.int16)
            grown[: self._end] = self._samples[: self._end]
            self._samples = grown
        self._end = max(self._end, stop)
