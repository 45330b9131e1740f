"""Noise suppression: what does not change behind a voice is turned down, band by band.

Short-time spectra with 12 ms of overlap; the noise's power in every bin is followed by the probability that
speech is present there (Gerkmann and Hendriks, "Unbiased MMSE-based noise power estimation with low
complexity and low tracking delay", IEEE TASLP 20, 2012), the signal's by the decision-directed rule (Ephraim
and Malah 1984), and each bin is scaled by Wiener's gain, -14 dB at least. So steady noise falls by some 12
dB, a voice stays, and what comes and goes, such as other voices, stays too. Delays by 12 ms. All rows at
once.
"""

import numpy as np
from numpy.typing import NDArray

from townhall.audio.shapes import Float32, Int16, Slots

_OVERLAP_SHARE = 0.6
"""Of a frame: 12 of its 20 ms."""
_PRESENT = 10 ** (15.0 / 10)
"""A-priori SNR of a bin in which there is speech."""
_NOISE_KEPT = 0.8
_PRESENCE_KEPT = 0.9
_MOST_PRESENCE = 0.99
"""More for long would keep the noise's power from ever being followed again."""
_SPEECH_KEPT = 0.96
_LEAST_GAIN = 0.2
_FIRST_FRAMES = 6
"""Whose average is the first estimate; they pass as they are."""


class NoiseSuppressor:
    """Of `capacity` legs, in frames of `samples` each (20 ms at 8 or 16 kHz). `reset` a slot before its first
    use.
    """

    def __init__(self, capacity: int, samples: int) -> None:
        self._samples = samples
        self._overlap = round(samples * _OVERLAP_SHARE)
        self._size = samples + self._overlap
        bins = self._size // 2 + 1
        self._window = _window(self._size, self._overlap)
        self._before = np.zeros((capacity, self._overlap), np.float32)
        """The end of the last frame as it came, and as it goes out with the next."""
        self._after = np.zeros((capacity, self._overlap), np.float32)
        self._noise = np.zeros((capacity, bins), np.float32)
        self._presence = np.zeros((capacity, bins), np.float32)
        self._clean = np.zeros((capacity, bins), np.float32)
        """Power of what was let through in the last frame."""
        self._frames = np.zeros(capacity, np.int32)

    def reset(self, slots: Slots) -> None:
        for state in (self._before, self._after, self._noise, self._presence, self._clean):
            state[slots] = 0.0
        self._frames[slots] = 0

    def process(self, slots: Slots, frames: Int16) -> Int16:
        """The next frame of each slot, int16 `(slots, samples)`, 12 ms late and with less noise."""
        block = np.concatenate((self._before[slots], frames), axis=1, dtype=np.float32)
        self._before[slots] = block[:, self._samples :]
        spectrum = np.fft.rfft(block * self._window, axis=1)
        power = np.square(spectrum.real) + np.square(spectrum.imag) + np.float32(1.0)
        gain = self._gain(slots, power)
        self._clean[slots] = np.square(gain) * power
        voice = np.fft.irfft(spectrum * gain, self._size, axis=1) * self._window
        voice[:, : self._overlap] += self._after[slots]
        self._after[slots] = voice[:, self._samples :]
        whole: Int16 = np.clip(np.rint(voice[:, : self._samples]), -32768, 32767).astype(np.int16)
        return whole

    def _gain(self, slots: Slots, power: Float32) -> Float32:
        """Each bin's gain `(slots, bins)`; follows the noise."""
        count = self._frames[slots]
        self._frames[slots] = count + 1
        noise = self._noise[slots]
        first = (count < _FIRST_FRAMES)[:, None]
        ratio = power / np.maximum(noise, np.float32(1.0))
        odds = (1 + _PRESENT) * np.exp(-np.minimum(ratio, 80.0) * (_PRESENT / (1 + _PRESENT)))
        present = 1.0 / (1.0 + odds)
        average = self._presence[slots]
        average += (present - average) * np.float32(1 - _PRESENCE_KEPT)
        self._presence[slots] = average
        present = np.where(average > _MOST_PRESENCE, np.minimum(present, _MOST_PRESENCE), present)
        followed = noise + (power - noise) * (1 - present) * np.float32(1 - _NOISE_KEPT)
        started = noise + (power - noise) / (count[:, None] + 1)
        noise = np.where(first, started, followed).astype(np.float32)
        self._noise[slots] = noise
        snr = _SPEECH_KEPT * self._clean[slots] / noise
        snr += (1 - _SPEECH_KEPT) * np.maximum(power / noise - 1, 0.0)
        gain = np.where(first, 1.0, np.maximum(snr / (1 + snr), _LEAST_GAIN))
        return gain.astype(np.float32)


def _window(size: int, overlap: int) -> Float32:
    """Flat with sine flanks; applied twice, neighbours add up to 1."""
    flank = np.sin(np.pi / 2 * (np.arange(overlap) + 0.5) / overlap)
    window: NDArray[np.float64] = np.ones(size)
    window[:overlap] = flank
    window[size - overlap :] = flank[::-1]
    return window.astype(np.float32)
