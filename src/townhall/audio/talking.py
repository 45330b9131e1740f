"""Who is talking: voices told from noise, tones, clicks and key tones, with a pause that is the caller's to
set.

Works on 20 ms frames at 8 kHz, all talkers at once. Talking starts when some frames in a row stand out of the
noise floor and are voiced (`voicing`), and are neither pure tones nor as even as machines are; it stops when
nothing stands out for the length of the pause, or when what stands out has long had no voice in it: a fan
that was switched on. It is decided within 60 to 200 ms of a vowel. Music passes for a voice here; `holding`
knows it after half a minute.
"""

from dataclasses import dataclass

import numpy as np

from townhall.audio.levels import QUIETEST_SPEECH_DB, NoiseFloor
from townhall.audio.shapes import TICK_SAMPLES, Bool, Float32, Int16, Slots
from townhall.audio.voicing import WINDOW, Looks, look

PAUSE_FRAMES = 30
"""Frames without speech before it counts as stopped, unless set otherwise: 600 ms."""

LOOK_EVERY = 8
"""Frames between two looks at somebody who talks already: 160 ms; the legs take turns."""

_TURN = 32
"""Slots that have their turn together: a few talkers are looked at in one tick of eight, not one in each."""

MOST_LOOKS = 150
"""In one tick, besides those that are asked for: what 1 ms is enough for."""

_HISTORY = 4
"""Frames that are kept: a window of 50 ms needs two and a half."""

_VOICED = 0.62
"""Periodicity: nine tenths of a fan's frames stay below 0.55, three quarters of vowels are above 0.75."""
_TONE = 0.97
"""Concentration: key and dial tones have 0.99 and more, a whistled vowel 0.93."""
_HITS_TO_START = 3.0
_MISS = 0.5
_LEAST_RANGE_DB = 1.0
"""Between the loudest and the softest voiced frame: machines hum more evenly than anybody speaks."""
_STARTS_ABOVE_FLOOR_DB = 5.0
_STAYS_ABOVE_FLOOR_DB = 7.0
"""More than at the start, where looks make sure of a voice; a fan swings by some decibels."""
_BELOW_OWN_DB = 18.0
"""What is so much softer than his own voice is the room behind him, or the end of a word."""
_OWN_FALL_DB = 0.006
"""Per frame: 0.3 dB a second, for who turns away from the telephone or hands it on."""
_FRESH_FRAMES = 12
"""So long every frame of a new sound is looked at, then every other."""
_GAP_FRAMES = 3
"""A new sound begins after so many quiet frames."""
_VOICELESS_FRAMES = 60
"""Sound without a voiced look for 1.2 s is noise: no sentence hisses that long."""


@dataclass(slots=True)
class Heard:
    """What one frame of each slot told."""

    started: Slots
    stopped: Slots
    speech: Bool
    """`(slots,)`: talking, and this frame is part of it, not of a pause."""
    looked: Slots
    """Places among the slots that were looked at in this frame; the next two belong to them."""
    voiced: Bool
    looks: Looks


class SpeechDetector:
    """Talking on and off for `capacity` legs. `reset` a slot before its first use."""

    def __init__(self, capacity: int, pause_frames: int = PAUSE_FRAMES) -> None:
        self.talking: Bool = np.zeros(capacity, np.bool_)
        """Whether each slot talks now, bool `(capacity,)`."""
        self.floor = NoiseFloor(capacity)
        self._pause = pause_frames
        self._frame = 0
        self._history = np.zeros((capacity, _HISTORY, TICK_SAMPLES), np.int16)
        self._run = np.zeros(capacity, np.int32)
        self._quiet = np.zeros(capacity, np.int32)
        self._voiceless = np.zeros(capacity, np.int32)
        self._hits = np.zeros(capacity, np.float32)
        self._own = np.full(capacity, -100.0, np.float32)
        self._loudest = np.zeros(capacity, np.float32)
        self._softest = np.zeros(capacity, np.float32)

    def reset(self, slots: Slots) -> None:
        """Forget what was heard of these slots."""
        self.talking[slots] = False
        self.floor.reset(slots)
        self._history[slots] = 0
        self._quiet[slots] = self._pause
        self._own[slots] = -100.0
        self._forget_sound(slots)

    def due(self, slots: Slots) -> Bool:
        """Whose turn it is in the next `update`, one in `LOOK_EVERY`, `(slots,)`."""
        return self._has_turn(slots, self._frame + 1)

    def _has_turn(self, slots: Slots, frame: int) -> Bool:
        turn: Bool = (slots // _TURN + frame) % LOOK_EVERY == 0
        return turn

    def update(self, slots: Slots, frames: Int16, level: Float32, asked: Bool | None = None) -> Heard:
        """Take one frame per slot, int16 `(slots, 160)`, and its `level_dbfs` `(slots,)`; a slot occurs once.

        `asked`: who is to be looked at whether it sounds like somebody talking or not, `(slots,)`.
        """
        self._frame += 1
        self._history[slots, self._frame % _HISTORY] = frames
        floor = self.floor.follow(slots, level)
        talking = self.talking[slots]
        own = self._own[slots] - _OWN_FALL_DB
        self._own[slots] = own
        above = np.where(talking, _STAYS_ABOVE_FLOOR_DB, _STARTS_ABOVE_FLOOR_DB)
        active = level > np.maximum(np.maximum(floor + above, own - _BELOW_OWN_DB), QUIETEST_SPEECH_DB)
        quiet = np.where(active, 0, self._quiet[slots] + 1)
        self._quiet[slots] = quiet
        run = self._run[slots] + active
        self._run[slots] = run
        self._voiceless[slots] += active
        over = ((quiet == _GAP_FRAMES) & ~talking).nonzero()[0]
        if len(over):
            self._forget_sound(slots[over])
        fresh = (run <= _FRESH_FRAMES) | (slots + self._frame & 1 == 0)
        due = np.where(talking, self._has_turn(slots, self._frame), fresh)
        due &= active & (run > 1)
        due = self._in_turn(due)
        looked = (due if asked is None else due | asked).nonzero()[0]
        seen = look(self._windows(slots[looked]))
        voiced = due[looked] & (seen.periodicity >= _VOICED) & (seen.concentration < _TONE)
        if len(looked):
            self._count(slots[looked], due[looked], voiced, level[looked])

        ready = (self._hits[slots] >= _HITS_TO_START) & active
        started = ~talking & ready & (self._loudest[slots] - self._softest[slots] >= _LEAST_RANGE_DB)
        stopped = talking & ((quiet >= self._pause) | (self._voiceless[slots] >= _VOICELESS_FRAMES))
        self.talking[slots] = (talking | started) & ~stopped
        if stopped.any():
            self._forget_sound(slots[stopped])
        return Heard(
            slots[started],
            slots[stopped],
            active & self.talking[slots],
            looked,
            voiced,
            seen,
        )

    def _in_turn(self, due: Bool) -> Bool:
        """At most `MOST_LOOKS` of them, others every time: when all begin at once, some wait a tick."""
        places = due.nonzero()[0]
        if len(places) <= MOST_LOOKS:
            return due
        first = self._frame * MOST_LOOKS
        chosen: Bool = np.zeros(len(due), np.bool_)
        chosen[places[np.arange(first, first + MOST_LOOKS) % len(places)]] = True
        return chosen

    def _windows(self, slots: Slots) -> Int16:
        """The latest 50 ms of each, `(slots, WINDOW)`."""
        order = (self._frame + 1 + np.arange(_HISTORY)) % _HISTORY
        rows = self._history[slots[:, None], order].reshape(len(slots), _HISTORY * TICK_SAMPLES)
        return rows[:, -WINDOW:]

    def _count(self, slots: Slots, due: Bool, voiced: Bool, level: Float32) -> None:
        hits = self._hits[slots]
        missed = np.where(due, np.maximum(hits - _MISS, 0.0), hits)
        self._hits[slots] = np.where(voiced, hits + 1, missed)
        self._voiceless[slots[voiced]] = 0
        self._loudest[slots[voiced]] = np.maximum(self._loudest[slots[voiced]], level[voiced])
        self._softest[slots[voiced]] = np.minimum(self._softest[slots[voiced]], level[voiced])
        own = slots[voiced & self.talking[slots]]
        self._own[own] = np.maximum(self._own[own], level[voiced & self.talking[slots]])

    def _forget_sound(self, slots: Slots) -> None:
        self._run[slots] = 0
        self._voiceless[slots] = 0
        self._hits[slots] = 0.0
        self._loudest[slots] = -100.0
        self._softest[slots] = 100.0
