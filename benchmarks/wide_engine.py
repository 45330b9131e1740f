"""What wide legs, of Opus or G.722, cost the media engine: µs of processor time a tick, without sockets
and without encryption.

Each line is one conference; the difference to the G.711 legs alone, divided by the legs that were added, is
what one of them costs. Wide legs send a packet of speech-like noise each tick; talkers' are decoded and each
gets a mix of his own, listeners' are not decoded and share one encoding.

    python benchmarks/wide_engine.py [--codec G722] [--narrow 300] [--ticks 200]
"""

import argparse
import time

import numpy as np

from townhall.audio.g722 import G722Encoder
from townhall.audio.opus import OpusEncoder, load_opus
from townhall.media.engine import Engine
from townhall.media.network import LocalPort
from townhall.media.protocol import Codec, ConnectLeg, OpenLeg, SetMix
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, Received

PORT_PAIRS = 32
NARROW_TALKERS = 10
STRIDE = 256
CONFERENCES = [
    (0, 0),
    (1, 0),
    (100, 0),
    (1000, 0),
    (0, 1),
    (0, 10),
    (0, 24),
    (0, 50),
    (0, 100),
    (100, 10),
]
"""Wide listeners and wide talkers."""

PAYLOAD_TYPES: dict[Codec, int] = {"opus": 111, "G722": 9, "PCMU": 0, "PCMA": 8}


def packets_of(codec: Codec, count: int) -> list[bytes]:
    """Packets of noise that swells like speech."""
    rng = np.random.default_rng(1)
    encoder = OpusEncoder(load_opus(), fec=True) if codec == "opus" else G722Encoder()
    swell = 0.55 + 0.45 * np.sin(np.arange(320 * count) * 2 * np.pi * 2 / 16000)
    noise = np.convolve(rng.normal(0, 3000, 320 * count), np.ones(8) / 3, "same") * swell
    return [encoder.encode(frame) for frame in noise.astype(np.int16).reshape(count, 320)]


class Crowd:
    """An engine and the packets that its legs send."""

    def __init__(self, wide: Codec, narrow: int, listeners: int, talkers: int) -> None:
        self.legs = narrow + listeners + talkers
        local = [LocalPort("127.0.0.1", 20000 + 2 * index, 4) for index in range(PORT_PAIRS)]
        self.engine = Engine(MediaSettings(max_legs=4096), local)
        for leg in range(self.legs):
            codec: Codec = "PCMU" if leg < narrow else wide
            talks = leg < NARROW_TALKERS or leg >= narrow + listeners
            address = ("127.0.0.1", 30000 + leg)
            self.engine.handle(OpenLeg(leg, address, may_latch=False), 0.0)
            agreed = ConnectLeg(
                leg, codec, PAYLOAD_TYPES[codec], address, telephone_event=101, in_band_fec=True
            )
            self.engine.handle(agreed, 0.0)
            self.engine.handle(SetMix(leg, "bus", hears=True, heard=talks), 0.0)
        slots = np.array([self.engine.legs.slot_of[leg] for leg in range(self.legs)])
        self._names, self._sockets = self.engine.legs.name[slots], self.engine.legs.socket[slots]
        self._wide = np.arange(self.legs) >= narrow
        self._payload_type = np.where(self._wide, PAYLOAD_TYPES[wide], 0)
        self._units = np.where(self._wide, 960 if wide == "opus" else 160, 160)
        self._packets = packets_of(wide, 100)

    def batch(self, tick: int) -> Received:
        """A packet of every leg."""
        data = np.random.default_rng(tick).integers(0x40, 0x80, (self.legs, STRIDE), np.uint8)
        data[:, ::2] |= 0x80
        data[:, 0], data[:, 1] = 0x80, self._payload_type
        words, halves = data.view(">u4"), data.view(">u2")
        halves[:, 1] = tick & 0xFFFF
        words[:, 1] = tick * self._units
        words[:, 2] = np.arange(self.legs) + 1
        packet = self._packets[tick % len(self._packets)]
        data[self._wide, 12 : 12 + len(packet)] = np.frombuffer(packet, np.uint8)
        lengths = np.where(self._wide, 12 + len(packet), 172)
        return Received(data, lengths, self._names, self._sockets, np.full(self.legs, tick * TICK_S))

    def measure(self, ticks: int) -> float:
        """µs of processor time of a tick (median)."""
        took = []
        for tick in range(ticks):
            batch = self.batch(tick)
            began = time.thread_time()
            self.engine.receive(batch, tick * TICK_S)
            self.engine.tick(tick * TICK_S, tick * TICK_S)
            took.append(time.thread_time() - began)
        self.engine.close()
        return float(np.median(took[20:]) * 1e6)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--codec", choices=("opus", "G722"), default="opus")
    parser.add_argument("--narrow", type=int, default=300)
    parser.add_argument("--ticks", type=int, default=200)
    chosen = parser.parse_args()
    print(f"{chosen.codec} beside {chosen.narrow} G.711 legs, {NARROW_TALKERS} of which talk")
    print(f"{'listeners':>10} {'talkers':>8} {'µs/tick':>8} {'µs per wide leg':>16}")
    alone = 0.0
    for listeners, talkers in CONFERENCES:
        took = Crowd(chosen.codec, chosen.narrow, listeners, talkers).measure(chosen.ticks)
        alone = alone or took
        each = (took - alone) / max(1, listeners + talkers)
        print(f"{listeners:>10} {talkers:>8} {took:>8.0f} {each:>16.1f}")


if __name__ == "__main__":
    main()
