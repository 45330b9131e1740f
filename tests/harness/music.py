"""Whether a window holds our hold music, wherever in its loop: `tones.sounds_like_music`, but quick.

Every phone of every story asks several times, so the loop's spectrum is kept: correlation with a loop is
circular.
"""

from functools import cache

import numpy as np

from townhall.audio import hold_music
from townhall.phone.hearing import RATE, Samples

_LEAST = 0.6


def is_hold_music(samples: Samples) -> bool:
    """Whether samples at 8 kHz, shape (samples,), are a piece of the music; noise and gaps may blur it."""
    piece = samples.astype(np.float64)
    norm = float(np.linalg.norm(piece))
    if norm < 1.0:
        return False
    loop, spectrum = _loop()
    products = np.fft.irfft(spectrum * np.conj(np.fft.rfft(piece, len(loop))), len(loop))
    likeness = products / (norm * _norms(len(piece)))
    return bool(likeness.max() >= _LEAST)


def learn_music(*seconds: float) -> None:
    """Work out ahead what judging pieces of so many seconds needs.

    The first judgement costs a hundred times what the others do: on a busy machine a story's time would be
    over before it is made.
    """
    for length in seconds:
        is_hold_music(np.ones(round(length * RATE), np.int16))


@cache
def _loop() -> tuple[np.ndarray, np.ndarray]:
    loop = hold_music(RATE).astype(np.float64)
    return loop, np.fft.rfft(loop)


@cache
def _norms(length: int) -> np.ndarray:
    """The norm of every piece of that length, by where it begins."""
    loop, _ = _loop()
    power = np.concatenate(([0.0], np.cumsum(np.square(np.concatenate((loop, loop[:length]))))))
    return np.sqrt(power[length : length + len(loop)] - power[: len(loop)] + 1.0)
