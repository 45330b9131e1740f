"""What a talker says as packets, and what a listener heard as sound: G.711, or Opus as a browser sends it."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

import numpy as np

from townhall.audio import ULAW_DECODE, encode_ulaw
from townhall.audio.opus import OpusDecoder, OpusEncoder, load_opus
from townhall.audio.shapes import Int16
from townhall.bench.sound.speech import NARROW_RATE, WIDE_RATE
from townhall.media.secure.srtp import MOST_TRAILER
from townhall.media.shapes import Bytes, Floats, Int64s

HEADER = 12
STRIDE = 512
"""Bytes of a row; no packet of 20 ms of ours is longer."""
_MOST_PAYLOAD = STRIDE - HEADER - MOST_TRAILER
_BITRATE = 32_000
_EXPECTED_LOSS = 10


class Codec(Protocol):
    """One way to say 20 ms."""

    rate: int
    """Of the sound, Hz."""
    units: int
    """Of RTP's clock in a packet."""
    payload_type: int

    def encode(self, samples: Int16) -> list[bytes]:
        """Payloads of 20 ms each; a rest is left out."""

    def decode(self, payloads: list[bytes | None]) -> Int16:
        """The sound of payloads in order; None: none came, which is heard as silence."""


class Ulaw:
    """G.711 µ-law (RFC 3551). See `Codec`."""

    rate, units, payload_type = NARROW_RATE, 160, 0
    _SILENCE: ClassVar[bytes] = b"\xff" * 160

    def encode(self, samples: Int16) -> list[bytes]:
        coded = encode_ulaw(samples[: len(samples) // 160 * 160]).reshape(-1, 160)
        return [row.tobytes() for row in coded]

    def decode(self, payloads: list[bytes | None]) -> Int16:
        coded = b"".join(payload or self._SILENCE for payload in payloads)
        return np.asarray(ULAW_DECODE[np.frombuffer(coded, np.uint8)])


class Opus:
    """Opus at 32 kbit/s with in-band FEC, as of a browser that expects 10 % of loss (RFC 7587)."""

    rate, units, payload_type = WIDE_RATE, 960, 111

    def encode(self, samples: Int16, *, voice: bool = True) -> list[bytes]:
        frame = self.rate // 50
        encoder = OpusEncoder(
            load_opus(), self.rate, bitrate=_BITRATE, fec=True, expected_loss=_EXPECTED_LOSS, voice=voice
        )
        frames = samples[: len(samples) // frame * frame].reshape(-1, frame)
        return [encoder.encode(samples, _MOST_PAYLOAD) for samples in frames]

    def decode(self, payloads: list[bytes | None]) -> Int16:
        frame = self.rate // 50
        decoder = OpusDecoder(load_opus(), self.rate)
        heard = np.zeros((len(payloads), frame), np.int16)
        for row, payload in zip(heard, payloads, strict=True):
            if payload:
                samples = decoder.decode(payload)[:frame]
                row[: len(samples)] = samples
        return heard.ravel()


@dataclass(frozen=True, slots=True, eq=False)
class Packets:
    """Datagrams `(n, STRIDE)`, `lengths` `(n,)`."""

    data: Bytes
    lengths: Int64s

    @classmethod
    def of(cls, codec: Codec, payloads: list[bytes], number: int) -> "Packets":
        """RTP (RFC 3550) of phone `number`: one packet every 20 ms."""
        count = len(payloads)
        data = np.zeros((count, STRIDE), np.uint8)
        data[:, 0], data[:, 1] = 0x80, codec.payload_type
        steps = np.arange(count)
        data.view(">u2")[:, 1] = (1000 + steps) & 0xFFFF
        data.view(">u4")[:, 1] = (number * 1_000_003 + steps * codec.units) & 0xFFFF_FFFF
        data.view(">u4")[:, 2] = number + 1
        for row, payload in zip(data, payloads, strict=True):
            row[HEADER : HEADER + len(payload)] = np.frombuffer(payload, np.uint8)
        return cls(data, HEADER + np.array([len(payload) for payload in payloads], np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Heard:
    """What one listener heard, on the clock that the talkers speak by."""

    samples: Int16
    began_s: float
    """When the first of them came, could each be heard as its packet comes; monotonic seconds."""
    missing: int
    """Packets that never came, of `packets`."""
    packets: int
    wobble_ms: float
    """How unevenly packets came: from the median to the 99th percentile."""


def listen(codec: Codec, data: Bytes, lengths: Int64s, at_s: Floats) -> Heard | None:
    """Sound of the RTP that came to a phone, `(n, stride)`, `(n,)`, `(n,)`; None when nothing came."""
    own = (data[:, 1] & 0x7F) == codec.payload_type
    data, lengths, at_s = data[own], lengths[own], at_s[own]
    if not len(data):
        return None
    stamps = np.ascontiguousarray(data[:, 4:8]).view(">u4")[:, 0].astype(np.int64)
    unrolled = (stamps - stamps[0] + 2**31) % 2**32 - 2**31
    unrolled -= unrolled.min()
    places = unrolled // codec.units
    payloads: list[bytes | None] = [None] * (int(places.max()) + 1)
    for place, row, length in zip(places.tolist(), data, lengths.tolist(), strict=True):
        payloads[place] = row[HEADER:length].tobytes()
    wait = at_s - places * 0.02
    began = float(np.median(wait))
    return Heard(
        codec.decode(payloads),
        began,
        payloads.count(None),
        len(payloads),
        float(np.percentile(wait, 99) - began) * 1000,
    )
