"""Telephone events, the keys of a phone as RTP payloads (RFC 4733): each press exactly once.

An event is told apart by its RTP timestamp alone, so lost markers, repeated end packets, duplicates and
reordering do not matter (section 2.5.1). A press longer than the duration field holds goes on in a
further segment, whose timestamp is the last one's plus its duration (section 2.5.1.3). Left out: tones
other than the sixteen DTMF keys, volume.
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from townhall.rtp.packet import RTPError

DIGITS = "0123456789*#ABCD"
"""The keys in the order of their event codes (RFC 4733 section 3.2)."""

REMEMBERED = 8
"""Presses remembered per leg, so that a late packet of an old press is known."""

STALE_SAMPLES = 5 * 8000
"""A timestamp this far behind the newest press is an old packet that lost its way, not a new press."""

MAX_DURATION = 0xFFFF
PRESSES_PER_BATCH = 4
"""New presses taken from one leg in one batch (20 ms); no finger is faster, only a flood is."""

_NONE = np.int64(-1)


@dataclass(frozen=True, slots=True)
class TelephoneEvent:
    """One event payload."""

    event: int
    end: bool
    duration: int
    """Timestamp units since the event's beginning."""
    volume: int = 10
    """Power below 0 dBm0, dB."""


def parse_event(payload: bytes) -> TelephoneEvent:
    """Parse one payload. Raises `RTPError` when it is shorter than its four bytes."""
    if len(payload) < 4:
        raise RTPError(f"telephone-event payload of {len(payload)} bytes; expected 4")
    event, flags, duration = struct.unpack_from("!BBH", payload)
    return TelephoneEvent(event, flags >= 0x80, duration, flags & 0x3F)


def build_event(event: TelephoneEvent) -> bytes:
    """The four bytes of one event payload."""
    return struct.pack("!BBH", event.event, event.end << 7 | event.volume, min(event.duration, MAX_DURATION))


class Presses:
    """Which presses each leg has reported; all legs' state as arrays of `capacity` rows."""

    def __init__(self, capacity: int) -> None:
        self._seen = np.full((capacity, REMEMBERED), _NONE)
        self._cursor = np.zeros(capacity, np.int64)
        self._newest = np.full(capacity, _NONE)
        self._event = np.zeros(capacity, np.int64)
        self._duration = np.zeros(capacity, np.int64)
        self._ended = np.zeros(capacity, np.bool_)

    def reset(self, slots: npt.NDArray[np.integer] | int) -> None:
        """Forget the presses of these legs (a new source)."""
        self._seen[slots] = _NONE
        self._newest[slots] = _NONE

    def observe(
        self,
        slots: npt.NDArray[np.integer],
        timestamps: npt.NDArray[np.uint32],
        payloads: npt.NDArray[np.uint8],
    ) -> list[tuple[int, str]]:
        """Take in event packets in order of arrival: `slots` and `timestamps` `(n,)`, `payloads` `(n, 4)`.

        Returns slot and digit of every press seen for the first time.
        """
        stamps = timestamps.astype(np.int64)
        events = payloads[:, 0].astype(np.int64)
        ends = payloads[:, 1] >= 0x80
        durations = payloads[:, 2].astype(np.int64) * 256 + payloads[:, 3]
        known = (self._seen[slots] == stamps[:, None]).any(axis=1)
        self._note_progress(slots[known], stamps[known], durations[known], ends[known])
        fresh = np.flatnonzero(~known & (events < len(DIGITS)))
        if not fresh.size:
            return []
        rows = zip(
            slots[fresh].tolist(),
            stamps[fresh].tolist(),
            events[fresh].tolist(),
            durations[fresh].tolist(),
            ends[fresh].tolist(),
            strict=True,
        )
        return self._new_presses(rows)

    def _note_progress(
        self,
        slots: npt.NDArray[np.integer],
        stamps: npt.NDArray[np.int64],
        durations: npt.NDArray[np.int64],
        ends: npt.NDArray[np.bool_],
    ) -> None:
        current = self._newest[slots] == stamps
        np.maximum.at(self._duration, slots[current], durations[current])
        self._ended[slots[current & ends]] = True

    def _new_presses(self, rows: Iterable[tuple[int, int, int, int, bool]]) -> list[tuple[int, str]]:
        presses: list[tuple[int, str]] = []
        taken: dict[int, int] = {}
        for slot, stamp, event, duration, end in rows:
            if stamp in self._seen[slot]:  # an earlier packet of this very batch
                one = np.array([slot]), np.array([stamp]), np.array([duration]), np.array([end])
                self._note_progress(*one)
                continue
            if taken.get(slot, 0) >= PRESSES_PER_BATCH:
                continue
            newest = int(self._newest[slot])
            ahead = _signed(stamp - newest) if newest >= 0 else 1
            if ahead <= -STALE_SAMPLES:
                continue
            continues = newest >= 0 and self._continues(slot, event, ahead)
            self._remember(slot, stamp)
            if ahead > 0:
                self._newest[slot], self._event[slot] = stamp, event
                self._duration[slot], self._ended[slot] = duration, end
            if not continues:
                taken[slot] = taken.get(slot, 0) + 1
                presses.append((slot, DIGITS[event]))
        return presses

    def _continues(self, slot: int, event: int, ahead: int) -> bool:
        """Whether a new timestamp is the next segment of the press that is still held."""
        if event != self._event[slot] or self._ended[slot]:
            return False
        return ahead == MAX_DURATION or ahead == self._duration[slot]

    def _remember(self, slot: int, stamp: int) -> None:
        cursor = int(self._cursor[slot])
        self._seen[slot, cursor % REMEMBERED] = stamp
        self._cursor[slot] = cursor + 1


def _signed(difference: int) -> int:
    """A difference of 32-bit timestamps, -2**31 to 2**31 - 1."""
    return (difference + 0x80000000) % 0x100000000 - 0x80000000
