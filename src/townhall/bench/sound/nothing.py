"""Doing nothing: what a listener hears of the same packets where nobody adapts or conceals.

Each packet is played 60 ms after it was sent. Where it has not come by then there is silence, or the last one
again.
"""

from typing import Literal

import numpy as np

from townhall.audio.shapes import Int16
from townhall.bench.sound.talk import Codec
from townhall.bench.sound.weather import Passage

WAIT_MS = 60.0
_TICK_MS = 20.0
Way = Literal["silence", "repetition"]


def heard_untreated(codec: Codec, payloads: list[bytes], through: Passage, way: Way) -> Int16:
    """The sound `(samples,)` of a talker's packets, the first of them at its beginning."""
    in_time = np.zeros(len(payloads), np.bool_)
    in_time[through.numbers[through.at_ms <= _TICK_MS * through.numbers + WAIT_MS]] = True
    samples = codec.decode(
        [payload if there else None for payload, there in zip(payloads, in_time, strict=True)]
    )
    if way == "repetition":
        frames = samples.reshape(len(payloads), -1)
        last = np.maximum.accumulate(np.where(in_time, np.arange(len(payloads)), 0))
        samples = frames[last].ravel()
    return samples
