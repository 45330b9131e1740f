"""How far back a signal resembles itself: the lag that concealment and time stretching repeat or skip by.

Normalised cross-correlation over all lags from 4 to 20 ms, by FFT, for many rows at once.
"""

import numpy as np

from townhall.audio.shapes import Float32, Slots

SHORTEST_LAG = 32
LONGEST_LAG = 160
WINDOW = 160
"""Samples compared at every lag."""

SEARCH_SAMPLES = WINDOW + LONGEST_LAG
_FFT = 512


def best_lag(signal: Float32) -> tuple[Slots, Float32]:
    """The lag at which the last `WINDOW` samples of each row resemble what came before.

    `signal` is float32 `(rows, SEARCH_SAMPLES)`. Returns lags int `(rows,)` in SHORTEST_LAG..LONGEST_LAG and
    their correlation float32 `(rows,)` in -1..1.
    """
    latest = signal[:, LONGEST_LAG:]
    spectrum = np.fft.rfft(signal, _FFT, axis=1)
    spectrum *= np.conj(np.fft.rfft(latest, _FFT, axis=1))
    # Entry `LONGEST_LAG - lag` compares with the window that begins there.
    products = np.fft.irfft(spectrum, _FFT, axis=1)[:, : LONGEST_LAG - SHORTEST_LAG + 1]
    power = np.cumsum(np.square(signal, dtype=np.float64), axis=1)
    power = np.concatenate((np.zeros((len(signal), 1)), power), axis=1)
    starts = np.arange(LONGEST_LAG - SHORTEST_LAG + 1)
    energy = power[:, starts + WINDOW] - power[:, starts]
    own = power[:, -1] - power[:, LONGEST_LAG]
    # The constant keeps silence, where anything resembles anything, from dividing by nothing.
    score = products / np.sqrt(energy * own[:, None] + 1e4)
    best = score.argmax(axis=1)
    return LONGEST_LAG - best, score[np.arange(len(score)), best].astype(np.float32)
