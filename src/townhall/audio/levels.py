"""Who is speaking: frame energy over a noise floor that adapts, with hangover.

Works on 20 ms frames at 8 kHz, all legs at once. This tells the console whose light to switch on; it does not
find the ends of utterances for speech recognition, which needs spectral features.
"""

import numpy as np

from townhall.audio.shapes import Float32, Int16, Slots

START_FRAMES = 3
"""Loud frames in a row before speech counts as started: 60 ms, longer than a click or a key tone's edge."""

STOP_FRAMES = 30
"""Quiet frames before it counts as stopped: 600 ms, longer than the pauses between words."""

_ABOVE_FLOOR_DB = 9.0
_QUIETEST_SPEECH_DB = -50.0
_LOUDEST_FLOOR_DB = -30.0
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


class SpeechDetector:
    """Speech on and off for `capacity` legs. `reset` a slot before its first use."""

    def __init__(self, capacity: int) -> None:
        self._floor = np.full(capacity, _FLOOR_START_DB, np.float32)
        self._loud = np.zeros(capacity, np.int32)
        self._quiet = np.zeros(capacity, np.int32)
        self.speaking = np.zeros(capacity, np.bool_)
        """Whether each slot is speaking now, bool `(capacity,)`."""

    def reset(self, slots: Slots) -> None:
        self._floor[slots] = _FLOOR_START_DB
        self._loud[slots] = 0
        self._quiet[slots] = 0
        self.speaking[slots] = False

    def update(self, slots: Slots, frames: Int16) -> tuple[Slots, Slots]:
        """Take one 20 ms frame per slot, int16 `(slots, samples)`; returns the slots that started and that
        stopped.
        """
        level = level_dbfs(frames)
        floor = self._floor[slots]
        loud = level > np.maximum(floor + _ABOVE_FLOOR_DB, _QUIETEST_SPEECH_DB)
        step = np.where(level < floor, (level - floor) * _FLOOR_FALL, _FLOOR_RISE_DB)
        self._floor[slots] = np.clip(
            np.minimum(floor + step, np.maximum(level, floor)), -90.0, _LOUDEST_FLOOR_DB
        )

        loud_run = np.where(loud, self._loud[slots] + 1, 0)
        quiet_run = np.where(loud, 0, self._quiet[slots] + 1)
        self._loud[slots] = loud_run
        self._quiet[slots] = quiet_run
        speaking = self.speaking[slots]
        started = ~speaking & (loud_run >= START_FRAMES)
        stopped = speaking & (quiet_run >= STOP_FRAMES)
        self.speaking[slots] = (speaking | started) & ~stopped
        return slots[started], slots[stopped]
