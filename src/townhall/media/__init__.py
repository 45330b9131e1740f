"""The media process and control's client of it.

Batched UDP sockets, a 20 ms tick on arrays over all legs, players, digits, RTCP; started and spoken to
through `MediaProcess`. What they say to each other is in `protocol`; the arithmetic is in rooms `rtp` and
`audio`. Left out so far: recorders, SRTP, wideband codecs, more than one process.
"""

from townhall.media.client import MediaProcess
from townhall.media.leg import Leg, LegRefusedError, MediaError, Playback
from townhall.media.protocol import LegClosed, Stats
from townhall.media.settings import MediaSettings

__all__ = [
    "Leg",
    "LegClosed",
    "LegRefusedError",
    "MediaError",
    "MediaProcess",
    "MediaSettings",
    "Playback",
    "Stats",
]
