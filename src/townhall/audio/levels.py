"""How loud frames are, and whether there is sound at all: energy over a noise floor that adapts.

Works on 20 ms frames at 8 kHz, all legs at once. What tells a voice from a fan or a tone is in `talking`;
here every sound counts, as it must where somebody leaves a message and only silence may end it.
"""

import numpy as np

from townhall.audio.shapes import Bool, Float32, Int16, Slots

START_FRAMES = 3
"""Loud frames in a row before sound counts as started: 60 ms, longer than a click or a key tone's edge."""

STOP_FRAMES = 30
"""Quiet frames before it counts as stopped: 600 ms, longer than the pauses between words."""

_ABOVE_FLOOR_DB = 9.0
QUIETEST_SPEECH_DB = -50.0
_LOUDEST_FLOOR_DB = -30.0
_LOWEST_FLOOR_DB = -90.0
_FLOOR_START_DB = -60.0
_FLOOR_RISE_DB = 0.1
"""Per frame (5 dB a second): a steady fan becomes floor in seconds, a sentence does not."""
_FLOOR_FALL = 0.2


def level_dbfs(frames: Int16) -> Float32:
    """RMS level of each row, float32 `(rows,)`, in dB below a full-scale square wave; digital silence is
    -100.
    """
    signal = frames.astype(np.float32)
    power = np.einsum("ij,ij->i", signal, signal) / max(frames.shape[1], 1)
    level: Float32 = 10.0 * np.log10(power / np.float32(32768.0**2) + np.float32(1e-10))
    return level


class NoiseFloor:
    """How loud the background of `capacity` legs is: falls with every quieter frame, rises slowly."""

    def __init__(self, capacity: int) -> None:
        self.db = np.full(capacity, _FLOOR_START_DB, np.float32)

    def reset(self, slots: Slots) -> None:
        self.db[slots] = _FLOOR_START_DB

    def follow(self, slots: Slots, level: Float32) -> Float32:
        """Take the level of one more frame per slot, dBFS `(slots,)`; returns the floors before it."""
        floor = self.db[slots]
        step = np.where(level < floor, (level - floor) * _FLOOR_FALL, _FLOOR_RISE_DB)
        floor_now = np.minimum(np.minimum(floor + step, np.maximum(level, floor)), _LOUDEST_FLOOR_DB)
        self.db[slots] = np.maximum(floor_now, _LOWEST_FLOOR_DB)
        return floor


class SoundDetector:
    """Sound on and off for `capacity` legs. `reset` a slot before its first use."""

    def __init__(self, capacity: int) -> None:
        self._floor = NoiseFloor(capacity)
        self._loud = np.zeros(capacity, np.int32)
        self._quiet = np.zeros(capacity, np.int32)
        self.sounding: Bool = np.zeros(capacity, np.bool_)
        """Whether each slot sounds now, bool `(capacity,)`."""

    def reset(self, slots: Slots) -> None:
        self._floor.reset(slots)
        self._loud[slots] = 0
        self._quiet[slots] = 0
        self.sounding[slots] = False

    def update(self, slots: Slots, frames: Int16) -> tuple[Slots, Slots]:
        """Take one 20 ms frame per slot, int16 `(slots, samples)`; returns the slots that started and that
        stopped.
        """
        level = level_dbfs(frames)
        floor = self._floor.follow(slots, level)
        loud = level > np.maximum(floor + _ABOVE_FLOOR_DB, QUIETEST_SPEECH_DB)
        loud_run = np.where(loud, self._loud[slots] + 1, 0)
        quiet_run = np.where(loud, 0, self._quiet[slots] + 1)
        self._loud[slots] = loud_run
        self._quiet[slots] = quiet_run
        sounding = self.sounding[slots]
        started = ~sounding & (loud_run >= START_FRAMES)
        stopped = sounding & (quiet_run >= STOP_FRAMES)
        self.sounding[slots] = (sounding | started) & ~stopped
        return slots[started], slots[stopped]
