"""Telling what is to be heard: a tone, music or speech, or nothing.

A tone is there when its own frequency carries a part of the sound that music and speech hardly ever put into
one place. Frequencies that are to be told apart must lie at least 25 Hz from each other (the width of a 200
ms window's lobe).
"""

from collections.abc import Callable
from typing import Literal

import numpy as np

from townhall.phone.hearing import RATE, Samples

Sound = float | Literal["music", "silence", "sound"]
Judge = Callable[[Samples], bool]

WINDOW = RATE // 5
"""Samples a judgement needs: 200 ms."""
_QUIET_RMS = 40.0
"""About -58 dBFS: above G.711's idle noise and a comfort noise's level, below anything meant to be heard."""
_TONE_AMPLITUDE = 400.0
_TONAL_SHARE = 0.5


def amplitude_at(samples: Samples, hz: float) -> float:
    """Amplitude of the sine of frequency `hz` in samples at 8 kHz, in int16 units."""
    window = np.hanning(len(samples))
    turn = np.exp(-2j * np.pi * hz * np.arange(len(samples)) / RATE)
    return float(2 * abs(np.dot(samples * window, turn)) / window.sum())


def rms(samples: Samples) -> float:
    return float(np.sqrt(np.mean(np.square(samples, dtype=np.float64)))) if len(samples) else 0.0


def is_silence(samples: Samples) -> bool:
    return rms(samples) < _QUIET_RMS


def is_tone(samples: Samples, hz: float) -> bool:
    return amplitude_at(samples, hz) > _TONE_AMPLITUDE


def is_music(samples: Samples) -> bool:
    """Sound that no single sine makes up: music or speech (a tone of any frequency is neither)."""
    if is_silence(samples):
        return False
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    peak = int(np.argmax(spectrum))
    lobe = spectrum[max(0, peak - 2) : peak + 3].sum()
    return bool(lobe < _TONAL_SHARE * spectrum.sum())


def judge_of(sound: Sound | Judge) -> Judge:
    """The test for a sound: a frequency in hertz, `music`, `silence`, `sound` (anything), or a test of one's
    own.
    """
    if callable(sound):
        return sound
    if sound == "silence":
        return is_silence
    if sound == "sound":
        return lambda samples: not is_silence(samples)
    if sound == "music":
        return is_music
    return lambda samples: is_tone(samples, float(sound))
