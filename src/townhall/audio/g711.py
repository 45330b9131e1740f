"""G.711 µ-law and A-law by table.

Follows ITU-T G.711 (11/1988), tables 1 and 2: eight segments of sixteen steps to either side of zero, even
bits of A-law inverted, all bits of µ-law inverted. Linear values are 16 bit: the Recommendation's 14-bit (µ)
and 13-bit (A) values shifted to the left. A value that lies exactly on a decision value belongs to the
interval above it, so intervals are half open everywhere, as in ITU-T's software tool library (G.191).

The packet-loss concealment of Appendix I is not here: see `concealment`.
"""

import numpy as np

from townhall.audio.shapes import Int16, Int32, UInt8, UInt32

ULAW_SILENCE = 0xFF
ALAW_SILENCE = 0xD5

_ULAW_BIAS = 33 << 2
"""Added to a magnitude so that every segment starts at a power of two (16-bit scale)."""

_ULAW_CLIP = 8158 << 2
"""Largest magnitude, 16-bit scale, that is not beyond the virtual decision value 8159."""


def _ulaw_decode_table() -> Int16:
    code = ~np.arange(256, dtype=np.uint8)
    segment = (code >> 4) & 7
    step = (code & 15).astype(np.int32)
    magnitude = (((step << 3) + _ULAW_BIAS) << segment) - _ULAW_BIAS
    return np.where(code & 0x80, -magnitude, magnitude).astype(np.int16)


def _alaw_decode_table() -> Int16:
    code = np.arange(256, dtype=np.uint8) ^ 0x55
    segment = ((code >> 4) & 7).astype(np.int32)
    step = (code & 15).astype(np.int32)
    # Segments 0 and 1 share a step size; from 1 on a leading one is implied.
    inside = (step << 4) + 8
    magnitude = np.where(segment == 0, inside, (inside + 256) << np.maximum(segment - 1, 0))
    return np.where(code & 0x80, magnitude, -magnitude).astype(np.int16)


def _every_sample() -> Int16:
    """All 65536 samples in the order in which a two's-complement index finds them."""
    return np.arange(65536, dtype=np.uint16).view(np.int16)


def _segment_of(magnitude: Int32, first: int) -> UInt8:
    """Index of the highest set bit above bit `first`, at least 0."""
    edges = (1 << np.arange(first + 1, first + 8)).astype(np.int32)
    segment: UInt8 = np.searchsorted(edges, magnitude, side="right").astype(np.uint8)
    return segment


def _ulaw_encode_table() -> UInt8:
    sample = _every_sample().astype(np.int32)
    # One's complement of a negative sample keeps the intervals half open on both sides of zero.
    magnitude = np.minimum(np.where(sample < 0, ~sample, sample), _ULAW_CLIP) + _ULAW_BIAS
    segment = _segment_of(magnitude, 7)
    step = (magnitude >> (segment + 3)) & 15
    code = (segment << 4) | step.astype(np.uint8) | np.where(sample < 0, 0x80, 0).astype(np.uint8)
    return (~code).astype(np.uint8)


def _alaw_encode_table() -> UInt8:
    sample = _every_sample().astype(np.int32)
    magnitude = np.where(sample < 0, ~sample, sample)
    segment = _segment_of(magnitude, 7)
    step = (magnitude >> (np.maximum(segment, 1) + 3)) & 15
    code = (segment << 4) | step.astype(np.uint8) | np.where(sample < 0, 0, 0x80).astype(np.uint8)
    table: UInt8 = (code ^ 0x55).astype(np.uint8)
    return table


ULAW_DECODE: Int16 = _ulaw_decode_table()
"""int16[256]: sample of each µ-law code; use as `ULAW_DECODE[payload]`."""

ALAW_DECODE: Int16 = _alaw_decode_table()
"""int16[256]: sample of each A-law code."""

_ULAW_ENCODE = _ulaw_encode_table()
_ALAW_ENCODE = _alaw_encode_table()

ULAW_TO_ALAW: UInt8 = _ALAW_ENCODE[ULAW_DECODE.view(np.uint16)]
"""uint8[256]: the A-law code of each µ-law code's value."""

ALAW_TO_ULAW: UInt8 = _ULAW_ENCODE[ALAW_DECODE.view(np.uint16)]
"""uint8[256]: the µ-law code of each A-law code's value."""


def _pairs(table: Int16) -> UInt32:
    """The two samples of every two codes, all as they stand in memory."""
    codes = np.arange(65536, dtype=np.uint16).view(np.uint8).reshape(-1, 2)
    return np.ascontiguousarray(table[codes]).view(np.uint32)[:, 0]


_ULAW_PAIRS, _ALAW_PAIRS = _pairs(ULAW_DECODE), _pairs(ALAW_DECODE)

for _table in (ULAW_DECODE, ALAW_DECODE, _ULAW_ENCODE, _ALAW_ENCODE, ULAW_TO_ALAW, ALAW_TO_ULAW):
    _table.setflags(write=False)


def decode_ulaw(codes: UInt8) -> Int16:
    """int16 samples `(n, length)` of µ-law codes `(n, length)`."""
    return _decode(codes, ULAW_DECODE, _ULAW_PAIRS)


def decode_alaw(codes: UInt8) -> Int16:
    """int16 samples `(n, length)` of A-law codes `(n, length)`."""
    return _decode(codes, ALAW_DECODE, _ALAW_PAIRS)


def _decode(codes: UInt8, table: Int16, pairs: UInt32) -> Int16:
    """Two codes at once where they come in twos: looking up is what takes the time."""
    if codes.shape[1] % 2:
        return table.take(codes)
    return pairs.take(np.ascontiguousarray(codes).view(np.uint16)).view(np.int16)


def encode_ulaw(samples: Int16) -> UInt8:
    """µ-law codes, uint8 of the same shape, of int16 samples of any shape."""
    return _ULAW_ENCODE.take(samples.view(np.uint16))


def encode_alaw(samples: Int16) -> UInt8:
    """A-law codes, uint8 of the same shape, of int16 samples of any shape."""
    return _ALAW_ENCODE.take(samples.view(np.uint16))
