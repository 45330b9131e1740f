"""What 50 ms of a sound are like: how periodic, how much like one or two tones, which partials it has.

Three figures tell a voice from what else comes down a telephone line. *Periodicity* is the highest peak of
the normalised autocorrelation at the pitches of voices (70 to 400 Hz): near 1 for vowels, tones and notes,
low for noise. *Concentration* is the share of the power in the two strongest lines: near 1 for key tones,
dial tones and test tones, 0.9 at most for vowels. *Partials* are the spectrum without its envelope: between
two moments a sixth of a second apart they are alike when a note or a tone lasts, and not when a voice glides
or noise hisses. All rows at once; a window costs some 3 µs, and another 2 if its partials are wanted.
"""

from dataclasses import dataclass

import numpy as np

from townhall.audio.shapes import SAMPLE_RATE, Float32, Int16, Slots

WINDOW = 400
"""Samples of one look, 50 ms: three periods of the lowest pitch."""

_SIZE = 512
_BINS = _SIZE // 2 + 1
_BIN_HZ = SAMPLE_RATE / _SIZE
_LOWEST_HZ, _HIGHEST_HZ = 70, 400
_SHORTEST, _LONGEST = SAMPLE_RATE // _HIGHEST_HZ, SAMPLE_RATE // _LOWEST_HZ + 1
_LINE = 4
"""Bins to either side that belong to a spectral line: the window's main lobe."""
_AROUND = np.arange(-_LINE, _LINE + 1)
_ENVELOPE = 15
"""Bins (some 230 Hz) over which the envelope is averaged."""
_FIRST, _LAST = 8, 223
"""Bins 125 to 3500 Hz: what a telephone passes, without the hum."""
PARTIALS = _LAST - _FIRST + 1
"""How many these are."""
_SIDE = _ENVELOPE // 2
_PADDED = np.clip(np.arange(_FIRST - _SIDE - 1, _LAST + _SIDE + 1), _FIRST, _LAST)
"""These bins, with the outermost ones repeated by as many as the average reaches beyond."""


def _window() -> Float32:
    window: Float32 = np.hanning(WINDOW + 2)[1:-1].astype(np.float32)
    return window


def _window_correlation() -> Float32:
    """The autocorrelation of the window itself at the lags that are looked at, 1 at lag 0."""
    power = np.abs(np.fft.rfft(_window(), _SIZE)) ** 2
    correlation = np.fft.irfft(power, _SIZE)
    part: Float32 = (correlation / correlation[0])[_SHORTEST : _LONGEST + 1].astype(np.float32)
    return part


def _tilt() -> Float32:
    """A power weight that lifts the higher harmonics: a first-order pre-emphasis of 0.9."""
    turn = np.exp(-2j * np.pi * np.arange(_BINS) / _SIZE)
    weight: Float32 = (np.abs(1 - 0.9 * turn) ** 2).astype(np.float32)
    return weight


_HANN = _window()
_OWN = _window_correlation()
_TILT = _tilt()
_NO_HUM: Float32 = np.clip((np.arange(_BINS) * _BIN_HZ - 80) / 40, 0, 1).astype(np.float32)
"""Mains hum and rumble don't count."""
_LEAST_WITHOUT_HUM = 0.05
"""Share of the power that must be left without them; else the rest is only the window's leakage."""


@dataclass(slots=True)
class Looks:
    """What was seen, a row for each window."""

    periodicity: Float32
    """`(rows,)`, about 0 to 1."""
    concentration: Float32
    """`(rows,)`, 0 to 1."""
    power: Float32
    """`(rows, 257)`: the power spectra, without hum."""

    def partials(self, rows: Slots) -> Float32:
        """Of some rows, `(n, bins)`, each of length 1: the product of two is their likeness, -1 to 1."""
        return _partials(self.power[rows])


def look(windows: Int16) -> Looks:
    """Look at windows of int16 at 8 kHz, `(rows, WINDOW)`."""
    if not len(windows):
        nothing = np.zeros(0, np.float32)
        return Looks(nothing, nothing, np.zeros((0, _BINS), np.float32))
    signal = windows.astype(np.float32)
    signal *= _HANN
    spectrum = np.fft.rfft(signal, _SIZE, axis=1)
    whole = np.square(spectrum.real) + np.square(spectrum.imag)
    power = np.multiply(whole, _NO_HUM, dtype=np.float32)
    hum = power.sum(axis=1) < _LEAST_WITHOUT_HUM * whole.sum(axis=1)
    periodicity = _periodicity(power)
    periodicity[hum] = 0.0
    return Looks(periodicity, _concentration(power * _TILT), power)


def _periodicity(power: Float32) -> Float32:
    # As complex numbers, since numpy takes real ones to 64 bits and back, which is twice the work.
    correlation = np.fft.irfft(power.astype(np.complex64), _SIZE, axis=1)
    peaks = correlation[:, _SHORTEST : _LONGEST + 1] / _OWN
    best: Float32 = peaks.max(axis=1) / (correlation[:, 0] + np.float32(1e-3))
    return best


def _concentration(power: Float32) -> Float32:
    rows = np.arange(len(power))[:, None]
    total = power.sum(axis=1) + np.float32(1e-3)
    inside = np.zeros(len(power), np.float32)
    for _ in range(2):
        line = power.argmax(axis=1)[:, None] + _AROUND
        np.minimum(np.maximum(line, 0, out=line), _BINS - 1, out=line)
        inside += power[rows, line].sum(axis=1)
        power[rows, line] = 0.0
    share: Float32 = np.minimum(inside / total, 1.0)
    return share


def _partials(power: Float32) -> Float32:
    """The logarithmic spectrum less its moving average, scaled to length 1."""
    padded = np.log(power.take(_PADDED, axis=1) + np.float32(1.0))
    sums = np.cumsum(padded, axis=1)
    fine = padded[:, _SIDE + 1 : -_SIDE] - (sums[:, _ENVELOPE:] - sums[:, :-_ENVELOPE]) / _ENVELOPE
    length = np.sqrt(np.einsum("ij,ij->i", fine, fine))[:, None]
    result: Float32 = fine / np.maximum(length, 1e-6)
    return result
