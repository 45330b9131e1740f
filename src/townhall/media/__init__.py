"""The media process and control's client of it.

Batched UDP sockets, a 20 ms tick on arrays over all legs in G.711 and Opus, players, recorders, digits, RTCP;
browsers' encryption in `secure`; started and spoken to through `MediaProcess`, or several at once through
`MediaPool`. What they say to each other is in `protocol`; the arithmetic is in rooms `rtp` and `audio`.
"""

from townhall.media.client import MediaProcess
from townhall.media.face import Media
from townhall.media.leg import Leg, LegRefusedError, MediaError, Playback
from townhall.media.pool import MediaPool
from townhall.media.protocol import LegClosed, RecorderEnded, StartRecorder, Stats, TalkerRecorded
from townhall.media.recording import Recorder
from townhall.media.settings import MediaSettings

__all__ = [
    "Leg",
    "LegClosed",
    "LegRefusedError",
    "Media",
    "MediaError",
    "MediaPool",
    "MediaProcess",
    "MediaSettings",
    "Playback",
    "Recorder",
    "RecorderEnded",
    "StartRecorder",
    "Stats",
    "TalkerRecorded",
]
