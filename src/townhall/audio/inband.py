"""Key tones in the audio, for phones that send no telephone-event (RFC 4733).

Follows ITU-T Q.23 (frequencies) and Q.24 (what a receiver must take): 40 ms of tone count, interruptions of
10 ms do not, twist up to 8 dB either way, ±1.5 % in frequency, -36 dBm0 and louder. Each window of 20 ms is
projected onto small bases around the eight frequencies, every 10 ms, for all legs with one matrix product; a
window counts only when nearly all its energy is in one low and one high frequency, which speech rarely
manages three windows running.
"""

import numpy as np

from townhall.audio.shapes import SAMPLE_RATE, TICK_SAMPLES, Bool, Float32, Int16, Slots
from townhall.audio.tones import DTMF_HIGH, DTMF_KEYS, DTMF_LOW

_HOP = TICK_SAMPLES // 2
_HITS_TO_PRESS = 3
"""Windows in a row: 40 ms of tone touch at least three by three quarters."""
_MISSES_TO_RELEASE = 2
_NONE = -1

_MIN_SHARE = 0.70
"""Of a window's energy in the two tones; noise 10 dB below the tones still leaves 0.9."""
_MAX_TWIST = 10 ** (9.0 / 10)
_MAX_HARMONIC = 10 ** (-12.0 / 10)
"""Second harmonic of the high tone, against the tone: voices have it, key tones do not."""
_RIVAL = 2.0
"""How much stronger the best frequency of a group must be than the next."""
_MIN_ENERGY = TICK_SAMPLES * (32767.0 * 10 ** (-39.14 / 20)) ** 2 / 2
"""Of a window with both tones at -36 dBm0 (each -39.14 dBFS), halved for windows partly filled."""

_CONFIRMED = 240
"""Samples in the middle of three windows that a press of 40 ms fills wholly: 30 ms."""
_CONFIRMED_SHARE = 0.95
_STEADY = 2.0
"""Greatest ratio of energies among the thirds of these 30 ms: keys sound evenly, voices swell."""
_HISTORY = 3 * _HOP

_TOLERANCE = 0.016
"""Q.24: frequencies off by 1.5 % must be taken."""


def _span(hz: float, samples: int, dimensions: int) -> Float32:
    """Orthonormal columns `(samples, dimensions)` that nearly hold all sines within the tolerance of `hz`."""
    time = np.arange(samples) / SAMPLE_RATE
    turns = 2 * np.pi * np.outer(time, hz * np.linspace(1 - _TOLERANCE, 1 + _TOLERANCE, 9))
    bundle = np.concatenate((np.cos(turns), np.sin(turns)), axis=1)
    return np.linalg.svd(bundle, full_matrices=False)[0][:, :dimensions].astype(np.float32)


def _key_span(low: float, high: float) -> Float32:
    """The same for two tones at once, over the samples that confirm a press."""
    both = np.concatenate((_span(low, _CONFIRMED, 4), _span(high, _CONFIRMED, 6)), axis=1)
    return np.linalg.qr(both)[0].astype(np.float32)


_FREQUENCIES = (*DTMF_LOW, *DTMF_HIGH, *(2 * high for high in DTMF_HIGH))
_BASES = np.concatenate([_span(hz, TICK_SAMPLES, 4) for hz in _FREQUENCIES], axis=1)
_KEY_SPANS = np.stack([_key_span(low, high) for low in DTMF_LOW for high in DTMF_HIGH])
_KEYS = np.array(list(DTMF_KEYS))


def _keys_in(windows: Float32) -> Slots:
    """The key sounding in each window, as an index into `DTMF_KEYS` or -1; windows are `(n, 160)`."""
    projected = windows @ _BASES
    power = np.square(projected, out=projected).reshape(len(windows), -1, 4).sum(axis=2)
    energy = np.einsum("ij,ij->i", windows, windows)
    low, high, second = power[:, :4], power[:, 4:8], power[:, 8:]
    row = np.arange(len(windows))
    best_low, best_high = low.argmax(axis=1), high.argmax(axis=1)
    low_power, high_power = low[row, best_low], high[row, best_high]
    ranked_low, ranked_high = np.sort(low, axis=1), np.sort(high, axis=1)
    valid = low_power + high_power > _MIN_SHARE * energy
    valid &= (low_power < _MAX_TWIST * high_power) & (high_power < _MAX_TWIST * low_power)
    valid &= (ranked_low[:, 3] > _RIVAL * ranked_low[:, 2]) & (ranked_high[:, 3] > _RIVAL * ranked_high[:, 2])
    valid &= second[row, best_high] < _MAX_HARMONIC * high_power
    return np.where(valid, best_low * 4 + best_high, _NONE)


def _is_pure(stretches: Float32, keys: Slots) -> Bool:
    """Whether 30 ms hold this key alone and evenly; stretches are `(n, 240)`, keys `(n,)`."""
    energy = np.einsum("ij,ij->i", stretches, stretches)
    within = np.einsum("ij,ijk->ik", stretches, _KEY_SPANS[keys])
    thirds = np.square(stretches).reshape(len(stretches), 3, -1).sum(axis=2)
    pure: Bool = np.square(within).sum(axis=1) > _CONFIRMED_SHARE * energy
    pure &= thirds.max(axis=1) < _STEADY * thirds.min(axis=1)
    return pure


class InbandDigits:
    """Key presses heard by `capacity` legs, each reported once. `reset` a slot before its first use."""

    def __init__(self, capacity: int) -> None:
        self._tail = np.zeros((capacity, _HISTORY), np.int16)
        self._candidate = np.full(capacity, _NONE, np.int8)
        self._hits = np.zeros(capacity, np.int16)
        self._misses = np.zeros(capacity, np.int16)
        self._held = np.full(capacity, _NONE, np.int8)

    def reset(self, slots: Slots) -> None:
        self._tail[slots] = 0
        self._candidate[slots] = _NONE
        self._hits[slots] = 0
        self._misses[slots] = 0
        self._held[slots] = _NONE

    def detect(self, slots: Slots, frames: Int16) -> tuple[Slots, list[str]]:
        """Take the next 20 ms of each slot, int16 `(slots, 160)`; a slot occurs once in a call.

        Returns the slots with a new press, in order of time, and the pressed keys beside them.
        """
        signal = np.concatenate((self._tail[slots], frames), axis=1).astype(np.float32)
        self._tail[slots] = signal[:, -_HISTORY:]
        rows = len(slots)
        first, second = signal[:, _HISTORY - _HOP : -_HOP], signal[:, _HISTORY:]
        windows = np.concatenate((first, second))
        keys = np.full(2 * rows, _NONE)
        loud = np.flatnonzero(np.einsum("ij,ij->i", windows, windows) > _MIN_ENERGY)
        if len(loud):
            keys[loud] = _keys_in(windows[loud])
        edge = (_HISTORY + _HOP - _CONFIRMED) // 2
        earlier = self._follow(slots, keys[:rows], signal[:, edge : edge + _CONFIRMED])
        later = self._follow(slots, keys[rows:], signal[:, edge + _HOP : edge + _HOP + _CONFIRMED])
        pressed = np.concatenate((slots[earlier], slots[later]))
        digits = np.concatenate((keys[:rows][earlier], keys[rows:][later]))
        return pressed, [str(key) for key in _KEYS[digits]]

    def _follow(self, slots: Slots, keys: Slots, middle: Float32) -> Bool:
        """One window further: which of the slots have a press that was not reported yet, bool `(slots,)`."""
        sounding = keys != _NONE
        same = sounding & (keys == self._candidate[slots])
        hits = np.where(same, self._hits[slots] + 1, sounding.astype(np.int16))
        misses = np.where(sounding, 0, self._misses[slots] + 1)
        held = np.where(misses >= _MISSES_TO_RELEASE, _NONE, self._held[slots])
        pressed: Bool = (hits >= _HITS_TO_PRESS) & (keys != held)
        sure = np.flatnonzero(pressed)
        if len(sure):
            pressed[sure] = _is_pure(middle[sure], keys[sure])
        self._hits[slots] = np.minimum(hits, _HITS_TO_PRESS)
        self._misses[slots] = np.minimum(misses, _MISSES_TO_RELEASE)
        self._held[slots] = np.where(pressed, keys, held)
        self._candidate[slots] = keys
        return pressed
