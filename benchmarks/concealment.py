"""What playout and concealment make of a bad network, without a server: PESQ, delay and processor time.

Recorded speech as G.711 packets, each weather of `townhall.bench.sound.weather`, one `Playout` of all talkers
and a virtual clock of 20 ms; beside it what doing nothing gives. `townhall bench` measures the same through
the whole server; this is its quick half, for working on `townhall.audio`. PESQ and the speech are those that
`make bench` installs.

    python benchmarks/concealment.py [--seeds 2] [--weathers "loss 5 %" spikes] [--cost]
"""

import argparse
import asyncio
import sys
import time
from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from townhall.audio import ULAW_DECODE, Playout, encode_ulaw
from townhall.bench.sound.nothing import heard_untreated
from townhall.bench.sound.score import score
from townhall.bench.sound.speech import NARROW_RATE, SoundMissing, Utterance, load_utterances, scored
from townhall.bench.sound.talk import Ulaw
from townhall.bench.sound.weather import PACKET_MS, WEATHERS, Passage, passage

LENGTH = 160
TAIL_TICKS = 20
SETTLED_TICKS = 150

Samples = NDArray[np.int16]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Talk:
    """One talker in one weather; his packets come `phase_ms` before a tick."""

    utterance: Utterance
    through: Passage
    phase_ms: float

    def samples(self) -> Samples:
        said = self.utterance.samples
        whole = said[: len(said) // LENGTH * LENGTH]
        return np.asarray(ULAW_DECODE[encode_ulaw(whole)], np.int16)


def play(talks: list[Talk]) -> tuple[list[Samples], Floats]:
    """What is heard of each talk, and the delay of each tick in ms, `(ticks, talks)`."""
    signals = [talk.samples() for talk in talks]
    playout, slots = Playout(len(talks)), np.arange(len(talks))
    playout.reset(slots)
    at_tick: dict[int, list[tuple[float, int, int]]] = defaultdict(list)
    for row, talk in enumerate(talks):
        times = talk.through.at_ms + (PACKET_MS - talk.phase_ms)
        for number, at_ms in zip(talk.through.numbers.tolist(), times.tolist(), strict=True):
            at_tick[int(at_ms // PACKET_MS)].append((at_ms, row, number))
    ticks = max(map(len, signals)) // LENGTH + TAIL_TICKS
    heard, waits = [], []
    for tick in range(ticks):
        arrived = sorted(at_tick[tick])
        rows, numbers = (np.array([packet[column] for packet in arrived], np.int64) for column in (1, 2))
        packets = [signals[row][n * LENGTH : (n + 1) * LENGTH] for row, n in zip(rows, numbers, strict=True)]
        if packets:
            playout.write(rows, (numbers * LENGTH).astype(np.uint32), tick, np.stack(packets))
        waits.append(playout.delay_ms(slots))
        heard.append(playout.read(slots))
    phases = np.array([talk.phase_ms for talk in talks])
    earliest = np.array([(t.through.at_ms - PACKET_MS * t.through.numbers).min() for t in talks])
    return list(np.concatenate(heard, axis=1)), np.array(waits) + phases + earliest


async def judge(talks: list[Talk], heard: list[Samples]) -> Floats:
    """PESQ of each."""
    part = scored(NARROW_RATE)
    pairs = []
    for talk, sound in zip(talks, heard, strict=True):
        spoken = talk.utterance.samples[part].astype(np.float64)
        told = sound[part.start :][: len(spoken)].astype(np.float64)
        pairs.append((spoken, np.pad(told, (0, len(spoken) - len(told)))))
    return await score(NARROW_RATE, pairs)


async def compare(weather: str, utterances: list[Utterance], seeds: int) -> None:
    """Print one line: ours, silence and repetition."""
    codec = Ulaw()
    talks = [
        Talk(
            utterance,
            passage(weather, len(utterance.samples) // LENGTH, 1000 * seed + number),
            (7 * number + 3 * seed) % 20 + 0.5,
        )
        for seed in range(seeds)
        for number, utterance in enumerate(utterances)
    ]
    heard, waits = play(talks)
    ours = await judge(talks, heard)
    nothing = []
    for way in ("silence", "repetition"):
        plain = [heard_untreated(codec, codec.encode(t.utterance.samples), t.through, way) for t in talks]
        nothing.append(float(np.nanmean(await judge(talks, plain))))
    delay_ms = np.median(waits[SETTLED_TICKS:-TAIL_TICKS])
    print(
        f"{weather:>12} {np.nanmean(ours):>6.2f} {np.nanmin(ours):>6.2f} {delay_ms:>9.0f}"
        f" {nothing[0]:>8.2f} {nothing[1]:>11.2f}",
        flush=True,
    )


def measure_cost(legs: int, loss: float, ticks: int = 300) -> tuple[float, float]:
    """µs of processor time to write and to read a tick of so many talkers (medians)."""
    rng = np.random.default_rng(1)
    steps = np.arange(ticks * LENGTH)
    sound = 6000 * np.sin(steps * 2 * np.pi / 57.3) + rng.normal(0, 300, len(steps))
    frames = sound.astype(np.int16).reshape(ticks, LENGTH)
    playout, slots = Playout(legs), np.arange(legs)
    playout.reset(slots)
    took = []
    for tick in range(ticks):
        here = slots[rng.random(legs) >= loss]
        samples = np.repeat(frames[tick : tick + 1], len(here), axis=0)
        began = time.thread_time()
        playout.write(here, np.full(len(here), tick * LENGTH, np.uint32), tick, samples)
        written = time.thread_time()
        playout.read(slots)
        took.append((written - began, time.thread_time() - written))
    write, read = np.median(took, axis=0) * 1e6
    return float(write), float(read)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seeds", type=int, default=2)
    parser.add_argument("--weathers", nargs="+", default=list(WEATHERS), choices=list(WEATHERS))
    parser.add_argument("--cost", action="store_true", help="only the processor time")
    chosen = parser.parse_args()
    if not chosen.cost:
        try:
            utterances = load_utterances(NARROW_RATE)
        except SoundMissing as error:
            sys.exit(str(error))
        print(f"{'weather':>12} {'PESQ':>6} {'worst':>6} {'delay ms':>9} {'silence':>8} {'repetition':>11}")
        for weather in chosen.weathers:
            asyncio.run(compare(weather, utterances, chosen.seeds))
    print(f"{'talkers':>12} {'loss':>6} {'write µs':>9} {'read µs':>8}   a tick")
    for legs in (10, 500):
        for loss in (0.0, 0.1):
            write, read = measure_cost(legs, loss)
            print(f"{legs:>12} {loss:>6.0%} {write:>9.0f} {read:>8.0f}")


if __name__ == "__main__":
    main()
