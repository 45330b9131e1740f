"""G.722 (ITU-T G.722, 64 kbit/s) through the G722 package: a voice to 7 kHz in as many bits as G.711.

One byte is two samples at 16 kHz, so streams may be cut anywhere. Coding is differential: encoders and
decoders have a state that forgets in some 20 ms, are fed in order, and find their way back by themselves
where something was lost or where one stream follows on another. What the decoder makes of a loss is the last
pitch period over and over, fading, and its state is led along it (in the spirit of the standard's Appendix
IV).

Encoders and decoders are those of `streams`. Left out: 56 and 48 kbit/s, which RTP does not use (RFC 3551
section 4.5.2).
"""

import ctypes
from collections import deque

import numpy as np
from G722 import G722

from townhall.audio.pitch import SEARCH_SAMPLES, best_lag
from townhall.audio.shapes import Float32, Int16

RATE = 16000
BITRATE = 64000

_DOUBLE = 2
"""Samples a byte, and how far the pitch search's rate is below ours."""
_HISTORY = _DOUBLE * SEARCH_SAMPLES
_JOIN = 48
"""Samples over which the step at a repetition's joint is spread."""
_RETURN = 80
"""Samples of cross-fade to the signal that is back: 5 ms."""
_HOLD, _FADED = 160, 1280
"""Samples of a loss at full level, and after which nothing is left: 10 and 80 ms."""


class G722Encoder:
    """One stream, mono at 16 kHz, or at 8 kHz with nothing in the upper band."""

    def __init__(self, rate: int = RATE) -> None:
        self._codec = G722(rate, BITRATE)

    def lead_in(self, samples: Int16) -> None:
        """Before the first frame, int16 `(n,)` with n even: be as if in the midst of such a sound.

        For a decoder that has heard something else so far: the codes of a fresh encoder would come out of it
        several times too loud for 30 ms. It is led through the frame and back again.
        """
        self._codec.encode(np.concatenate((samples, samples[::-1])))

    def encode_at(self, samples: int, count: int, target: int, room: int) -> int:
        """See `StreamEncoder`; a byte for two samples at 16 kHz."""
        codes: bytes = self._codec.encode((ctypes.c_int16 * count).from_address(samples))
        used = min(len(codes), room)
        ctypes.memmove(target, codes, used)
        return used

    def encode(self, samples: Int16) -> bytes:
        """The codes of int16 `(n,)`; n is even at 16 kHz."""
        codes: bytes = self._codec.encode(np.ascontiguousarray(samples, np.int16))
        return codes


class G722Decoder:
    """One stream to mono at 16 kHz, or straight to 8 kHz, which leaves out the upper band; conceals only at
    16 kHz.
    """

    def __init__(self, rate: int = RATE) -> None:
        self._rate = rate
        self.reset()

    def reset(self) -> None:
        """As if nothing had been decoded yet."""
        self._codec = G722(self._rate, BITRATE)
        self._past: deque[Int16] = deque(maxlen=4)
        self._lost = 0
        self._period = np.zeros(1, np.float32)

    def decode_at(self, packet: int, length: int, target: int, room: int, fec: bool = False) -> int:
        """See `StreamDecoder`; no payload is damaged, and none tells of the one before it."""
        if packet == 0 or fec:
            samples = self._conceal(room)
        else:
            samples = self.decode(ctypes.string_at(packet, length))[:room]
        ctypes.memmove(target, samples.ctypes.data, 2 * len(samples))
        return len(samples)

    def decode(self, codes: bytes) -> Int16:
        """The samples `(n,)` of a payload, two a byte at 16 kHz, else one."""
        if self._lost:
            self._catch_up()
        samples = np.frombuffer(self._codec.decode(codes), np.int16)
        if self._lost:
            samples = self._return_to(samples)
        self._past.append(samples)
        return samples

    def _conceal(self, count: int) -> Int16:
        """`count` samples in place of what was lost."""
        if not self._lost:
            self._period = self._last_period()
        samples = _pcm(self._repeated(self._lost, count))
        self._lost += count
        return samples

    def _catch_up(self) -> None:
        """Lead the decoder's state along what was concealed, as if that had been sent: what comes next is
        then nearer to what the sender meant, after long losses above all.
        """
        count = min(self._lost, _FADED) // 2 * 2
        concealed = _pcm(self._repeated(self._lost - count, count))
        self._codec.encode(np.concatenate((np.zeros(2, np.int16), *self._past)))  # brings its state near
        self._codec.decode(self._codec.encode(concealed))

    def _return_to(self, samples: Int16) -> Int16:
        """The signal is back: cross-fade to it from what would have gone on."""
        span = min(_RETURN, len(samples))
        weight = (np.arange(span, dtype=np.float32) + 0.5) / np.float32(span)
        joined = samples.copy()
        joined[:span] = _pcm(self._repeated(self._lost, span) * (1 - weight) + samples[:span] * weight)
        self._lost = 0
        return joined

    def _last_period(self) -> Float32:
        """The pitch period before a loss, its beginning bent to follow on its end."""
        known = np.concatenate((np.zeros(_HISTORY + 1, np.int16), *self._past)).astype(np.float32)
        coarse = known[-_HISTORY:].reshape(1, -1, _DOUBLE).mean(axis=2)
        lag = _DOUBLE * int(best_lag(coarse)[0][0])
        period = known[-lag:].copy()
        period[:_JOIN] += (known[-1] - known[-1 - lag]) * np.linspace(1, 0, _JOIN, dtype=np.float32)
        return period

    def _repeated(self, begin: int, count: int) -> Float32:
        """`count` samples of the fading repetition, from this one on."""
        position = np.arange(begin, begin + count)
        level = np.clip((_FADED - position) / (_FADED - _HOLD), 0, 1).astype(np.float32)
        repeated: Float32 = self._period.take(position, mode="wrap") * level
        return repeated


def _pcm(signal: Float32) -> Int16:
    samples: Int16 = np.clip(np.rint(signal), -32768, 32767).astype(np.int16)
    return samples
