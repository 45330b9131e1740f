"""Tones made by arithmetic: sines, beeps, key tones, ringing.

Levels are in dBFS of a sine's RMS against a full-scale sine: 0 dBFS peaks at 32767, and -3 dBm0 is near -6
here (G.711 puts a full-scale sine at +3.14 dBm0). DTMF follows ITU-T Q.23 (frequencies) and Q.24 (timing);
ringing tones follow ITU-T E.180's national table.
"""

import numpy as np

from townhall.audio.shapes import Float64, Int16
from townhall.errors import TownhallError

FULL_SCALE = 32767.0

DTMF_LOW = (697, 770, 852, 941)
DTMF_HIGH = (1209, 1336, 1477, 1633)
DTMF_KEYS = "123A456B789C*0#D"
"""The keys row by row: key `k` sounds `DTMF_LOW[k // 4]` and `DTMF_HIGH[k % 4]`."""

_ONE_FOUR = (1.0, 4.0)
_ONE_FIVE = (1.0, 5.0)
_DOUBLE = (0.4, 0.2, 0.4, 2.0)
_US = ((440.0, 480.0), (2.0, 4.0))
RINGBACK: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "at": ((420.0,), _ONE_FIVE), "au": ((400.0, 450.0), _DOUBLE), "be": ((425.0,), (1.0, 3.0)),
    "bg": ((425.0,), (1.0, 9.0)), "br": ((425.0,), _ONE_FOUR), "ch": ((425.0,), _ONE_FOUR),
    "cl": ((400.0,), (1.0, 3.0)), "cn": ((450.0,), _ONE_FOUR), "cz": ((425.0,), _ONE_FOUR),
    "de": ((425.0,), _ONE_FOUR), "dk": ((425.0,), _ONE_FOUR), "ee": ((425.0,), _ONE_FOUR),
    "es": ((425.0,), (1.5, 3.0)), "fi": ((425.0,), _ONE_FOUR), "fr": ((440.0,), (1.5, 3.5)),
    "gr": ((425.0,), _ONE_FOUR), "hu": ((425.0,), (1.25, 3.75)), "il": ((400.0,), (1.0, 3.0)),
    "in": ((400.0,), _DOUBLE), "it": ((425.0,), _ONE_FOUR), "jp": ((400.0,), (1.0, 2.0)),
    "lt": ((425.0,), _ONE_FOUR), "mx": ((425.0,), _ONE_FOUR), "my": ((425.0,), _DOUBLE),
    "nl": ((425.0,), _ONE_FOUR), "no": ((425.0,), _ONE_FOUR), "nz": ((400.0, 450.0), _DOUBLE),
    "ph": ((425.0, 480.0), _ONE_FOUR), "pl": ((425.0,), _ONE_FOUR), "pt": ((425.0,), _ONE_FIVE),
    "ru": ((425.0,), _ONE_FOUR), "se": ((425.0,), _ONE_FIVE), "sg": ((425.0,), _DOUBLE),
    "th": ((420.0,), _ONE_FOUR), "tw": ((440.0, 480.0), (1.0, 2.0)), "uk": ((400.0, 450.0), _DOUBLE),
    "us": _US, "us-old": ((420.0, 40.0), (2.0, 4.0)), "ve": ((425.0,), _ONE_FOUR), "za": ((400.0,), _DOUBLE),
}  # fmt: skip
"""Country: frequencies in Hz, and seconds on, off, on, off…"""


class ToneError(TownhallError):
    """A tone was asked for that does not exist."""


def _wave(hz: float, seconds: float, rate: int, level_dbfs: float) -> Float64:
    time = np.arange(round(seconds * rate)) / rate
    wave: Float64 = FULL_SCALE * 10 ** (level_dbfs / 20) * np.sin(2 * np.pi * hz * time)
    return wave


def _soften(wave: Float64, rate: int, edge_ms: float) -> Float64:
    """Raise and lower the ends along half a cosine, so that they do not click."""
    edge = min(round(rate * edge_ms / 1000), len(wave) // 2)
    slope = 0.5 - 0.5 * np.cos(np.pi * (np.arange(edge) + 0.5) / max(edge, 1))
    wave = wave.copy()
    wave[:edge] *= slope
    wave[len(wave) - edge :] *= slope[::-1]
    return wave


def _pcm(wave: Float64) -> Int16:
    return np.clip(np.rint(wave), -32768, 32767).astype(np.int16)


def sine(hz: float, seconds: float, rate: int = 8000, level_dbfs: float = -16.0) -> Int16:
    """A plain sine, int16 `(seconds * rate,)`, with hard ends, beginning at phase zero."""
    return _pcm(_wave(hz, seconds, rate, level_dbfs))


def _note(hz: float, seconds: float, rate: int) -> Float64:
    """A bell-like note: a fundamental with a little octave, quick to rise and slow to fall."""
    time = np.arange(round(seconds * rate)) / rate
    wave = _wave(hz, seconds, rate, -16.0) + _wave(2 * hz, seconds, rate, -30.0)
    return _soften(wave * np.exp(-time / (0.6 * seconds)), rate, 8.0)


def _two_notes(first_hz: float, second_hz: float, rate: int) -> Int16:
    first, second = _note(first_hz, 0.16, rate), _note(second_hz, 0.22, rate)
    wave = np.zeros(round(0.32 * rate))
    wave[: len(first)] += first
    wave[len(wave) - len(second) :] += second
    return _pcm(wave)


def beep_enter(rate: int = 8000) -> Int16:
    """Somebody came in: two notes rising by a fourth, 0.32 s."""
    return _two_notes(587.33, 783.99, rate)


def beep_exit(rate: int = 8000) -> Int16:
    """Somebody went: the same two notes falling."""
    return _two_notes(783.99, 587.33, rate)


def beep_record(rate: int = 8000) -> Int16:
    """Speak now: one high note, half a second."""
    return _pcm(_soften(_wave(1000.0, 0.5, rate, -18.0), rate, 8.0))


def dtmf(
    digits: str, rate: int = 8000, on_ms: float = 100.0, off_ms: float = 100.0, level_dbfs: float = -12.0
) -> Int16:
    """Key tones with a pause after each; `level_dbfs` is that of each of the two frequencies.

    `w` is a pause of half a second and `W` of one. Raises `ToneError` for anything that is not `0-9 A-D * # w
    W`.
    """
    pieces = [_key(digit, rate, on_ms, off_ms, level_dbfs) for digit in digits]
    return np.concatenate(pieces) if pieces else np.zeros(0, np.int16)


def _key(digit: str, rate: int, on_ms: float, off_ms: float, level_dbfs: float) -> Int16:
    if digit in ("w", "W"):
        return np.zeros(round(rate * (0.5 if digit == "w" else 1.0)), np.int16)
    key = DTMF_KEYS.find(digit.upper()) if digit else -1
    if key < 0:
        raise ToneError(f"{digit!r} is not a key: expected 0-9, A-D, *, #, w or W")
    low = _wave(DTMF_LOW[key // 4], on_ms / 1000, rate, level_dbfs)
    high = _wave(DTMF_HIGH[key % 4], on_ms / 1000, rate, level_dbfs)
    pause = np.zeros(round(rate * off_ms / 1000), np.int16)
    return np.concatenate((_pcm(_soften(low + high, rate, 2.0)), pause))


def ringback(country: str = "us", rate: int = 8000) -> Int16:
    """One period of a country's ringing tone, to be repeated. Raises `ToneError` for an unknown country."""
    if country not in RINGBACK:
        raise ToneError(
            f"no ringing tone for country {country!r}: expected one of {', '.join(sorted(RINGBACK))}"
        )
    frequencies, cadence = RINGBACK[country]
    pieces: list[Int16] = []
    for index, seconds in enumerate(cadence):
        if index % 2:
            pieces.append(np.zeros(round(seconds * rate), np.int16))
            continue
        wave = np.sum([_wave(hz, seconds, rate, -20.0) for hz in frequencies], axis=0)
        pieces.append(_pcm(_soften(wave, rate, 5.0)))
    return np.concatenate(pieces)


def comfort(samples: int, level_dbfs: float = -60.0, seed: int = 0) -> Int16:
    """Faint noise, int16 `(samples,)`, for a line that would otherwise sound dead; the same for the same
    seed.
    """
    noise = np.random.default_rng(seed).normal(0.0, 1.0, samples + 1)
    smooth = (noise[1:] + 0.6 * noise[:-1]) / np.sqrt(1.36)
    return _pcm(smooth * 32768.0 * 10 ** (level_dbfs / 20))
