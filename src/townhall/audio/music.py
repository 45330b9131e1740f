"""The music on hold: our own composition, made by arithmetic, so that it ships without a file or a licence.

Sixteen calm bars at 75 beats a minute: a broken chord on a soft plucked voice, a held pad beneath it and a
sparse melody above. Every note lies between 300 Hz and 1.1 kHz with its overtones below 3 kHz, where a
telephone carries it. The score is a circle: tails of notes that run over the end are added at the beginning,
so the loop has no seam to hear.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from townhall.audio.shapes import Float64, Int16

_BEAT_S = 0.8
_BARS = 16
_BEATS = 4 * _BARS
_LEVEL_DBFS = -20.0

# MIDI note numbers of four voices for every bar; the lowest written note is E flat 4 (311 Hz).
_CHORDS = (
    (64, 67, 72, 76), (64, 69, 72, 76), (65, 69, 72, 77), (65, 67, 71, 74),
    (64, 67, 72, 74), (64, 67, 71, 76), (65, 69, 72, 76), (65, 69, 71, 74),
    (64, 69, 72, 76), (64, 67, 71, 74), (65, 69, 72, 77), (64, 67, 72, 76),
    (65, 69, 74, 77), (65, 69, 71, 77), (64, 67, 72, 76), (65, 67, 71, 74),
)  # fmt: skip
_PATTERN = (0, 2, 1, 3, 2, 1, 3, 2)
"""Which voice of the chord sounds on each half beat of a bar."""

# (beat, MIDI note, beats held)
_MELODY = (
    (0, 79, 3), (3, 81, 1), (4, 84, 3), (8, 81, 2), (10, 79, 2), (12, 74, 4),
    (17, 76, 1), (18, 79, 2), (20, 83, 3), (24, 81, 3), (27, 79, 1), (28, 77, 3),
    (32, 76, 3), (35, 79, 1), (36, 83, 3), (40, 84, 2), (42, 81, 2), (44, 79, 4),
    (49, 81, 1), (50, 77, 2), (52, 74, 3), (56, 76, 4), (60, 79, 3),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Voice:
    """How an instrument sounds."""

    overtones: tuple[float, ...]
    """Amplitude of each harmonic, the fundamental first."""
    attack_s: float
    decay_s: float
    """Time constant of the fall; a pad's is long."""
    level: float


_PLUCK = _Voice((1.0, 0.35, 0.12), 0.012, 0.55, 0.55)
_PAD = _Voice((1.0, 0.2), 0.7, 6.0, 0.16)
_LEAD = _Voice((1.0, 0.25, 0.06), 0.06, 1.3, 0.75)


def _note(midi: int, held_s: float, rate: int, voice: _Voice) -> Float64:
    """One note with its tail, which ends in silence."""
    hz = 440.0 * 2 ** ((midi - 69) / 12)
    release_s = 0.6
    time = np.arange(round((held_s + release_s) * rate)) / rate
    wave = np.zeros(len(time))
    for index, amplitude in enumerate(voice.overtones, start=1):
        # Higher harmonics die sooner, as on a string.
        wave += amplitude * np.sin(2 * np.pi * hz * index * time) * np.exp(-time * index / voice.decay_s)
    rise = np.minimum(time / voice.attack_s, 1.0)
    fall = np.clip((held_s + release_s - time) / release_s, 0.0, 1.0)
    shape: Float64 = np.sin(rise * np.pi / 2) ** 2 * np.sin(fall * np.pi / 2) ** 2
    return voice.level * shape * wave


def _score() -> list[tuple[float, int, float, _Voice]]:
    """All notes: beat, MIDI note, beats held, voice."""
    notes: list[tuple[float, int, float, _Voice]] = []
    for bar, chord in enumerate(_CHORDS):
        notes += [(4 * bar + step / 2, chord[voice], 1.5, _PLUCK) for step, voice in enumerate(_PATTERN)]
        notes += [(4 * bar - 0.25, note, 4.0, _PAD) for note in chord[:3]]
    notes += [(beat, note, held, _LEAD) for beat, note, held in _MELODY]
    return notes


@lru_cache(maxsize=4)
def hold_music(rate: int = 16000) -> Int16:
    """One turn of the loop (51.2 s), int16 mono at `rate` Hz, read-only; RMS -20 dBFS, the same on every
    call.
    """
    circle = np.zeros(round(_BEATS * _BEAT_S * rate))
    for beat, midi, held, voice in _score():
        wave = _note(midi, held * _BEAT_S, rate, voice)
        # Every note is far shorter than the circle, so no index occurs twice here.
        circle[(round(beat * _BEAT_S * rate) + np.arange(len(wave))) % len(circle)] += wave
    gain = 32768.0 * 10 ** (_LEVEL_DBFS / 20) / np.sqrt(np.mean(circle**2))
    music: Int16 = np.rint(circle * gain).astype(np.int16)
    music.setflags(write=False)
    return music
