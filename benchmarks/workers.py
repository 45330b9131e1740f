"""How much more two media processes hold than one.

One process with N callers, then two with 2 N: what a caller costs, in processor time of the media processes,
may hardly grow. `holds` is twice the one cost over the other: 2.0 would be perfect, 1.8 is the aim. It counts
everything that a process does, sockets and the kernel's part of them included, and is a fair measure of what
two hold only while each has a core to itself: on a machine with two, the callers and whoever else runs there
take time from both, but not processor time of theirs.

The callers are a process on the same machine, and come to one worker and the other by turns, so that every
conference of more than one caller spans both: the worst case. Runs of one and of two take turns.

    python benchmarks/workers.py [--shapes 1x800:10 80x10:2] [--seconds 4] [--turns 3]
"""

import argparse
import asyncio
import multiprocessing
import multiprocessing.connection
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crowd import Shape, call, shape_of
from townhall.media import Leg, MediaPool, MediaProcess, MediaSettings

WARM_UP_S = 2
SHAPES = [Shape(1, 800, 10), Shape(80, 10, 2), Shape(80, 10, 10)]


@dataclass(frozen=True, slots=True)
class Cost:
    """What media processes used and moved in a window, over all of them."""

    cpu_s: float
    packets: int
    """Received and sent."""
    late: int
    """Ticks that were missed: then the machine was too small for the measurement."""

    def __add__(self, other: "Cost") -> "Cost":
        return Cost(self.cpu_s + other.cpu_s, self.packets + other.packets, self.late + other.late)

    @property
    def us(self) -> float:
        """Microseconds a packet."""
        return 1e6 * self.cpu_s / max(1, self.packets)


def figures(processes: Sequence[MediaProcess]) -> list[Cost]:
    """Since the start of each process."""
    found = [process.stats for process in processes]
    return [
        Cost(stats.cpu_s, stats.packets_received + stats.packets_sent, stats.ticks_late)
        for stats in found
        if stats is not None
    ]


async def told(media: MediaPool | MediaProcess, processes: Sequence[MediaProcess]) -> list[Cost]:
    """The next figures of all of them."""
    before = [process.stats for process in processes]
    came = asyncio.Event()
    media.on_stats = lambda stats: came.set()
    while any(process.stats is old for process, old in zip(processes, before, strict=True)):
        came.clear()
        await came.wait()
    return figures(processes)


async def measure(shape: Shape, workers: int, seconds: int) -> Cost:
    """One run."""
    settings = MediaSettings(rtp_ports=(0, 0), ice_port=None, busy_share=10.0, max_legs=4096)
    media = MediaPool(settings, workers) if workers > 1 else MediaProcess(settings)
    await media.start()
    processes = media.workers if isinstance(media, MediaPool) else [media]
    ours, theirs = multiprocessing.Pipe()
    length = seconds + WARM_UP_S + 4
    crowd = multiprocessing.get_context("spawn").Process(target=call, args=(theirs, shape.callers, length))
    crowd.start()
    try:
        await converse(media, shape, ours)
        await asyncio.sleep(WARM_UP_S)
        first = await told(media, processes)
        await asyncio.sleep(seconds - 1)
        last = await told(media, processes)
    finally:
        await media.stop()
        await asyncio.to_thread(crowd.join)
    spent = [
        Cost(new.cpu_s - old.cpu_s, new.packets - old.packets, new.late - old.late)
        for old, new in zip(first, last, strict=True)
    ]
    return sum(spent[1:], spent[0])


async def converse(
    media: MediaPool | MediaProcess,
    shape: Shape,
    pipe: "multiprocessing.connection.Connection[object, object]",
) -> None:
    """All callers into their conferences; then they begin to send."""
    names = await asyncio.to_thread(pipe.recv)
    assert isinstance(names, list)
    legs: list[Leg] = []
    for number, name in enumerate(names):
        leg = await media.open_leg(name, may_latch=False)
        leg.connect(codec="PCMU", payload_type=0, remote=name, telephone_event=101)
        leg.set_mix(f"bus {number // shape.size}", hears=True, heard=number % shape.size < shape.talkers)
        legs.append(leg)
    pipe.send([("127.0.0.1", leg.rtp_port) for leg in legs])


async def compare(one: Shape, two: Shape, seconds: int, turns: int) -> None:
    """Print a line: medians over the turns, and the least and the most that two held in one of them."""
    singles, doubles = [], []
    for _ in range(turns):
        singles.append(await measure(one, 1, seconds))
        doubles.append(await measure(two, 2, seconds))
    holds = sorted(2 * single.us / double.us for single, double in zip(singles, doubles, strict=True))
    single_us, double_us = (statistics.median(cost.us for cost in costs) for costs in (singles, doubles))
    late = sum(cost.late for cost in singles + doubles)
    print(
        f"{two!s:>26} {single_us:>10.2f} {double_us:>10.2f} {statistics.median(holds):>6.2f}"
        f"   {holds[0]:.2f} to {holds[-1]:.2f}, {late} ticks missed",
        flush=True,
    )


def doubled(one: Shape) -> Shape:
    """Twice the callers: in the one conference, or in twice as many conferences."""
    if one.conferences == 1:
        return replace(one, size=2 * one.size)
    return replace(one, conferences=2 * one.conferences)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--shapes", type=shape_of, nargs="+", default=SHAPES, metavar="CONFxSIZE:UNMUTED")
    parser.add_argument("--seconds", type=int, default=4)
    parser.add_argument("--turns", type=int, default=3)
    chosen = parser.parse_args()
    print(f"{'conferences of two':>26} {'one: µs':>10} {'two: µs':>10} {'holds':>6}   (µs of a packet)")
    for one in chosen.shapes:
        asyncio.run(compare(one, doubled(one), chosen.seconds, chosen.turns))


if __name__ == "__main__":
    main()
