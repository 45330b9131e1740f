"""Sound to Opus packets outside the tick: clips, in the loader's thread, and single phrases.

Kept apart from `opus_table` because it needs nothing of legs and plans.
"""

import ctypes

import numpy as np

from townhall.audio.opus import OpusEncoder
from townhall.audio.resampling import WIDE_SAMPLES
from townhall.media.shapes import OPUS_BYTES, Bytes, Int16s

BITRATES = (32000, 24000, 20000, 16000, 12000, 8000, 6000)
"""What our encoders are set to, bit/s: the first for everybody who asks for no less. Below 20,000 there is no
room for in-band FEC at 16 kHz.
"""

RATE = 16000
FINE = 5
"""Complexity: the least that is as near to the original as 10 is, at 32 kbit/s."""


def encode_clip(library: ctypes.CDLL, samples: Int16s) -> Bytes:
    """Packets of int16 `(n,)` at 16 kHz, uint8 `(frames, 1 + OPUS_BYTES)`: how many bytes, then the bytes.

    Without FEC, which would press music into the model of a voice.
    """
    encoder = OpusEncoder(library, RATE, bitrate=BITRATES[0], complexity=FINE)
    packets = encode_all(encoder, samples)
    rows = np.zeros((len(packets), 1 + OPUS_BYTES), np.uint8)
    for row, packet in zip(rows, packets, strict=True):
        row[0] = len(packet)
        row[1 : 1 + len(packet)] = np.frombuffer(packet, np.uint8)
    return rows


def encode_all(encoder: OpusEncoder, samples: Int16s) -> list[bytes]:
    """Packets of 20 ms of int16 `(n,)` at 16 kHz; the last one is filled up with silence."""
    padded = np.pad(samples, (0, -len(samples) % WIDE_SAMPLES))
    return [encoder.encode(frame, OPUS_BYTES) for frame in padded.reshape(-1, WIDE_SAMPLES)]
