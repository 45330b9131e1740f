"""Who hears whom, how long it took, and whether it was steady: of every phone, from what it got.

Every voice says a word a second without end (`voices.py`). Whom a phone hears is told from each second by
itself, cut in the pause that the words have in common, and decided by the most of `SECONDS_JUDGED`: a server
that adapts a talker's delay takes 10 or 20 ms out of a pause and so moves the phase of his tone from one word
to the next, by half a turn at a tone of 25, 75, 125 ... Hz more than a multiple of 100; over two words he
would be lost though each was loud and clear. Two seconds together have all their energy at whole hertz and
everything between them was not said by anybody: a word that was cut, a hole, a slip, or a delay that was just
being adapted shows there. Works on arrays over many phones at once, in blocks.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from townhall.audio import ULAW_DECODE
from townhall.bench.phones.clocked import GROUPS
from townhall.bench.phones.recording import Recording
from townhall.bench.phones.voices import FRAMES, RATE, SWEEP_AT, SWEEP_SAMPLES, frequency, sweep
from townhall.media.shapes import Bools, Floats, Int64s

SECONDS_JUDGED = 3
FRAMES_RECORDED = (SECONDS_JUDGED + 1) * FRAMES
"""So many packets have room for as many whole seconds, wherever the first one begins."""
_FRAMES_COMPARED = 100
"""The last two seconds tell steadiness and delay."""
_BLOCK = 64
_LEAST_SHARE = 1 / 16
"""A voice that is so much weaker than those that ought to be heard is not heard (12 dB)."""
_OVER_NOISE = 16.0
"""Noise as loud as this in one hertz is one chance in some 60,000."""
_PAUSE = 5
"""Packets of the pause in which seconds are cut."""
_STEADY_DB = 26.0
"""A hole of 20 ms in two seconds of speech is worse than this."""
_SWEEP_LIKE = 0.5
"""How like the sweep a piece must be to be one; 1 is the sweep itself."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One entry for each phone."""

    voices: Bools
    """`(phones, voices)`: whom it hears."""
    steady: Bools
    """What it heard in one second it heard again in the next."""
    delay_ms: Floats
    """From the beacon's mouth to its ear, without the packet's own 20 ms; NaN: no beacon was heard."""


@dataclass(frozen=True, slots=True)
class WhoHearsWhom:
    pairs: int
    """Of a phone and a talker whom it ought to hear."""
    unheard: int
    """Pairs that are not so."""
    wrong: int
    """Pairs that are so and ought not to be: oneself, or somebody of another conference."""
    phones_right: int


def compare(heard: Bools, expected: Bools) -> WhoHearsWhom:
    """Both `(phones, voices)`."""
    return WhoHearsWhom(
        int(expected.sum()),
        int((expected & ~heard).sum()),
        int((heard & ~expected).sum()),
        int((heard == expected).all(axis=1).sum()),
    )


def listen(
    recording: Recording,
    phones: Int64s,
    voices: Sequence[int],
    expected: Bools,
    beacons: Int64s,
    tell: Callable[[float], None] = lambda done: None,
) -> Heard:
    """Listen to what some phones recorded, at least two seconds, best `FRAMES_RECORDED`.

    `voices`: those there are, `(voices,)`; `expected`: whom each phone ought to hear, `(phones, voices)`;
    `beacons`: the phone whose sweep each phone hears.
    """
    begin = recording.frames - _FRAMES_COMPARED
    tones = np.array([frequency(voice) for voice in voices], np.int64)
    heard, steady, delays = [], [], []
    for first in range(0, len(phones), _BLOCK):
        block = slice(first, first + _BLOCK)
        frames = ULAW_DECODE[recording.sound(phones[block])].astype(np.float32) / 32768
        last = frames[:, begin:].reshape(-1, 2 * RATE)
        power = np.abs(np.fft.rfft(last, axis=1)) ** 2
        heard.append(_voices_in(_seconds(frames), tones, expected[block], _noise(power)))
        steady.append(_is_steady(power))
        delays.append(_delays(last, recording, phones[block], begin, beacons[block]))
        tell(first / len(phones))
    return Heard(np.concatenate(heard), np.concatenate(steady), np.concatenate(delays))


def _seconds(frames: Floats) -> Floats:
    """Of `(phones, frames, samples)` the seconds from pause to pause, `(phones, seconds, RATE)`: as many as
    fit wherever the pause is.
    """
    seconds = (frames.shape[1] - FRAMES + 1) // FRAMES
    loudness = np.square(frames[:, : (seconds + 1) * FRAMES]).mean(axis=2)
    folded = np.stack([loudness[:, at::FRAMES].mean(axis=1) for at in range(FRAMES)], axis=1)
    around = sum(np.roll(folded, by - _PAUSE // 2, axis=1) for by in range(_PAUSE))
    cut = np.argmin(around, axis=1)
    taken = cut[:, None] + np.arange(seconds * FRAMES)
    whole: Floats = frames[np.arange(len(frames))[:, None], taken].reshape(len(frames), seconds, RATE)
    return whole


def _noise(power: Floats) -> Floats:
    """What a hertz of one second has of what nobody said, `(phones,)`, by the power of two seconds."""
    noise: Floats = np.median(power[:, 601:6400:2], axis=1) / (2 * np.log(2))
    return noise


def _voices_in(seconds: Floats, tones: Int64s, expected: Bools, noise: Floats) -> Bools:
    """Judged by the voices that ought to be heard, and by what nobody said; most of the seconds decide."""
    spoken = (np.abs(np.fft.rfft(seconds, axis=2)) ** 2)[:, :, tones]
    wanted = np.where(expected[:, None], spoken, np.nan)
    usual = np.zeros(len(spoken))
    some = expected.any(axis=1)
    usual[some] = np.nanmedian(wanted[some], axis=(1, 2))
    least = np.maximum(_LEAST_SHARE * usual, _OVER_NOISE * noise + 1e-3)
    heard: Bools = 2 * (spoken > least[:, None, None]).sum(axis=1) > seconds.shape[1]
    return heard


def _is_steady(power: Floats) -> Bools:
    said, unsaid = power[:, 0::2].sum(axis=1), power[:, 1::2].sum(axis=1)
    steady: Bools = said + 1e-3 > 10 ** (_STEADY_DB / 10) * unsaid
    return steady


def _delays(sound: Floats, recording: Recording, phones: Int64s, begin: int, beacons: Int64s) -> Floats:
    """Milliseconds, `(phones,)`."""
    at, score = _find_sweep(sound)
    frames = begin + at // 160
    arrived = np.take_along_axis(recording.at[phones], frames[:, None], axis=1)[:, 0]
    heard_at = arrived + at % 160 / RATE
    sent_at = np.full(len(sound), np.nan)
    for group in range(GROUPS):
        rows = np.flatnonzero(beacons % GROUPS == group)
        begins = recording.seconds_at[group] + SWEEP_AT / RATE
        if len(rows) and len(begins):
            place = np.searchsorted(begins, heard_at[rows]) - 1
            sent_at[rows] = np.where(place >= 0, begins[place], np.nan)
    delays: Floats = np.where(score > _SWEEP_LIKE, 1000 * (heard_at - sent_at), np.nan)
    return delays


def _find_sweep(sound: Floats) -> tuple[Int64s, Floats]:
    """Where in each phone's sound the sweep begins, and how like it that piece is."""
    template = sweep()
    size = 1 << (2 * RATE - 1).bit_length()
    spectrum = np.fft.rfft(sound, size, axis=1) * np.conj(np.fft.rfft(template, size))
    lags = 2 * RATE - SWEEP_SAMPLES
    found = np.fft.irfft(spectrum, size, axis=1)[:, :lags]
    at: Int64s = np.argmax(found, axis=1)
    sums = np.cumsum(np.pad(np.square(sound, dtype=np.float64), ((0, 0), (1, 0))), axis=1)
    rows = np.arange(len(sound))
    energy = sums[rows, at + SWEEP_SAMPLES] - sums[rows, at]
    likeness = found[rows, at] / np.sqrt(energy * np.square(template).sum() + 1e-12)
    return at, likeness
