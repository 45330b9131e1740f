"""How long Opus packets are, read from their first two bytes (RFC 6716 section 3.1), for many at once.

What is inside is libopus's business; this says where the next packet belongs and what needs no decoder.
"""

import numpy as np

from townhall.audio.opus import LONGEST_PACKET_MS
from townhall.audio.shapes import Bool, Int32, UInt8

DTX_BYTES = 2
"""A packet so short holds no frame: the sender has fallen silent and sends nothing for a while."""

_TENTHS_MS = np.array([100, 200, 400, 600] * 3 + [100, 200] * 2 + [25, 50, 100, 200] * 4, np.int32)
"""Length of a frame by configuration, in tenths of a millisecond; tables 2 of RFC 6716 section 3.1."""

_FRAMES = np.array([1, 2, 2, 0], np.int32)
"""Frames of a packet by code; code 3 has their number in its second byte."""

_VOICE_BITS = np.array([1, 1, 2, 3], np.uint8)
"""Frames of 20 ms, or a shorter one, in a SILK frame of each length."""


def packet_samples(first: UInt8, second: UInt8, lengths: Int32, rate: int) -> Int32:
    """Samples at `rate` Hz of packets whose first bytes are `first` and `second` and whose lengths in bytes
    are `lengths`, all `(n,)`; 0 where a packet can't be one.
    """
    code = first & 3
    frames = np.where(code == 3, second & 63, _FRAMES[code]).astype(np.int32)
    tenths = _TENTHS_MS[first >> 3] * frames
    whole = (lengths >= 1) & (tenths <= 10 * LONGEST_PACKET_MS) & ((code != 3) | (lengths >= 2))
    samples: Int32 = np.where(whole, tenths * (rate // 400) // 25, 0).astype(np.int32)
    return samples


def has_fec(first: UInt8, second: UInt8) -> Bool:
    """Whether packets hold the frame before them as well (LBRR, RFC 6716 section 4.2.4), `(n,)`.

    Told only of packets with one frame: its first bits say, per 20 ms, whether there is a voice, then whether
    there is a copy. Of others the answer is no.
    """
    configuration = first >> 3
    voice_bits = np.where(configuration < 12, _VOICE_BITS[configuration & 3], 1)
    flag = (second >> (7 - voice_bits)) & 1
    has: Bool = (configuration < 16) & (first & 3 == 0) & (flag == 1)
    return has
