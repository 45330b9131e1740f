"""A voice without words, for what must tell speech from tones and noise: vowels with formants and a gliding
pitch, hissed consonants, four syllables a second, a breath after every phrase.

The same numbers make the same sound, so tests can say what comes of it.
"""

import numpy as np
from numpy.typing import NDArray

RATE = 8000
Samples = NDArray[np.int16]

_VOWELS = ((730, 1090, 2440), (530, 1840, 2480), (270, 2290, 3010), (570, 840, 2410), (300, 870, 2240))
"""Formants in Hz of a, e, i, o, u (Peterson and Barney 1952, men)."""
_WIDTHS = (80.0, 100.0, 140.0)


def speech(seconds: float, dbfs: float = -25.0, pitch: float = 120.0, seed: int = 1) -> Samples:
    """int16 `(seconds * 8000,)`; `dbfs` is the level while it sounds, `pitch` the voice's middle in Hz."""
    random = np.random.default_rng(seed)
    pieces: list[NDArray[np.float64]] = []
    length = round(seconds * RATE)
    while sum(len(piece) for piece in pieces) < length:
        for _ in range(int(random.integers(5, 9))):
            pieces.append(_syllable(random, pitch * random.uniform(0.85, 1.2)))
        pieces.append(np.zeros(round(random.uniform(0.3, 0.45) * RATE)))
    sound = np.concatenate(pieces)[:length]
    frames = np.square(sound[: length // 160 * 160].reshape(-1, 160)).mean(axis=1)
    active = frames[frames > frames.max() * 1e-2].mean()
    scaled = sound * np.sqrt(10 ** (dbfs / 10) / active) * 32768.0
    return np.clip(np.rint(scaled), -32767, 32767).astype(np.int16)


def babble(seconds: float, dbfs: float = -25.0, voices: int = 6, seed: int = 50) -> Samples:
    """Several of them at once."""
    pitches = np.linspace(90, 230, voices)
    each = [speech(seconds, dbfs, float(pitch), seed + place) for place, pitch in enumerate(pitches)]
    return _at(np.sum(each, axis=0, dtype=np.float64), dbfs)


def fan(seconds: float, dbfs: float, seed: int = 7) -> Samples:
    """Low, steady noise with a blade's hum in it."""
    length = round(seconds * RATE)
    spectrum = np.fft.rfft(np.random.default_rng(seed).normal(size=length))
    hz = np.fft.rfftfreq(length, 1 / RATE)
    noise = np.fft.irfft(spectrum / (1 + (hz / 150)), length)
    noise = noise / noise.std() + 0.3 * np.sin(2 * np.pi * 120 * np.arange(length) / RATE)
    return _at(noise, dbfs)


def hum(seconds: float, dbfs: float) -> Samples:
    """Mains hum of 50 Hz and its odd harmonics."""
    time = np.arange(round(seconds * RATE)) / RATE
    return _at(sum(np.sin(2 * np.pi * 50 * times * time + times) / times for times in (1, 2, 3, 5, 7)), dbfs)


def mixed(*sounds: Samples) -> Samples:
    """Their sum, as long as the shortest."""
    length = min(len(sound) for sound in sounds)
    total = np.sum([sound[:length] for sound in sounds], axis=0, dtype=np.int64)
    return np.clip(total, -32767, 32767).astype(np.int16)


def frames_of(samples: Samples) -> Samples:
    """Whole frames of 20 ms, `(n, 160)`."""
    return samples[: len(samples) // 160 * 160].reshape(-1, 160)


def wide_frames_of(samples: Samples) -> Samples:
    """The same at 16 kHz, `(n, 320)`, without anything above 4 kHz."""
    spectrum = np.fft.rfft(samples.astype(np.float64))
    wide = 2 * np.fft.irfft(spectrum, 2 * len(samples))
    return (
        np.clip(np.rint(wide), -32768, 32767).astype(np.int16)[: len(samples) // 160 * 320].reshape(-1, 320)
    )


def _syllable(random: np.random.Generator, pitch: float) -> NDArray[np.float64]:
    vowel = np.array(_VOWELS[int(random.integers(len(_VOWELS)))])
    hiss = random.normal(size=round(random.uniform(0.03, 0.07) * RATE))
    hiss = np.diff(hiss, prepend=0.0) * np.hanning(len(hiss)) * 0.05
    length = round(random.uniform(0.14, 0.24) * RATE)
    course = pitch * np.linspace(1.0, random.uniform(0.82, 1.15), length)
    phase = 2 * np.pi * np.cumsum(course) / RATE
    harmonics = np.arange(1, int(3600 / course.max()) + 1)
    gains = _formants(harmonics * pitch, vowel) / harmonics
    sound = (np.sin(np.outer(harmonics, phase)) * gains[:, None]).sum(axis=0)
    envelope = np.minimum(1.0, np.minimum(np.arange(length), np.arange(length)[::-1]) / (0.035 * RATE))
    return np.concatenate((hiss, sound / np.abs(sound).max() * envelope * random.uniform(0.6, 1.0)))


def _formants(hz: NDArray[np.float64], formants: NDArray[np.int64]) -> NDArray[np.float64]:
    gains = [0.05 + 1 / (1 + ((hz - each) / wide) ** 2) for each, wide in zip(formants, _WIDTHS, strict=True)]
    return np.sum([gain / (1 + place) for place, gain in enumerate(gains)], axis=0)


def _at(sound: NDArray[np.float64], dbfs: float) -> Samples:
    scaled = sound / np.sqrt(np.square(sound).mean()) * 10 ** (dbfs / 20) * 32768.0
    return np.clip(np.rint(scaled), -32767, 32767).astype(np.int16)
