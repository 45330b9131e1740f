"""The callers of the media benchmarks: what they send, and the conferences that they are in.

Every caller sends a 20 ms G.711 packet a tick, whether it is muted or not, as phones do.
"""

import multiprocessing.connection
import socket
import time
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from townhall.audio.g711 import encode_ulaw
from townhall.media.engine import Engine
from townhall.media.loop import ask_for_real_time
from townhall.media.network import LocalPort
from townhall.media.protocol import ConnectLeg, OpenLeg, SetMix
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S

PORT_PAIRS = 32
PAYLOAD = 160
PACKET = 12 + PAYLOAD
VOICE_TICKS = 100


@dataclass(frozen=True, slots=True)
class Shape:
    """So many conferences of so many callers each, the first few of whom are not muted."""

    conferences: int
    size: int
    talkers: int

    @property
    def callers(self) -> int:
        """In all conferences."""
        return self.conferences * self.size

    def __str__(self) -> str:
        return f"{self.conferences} x {self.size}, {self.talkers} unmuted"


SHAPES = [Shape(1, 300, 10), Shape(1, 2000, 10), Shape(200, 10, 2), Shape(200, 10, 10), Shape(1, 500, 500)]


def shape_of(text: str) -> Shape:
    """`200x10:2`: 200 conferences of 10 callers, 2 of them not muted. Raises ValueError."""
    conferences, _, rest = text.partition("x")
    size, _, talkers = rest.partition(":")
    return Shape(int(conferences), int(size), int(talkers))


def voices(count: int = 8) -> npt.NDArray[np.uint8]:
    """`(count, VOICE_TICKS, 160)` codes: voices that glide and pause between syllables, -20 dBFS."""
    at = np.arange(VOICE_TICKS * PAYLOAD) / 8000
    said = []
    for voice in range(count):
        pitch = (100 + 15 * voice) * (1 + 0.1 * np.sin(2 * np.pi * 1.5 * at + voice))
        phase = 2 * np.pi * np.cumsum(pitch) / 8000
        wave = sum(np.sin(order * phase + order * order) / order for order in range(1, 14))
        syllables = np.clip(3 * np.sin(2 * np.pi * 3 * at + voice), 0, 1)  # half of the time
        said.append(encode_ulaw((4500 * syllables * wave).astype(np.int16)))
    return np.stack(said).reshape(count, VOICE_TICKS, PAYLOAD)


def packets_of(callers: int, tick: int, spoken: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """One packet of every caller `(callers, PACKET)`: PCMU, everybody with a voice and a time of his own."""
    data = np.zeros((callers, PACKET), np.uint8)
    caller = np.arange(callers)
    data[:, 12:] = spoken[caller % len(spoken), (tick + 7 * caller) % VOICE_TICKS]
    data[:, 0] = 0x80
    words, halves = data.view(">u4"), data.view(">u2")
    halves[:, 1] = tick & 0xFFFF
    words[:, 1] = tick * PAYLOAD
    words[:, 2] = caller + 1
    return data


def make_engine(shape: Shape, local: list[LocalPort], names: list[tuple[str, int]]) -> Engine:
    """An engine with these conferences; the leg numbers count from 0."""
    engine = Engine(MediaSettings(max_legs=max(4096, shape.callers), hold_music_s=30.0), local)
    for leg, address in enumerate(names):
        join(engine, leg, address, f"bus {leg // shape.size}", heard=leg % shape.size < shape.talkers)
    return engine


def join(engine: Engine, leg: int, address: tuple[str, int], bus: str, *, heard: bool) -> None:
    """One caller more."""
    engine.handle(OpenLeg(leg, address, may_latch=False), 0.0)
    engine.handle(ConnectLeg(leg, "PCMU", 0, address, telephone_event=101), 0.0)
    engine.handle(SetMix(leg, bus, hears=True, heard=heard), 0.0)


def call(pipe: "multiprocessing.connection.Connection[object, object]", callers: int, seconds: float) -> None:
    """A process of callers, one socket each; nobody reads what they are sent."""
    ask_for_real_time()
    socks = []
    for _ in range(callers):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        # Full at once: nobody reads, and the kernel drops.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        socks.append(sock)
    pipe.send([sock.getsockname() for sock in socks])
    targets = pipe.recv()
    assert isinstance(targets, list)
    spoken = voices()
    deadline = time.monotonic() + 0.1
    for tick in range(int(seconds / TICK_S)):
        data = packets_of(callers, tick, spoken)
        for sock, packet, target in zip(socks, data, targets, strict=True):
            sock.sendto(packet, target)
        deadline += TICK_S
        time.sleep(max(0.0, deadline - time.monotonic()))
    pipe.send("done")
