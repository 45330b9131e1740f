"""Between 8 and 16 kHz, 20 ms at a time, many signals in one array step.

A half-band filter of 63 taps: flat to 3.4 kHz, 70 dB down from 4.6 kHz, 2 ms of delay either way. Every
second tap is zero and the middle one is one, so each step is one matrix product with a band matrix, on blocks
of 32 samples. Signals are sums of several voices (int32) or single ones; the filters are linear, so what is
subtracted after them is gone as if it had been subtracted before. For whole files soxr is better (`clips`).
"""

import numpy as np

from townhall.audio.shapes import TICK_SAMPLES, Float32, Int16, Int32, Slots

WIDE_SAMPLES = 2 * TICK_SAMPLES
"""Samples of a tick at 16 kHz."""

DELAY_MS = 2.0

_TAPS = 32
"""Taps that are not zero, the middle one left out."""
_BLOCK = 32
_KAISER_BETA = 6.8
_BLOCKS = TICK_SAMPLES // _BLOCK


def _odd_taps() -> Float32:
    offsets = np.arange(-(_TAPS - 1), _TAPS, 2)
    window = np.i0(_KAISER_BETA * np.sqrt(1 - (offsets / _TAPS) ** 2)) / np.i0(_KAISER_BETA)
    taps = np.sinc(offsets / 2) * window
    return np.asarray(taps / taps.sum(), np.float32)  # nothing is left of a steady tone's mirror image


def _band() -> Float32:
    band = np.zeros((_BLOCK + _TAPS - 1, _BLOCK), np.float32)
    for column in range(_BLOCK):
        band[column : column + _TAPS, column] = _odd_taps()
    return band


_BAND = _band()


def _filtered(signal: Float32) -> Float32:
    """The odd taps over `signal` `(n, 191)`, contiguous: `(n, 160)`."""
    rows, (step, item) = len(signal), signal.strides
    blocks = np.ndarray(
        (rows, _BLOCKS, len(_BAND)), np.float32, signal, 0, (step, _BLOCK * item, item)
    ).reshape(-1, len(_BAND))
    filtered: Float32 = (blocks @ _BAND).reshape(rows, TICK_SAMPLES)
    return filtered


class Upsampler:
    """8 to 16 kHz for `capacity` signals; `reset` a row before its first frame."""

    def __init__(self, capacity: int) -> None:
        self._past = np.zeros((capacity, _TAPS - 1), np.float32)

    def reset(self, rows: Slots) -> None:
        self._past[rows] = 0

    def process(self, rows: Slots, frames: Int16 | Int32) -> Int32:
        """The next 20 ms of each row, `(n, 160)` to int32 `(n, 320)`; a row occurs once."""
        signal = np.concatenate((self._past[rows], frames), axis=1, dtype=np.float32)
        self._past[rows] = signal[:, TICK_SAMPLES:]
        wide = np.empty((len(signal), WIDE_SAMPLES), np.float32)
        wide[:, ::2] = signal[:, _TAPS // 2 - 1 : _TAPS // 2 - 1 + TICK_SAMPLES]
        wide[:, 1::2] = _filtered(signal)
        np.rint(wide, out=wide)
        return wide.astype(np.int32)


class Downsampler:
    """16 to 8 kHz for `capacity` signals; `reset` a row before its first frame."""

    def __init__(self, capacity: int) -> None:
        self._past = np.zeros((capacity, 2 * _TAPS), np.float32)

    def reset(self, rows: Slots) -> None:
        self._past[rows] = 0

    def process(self, rows: Slots, frames: Int16 | Int32) -> Int32:
        """The next 20 ms of each row, `(n, 320)` to int32 `(n, 160)`; a row occurs once."""
        signal = np.concatenate((self._past[rows], frames), axis=1, dtype=np.float32)
        self._past[rows] = signal[:, WIDE_SAMPLES:]
        odd = np.ascontiguousarray(signal[:, 1:-2:2])
        narrow = signal[:, _TAPS : _TAPS + WIDE_SAMPLES : 2] + _filtered(odd)
        narrow *= np.float32(0.5)
        np.rint(narrow, out=narrow)
        return narrow.astype(np.int32)
