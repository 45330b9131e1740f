"""Mending a filled hole until it fits what stands around it: linear prediction, from both sides at once.

What surrounds a hole (and the first filling of it) says how a sample follows from the 64 before it, and what
is left then from one of those a pitch period ago, which is farther in deep voices. Of all fillings, the one
is best that leaves the least to be explained by anything else, over the hole and the samples behind it that
depend on it (least-squares interpolation of autoregressive signals, after Janssen, Veldhuis and Vries, 1986).
Its equations have the same numbers along each diagonal, so that they need not be solved: a few
conjugate-gradient steps from the first filling, each two pairs of short FFTs for all rows at once, come close
enough that nothing more is heard.
"""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from townhall.audio.shapes import Float32, Int32

ORDER = 64
"""8 ms: the voices of half of all people repeat themselves within it, and all formants do."""
_LONGEST_PERIOD = 150
"""Samples of the longest pitch period that is looked for: that of 53 Hz."""
PAST = 320
"""Samples before a hole that its own depend on, and more."""
LONGEST = 160
"""Samples of the longest hole that is mended."""
FUTURE = 160

_Spectrum: TypeAlias = NDArray[Any]
"""complex64 `(n, frequencies)`"""

_STEPS = 6
_FLOOR = np.float32(1e-4)
"""Noise of -40 dB keeps the prediction of a pure tone from being perfect."""
_LEAST = np.float32(100)
_SPECTRUM = 640
"""Long enough for the products of all samples up to `_LONGEST_PERIOD` apart."""
_NEAR = 640
"""Nothing farther from the hole than `ORDER` and a pitch period plays a part in its equations."""
_HEARD = 128
"""Samples before the hole that say how one follows from the others; what is older speaks of another sound."""
_MOST_GAIN = np.float32(0.8)
"""No voice repeats itself better over 20 ms."""
_BEFORE = _NEAR - LONGEST - FUTURE
_WIDTH = PAST + LONGEST + FUTURE
_WINDOW = np.zeros(_WIDTH, np.float32)
_WINDOW[PAST - _HEARD :] = np.hanning(_WIDTH - PAST + _HEARD + 2)[1:-1] ** 0.15
_WINDOW[PAST : PAST + LONGEST] *= 0.5  # what was only guessed says less
_COSINES = np.cos(
    np.arange(_LONGEST_PERIOD + 1)[:, None] * np.arange(_NEAR // 2 + 1) * (2 * np.pi / _NEAR)
).astype(np.float32)
"""Of each lag and frequency: `|1 - g exp(-i w)|**2` is `1 + g**2 - 2 g cos w`."""
_DISTANCE = np.abs(np.arange(ORDER)[:, None] - np.arange(ORDER))


def mend(signal: Float32, length: Int32) -> Float32:
    """Better values for the holes of `signal` float32 `(n, PAST + LONGEST + FUTURE)`: float32 `(n, LONGEST)`.

    A row is `PAST` samples, its hole of `length` samples with a first filling, at least `ORDER` samples that
    follow, and zeros where nothing more is known. What is beyond a row's hole is returned as it was.
    """
    hole = np.arange(LONGEST) < length[:, None]
    weight = _explained(signal)
    near = signal[:, PAST - _BEFORE :]

    def part(spectrum: _Spectrum) -> Float32:
        inside = np.fft.irfft(spectrum, _NEAR, axis=1)[:, _BEFORE : _BEFORE + LONGEST] * hole
        return inside.astype(np.float32, copy=False)

    def spread(values: Float32) -> _Spectrum:
        placed = np.zeros((len(signal), _NEAR), np.float32)
        placed[:, _BEFORE : _BEFORE + LONGEST] = values
        spectrum: _Spectrum = np.fft.rfft(placed, axis=1)
        return spectrum

    found: Float32 = near[:, _BEFORE : _BEFORE + LONGEST].copy()
    wrong = -part(np.fft.rfft(near, axis=1) * weight)
    way = part(spread(wrong) / weight)
    gain = _product(wrong, way)
    for _ in range(_STEPS):
        effect = part(spread(way) * weight)
        far = gain / np.maximum(_product(way, effect), np.float32(1e-6))
        found += far * way
        wrong -= far * effect
        eased = part(spread(wrong) / weight)
        before, gain = gain, _product(wrong, eased)
        way *= gain / np.maximum(before, np.float32(1e-6))
        way += eased
    return found


def _explained(signal: Float32) -> Float32:
    """For each frequency how little of it is explained by prediction, `(n, _NEAR // 2 + 1)`."""
    spectrum: _Spectrum = np.fft.rfft(signal * _WINDOW, _SPECTRUM, axis=1)
    strength: Float32 = spectrum.real**2 + spectrum.imag**2
    alike = np.fft.irfft(strength, _SPECTRUM, axis=1)[:, : ORDER + 1]
    alike[:, 0] += _FLOOR * alike[:, 0] + _LEAST
    filters = np.zeros((len(signal), ORDER + 1), np.float32)
    filters[:, 0] = 1
    filters[:, 1:] = np.linalg.solve(alike[:, _DISTANCE], -alike[:, 1:, None])[..., 0]
    response: _Spectrum = np.fft.rfft(filters, _NEAR, axis=1)
    near: Float32 = response.real**2 + response.imag**2
    explained: Float32 = near * _unlike(strength * near)
    return explained


def _unlike(left: Float32) -> Float32:
    """How little of what is `left` at each frequency comes again a pitch period later, of the same shape."""
    alike = np.fft.irfft(left, _SPECTRUM, axis=1)[:, : _LONGEST_PERIOD + 1]
    rows = np.arange(len(left))
    lag = alike[:, ORDER:].argmax(axis=1) + ORDER
    gain = np.clip(alike[rows, lag] / np.maximum(alike[:, 0], 1), 0, _MOST_GAIN)[:, None]
    unlike: Float32 = (1 + gain * (gain - 2 * _COSINES[lag])).astype(np.float32)
    return unlike


def _product(one: Float32, other: Float32) -> Float32:
    product: Float32 = np.einsum("ij,ij->i", one, other)[:, None]
    return product
