"""What the phones say: a second of sound for each talker, again and again, that can be told apart in any mix.

Every talker has a tone of his own, a whole number of hertz and a multiple of `SPACING_HZ`, spoken for 0.6 of
each second like a word with a pause after it, so that nothing takes it for music on hold. A word of 0.6 s
has no energy at the other talkers' frequencies: its spectrum is zero at all multiples of 5 Hz beside its own.
In the pause that all have in common, one talker of each conference, its *beacon*, adds a sweep: where it lies
in what a phone heard says how long the sound took.
"""

import functools

import numpy as np

from townhall.audio import encode_ulaw
from townhall.media.shapes import Bytes, Int16s, Int64s

RATE = 8000
FRAMES = 50
"""Of 160 samples: a second."""
LOWEST_HZ, SPACING_HZ = 400, 5
VOICES = 560
"""How many there are: up to 3195 Hz, which telephones carry."""
SWEEP_AT = 800
"""Sample of the second at which the sweep begins: that of a packet."""
SWEEP_SAMPLES = 1200
_WORD_AT, _WORD = 2560, 4800
_EDGE = 160
_PEAK = 0.08
_SWEEP_PEAK = 0.3


def frequency(voice: int) -> int:
    """The tone of a voice, Hz; raises ValueError."""
    if not 0 <= voice < VOICES:
        raise ValueError(f"there are voices 0 to {VOICES - 1}, not {voice}")
    # Neighbours in a conference are far apart: a prime step through all of them.
    return LOWEST_HZ + SPACING_HZ * (voice * 211 % VOICES)


@functools.cache
def sweep() -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    """The beacon's sweep, `(SWEEP_SAMPLES,)`, from 500 to 3300 Hz, with soft edges."""
    at = np.arange(SWEEP_SAMPLES) / RATE
    length = SWEEP_SAMPLES / RATE
    wave = np.sin(2 * np.pi * (500 * at + (3300 - 500) * at * at / (2 * length)))
    return (wave * np.hanning(SWEEP_SAMPLES)).astype(np.float32)


def second_of(voice: int, *, beacon: bool) -> Int16s:
    """A second of a voice, `(8000,)` at 8 kHz."""
    at = np.arange(RATE)
    word = np.zeros(RATE)
    begin = _WORD_AT + voice * 97 % 200
    word[begin : begin + _WORD] = 1
    edge = np.hanning(_EDGE + 2)[1:-1]
    gate = np.convolve(word, edge / edge.sum(), "same")
    wave = _PEAK * gate * np.sin(2 * np.pi * frequency(voice) * at / RATE + voice)
    if beacon:
        wave[SWEEP_AT : SWEEP_AT + SWEEP_SAMPLES] += _SWEEP_PEAK * sweep()
    return np.round(32767 * wave).astype(np.int16)


def payloads(voices: Int64s, beacons: "np.ndarray[tuple[int], np.dtype[np.bool_]]") -> Bytes:
    """A second of each voice in µ-law, `(voices, FRAMES, 160)`."""
    seconds = [
        second_of(voice, beacon=beacon)
        for voice, beacon in zip(voices.tolist(), beacons.tolist(), strict=True)
    ]
    sound = np.array(seconds, np.int16).reshape(-1, RATE)
    return encode_ulaw(sound).reshape(-1, FRAMES, 160)
