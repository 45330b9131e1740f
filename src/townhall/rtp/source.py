"""What each leg's incoming stream looked like, for RTCP reports (RFC 3550 appendix A.1, A.3 and A.8), as
arrays.

Left out: the probation of new sources. A leg's packets are already known by their address.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Slots = npt.NDArray[np.integer]
Int64s = npt.NDArray[np.int64]

MAX_DROPOUT = 3000
MAX_MISORDER = 100
PACKETS_FOLLOWED = 16
"""Packets of one leg in one batch that are followed one by one; of a longer burst the rest is only counted.
"""


@dataclass(frozen=True, slots=True)
class ReceptionReport:
    """The figures of a report block for `n` legs, ready for the wire."""

    fraction_lost: npt.NDArray[np.uint8]
    cumulative_lost: npt.NDArray[np.int64]
    """Clamped to the field's 24 signed bits."""
    highest_sequence_number: npt.NDArray[np.uint32]
    """Extended by the count of cycles."""
    jitter: npt.NDArray[np.uint32]
    """Interarrival jitter, timestamp units."""


class Sources:
    """The reception state of `capacity` legs."""

    def __init__(self, capacity: int, clock_rate: int = 8000) -> None:
        self.clock_rate = np.full(capacity, float(clock_rate))
        """Hz of each leg's RTP clock; whoever knows the codec sets it."""
        self.active = np.zeros(capacity, np.bool_)
        self.received = np.zeros(capacity, np.int64)
        self.jitter = np.zeros(capacity)
        """Interarrival jitter, timestamp units."""
        self._base = np.zeros(capacity, np.int64)
        self._highest = np.zeros(capacity, np.int64)
        self._expected_next = np.full(capacity, -1, np.int64)
        self._transit = np.zeros(capacity, np.uint32)
        self._expected_prior = np.zeros(capacity, np.int64)
        self._received_prior = np.zeros(capacity, np.int64)

    def reset(self, slots: Slots | int) -> None:
        """Start over for these legs (a new leg, a new SSRC)."""
        self.active[slots] = False
        self.received[slots] = 0
        self.jitter[slots] = 0.0

    def update(
        self,
        slots: Slots,
        sequence_numbers: npt.NDArray[np.uint16],
        timestamps: npt.NDArray[np.uint32],
        arrived: npt.NDArray[np.float64],
    ) -> None:
        """Take in a batch in order of arrival, all arrays `(n,)`; `arrived` in seconds, any steady clock."""
        if not len(slots):
            return
        counts = np.bincount(slots, minlength=len(self.received))
        self.received += counts
        if counts.max() == 1:
            self._update_once(slots, sequence_numbers, timestamps, arrived)
            return
        order = np.argsort(slots, kind="stable")
        in_order = slots[order]
        begins = np.flatnonzero(np.concatenate(([True], in_order[1:] != in_order[:-1])))
        occurrence = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
        for turn in range(min(int(counts.max()), PACKETS_FOLLOWED)):
            rows = order[occurrence == turn]
            self._update_once(slots[rows], sequence_numbers[rows], timestamps[rows], arrived[rows])

    def _update_once(
        self,
        slots: Slots,
        sequence_numbers: npt.NDArray[np.uint16],
        timestamps: npt.NDArray[np.uint32],
        arrived: npt.NDArray[np.float64],
    ) -> None:
        """One packet per leg at most."""
        sequence = sequence_numbers.astype(np.int64)
        highest = self._highest[slots]
        ahead = (sequence_numbers - highest.astype(np.uint16)).view(np.int16).astype(np.int64)
        strange = (ahead > MAX_DROPOUT) | (ahead < -MAX_MISORDER) | ~self.active[slots]
        if not strange.any():
            self._highest[slots] = highest + np.maximum(ahead, 0)
            restart = strange
        else:
            restart = self._judge(slots, sequence, highest, ahead, strange)
        self._update_jitter(slots, timestamps, arrived, restart)

    def _judge(
        self, slots: Slots, sequence: Int64s, highest: Int64s, ahead: Int64s, strange: npt.NDArray[np.bool_]
    ) -> npt.NDArray[np.bool_]:
        """Follow a batch in which some number lies far off; which legs begin anew with it.

        A first packet begins, and so do two strange ones in sequence (appendix A.1); a single one does not
        count.
        """
        begins: npt.NDArray[np.bool_] = strange & (
            ~self.active[slots] | (self._expected_next[slots] == sequence)
        )
        self._expected_next[slots] = np.where(strange, (sequence + 1) & 0xFFFF, -1)
        following = np.where(strange, highest, highest + np.maximum(ahead, 0))
        self._highest[slots] = np.where(begins, sequence, following)
        begun = slots[begins]
        self._base[begun] = sequence[begins]
        self.received[begun] = np.where(self.active[begun], 1, self.received[begun])
        self._expected_prior[begun] = self._received_prior[begun] = 0
        self.active[begun] = True
        return begins

    def _update_jitter(
        self,
        slots: Slots,
        timestamps: npt.NDArray[np.uint32],
        arrived: npt.NDArray[np.float64],
        restart: npt.NDArray[np.bool_],
    ) -> None:
        clock_rate = self.clock_rate[slots]
        transit = np.rint(arrived * clock_rate).astype(np.int64).astype(np.uint32) - timestamps
        difference = np.abs((transit - self._transit[slots]).view(np.int32).astype(np.float64))
        if restart.any():
            difference[restart] = 0.0
        jitter = self.jitter[slots]
        self.jitter[slots] = jitter + (np.minimum(difference, 10.0 * clock_rate) - jitter) / 16.0
        self._transit[slots] = transit

    def lost(self, slots: Slots) -> npt.NDArray[np.int64]:
        """Packets expected and not received since the source began; negative with duplicates."""
        expected = np.where(self.active[slots], self._highest[slots] - self._base[slots] + 1, 0)
        return np.asarray(expected - np.where(self.active[slots], self.received[slots], 0), np.int64)

    def report(self, slots: Slots) -> ReceptionReport:
        """The report blocks of these legs since the last ones (appendix A.3); the next interval begins."""
        expected = self._highest[slots] - self._base[slots] + 1
        received = self.received[slots]
        expected_interval = expected - self._expected_prior[slots]
        lost_interval = expected_interval - (received - self._received_prior[slots])
        self._expected_prior[slots] = expected
        self._received_prior[slots] = received
        some = (expected_interval > 0) & (lost_interval > 0)
        fraction = np.where(some, lost_interval * 256 // np.maximum(expected_interval, 1), 0)
        return ReceptionReport(
            fraction_lost=np.minimum(fraction, 255).astype(np.uint8),
            cumulative_lost=np.clip(expected - received, -0x800000, 0x7FFFFF),
            highest_sequence_number=(self._highest[slots] & 0xFFFFFFFF).astype(np.uint32),
            jitter=self.jitter[slots].astype(np.uint32),
        )
