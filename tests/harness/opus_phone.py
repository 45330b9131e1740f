"""Phones for the media rig that say tones, by Opus, G.722 or G.711, and are asked which tones they hear.

A wide phone encodes and decodes everything it was sent with one encoder and one decoder, in order, as a
browser does.
"""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from tests.harness.media_rig import Rig, RigPhone

from townhall.audio.g711 import ALAW_DECODE, ULAW_DECODE, encode_alaw, encode_ulaw
from townhall.audio.g722 import G722Decoder, G722Encoder
from townhall.audio.opus import OpusDecoder, OpusEncoder, load_opus
from townhall.media.protocol import Codec, ConnectLeg, LegOpened

LIBRARY = load_opus()
OPUS = 111
G722 = 9
EVENTS = 110
LEAST_DBFS = -45.0
TONE_DBFS = -20.0

Samples = NDArray[np.int16]


def tones(hz: tuple[float, ...], rate: int, first: int, count: int) -> Samples:
    """Sines added up, each at `TONE_DBFS`, from sample `first` on."""
    time = (first + np.arange(count)) / rate
    wave = sum(np.sin(2 * np.pi * one * time) for one in hz) if hz else np.zeros(count)
    return np.rint(32768 * 10 ** (TONE_DBFS / 20) * wave).astype(np.int16)


def level_dbfs(sound: Samples, hz: float, rate: int) -> float:
    """How loud a sine of this frequency is in the last half second."""
    last = sound[-rate // 2 :].astype(float) * np.hanning(rate // 2)
    turns = np.exp(-2j * np.pi * hz * np.arange(len(last)) / rate)
    return float(20 * np.log10(4 * abs((last * turns).mean()) / 32768 + 1e-9))


@dataclass
class TonePhone(RigPhone):
    """A G.711 phone that says tones."""

    says: tuple[float, ...] = ()
    rate: int = 8000
    _said: int = 0

    def next_payload(self) -> bytes:
        """20 ms more of its tones."""
        encode = encode_alaw if self.codec == "PCMA" else encode_ulaw
        samples = tones(self.says, self.rate, self._said, self.rate // 50)
        self._said += len(samples)
        return encode(samples).tobytes()

    def say(self) -> bytes:
        packet = self.packet(self.next_payload())
        self.timestamp = (self.timestamp + 160) % 2**32
        return packet

    def sound(self) -> Samples:
        """All it was sent."""
        table = ALAW_DECODE if self.codec == "PCMA" else ULAW_DECODE
        codes = b"".join(packet.payload for packet in self.heard if packet.payload_type == self.payload_type)
        return table[np.frombuffer(codes, np.uint8)]

    def hears_hz(self, candidates: tuple[float, ...]) -> set[float]:
        """Which of these tones are in what it was sent last."""
        sound = self.sound()
        return {
            hz for hz in candidates if hz < self.rate / 2 and level_dbfs(sound, hz, self.rate) > LEAST_DBFS
        }


@dataclass
class OpusPhone(TonePhone):
    """A phone that speaks Opus, at 16 kHz to the ear."""

    rate: int = 16000
    samples: int = 320
    encoder: OpusEncoder = field(default_factory=lambda: OpusEncoder(LIBRARY, fec=True, bitrate=32000))

    def next_payload(self) -> bytes:
        samples = tones(self.says, self.rate, self._said, self.samples)
        self._said += self.samples
        return self.encoder.encode(samples)

    def say(self) -> bytes:
        packet = self.packet(self.next_payload())
        self.timestamp = (self.timestamp + 3 * self.samples) % 2**32
        return packet

    def sound(self) -> Samples:
        decoder = OpusDecoder(LIBRARY, self.rate)
        packets = [packet.payload for packet in self.heard if packet.payload_type == self.payload_type]
        return np.concatenate([decoder.decode(packet) for packet in packets])


@dataclass
class G722Phone(TonePhone):
    """A phone that speaks G.722 (RFC 3551 section 4.5.2): two samples a byte and a unit of the RTP clock."""

    rate: int = 16000
    samples: int = 320
    encoder: G722Encoder = field(default_factory=G722Encoder)

    def next_payload(self) -> bytes:
        samples = tones(self.says, self.rate, self._said, self.samples)
        self._said += self.samples
        return self.encoder.encode(samples)

    def say(self) -> bytes:
        packet = self.packet(self.next_payload())
        self.timestamp = (self.timestamp + self.samples // 2) % 2**32
        return packet

    def sound(self) -> Samples:
        decoder = G722Decoder()
        packets = [packet.payload for packet in self.heard if packet.payload_type == self.payload_type]
        return np.concatenate([decoder.decode(packet) for packet in packets])


_KINDS: dict[Codec, tuple[int, type[TonePhone]]] = {
    "PCMU": (0, TonePhone),
    "PCMA": (8, TonePhone),
    "G722": (G722, G722Phone),
    "opus": (OPUS, OpusPhone),
}


def call_tones(
    rig: Rig, leg: int, says: tuple[float, ...] = (), codec: Codec = "opus", **fields: object
) -> TonePhone:
    """A connected phone; without `says` it sends nothing."""
    at = ("10.0.0.1", 30000 + 2 * leg)
    opened = rig.open(leg, at, may_latch=False)
    assert isinstance(opened, LegOpened), opened
    kind, make = _KINDS[codec]
    fields.setdefault("telephone_event", EVENTS)
    rig.handle(ConnectLeg(leg, codec, kind, at, **fields))
    socket = int(rig.engine.legs.socket[rig.engine.legs.slot_of[leg]])
    phone = make(leg, at, socket, codec, 0 if says else None, kind, ssrc=0x1000 + leg, says=says)
    rig.phones[leg] = phone
    return phone
