"""What every phone of a crowd got, packet by packet, to be listened to when the measurement is over."""

from dataclasses import dataclass, field

import numpy as np

from townhall.media.shapes import Bytes, Floats, Int64s

_SAMPLES = 160
_HALF = 1 << 31
_SILENCE = 0xFF


@dataclass(slots=True)
class Recording:
    """Each phone's first packet is its frame 0; where nothing came there is silence, and `at` is NaN."""

    sound: Bytes
    """µ-law, `(phones, frames, 160)`."""
    at: Floats
    """When each packet came, in monotonic seconds, `(phones, frames)`."""
    first: Int64s
    """RTP timestamps of the frames 0; -1: nothing has come."""
    seconds_at: list[Floats] = field(default_factory=list)
    """For each group of phones, when the beginnings of its last seconds of speech were sent."""

    @classmethod
    def of(cls, phones: int, frames: int) -> "Recording":
        return cls(
            np.full((phones, frames, _SAMPLES), _SILENCE, np.uint8),
            np.full((phones, frames), np.nan),
            np.full(phones, -1, np.int64),
        )

    @property
    def frames(self) -> int:
        return int(self.at.shape[1])

    def keep(self, phones: Int64s, timestamps: Int64s, payloads: Bytes, at: Floats) -> None:
        """Put packets in their places; those that lie before the beginning or behind the end are left out."""
        fresh = np.flatnonzero(self.first[phones] < 0)[::-1]
        self.first[phones[fresh]] = timestamps[fresh]  # of a phone's several, the first one stays
        ahead = (timestamps - self.first[phones] + _HALF) % (2 * _HALF) - _HALF
        frames = ahead // _SAMPLES
        rows = np.flatnonzero((frames >= 0) & (frames < self.frames))
        self.sound[phones[rows], frames[rows]] = payloads[rows]
        self.at[phones[rows], frames[rows]] = at[rows]
