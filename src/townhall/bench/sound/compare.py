"""What was heard beside what was spoken: how much later, and both cut to the same words."""

import itertools
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from townhall.audio.shapes import Int16
from townhall.bench.sound.speech import scored
from townhall.bench.sound.talk import Heard

Floats = NDArray[np.float64]
LONGEST_S = 0.6
"""Delays are looked for up to this."""
_WINDOW_S = 1.0
_ALIKE = 0.5
_LOUD = 10 ** (-15 / 20)
PIECES = 4
"""Of what is scored; in each a talker among many has his own delay."""
_AUDIBLE = 0.15
"""One of ten equals is 0.3 like their sum, and others are 0.05."""


def delays_ms(spoken: Int16, spoken_at: float, heard: Heard, rate: int) -> Floats:
    """How much later each second of what is scored was heard, every half second where there is speech.

    `spoken` `(samples,)`, said from `spoken_at` on, the clock being that of `heard`. Seconds that are too
    much damaged to be found again are left out.
    """
    words = scored(rate)
    length = round(rate * _WINDOW_S)
    whole = _rms(spoken[words])
    found = []
    for start in range(words.start, words.stop - length + 1, length // 2):
        window = spoken[start : start + length]
        if _rms(window) < _LOUD * whole:
            continue
        delay, alike = _find(window, spoken_at + start / rate, heard, rate)
        if alike >= _ALIKE:
            found.append(delay * 1000)
    return np.array(found)


def delays_in_mix(spoken: Int16, spoken_at: float, heard: Heard, rate: int) -> Floats:
    """Seconds by which one of many talkers is heard later, for each `PIECES`th of what is scored.

    Where he says too little to be found among the others it is his delay in all of it.
    """
    words = scored(rate)
    whole, _ = _find(spoken[words], spoken_at + words.start / rate, heard, rate)
    found = np.full(PIECES, whole)
    for number, piece in enumerate(_pieces(rate)):
        delay, alike = _find(spoken[piece], spoken_at + piece.start / rate, heard, rate)
        if alike >= _AUDIBLE:
            found[number] = delay
    return found


def _pieces(rate: int) -> list[slice]:
    words = scored(rate)
    edges = np.linspace(words.start, words.stop, PIECES + 1).round().astype(int).tolist()
    return [slice(first, last) for first, last in itertools.pairwise(edges)]


def _find(window: Int16, said_at: float, heard: Heard, rate: int) -> tuple[float, float]:
    """By how many seconds it is heard later, and how much alike it is then, at most 1."""
    origin = round((said_at - heard.began_s) * rate)
    reach = round(LONGEST_S * rate)
    there = part(heard.samples, origin, reach + len(window))
    size = 1 << int(np.ceil(np.log2(len(there) + len(window))))
    spectrum = np.fft.rfft(there, size) * np.conj(np.fft.rfft(window.astype(np.float64), size))
    products = np.fft.irfft(spectrum, size)[: reach + 1]
    energy = np.concatenate(([0.0], np.cumsum(there**2)))
    norms = np.sqrt(
        (energy[len(window) :] - energy[: reach + 1]) * float((window.astype(np.float64) ** 2).sum())
    )
    alike = products / np.maximum(norms, 1.0)
    best = int(alike.argmax())
    return (origin + best) / rate + heard.began_s - said_at, float(alike[best])


def part(samples: Int16, start: int, count: int) -> Floats:
    """`count` samples from `start` on, which may be negative; zeros where there are none."""
    found = np.zeros(count)
    first, last = max(0, start), min(len(samples), start + count)
    if last > first:
        found[first - start : last - start] = samples[first:last]
    return found


def said_and_heard(
    spoken: Int16, said_at: float, heard: Heard, delay_s: float, rate: int
) -> tuple[Floats, Floats]:
    """What is scored of an utterance, and what was heard in its place when all is `delay_s` late."""
    words = scored(rate)
    start = round((said_at + delay_s - heard.began_s) * rate) + words.start
    return spoken[words].astype(np.float64), part(heard.samples, start, words.stop - words.start)


def said_together(
    spoken: Sequence[Int16], said_at: Sequence[float], delays_s: Sequence[Floats], heard: Heard, rate: int
) -> tuple[Floats, Floats]:
    """The sum of what many said at once, each as much later as he is heard, and what was heard.

    `delays_s`: of each talker, `(PIECES,)`.
    """
    words = scored(rate)
    origin = min(said_at)
    total = np.zeros(words.stop - words.start)
    for number, piece in enumerate(_pieces(rate)):
        place = slice(piece.start - words.start, piece.stop - words.start)
        for samples, moment, delays in zip(spoken, said_at, delays_s, strict=True):
            shift = round((moment + float(delays[number]) - origin) * rate)
            total[place] += part(samples, piece.start - shift, piece.stop - piece.start)
    start = round((origin - heard.began_s) * rate) + words.start
    return total, part(heard.samples, start, len(total))


def _rms(samples: Int16) -> float:
    return float(np.sqrt((samples.astype(np.float64) ** 2).mean()))
