"""What the media process costs, and the floor below it.

Three measurements of one core, printed as a table:

* engine: the media engine alone, fed synthetic packets: µs a tick, without sockets.
* floor: a bare loop that receives the callers' packets and sends as many with the same system calls on
  the same sockets, and does nothing else. No server can go below it.
* media: the same loop with the engine in between. Its processor time over the floor's is the ratio that
  the project is judged by; beside it stands that of the median ticks.

The callers are a process of their own on the same machine, on loopback. Floor and media take turns, so
that what else the machine does falls on both, and have real-time scheduling where that is permitted, as
the media process has.

    python benchmarks/media_floor.py [--shapes 1x300:10 200x10:2] [--seconds 3] [--turns 2]
"""

import argparse
import gc
import multiprocessing
import socket
import time
from dataclasses import dataclass, field

import numpy as np

from crowd import PACKET, PORT_PAIRS, SHAPES, Shape, call, make_engine, packets_of, shape_of, voices
from townhall.media.batched import MMsgIO, runs_of
from townhall.media.engine import Engine
from townhall.media.heap import keep_freed_memory
from townhall.media.legs import Legs
from townhall.media.loop import ask_for_real_time
from townhall.media.network import LocalPort
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, Outgoing, Received, Slots
from townhall.media.sockets import Sockets

STRIDE = 1600
"""As the packets lie in the receive buffer."""


def measure_engine(shape: Shape, ticks: int = 200) -> float:
    """µs of processor time of a tick, the engine alone (median)."""
    local = [LocalPort("127.0.0.1", 20000 + 2 * index, 4) for index in range(PORT_PAIRS)]
    names = [("127.0.0.1", 30000 + index) for index in range(shape.callers)]
    engine = make_engine(shape, local, names)
    slots = np.array([engine.legs.slot_of[leg] for leg in range(shape.callers)])
    data, spoken = np.zeros((shape.callers, STRIDE), np.uint8), voices()
    took = []
    for tick in range(ticks):
        data[:, :PACKET] = packets_of(shape.callers, tick, spoken)
        batch = Received(
            data,
            np.full(shape.callers, PACKET),
            engine.legs.name[slots],
            engine.legs.socket[slots],
            np.full(shape.callers, tick * TICK_S),
        )
        began = time.thread_time()
        engine.receive(batch, tick * TICK_S)
        engine.tick(tick * TICK_S, tick * TICK_S)
        took.append(time.thread_time() - began)
    engine.close()
    return float(np.median(took) * 1e6)


@dataclass(slots=True)
class Figures:
    """What runs cost and did."""

    ticks_s: list[float] = field(default_factory=list)
    """Processor time of every tick."""
    received: int = 0
    sent: int = 0

    @property
    def share(self) -> float:
        """Of a core, in percent."""
        return 100 * float(np.mean(self.ticks_s)) / TICK_S

    @property
    def usual(self) -> float:
        """The same of the median tick: what others do to the machine does not show in it."""
        return 100 * float(np.median(self.ticks_s)) / TICK_S

    @property
    def worst_ms(self) -> tuple[float, float]:
        """The 99.9th percentile and the longest."""
        return float(np.percentile(self.ticks_s, 99.9) * 1000), float(max(self.ticks_s) * 1000)


class Bare:
    """The floor: recvmmsg and sendmmsg on structures that were filled in once, and nothing else."""

    def __init__(self, socks: list[socket.socket], legs: Legs, slots: Slots) -> None:
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


def measure_sockets(shape: Shape, seconds: float, into: Figures, *, bare: bool) -> None:
    """One run of either loop, added to `into`."""
    sockets = Sockets(MediaSettings(rtp_ports=(21000, 21000 + 2 * PORT_PAIRS - 1), ice_port=None))
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.Process(target=call, args=(theirs, shape.callers, seconds))
    process.start()
    engine = make_engine(shape, sockets.local, ours.recv())
    slots = np.array([engine.legs.slot_of[leg] for leg in range(shape.callers)])
    work = Bare(sockets.sockets[:PORT_PAIRS], engine.legs, slots) if bare else Served(sockets, engine)
    ours.send([(port.host, port.port) for port in (sockets.local[i] for i in engine.legs.socket[slots])])
    gc.collect()
    gc.freeze()
    gc.disable()
    deadline = time.monotonic() + TICK_S
    while not ours.poll():
        time.sleep(max(0.0, deadline - time.monotonic()))
        deadline = max(deadline + TICK_S, time.monotonic())  # a stall is no burst
        start = time.thread_time()
        got, gone = work.tick()
        if got:  # before the first packets there is nothing to compare
            into.ticks_s.append(time.thread_time() - start)
            into.received, into.sent = into.received + got, into.sent + gone
    gc.enable()
    gc.unfreeze()
    process.join()
    sockets.close()
    engine.close()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", type=shape_of, nargs="+", default=SHAPES, metavar="CONFxSIZE:UNMUTED")
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--turns", type=int, default=2)
    chosen = parser.parse_args()
    ask_for_real_time()
    keep_freed_memory()
    print(f"{'conferences':>24} {'engine µs':>10} {'floor %':>8} {'media %':>8} {'ratio':>6} {'median':>7}")
    for shape in chosen.shapes:
        alone = measure_engine(shape)
        floor, media = Figures(), Figures()
        for _ in range(chosen.turns):
            measure_sockets(shape, chosen.seconds, floor, bare=True)
            measure_sockets(shape, chosen.seconds, media, bare=False)
        p999, most = media.worst_ms
        print(
            f"{shape!s:>24} {alone:>10.0f} {floor.share:>8.1f} {media.share:>8.1f}"
            f" {media.share / floor.share:>6.2f} {media.usual / floor.usual:>7.2f}"
            f"   {len(media.ticks_s)} ticks, p99.9 {p999:.1f} ms, worst {most:.1f} ms,"
            f" {media.received} received, {media.sent} sent",
            flush=True,
        )


if __name__ == "__main__":
    main()
