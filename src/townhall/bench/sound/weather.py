"""What a network does to one talker's packets: lost, late, doubled, out of order, and the same for a seed.

Eight weathers, one for each kind of network that sound is measured on. A packet that is sent at 0, 20, 40 ...
ms arrives at a time, or never, or twice; that is all a weather says, so the same one serves a virtual clock
and sockets. Delays keep packets in their order (a queue, as routers and radios have it) but for the weather
that is about order. Pure numpy: no clock, no sockets.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

PACKET_MS = 20.0
"""A packet is sent every so often."""

LONGEST_DELAY_MS = 160.0
"""Of jitter and of spikes."""

_BURST = 4
_JITTER_SHAPE = 2.3
"""Puts the mean delay of a queue whose packets are held up for 0 to 160 ms at 80."""
_SPIKES_EVERY = 70
"""Packets, on average."""
_LEAST_SPIKE_MS = 60.0
_SWAPPED_MS = 30.0
"""A packet that changes places with the next one comes so late."""
_DOUBLED_MS = 1.0

Times: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Passage:
    """Packets as they arrive, earliest first."""

    numbers: NDArray[np.int64]
    """Which packet it is, from 0, int64 `(arrivals,)`; lost ones don't occur, doubled ones occur twice."""
    at_ms: Times
    """When it arrives, float64 `(arrivals,)`; packet `n` was sent at `20 n`."""


def passage(weather: str, packets: int, seed: int) -> Passage:
    """What becomes of `packets` in a `weather` of `WEATHERS`; the same for the same seed.

    Raises `ValueError` for another weather.
    """
    if weather not in WEATHERS:
        raise ValueError(f"weather {weather!r}: expected one of {', '.join(WEATHERS)}")
    delay = WEATHERS[weather](packets, np.random.default_rng(seed))
    numbers = np.arange(packets)
    at_ms = numbers * PACKET_MS + delay
    if weather == "doubled":
        twice = np.random.default_rng((seed, 1)).random(packets) < 0.05
        numbers = np.concatenate((numbers, numbers[twice]))
        at_ms = np.concatenate((at_ms, at_ms[twice] + _DOUBLED_MS))
    order = np.argsort(at_ms, kind="stable")
    order = order[np.isfinite(at_ms[order])]
    return Passage(numbers[order], at_ms[order])


def lost_share(weather: str, packets: int, seed: int) -> float:
    """The share of packets that never arrive."""
    arrived = np.unique(passage(weather, packets, seed).numbers)
    return 1.0 - len(arrived) / max(packets, 1)


def _clean(packets: int, _rng: np.random.Generator) -> Times:
    return np.zeros(packets)


def _random_loss(share: float) -> Callable[[int, np.random.Generator], Times]:
    def delays(packets: int, rng: np.random.Generator) -> Times:
        return np.where(rng.random(packets) < share, np.inf, 0.0)

    return delays


def _bursts(packets: int, rng: np.random.Generator) -> Times:
    """Runs of four, the gaps between them such that one packet in twenty is lost."""
    delay = np.zeros(packets)
    gaps = rng.geometric(1.0 / (_BURST * 19), size=packets // _BURST + 1)
    starts = np.cumsum(gaps + _BURST) - _BURST
    lost = (starts[:, None] + np.arange(_BURST)).ravel()
    delay[lost[lost < packets]] = np.inf
    return delay


def _jitter(packets: int, rng: np.random.Generator) -> Times:
    return _queued(LONGEST_DELAY_MS * rng.random(packets) ** _JITTER_SHAPE)


def _spikes(packets: int, rng: np.random.Generator) -> Times:
    """Now and then the queue stands still for 60 to 160 ms, and what has gathered comes at once."""
    height = _LEAST_SPIKE_MS + (LONGEST_DELAY_MS - _LEAST_SPIKE_MS) * rng.random(packets)
    return _queued(np.where(rng.random(packets) < 1.0 / _SPIKES_EVERY, height, 0.0))


def _swapped(packets: int, rng: np.random.Generator) -> Times:
    return np.where(rng.random(packets) < 0.05, _SWAPPED_MS, 0.0)


def _queued(held_up_ms: Times) -> Times:
    """Delays of packets of which none overtakes another: who waits lets those behind him wait."""
    sent = np.arange(len(held_up_ms)) * PACKET_MS
    delays: Times = np.maximum.accumulate(sent + held_up_ms) - sent
    return delays


WEATHERS: dict[str, Callable[[int, np.random.Generator], Times]] = {
    "clean": _clean,
    "loss 5 %": _random_loss(0.05),
    "loss 10 %": _random_loss(0.10),
    "bursts of 4": _bursts,
    "jitter": _jitter,
    "spikes": _spikes,
    "reordered": _swapped,
    "doubled": _clean,
}
"""Delays in ms by the number of packets, infinite for lost ones."""
