"""What a crowd of phones got in a while: packets, holes between them, and how long each had to wait."""

from dataclasses import dataclass, field

import numpy as np

from townhall.media.shapes import Bools, Floats, Int64s

_HALF = 1 << 31


@dataclass(slots=True)
class Window:
    """What the phones got since a moment, one entry for each phone."""

    frame_units: int
    packets: Int64s
    first: Int64s
    last: Int64s
    """RTP timestamps, unrolled; -1: none."""
    loud: Int64s
    """Packets that were not silence."""
    gap_s: Floats
    """The longest wait for the next packet."""
    arrived: Floats
    late_s: Floats = field(default_factory=lambda: np.zeros(1))
    """How late the crowd was at each of its steps."""
    dropped: int = 0
    """Datagrams that the crowd's own sockets had no room for."""

    @classmethod
    def of(cls, phones: int, frame_units: int) -> "Window":
        zeros = [np.zeros(phones, np.int64) for _ in range(4)]
        return cls(
            frame_units, zeros[0], zeros[1] - 1, zeros[2], zeros[3], np.zeros(phones), np.zeros(phones)
        )

    def count(self, phones: Int64s, timestamps: Int64s, loud: Bools, at: Floats) -> None:
        """Add a batch of packets; a phone may be in it several times, in order."""
        if len(phones) and np.bincount(phones).max() > 1:
            self._count_in_turns(phones, timestamps, loud, at)
            return
        known = self.first[phones] >= 0
        last = np.where(known, self.last[phones], timestamps)
        # Unrolled against the last one seen, so that it can wrap (RFC 3550 appendix A.1).
        unrolled = last + ((timestamps - last + _HALF) % (2 * _HALF) - _HALF)
        self.first[phones] = np.where(known, self.first[phones], unrolled)
        self.last[phones] = np.maximum(last, unrolled)
        self.packets[phones] += 1
        self.loud[phones] += loud
        waited = np.where(known, at - self.arrived[phones], 0.0)
        self.gap_s[phones] = np.maximum(self.gap_s[phones], waited)
        self.arrived[phones] = at

    def _count_in_turns(self, phones: Int64s, timestamps: Int64s, loud: Bools, at: Floats) -> None:
        """Each phone's first packet, then each one's second, and so on."""
        order = np.argsort(phones, kind="stable")
        begins = np.flatnonzero(np.diff(phones[order], prepend=-1))
        turn = np.empty(len(phones), np.int64)
        turn[order] = np.arange(len(phones)) - np.repeat(begins, np.diff(begins, append=len(phones)))
        for number in range(int(turn.max()) + 1):
            rows = np.flatnonzero(turn == number)
            self.count(phones[rows], timestamps[rows], loud[rows], at[rows])

    @property
    def expected(self) -> Int64s:
        """Packets from the first to the last timestamp, `(phones,)`."""
        return np.where(self.first < 0, 0, (self.last - self.first) // self.frame_units + 1)

    @property
    def missed(self) -> Int64s:
        """Packets that did not come, `(phones,)`."""
        missed: Int64s = np.maximum(0, self.expected - self.packets)
        return missed
