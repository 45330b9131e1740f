"""Hearing tests: which phone's tone, music or silence is in what a phone received.

Every test phone sends a tone of its own (`tone_for`); what another phone received, int16 at 8 kHz, is cut
into quarter seconds, and a tone counts as there when it stands out at its frequency, loud enough and louder
than 12 Hz to either side. So music, speech, key tones, splatter and the noise of G.711 are not taken for
tones, and a dozen tones are told apart.
"""

from collections.abc import Mapping
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from townhall.audio import hold_music
from townhall.audio.tones import DTMF_HIGH, DTMF_LOW

RATE = 8000
SEGMENT = 2000
"""Samples of a quarter of a second: tells tones 40 Hz apart."""

LEAST_DBFS = -45.0
"""A tone softer than this does not count: phones send at -16 to -25 dBFS."""

SILENCE_DBFS = -50.0

Samples = NDArray[np.int16]
Spectrum = NDArray[np.float64]

_BESIDE_HZ = np.array([-12.0, 12.0])
_ABOVE_BESIDE = 10 ** (8.0 / 10)
_AROUND_HZ = np.array([-36.0, -28.0, -20.0, -12.0, 12.0, 20.0, 28.0, 36.0])
_ABOVE_AROUND = 10 ** (17.0 / 10)
"""Against the median around: white noise does that once in a million quarter seconds."""
_TONES = 48
_BEEPS_HZ = (587.33, 783.99)
"""The notes of entry and exit beeps: a tone that breaks off beside one would pass for it."""


@cache
def tone_table() -> tuple[int, ...]:
    """48 frequencies in Hz, 40 Hz apart, none double or treble another, none a key tone or a
    musical note, or near a beep.
    """
    chosen: list[int] = []
    for hz in range(330, 3300):
        if all(_clear_of(hz, other) for other in chosen) and not _taken(hz):
            chosen.append(hz)
    # Neighbours in index are far apart in pitch: small stories get tones from the whole band.
    spread = [hz for start in range(5) for hz in chosen[start::5]]
    return tuple(spread[:_TONES])


def _clear_of(hz: int, other: int) -> bool:
    return hz - other >= 40 and all(abs(hz - times * other) >= 12 for times in (2, 3))


def _taken(hz: int) -> bool:
    if any(abs(hz - key) < 25 for key in DTMF_LOW + DTMF_HIGH):
        return True
    if any(abs(hz - note) < 60 for note in _BEEPS_HZ):
        return True
    semitones = 12 * np.log2(hz / 440.0)
    return bool(abs(semitones - round(semitones)) < (0.3 if hz < 1100 else 0.15))


def tone_for(index: int) -> int:
    """The frequency in Hz of the phone with this number, 0 to 47."""
    return tone_table()[index]


def heard(samples: Samples, tones: Mapping[str, float], share: float = 0.5) -> set[str]:
    """The names of the tones that sound in at least `share` of the quarter seconds of `samples`.

    Raises `ValueError` for less than a quarter of a second: too short to tell.
    """
    there = _there(samples, tones)
    return {name for name, part in zip(tones, there.mean(axis=0), strict=True) if part >= share and part > 0}


def ever_heard(samples: Samples, tones: Mapping[str, float]) -> set[str]:
    """The names of the tones that sound in any quarter second: for "must never be heard"."""
    return heard(samples, tones, share=0.0)


def level_of(samples: Samples, hz: float) -> float:
    """Mean level of a tone in dBFS (a full-scale sine is 0)."""
    power = np.mean(_powers(_segments(samples), np.array([hz])))
    return float(10 * np.log10(power + 1e-12))


def is_silent(samples: Samples, most_dbfs: float = SILENCE_DBFS) -> bool:
    """Whether every 20 ms are below `most_dbfs`. Raises `ValueError` for no samples: that is no silence."""
    if len(samples) == 0:
        raise ValueError("no samples to listen to")
    frames = np.append(samples, np.zeros(-len(samples) % 160, np.int16)).reshape(-1, 160).astype(np.float64)
    loudest = np.sqrt(np.mean(np.square(frames), axis=1)).max()
    return bool(loudest < 32768.0 * 10 ** (most_dbfs / 20))


def sounds_like(samples: Samples, reference: Samples, least: float = 0.75) -> bool:
    """Whether `samples` are a piece of the loop `reference`, wherever it begins; noise and gaps may blur
    them.
    """
    piece = samples.astype(np.float64)
    norm = np.linalg.norm(piece)
    if len(piece) < SEGMENT or norm < 1.0:
        return False
    loop = np.tile(reference.astype(np.float64), 2 + len(piece) // len(reference))
    size = 1 << int(np.ceil(np.log2(len(loop) + len(piece))))
    products = np.fft.irfft(np.fft.rfft(loop, size) * np.conj(np.fft.rfft(piece, size)), size)
    power = np.concatenate(([0.0], np.cumsum(np.square(loop))))
    starts = len(loop) - len(piece) + 1
    energy = power[len(piece) :] - power[:starts]
    likeness = products[:starts] / (norm * np.sqrt(energy + 1.0))
    return bool(likeness.max() >= least)


@lru_cache(maxsize=1)
def _hold_music() -> Samples:
    return hold_music(RATE)


def sounds_like_music(samples: Samples, least: float = 0.75) -> bool:
    """Whether `samples` (a quarter of a second or more) are a piece of our hold music."""
    return sounds_like(samples, _hold_music(), least)


def first_heard_at(samples: Samples, hz: float) -> float | None:
    """Seconds from the beginning until a tone starts, within some 10 ms; None when it never sounds."""
    centres, strong = _course(samples, hz)
    return float(centres[strong.argmax()]) if strong.any() else None


def last_heard_at(samples: Samples, hz: float) -> float | None:
    """Seconds from the beginning until a tone last ends, within some 10 ms; None when it never sounds."""
    centres, strong = _course(samples, hz)
    return float(centres[len(strong) - 1 - strong[::-1].argmax()]) if strong.any() else None


def _segments(samples: Samples) -> Spectrum:
    """Quarter seconds, `(n, 2000)`; the last one reaches back to fill up."""
    if len(samples) < SEGMENT:
        raise ValueError(f"{len(samples)} samples are too few to tell tones: expected {SEGMENT} or more")
    whole = len(samples) // SEGMENT * SEGMENT
    pieces = samples[:whole].reshape(-1, SEGMENT)
    if len(samples) - whole >= SEGMENT // 2:
        pieces = np.concatenate((pieces, samples[None, -SEGMENT:]))
    return pieces.astype(np.float64) / 32768.0


@lru_cache(maxsize=64)
def _turns(hz: tuple[float, ...], length: int) -> NDArray[np.complex128]:
    """Complex sines at each frequency, `(length, frequencies)`."""
    return np.exp(-2j * np.pi * np.outer(np.arange(length), hz) / RATE)


def _powers(segments: Spectrum, hz: Spectrum) -> Spectrum:
    """Power at each frequency in each segment, `(segments, frequencies)`; a full-scale sine has 1."""
    length = segments.shape[1]
    window = np.hanning(length + 2)[1:-1]
    amplitude = (segments * window) @ _turns(tuple(hz.tolist()), length) * (2.0 / window.sum())
    power: Spectrum = np.abs(amplitude) ** 2
    return power


def _there(samples: Samples, tones: Mapping[str, float]) -> NDArray[np.bool_]:
    """Whether each tone stands out in each segment, `(segments, tones)`."""
    segments = _segments(samples)
    hz = np.array(list(tones.values()), dtype=np.float64)
    if len(hz) == 0:
        return np.zeros((len(segments), 0), np.bool_)
    at = _powers(segments, hz)
    beside, around = (_neighbours(segments, hz, offsets) for offsets in (_BESIDE_HZ, _AROUND_HZ))
    there: NDArray[np.bool_] = at > 10 ** (LEAST_DBFS / 10)
    there &= at > _ABOVE_BESIDE * beside.max(axis=2)
    there &= at > _ABOVE_AROUND * np.median(around, axis=2)
    return there


def _neighbours(segments: Spectrum, hz: Spectrum, offsets: Spectrum) -> Spectrum:
    """Powers a little below and above each frequency, `(segments, frequencies, offsets)`."""
    powers = _powers(segments, (hz[:, None] + offsets).ravel())
    return powers.reshape(len(segments), len(hz), len(offsets))


def _course(samples: Samples, hz: float) -> tuple[Spectrum, NDArray[np.bool_]]:
    """Centres in seconds of windows of 100 ms every 5 ms, and whether the tone is at least half as high as at
    its
    loudest in each: a tone that begins at a window's centre gives half its amplitude."""
    window, hop = 800, 40
    padded = np.concatenate((np.zeros(window // 2, np.int16), samples, np.zeros(window // 2, np.int16)))
    pieces = np.lib.stride_tricks.sliding_window_view(padded, window)[::hop] / 32768.0
    power = _powers(pieces, np.array([hz]))[:, 0]
    centres = np.arange(len(pieces)) * hop / RATE
    loudest = power.max(initial=0.0)
    if loudest < 10 ** (LEAST_DBFS / 10) or not _stands_out_somewhere(padded, hz):
        return centres, np.zeros(len(pieces), np.bool_)
    return centres, power >= loudest / 4


def _stands_out_somewhere(samples: Samples, hz: float) -> bool:
    if len(samples) < SEGMENT:
        samples = np.concatenate((samples, np.zeros(SEGMENT - len(samples), np.int16)))
    return bool(_there(samples, {"tone": hz}).any())
