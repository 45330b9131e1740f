"""A voice that goes on where it has not come: its last pitch periods over and over, and how to line them up.

All of it for many rows at once. A signal is carried on backwards by turning it round first.
"""

from dataclasses import dataclass

import numpy as np

from townhall.audio.pitch import LONGEST_LAG, SHORTEST_LAG
from townhall.audio.shapes import Float32, Int32

JOIN = 24
"""Samples over which the step at a join is spread."""

FUTURE = 160
"""Samples after a hole that are looked at: a packet, which is all that a clean line has there."""

FARTHEST = 80
"""Samples by which what goes on is shifted at most to meet what follows."""

_FFT = 320
_STEPS = np.arange(LONGEST_LAG)
_SHIFTS = np.arange(-FARTHEST, FARTHEST + 1)
_AROUND = np.arange(-FARTHEST, FARTHEST + FUTURE)
_NEAR = 0.15
"""The pitch changes by no more from one side of a hole to the other."""
_LEAST_COMPARED = 30


@dataclass(frozen=True, slots=True, eq=False)
class Periods:
    """What each row repeats; the first sample after its signal has position 0."""

    samples: Float32
    """float32 `(n, LONGEST_LAG)`, of which `lag` count."""
    lag: Int32
    pitch: Int32
    """The pitch period; `lag` is one or some of them."""
    step: Float32
    """From the last repeated sample to the last real one, `(n,)`: added at the beginning, and soon gone."""

    def at(self, position: Float32) -> Float32:
        """The signal at positions ≥ 0, float32 `(n, k)`, between samples as well."""
        lag = self.lag[:, None]
        phase = position % lag.astype(np.float32)
        low = np.minimum(phase.astype(np.int32), lag - 1)
        part = phase - low
        high = low + 1
        high = np.where(high == lag, 0, high)
        row = (np.arange(len(lag)) * LONGEST_LAG)[:, None]
        flat = self.samples.ravel()
        here = flat[low + row]
        join = np.maximum(1 - position / np.float32(JOIN), 0) * self.step[:, None]
        found: Float32 = here + (flat[high + row] - here) * part + join
        return found


def repeat(history: Float32, pitch: Int32, times: Int32, known: Int32) -> Periods:
    """The last `times` pitch periods of each row of `history` `(n, width)`, whose last `known` samples are
    real, made so that their end leads over to their beginning.
    """
    rows, width = np.arange(len(history))[:, None], history.shape[1]
    lag = pitch * times
    span = lag[:, None]
    place = np.minimum(width - span + _STEPS, width - 1)
    period = history[rows, place]
    before = history[rows, np.maximum(place - span, 0)]
    quarter = (pitch // 4)[:, None]
    weight = np.clip((_STEPS - (span - quarter) + 0.5) / quarter, 0, 1).astype(np.float32)
    weight *= (lag + pitch // 4 <= known)[:, None]
    last = history[rows[:, 0], np.maximum(width - 1 - lag, 0)]
    step = np.where(lag < known, history[:, -1] - last, 0).astype(np.float32)
    return Periods(period + (before - period) * weight, lag, pitch, step)


def pitch_near(signal: Float32, known: Int32, pitch: Int32, sure: Float32) -> Int32:
    """The pitch of the first `known` samples of `signal` `(n, FUTURE)` (zeros follow), if it is near `pitch`;
    `pitch` itself where the signal is too short or it is not `sure` enough (0 to 1) that there is one.
    """
    lags = np.arange(SHORTEST_LAG, FUTURE - _LEAST_COMPARED)
    spectrum = np.fft.rfft(signal, _FFT, axis=1)
    products = np.fft.irfft(spectrum.real**2 + spectrum.imag**2, _FFT, axis=1)[:, lags]
    power = _running_power(signal)
    whole = power[:, -1:]
    first = np.take_along_axis(power, np.maximum(known[:, None] - lags, 0), axis=1)
    score = products / np.sqrt(first * (whole - power[:, lags]) + 1e4)
    far = np.abs(lags - pitch[:, None]) > _NEAR * pitch[:, None]
    score[far | (lags > known[:, None] - _LEAST_COMPARED)] = -1.0
    best = score.argmax(axis=1)
    found = (score[np.arange(len(score)), best] > 0) & (sure > 0.5)
    return np.where(found, lags[best], pitch).astype(np.int32)


def alignment(
    past: Periods, position: Int32, future: Float32, known: Int32, most: Int32
) -> tuple[Int32, Float32]:
    """Where `past` at `position` resembles `future` `(n, FUTURE)`, of which `known` samples are real.

    Returns by how many samples later, at most `most` either way, int32 `(n,)`, and how alike they are there,
    0 to 1, float32 `(n,)`. A shift costs likeness: one by half of the hole must be worth it.
    """
    around = past.at(np.maximum(position[:, None] + _AROUND, 0).astype(np.float32))
    spectrum = np.fft.rfft(around, _FFT, axis=1) * np.conj(np.fft.rfft(future, _FFT, axis=1))
    products = np.fft.irfft(spectrum, _FFT, axis=1)[:, : 2 * FARTHEST + 1]
    power = _running_power(around)
    starts = np.arange(2 * FARTHEST + 1)
    energy = np.take_along_axis(power, starts + known[:, None], axis=1) - power[:, : 2 * FARTHEST + 1]
    own = np.square(future, dtype=np.float32).sum(axis=1)
    score = products / np.sqrt(np.maximum(energy, 0) * own[:, None] + 1e4)
    weighed = score - np.abs(_SHIFTS) / (4 * np.maximum(most, 1)[:, None]).astype(np.float32)
    weighed[np.abs(_SHIFTS) > most[:, None]] = -9.0
    best = weighed.argmax(axis=1)
    alike = score[np.arange(len(score)), best]
    return _SHIFTS[best].astype(np.int32), np.clip(alike, 0, 1).astype(np.float32)


def _running_power(signal: Float32) -> "np.ndarray[tuple[int, int], np.dtype[np.float64]]":
    """The energy before each sample, and of all, float64 `(n, width + 1)`."""
    power = np.zeros((len(signal), signal.shape[1] + 1))
    np.cumsum(np.square(signal, dtype=np.float32), axis=1, dtype=np.float64, out=power[:, 1:])
    return power
