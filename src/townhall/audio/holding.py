"""Whether a talker has put the conference on hold: music or a constant tone instead of a voice.

What tells hold music from speech, whatever is played or said: music has no pauses, and its notes last, so
that the partials of two moments a sixth of a second apart are alike; a voice glides and rests. What tells a
tone: all power in one or two lines. A leg is caught when that has been so for a long time; speech in between
makes it forgotten. Measured over half a minute, the likeness of partials is 0.0 to 0.3 for one or several
people speaking, for laughter and for noise, and 0.33 to 0.9 for music, and voices rest a third of the time,
music a tenth.

Works on what `talking` saw, all talkers at once, some six looks a second at each. Not told from music: who
hums or sings into the telephone for all that time without a rest, and an engine as even as an organ.
"""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from townhall.audio.shapes import Bool, Float32, Slots

Kinds: TypeAlias = NDArray[np.uint8]

MUSIC, TONE = 1, 2
"""What a slot sounds like, in `HoldGuard.kind`; 0: like a person."""
DEFAULT_S = 30.0

QUIETEST_DBFS = -42.0
"""Softer sound troubles nobody and is left alone."""
_BELOW_PEAK_DB = 20.0
_PEAK_FALL_DB = 0.4
"""Per look, 2.5 dB a second: what is 20 dB below the loudest of the last seconds is a pause."""

_AVERAGE_S = 2.0
"""Time constant of the means by which a sound is judged."""
_MUSIC_SOUNDS = 0.7
"""Least share of looks with sound in them."""
_MUSIC_LIKENESS = 0.28
_TONE_CONCENTRATION = 0.97
_TONE_SHARE = 0.95
"""Share of the looks with sound that are tones."""
_TONE_SOUNDS = 0.05
"""Cadenced tones rest for seconds."""
_SPEECH_LIKENESS = 0.17
_RESTING_SOUNDS = 0.78
"""Sound with pauses in it is speech at a greater likeness."""
_CLEARS = 2.0
"""Seconds of music that a second of speech makes forgotten."""
_SILENCE_CLEARS = 0.5

_FREE_LIKENESS = 0.11
_RESTING_LIKENESS = 0.25
_FREE_LOOKS = 0.86
"""Share of the means that must be of what came since: two time constants."""
_REST_S = 6.0
"""Silence of that length ends the suspicion: longer than the pause of a ringing tone."""


@dataclass(slots=True)
class Judged:
    """What has changed."""

    caught: Slots
    let_go: Slots


class HoldGuard:
    """The guard of `capacity` legs, `looks_per_s` at each; `length_s` of music are too much. `reset` a slot
    before its first use.
    """

    def __init__(self, capacity: int, looks_per_s: float, length_s: float = DEFAULT_S) -> None:
        self.kind: Kinds = np.zeros(capacity, np.uint8)
        """0, `MUSIC` or `TONE`: what each slot was caught with, `(capacity,)`."""
        self._length = length_s
        self._step = 1.0 / looks_per_s
        self._share = np.float32(1.0 - np.exp(-self._step / _AVERAGE_S))
        self._rest = round(_REST_S * looks_per_s)
        self._peak = np.zeros(capacity, np.float32)
        self._partials: Float32 | None = None
        """Of the last look, made with the first one."""
        self._followed: Bool = np.zeros(capacity, np.bool_)
        self._silent = np.zeros(capacity, np.int32)
        self._means = np.zeros((capacity, 5), np.float32)
        self._music_s = np.zeros(capacity, np.float32)
        """Seconds of music, less what speech has made forgotten."""

    def reset(self, slots: Slots) -> None:
        """Forget these slots and what they were caught with."""
        self.kind[slots] = 0
        self._peak[slots] = -100.0
        self._followed[slots] = False
        self._silent[slots] = 0
        self._means[slots] = 0.0
        self._music_s[slots] = 0.0

    def judge(self, slots: Slots, level: Float32, concentration: Float32, partials: Float32) -> Judged:
        """One more look at each of these slots: level dBFS and concentration `(slots,)`, partials
        `(slots, bins)`.
        """
        sounds = self._sounds(slots, level)
        means = self._means[slots]
        means += (self._seen(slots, sounds, concentration, partials) - means) * self._share
        self._means[slots] = means
        music, tone, speech = _likely(means)
        step = np.where(music | tone, self._step, np.where(speech, -_CLEARS * self._step, 0.0))
        step = np.where((self._silent[slots] > 0) & ~tone, np.minimum(step, 0.0), step)
        step[self._silent[slots] >= self._rest] = -_SILENCE_CLEARS * self._step
        seconds = np.minimum(np.maximum(self._music_s[slots] + step, 0.0), self._length).astype(np.float32)
        self._music_s[slots] = seconds

        kind = self.kind[slots]
        caught = (kind == 0) & (seconds >= self._length)
        free = (kind != 0) & (_free(means) | (self._silent[slots] >= self._rest))
        self.kind[slots] = np.where(caught, np.where(tone, TONE, MUSIC), np.where(free, 0, kind))
        self._means[slots[caught]] = 0.0
        self._music_s[slots[free]] = 0.0
        return Judged(slots[caught], slots[free])

    def _sounds(self, slots: Slots, level: Float32) -> Bool:
        """Which of the slots are not in a pause."""
        peak = np.maximum(level, self._peak[slots] - _PEAK_FALL_DB)
        self._peak[slots] = peak
        sounds: Bool = (level > QUIETEST_DBFS) & (level > peak - _BELOW_PEAK_DB)
        self._silent[slots] = np.where(sounds, 0, self._silent[slots] + 1)
        return sounds

    def _seen(self, slots: Slots, sounds: Bool, concentration: Float32, partials: Float32) -> Float32:
        """What the means are of, `(slots, 5)`: 1, sound, sound after sound, its likeness, tones."""
        if self._partials is None:
            self._partials = np.zeros((len(self.kind), partials.shape[1]), np.float32)
        compared = sounds & self._followed[slots]
        likeness = np.einsum("ij,ij->i", partials, self._partials[slots])
        self._partials[slots] = partials
        self._followed[slots] = sounds
        seen = np.empty((len(slots), 5), np.float32)
        seen[:, 0] = 1.0
        seen[:, 1] = sounds
        seen[:, 2] = compared
        seen[:, 3] = np.where(compared, likeness, 0.0)
        seen[:, 4] = sounds & (concentration >= _TONE_CONCENTRATION)
        return seen


def _likely(means: Float32) -> tuple[Bool, Bool, Bool]:
    """Whether means `(slots, 5)` are those of music, of a tone, of speech."""
    seen, sounds, compared, likeness, tone = means.T
    music = (sounds >= _MUSIC_SOUNDS * seen) & (likeness >= _MUSIC_LIKENESS * compared)
    tones = (sounds >= _TONE_SOUNDS * seen) & (tone >= _TONE_SHARE * sounds)
    rests = (sounds <= _RESTING_SOUNDS * seen) & (likeness < _MUSIC_LIKENESS * compared)
    speech = (compared > 0.1 * seen) & ((likeness <= _SPEECH_LIKENESS * compared) | rests)
    return music, tones, speech


def _free(means: Float32) -> Bool:
    """Whether the means of what came since somebody was caught are those of a voice, for sure."""
    seen, sounds, compared, likeness, tone = means.T
    rests = (sounds <= _RESTING_SOUNDS * seen) & (likeness <= _RESTING_LIKENESS * compared)
    free: Bool = (seen >= _FREE_LOOKS) & (compared >= 0.2) & (tone < 0.2 * sounds)
    free &= (likeness <= _FREE_LIKENESS * compared) | rests
    return free
