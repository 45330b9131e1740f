"""What every phone of a crowd got, packet by packet, to be listened to when the measurement is over."""

from dataclasses import dataclass, field

import numpy as np

from townhall.media.shapes import Bytes, Floats, Int64s

_SAMPLES = 160
_HALF = 1 << 31


@dataclass(slots=True)
class Recording:
    """Each phone's first packet is its frame 0; where nothing came there is silence, and `at` is NaN."""

    turned: Bytes
    """µ-law with every bit turned over, so that fresh memory is silence and costs nothing until it is
    written to, `(phones, frames, 160)`; see `sound`.
    """
    at: Floats
    """When each packet came, in monotonic seconds, `(phones, frames)`."""
    first: Int64s
    """RTP timestamps of the frames 0; -1: nothing has come."""
    seconds_at: list[Floats] = field(default_factory=list)
    """For each group of phones, when the beginnings of its last seconds of speech were sent."""

    @classmethod
    def of(cls, phones: int, frames: int) -> "Recording":
        return cls(
            np.zeros((phones, frames, _SAMPLES), np.uint8),
            np.full((phones, frames), np.nan),
            np.full(phones, -1, np.int64),
        )

    @property
    def frames(self) -> int:
        return int(self.at.shape[1])

    def sound(self, phones: Int64s, frames: slice = slice(None)) -> Bytes:
        """What these phones heard, in µ-law, `(phones, frames, 160)`."""
        heard: Bytes = ~self.turned[phones, frames]
        return heard

    def keep(self, phones: Int64s, timestamps: Int64s, payloads: Bytes, at: Floats) -> None:
        """Put packets in their places; those that lie before the beginning or behind the end are left out."""
        fresh = np.flatnonzero(self.first[phones] < 0)[::-1]
        self.first[phones[fresh]] = timestamps[fresh]  # of a phone's several, the first one stays
        ahead = (timestamps - self.first[phones] + _HALF) % (2 * _HALF) - _HALF
        frames = ahead // _SAMPLES
        rows = np.flatnonzero((frames >= 0) & (frames < self.frames))
        self.turned[phones[rows], frames[rows]] = ~payloads[rows]
        self.at[phones[rows], frames[rows]] = at[rows]
