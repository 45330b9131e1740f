"""Automatic gain: quiet and loud talkers come out alike.

Each talker's active speech level (ITU-T P.56's idea: the power of the frames in which he speaks, pauses left
out) is averaged over seconds and brought to one target, slowly enough that nobody hears it move. The gain
moves while he speaks and stands still otherwise, so noise and pauses don't swell. Who is near the target
already is left exactly as he is, to the last bit; so is everything that is no speech. What a shout makes of a
raised gain is caught within the frame (`glide`).
"""

import numpy as np

from townhall.audio.mixing import LIMIT_THRESHOLD, limit
from townhall.audio.shapes import Bool, Float32, Int16, Slots

TARGET_DBFS = -25.0
"""Active speech level: telephone speech is recorded at -26 (P.56), music here is played at -24."""
MOST_DB, LEAST_DB = 18.0, -18.0
_TOLERANCE_DB = 2.0
"""A talker so near the target is left alone; who is further off is brought to within `_CLOSE_DB`."""
_CLOSE_DB = 0.3
_UNSURE_DB = 3.0
"""More than the tolerance at first: one syllable says little about a voice."""
_RISE_DB, _FALL_DB = 0.14, 0.4
"""Per frame of speech: 7 dB a second up, 20 down."""
_LOUDEST_NOISE_DBFS = -48.0
"""The noise floor is raised no higher than that."""
_BACK_DB = 0.5
"""Per frame, after a shout."""
_FIRST_FRAMES = 15
"""Of speech before anything is judged: 300 ms."""
_AVERAGE_FRAMES = 150
"""3 s of speech: a word more or less changes nothing."""


class AutomaticGain:
    """The gains of `capacity` legs. `forget` a slot when somebody else gets it."""

    def __init__(self, capacity: int) -> None:
        self.db = np.zeros(capacity, np.float32)
        """Gain of each slot now, dB `(capacity,)`."""
        self._power = np.zeros(capacity, np.float32)
        self._frames = np.zeros(capacity, np.int32)
        self._moving: Bool = np.zeros(capacity, np.bool_)
        self._applied = np.zeros(capacity, np.float32)
        """What was applied at the end of the last frame, dB."""

    def forget(self, slots: Slots) -> None:
        self.db[slots] = 0.0
        self._power[slots] = 0.0
        self._frames[slots] = 0
        self._moving[slots] = False
        self._applied[slots] = 0.0

    def follow(self, slots: Slots, level: Float32, floor: Float32) -> None:
        """One more frame of speech of each of these slots: its level and the noise floor, dBFS `(slots,)`."""
        frames = self._frames[slots] + 1
        self._frames[slots] = frames
        share = 1.0 / np.minimum(frames, _AVERAGE_FRAMES).astype(np.float32)
        power = self._power[slots]
        power += (np.float32(10.0) ** (level / 10) - power) * share
        self._power[slots] = power
        gain = self.db[slots]
        most = np.minimum(np.maximum(_LOUDEST_NOISE_DBFS - floor, 0.0), MOST_DB)
        wanted = np.minimum(np.maximum(TARGET_DBFS - 10 * np.log10(power + 1e-10), LEAST_DB), most)
        off = wanted - gain
        tolerance = _TOLERANCE_DB + _UNSURE_DB * np.maximum(1.0 - frames / _AVERAGE_FRAMES, 0.0)
        moving = np.abs(off) > np.where(self._moving[slots], _CLOSE_DB, tolerance)
        moving &= frames >= _FIRST_FRAMES
        self._moving[slots] = moving
        step = np.minimum(np.maximum(off, -_FALL_DB), _RISE_DB)
        self.db[slots] = np.where(moving, gain + step, gain)

    def glide(self, slots: Slots, frames: Int16) -> tuple[Slots, Float32, Float32]:
        """How to scale this tick's frames int16 `(slots, samples)`: places of those that are scaled at all,
        and their gains (factors) at the frame's beginning and end, for `amplify`.

        A raised gain gives way at once to a frame that it would drive into the limiter, and comes back
        slowly.
        """
        before = self._applied[slots]
        wanted = self.db[slots]
        places = ((before != 0.0) | (wanted != 0.0)).nonzero()[0]
        if not len(places):
            return places, before[places], before[places]
        chosen, before, wanted = slots[places], before[places], wanted[places]
        after = np.minimum(wanted, before + _BACK_DB)
        raised = (after > 0.0).nonzero()[0]
        if len(raised):
            loud = frames[places[raised]]
            peak = np.maximum(np.maximum(loud.max(axis=1), -loud.min(axis=1).astype(np.int32)), 1)
            room = 20 * np.log10(LIMIT_THRESHOLD / peak)
            after[raised] = np.minimum(after[raised], np.maximum(room, 0.0))
        self._applied[chosen] = after
        return places, _factor(before), _factor(after)


def amplify(frames: Int16, before: Float32, after: Float32) -> Int16:
    """Frames int16 `(rows, samples)` times gains that glide from `before` to `after` `(rows,)`; peaks are
    bent smoothly below full scale.
    """
    samples = frames.shape[1]
    glide = np.arange(1, samples + 1, dtype=np.float32) / np.float32(samples)
    scaled = (after - before)[:, None] * glide
    scaled += before[:, None]
    scaled *= frames.astype(np.float32)
    np.rint(scaled, out=scaled)
    if max(scaled.max(initial=0.0), -scaled.min(initial=0.0)) <= LIMIT_THRESHOLD:
        return scaled.astype(np.int16)  # nearly always, and twice as fast as by way of 32 bits
    return limit(scaled.astype(np.int32))


def _factor(db: Float32) -> Float32:
    factor: Float32 = np.float32(10.0) ** (db / np.float32(20.0))
    return factor
