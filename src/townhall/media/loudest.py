"""Only so many at once: in a conference where everybody is open, the loudest talkers of each bus are heard.

Who is heard keeps his place until somebody else has been clearly louder, so that nobody is cut off between
two words. Whoever is let in or left out is faded within one tick.
"""

import numpy as np

from townhall.audio.levels import level_dbfs
from townhall.audio.shapes import Float32
from townhall.media.shapes import Bools, Int16s, Int64s, Slots

_FALL_DB = 0.4
"""Per tick, 20 dB a second: so long a pause keeps its place."""
_KEEPS_DB = 6.0
"""How much louder than somebody who is heard a newcomer must be."""
_SPEECH_DB = 60.0
"""Whoever speaks comes before all who only make noise."""


class Loudest:
    """Of `capacity` legs, `most` in each bus; 0: all."""

    def __init__(self, capacity: int, most: int) -> None:
        self._most = most
        self._loudness: Float32 = np.full(capacity, -200.0, np.float32)
        self._open: Bools = np.ones(capacity, np.bool_)

    def reset(self, slots: Int64s) -> None:
        """New talkers; they are heard until there is a reason why not."""
        self._loudness[slots] = -200.0
        self._open[slots] = True

    def choose(
        self, slots: Int64s, buses: Slots, frames: Int16s, talking: Bools
    ) -> tuple[Int64s, Float32, Float32]:
        """Places of the slots that are faded or silent, and their gains at the beginning and end of this
        tick.

        `slots` `(talkers,)` are sorted by `buses` `(talkers,)`; `talking`: whose frame is speech.
        """
        level = level_dbfs(frames) + np.where(talking, np.float32(_SPEECH_DB), np.float32(0.0))
        loudness = np.maximum(level, self._loudness[slots] - np.float32(_FALL_DB))
        self._loudness[slots] = loudness
        before = self._open[slots]
        order = np.lexsort((-(loudness + before * np.float32(_KEEPS_DB)), buses))
        starts = np.searchsorted(buses, buses)
        rank = np.empty(len(slots), np.int64)
        rank[order] = np.arange(len(slots)) - starts
        after = rank < self._most
        self._open[slots] = after
        places = np.flatnonzero(~(before & after))
        return places, before[places].astype(np.float32), after[places].astype(np.float32)
