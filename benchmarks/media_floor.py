"""What the media process costs, and the floor below it.

Three measurements of one core, printed as a table:

* engine: the media engine alone, fed synthetic packets: µs a tick, without sockets.
* floor: a bare loop that receives the callers' packets and sends as many with the same system calls, and
does nothing else. No server can go below it. * media: the same loop with the engine in between. Its CPU
over the floor's is the ratio that the project is judged by.

The callers are a process of their own on the same machine, on loopback: every caller sends a 20 ms G.711
packet a tick.

    python benchmarks/media_floor.py [--callers 300 2000] [--talkers 10] [--seconds 5]
"""

import argparse
import gc
import multiprocessing
import multiprocessing.connection
import socket
import time
from dataclasses import dataclass

import numpy as np

from townhall.media.batched import MMsgIO, runs_of
from townhall.media.engine import Engine
from townhall.media.legs import Legs
from townhall.media.network import LocalPort
from townhall.media.protocol import ConnectLeg, OpenLeg, SetMix
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, Outgoing, Received, Slots
from townhall.media.sockets import Sockets

PORT_PAIRS = 32
PAYLOAD = 160
PACKET = 12 + PAYLOAD


def packets_of(callers: int, tick: int) -> "np.ndarray[tuple[int, int], np.dtype[np.uint8]]":
    """One packet of every caller: PCMU, a noise of its own, as loud as talk (-26 dBFS)."""
    data = np.random.default_rng(tick).integers(0x40, 0x80, (callers, PACKET), np.uint8)
    data[:, ::2] |= 0x80  # both signs
    data[:, 0], data[:, 1] = 0x80, 0
    words, halves = data.view(">u4"), data.view(">u2")
    halves[:, 1] = tick & 0xFFFF
    words[:, 1] = tick * PAYLOAD
    words[:, 2] = np.arange(callers) + 1
    return data


def make_engine(callers: int, talkers: int, local: list[LocalPort], names: list[tuple[str, int]]) -> Engine:
    """One conference: `talkers` are heard, all hear."""
    engine = Engine(MediaSettings(max_legs=max(4096, callers)), local)
    for leg, address in enumerate(names):
        engine.handle(OpenLeg(leg, address, may_latch=False), 0.0)
        engine.handle(ConnectLeg(leg, "PCMU", 0, address, telephone_event=101), 0.0)
        engine.handle(SetMix(leg, "bus", hears=True, heard=leg < talkers), 0.0)
    return engine


def measure_engine(callers: int, talkers: int, ticks: int = 300) -> float:
    """µs of a tick, the engine alone (median)."""
    local = [LocalPort("127.0.0.1", 20000 + 2 * index, 4) for index in range(PORT_PAIRS)]
    names = [("127.0.0.1", 30000 + index) for index in range(callers)]
    engine = make_engine(callers, talkers, local, names)
    slots = np.array([engine.legs.slot_of[leg] for leg in range(callers)])
    took = []
    for tick in range(ticks):
        batch = Received(
            packets_of(callers, tick),
            np.full(callers, PACKET),
            engine.legs.name[slots],
            engine.legs.socket[slots],
            np.full(callers, tick * TICK_S),
        )
        began = time.perf_counter()
        engine.receive(batch, tick * TICK_S)
        engine.tick(tick * TICK_S, tick * TICK_S)
        took.append(time.perf_counter() - began)
    engine.close()
    return float(np.median(took) * 1e6)


@dataclass(frozen=True, slots=True)
class Figures:
    """What one run cost and did."""

    cpu_s: float
    """CPU seconds a tick."""
    ticks: int
    received: int
    sent: int


def callers_process(
    pipe: "multiprocessing.connection.Connection[object, object]", callers: int, seconds: float
) -> None:
    """All callers, one socket each; nobody reads what they are sent."""
    socks = []
    for _ in range(callers):
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        sock.setsockopt(
            socket.SOL_SOCKET, socket.SO_RCVBUF, 4096
        )  # full at once: nobody reads, the kernel drops
        socks.append(sock)
    pipe.send([sock.getsockname() for sock in socks])
    targets = pipe.recv()
    assert isinstance(targets, list)
    deadline = time.monotonic() + 0.1
    for tick in range(int(seconds / TICK_S)):
        data = packets_of(callers, tick)
        for sock, packet, target in zip(socks, data, targets, strict=True):
            sock.sendto(packet, target)
        deadline += TICK_S
        time.sleep(max(0.0, deadline - time.monotonic()))
    pipe.send("done")


class Bare:
    """The floor: recvmmsg and sendmmsg on structures that were filled in once, and nothing else."""

    def __init__(self, local: list[LocalPort], socks: list[socket.socket], legs: Legs, slots: Slots) -> None:
        self._descriptors = [sock.fileno() for sock in socks]
        order = slots[np.argsort(legs.socket[slots], kind="stable")]
        data = np.zeros((len(slots), PACKET), np.uint8)
        data[:, 0] = 0x80
        self._batch = Outgoing(data, np.full(len(slots), PACKET), legs.name[order], legs.socket[order])
        self._io = MMsgIO(4096)
        self._io.prepare(self._batch)
        runs = runs_of(self._batch.sockets)
        self._runs = [(socks[index].fileno(), first, last) for index, first, last in runs]

    def tick(self) -> tuple[int, int]:
        """Packets received and sent."""
        got = sum(self._io.receive_from(descriptor, 0) for descriptor in self._descriptors)
        return got, sum(self._io.send_from(*run) for run in self._runs)


class Served:
    """The media process's tick."""

    def __init__(self, sockets: Sockets, engine: Engine) -> None:
        self._sockets, self._engine = sockets, engine

    def tick(self) -> tuple[int, int]:
        """Packets received and sent."""
        now, got = time.monotonic(), 0

        def take(batch: Received) -> None:
            nonlocal got
            got += len(batch.lengths)
            self._engine.receive(batch, now)

        self._sockets.receive(take)
        return got, sum(self._sockets.send(batch) for batch in self._engine.tick(now, now))


def measure_sockets(callers: int, talkers: int, seconds: float, *, bare: bool) -> Figures:
    """One run of either loop."""
    sockets = Sockets(MediaSettings(rtp_ports=(21000, 21000 + 2 * PORT_PAIRS - 1)))
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=callers_process, args=(theirs, callers, seconds))
    process.start()
    names = ours.recv()
    engine = make_engine(callers, talkers, sockets.local, names)
    slots = np.array([engine.legs.slot_of[leg] for leg in range(callers)])
    socks = sockets.sockets[:PORT_PAIRS]
    work = Bare(sockets.local, socks, engine.legs, slots) if bare else Served(sockets, engine)
    ours.send([(port.host, port.port) for port in (sockets.local[i] for i in engine.legs.socket[slots])])
    gc.collect()
    gc.freeze()
    gc.disable()
    cpu, ticks, received, sent = 0.0, 0, 0, 0
    deadline = time.monotonic() + TICK_S
    while not ours.poll():
        time.sleep(max(0.0, deadline - time.monotonic()))
        deadline = max(deadline + TICK_S, time.monotonic())  # a stall is no burst
        start = time.thread_time()
        got, gone = work.tick()
        cpu += time.thread_time() - start
        ticks, received, sent = ticks + 1, received + got, sent + gone
    gc.enable()
    process.join()
    sockets.close()
    engine.close()
    return Figures(cpu / ticks, ticks, received, sent)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--callers", type=int, nargs="+", default=[300, 2000])
    parser.add_argument("--talkers", type=int, default=10)
    parser.add_argument("--seconds", type=float, default=5.0)
    chosen = parser.parse_args()
    print(f"{'callers':>8} {'engine µs/tick':>15} {'floor % core':>13} {'media % core':>13} {'ratio':>6}")
    for callers in chosen.callers:
        engine = measure_engine(callers, chosen.talkers)
        floor = measure_sockets(callers, chosen.talkers, chosen.seconds, bare=True)
        media = measure_sockets(callers, chosen.talkers, chosen.seconds, bare=False)
        shares = [100 * figures.cpu_s / TICK_S for figures in (floor, media)]
        print(
            f"{callers:>8} {engine:>15.0f} {shares[0]:>13.1f} {shares[1]:>13.1f}"
            f" {shares[1] / shares[0]:>6.2f}   {media.ticks} ticks,"
            f" {media.received} received, {media.sent} sent"
        )


if __name__ == "__main__":
    main()
