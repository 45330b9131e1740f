"""A media engine with phones around it, on a virtual clock and without sockets.

Each phone says one constant level, so what anybody hears is a sum that can be written down exactly.
"""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from townhall.audio.clips import write_wav
from townhall.audio.g711 import ALAW_DECODE, ULAW_DECODE, encode_alaw, encode_ulaw
from townhall.media.engine import Engine
from townhall.media.network import LocalPort
from townhall.media.protocol import Address, Codec, ConnectLeg, Event, LegOpened, OpenLeg, SetMix
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, TICK_SAMPLES, Outgoing, Received, address_of, name_of
from townhall.rtp import RTPPacket, build_packet, parse_packet

SETTLED_TICKS = 25
"""After this long every playout plays and every sum is steady."""


@dataclass
class RigPhone:
    """One caller: what it says, and every datagram it was sent."""

    leg: int
    address: Address
    socket: int
    codec: Codec = "PCMU"
    level: int | None = None
    """Sample value it says all the time; None: it sends nothing."""
    payload_type: int = 0
    ssrc: int = 0
    sequence_number: int = 100
    timestamp: int = 5000
    heard: list[RTPPacket] = field(default_factory=list)
    reports: list[bytes] = field(default_factory=list)

    def packet(self, payload: bytes, payload_type: int | None = None, *, marker: bool = False) -> bytes:
        """The next packet in sequence; the timestamp is left to the caller."""
        self.sequence_number += 1
        kind = self.payload_type if payload_type is None else payload_type
        return build_packet(
            RTPPacket(kind, self.sequence_number, self.timestamp, self.ssrc, payload, marker=marker)
        )

    def say(self) -> bytes:
        """20 ms of its level."""
        assert self.level is not None
        encode = encode_alaw if self.codec == "PCMA" else encode_ulaw
        packet = self.packet(encode(np.full(TICK_SAMPLES, self.level, np.int16)).tobytes())
        self.timestamp += TICK_SAMPLES
        return packet

    def samples(self, packets: int = 1) -> list[int]:
        """Samples of the last packets it was sent."""
        table = ALAW_DECODE if self.codec == "PCMA" else ULAW_DECODE
        codes = b"".join(packet.payload for packet in self.heard[-packets:])
        return table[np.frombuffer(codes, np.uint8)].tolist()

    def hears(self) -> int:
        """The steady level of the last packet; fails when it is not steady."""
        values = set(self.samples())
        assert len(values) == 1, f"leg {self.leg} hears no steady level: {sorted(values)[:8]}"
        return values.pop()


class Rig:
    """The engine, its phones and the clock."""

    def __init__(self, ports: int = 8, **settings: object) -> None:
        self.local = [LocalPort("127.0.0.1", 20000 + 2 * index, 4) for index in range(ports)]
        self.local += [LocalPort("::1", 20000 + 2 * index, 6) for index in range(ports)]
        self.engine = Engine(MediaSettings(max_legs=256, **settings), self.local, seed=1)
        self.now = 1000.0
        self.beat = 50_000
        self.phones: dict[int, RigPhone] = {}
        self.events: list[Event] = []
        self.stray: list[tuple[Address, bytes]] = []
        """Datagrams sent where no phone is."""

    def handle(self, *commands: object) -> None:
        """Commands, now."""
        for command in commands:
            self.engine.handle(command, self.now)
        self._take_events()

    def _take_events(self) -> list[Event]:
        events = self.engine.events[:]
        self.engine.events.clear()
        self.events += events
        return events

    def events_of(self, kind: type) -> list:
        """What has happened of one kind."""
        return [event for event in self.events if isinstance(event, kind)]

    def open(self, leg: int, address: Address | None = None, **fields: object) -> Event:
        """Open a leg; the answering event."""
        self.handle(OpenLeg(leg, address, **fields))
        return self.events[-1]

    def call(
        self,
        leg: int,
        level: int | None = None,
        codec: Codec = "PCMU",
        address: Address | None = None,
        may_latch: bool = False,
        **fields: object,
    ) -> RigPhone:
        """A connected phone."""
        at = address or ("10.0.0.1", 30000 + 2 * leg)
        opened = self.open(leg, at, may_latch=may_latch, ip_version=6 if ":" in at[0] else 4)
        assert isinstance(opened, LegOpened), opened
        kind = 8 if codec == "PCMA" else 0
        fields.setdefault("telephone_event", 101)
        self.handle(ConnectLeg(leg, codec, kind, at, **fields))
        socket = int(self.engine.legs.socket[self.engine.legs.slot_of[leg]])
        self.phones[leg] = RigPhone(leg, at, socket, codec, level, kind, ssrc=0x1000 + leg)
        return self.phones[leg]

    def mix(self, leg: int, bus: str | None, hears: bool = False, heard: bool = False, **fields: int) -> None:
        """`SetMix`."""
        self.handle(SetMix(leg, bus, hears, heard, **fields))

    def inject(self, *datagrams: tuple[int, Address, bytes]) -> None:
        """Datagrams as they arrive: socket index, source, bytes."""
        if not datagrams:
            return
        data = np.zeros((len(datagrams), 1088), np.uint8)
        for row, (_, _, packet) in zip(data, datagrams, strict=True):
            row[: len(packet)] = np.frombuffer(packet, np.uint8)
        batch = Received(
            data,
            np.array([len(packet) for _, _, packet in datagrams]),
            np.stack([name_of(source) for _, source, _ in datagrams]),
            np.array([socket for socket, _, _ in datagrams], np.int32),
            np.full(len(datagrams), self.now),
        )
        self.engine.receive(batch, self.now)

    def send(self, phone: RigPhone, *packets: bytes) -> None:
        """Packets from a phone's own address."""
        self.inject(*((phone.socket, phone.address, packet) for packet in packets))

    def tick(self, count: int = 1) -> None:
        """Steps of 20 ms in which every phone with a level says it."""
        for _ in range(count):
            saying = [phone for phone in self.phones.values() if phone.level is not None]
            self.inject(*((phone.socket, phone.address, phone.say()) for phone in saying))
            for batch in self.engine.tick(self.now, self.now, self.beat):
                self._deliver(batch)
            self._take_events()
            self.now += TICK_S
            self.beat += 1

    def settle(self) -> None:
        """Until all that is heard is steady."""
        self.tick(SETTLED_TICKS)

    def tick_until(self, kind: type, most: int = 500) -> Event:
        """Tick until an event of this kind comes. A clip's loader is a thread: give it real time."""
        import time

        seen = len(self.events_of(kind))
        for _ in range(most):
            self.tick()
            if len(self.events_of(kind)) > seen:
                return self.events_of(kind)[-1]
            time.sleep(0)
        raise AssertionError(f"no {kind.__name__} in {most} ticks")

    def load(self) -> None:
        """Wait for the loader thread without letting virtual time pass."""
        self.engine.clips.wait_loaded(5.0)
        self._take_events()

    def _deliver(self, batch: Outgoing) -> None:
        for row in range(len(batch.lengths)):
            data = batch.data[row, : int(batch.lengths[row])].tobytes()
            address = address_of(batch.names[row])
            socket = int(batch.sockets[row])
            found = [
                phone
                for phone in self.phones.values()
                if phone.address == address and phone.socket == socket % len(self.local)
            ]
            if data[1] in range(192, 224):
                to = [p for p in self.phones.values() if address[0] == p.address[0]]
                to = [p for p in to if address[1] in (p.address[1], p.address[1] + 1)]
                for phone in to:
                    phone.reports.append(data)
            elif found:
                found[0].heard.append(parse_packet(data))
            else:
                self.stray.append((address, data))

    def close(self) -> None:
        """End the loader thread."""
        self.engine.close()


def heard_in(codec: Codec, level: int) -> int:
    """What a level becomes on its way through a codec."""
    if codec == "PCMA":
        return int(ALAW_DECODE[encode_alaw(np.array([level], np.int16))[0]])
    return int(ULAW_DECODE[encode_ulaw(np.array([level], np.int16))[0]])


def write_clip(path: Path, samples: "np.ndarray | list[int]") -> str:
    """A clip at 8 kHz; its path."""
    path.write_bytes(write_wav(np.asarray(samples, np.int16), 8000))
    return str(path)
