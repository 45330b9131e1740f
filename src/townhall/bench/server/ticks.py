"""How long the media processes' ticks took in a while, from what they count (`Stats.tick_counts`)."""

from dataclasses import dataclass

import numpy as np

from townhall.media.protocol import TICK_EDGES_MS, Stats


@dataclass(frozen=True, slots=True)
class Ticks:
    """`p999_ms`: 999 of 1000 took no longer. All but `max_ms` are right to 9 %, never too low."""

    ticks: int
    late: int
    p50_ms: float
    p99_ms: float
    p999_ms: float
    max_ms: float


def ticks_between(first: Stats, last: Stats) -> Ticks:
    """Of all media processes together; without counts, what the last seconds say."""
    late = max(0, last.ticks_late - first.ticks_late)
    if len(first.tick_counts) != len(last.tick_counts) or not last.tick_counts:
        figures = (last.tick_p50_ms, last.tick_p99_ms, last.tick_max_ms, last.tick_max_ms)
        return Ticks(max(0, last.ticks - first.ticks), late, *figures)
    counts = np.subtract(last.tick_counts, first.tick_counts)
    total = int(counts.sum())
    edges = np.array([*TICK_EDGES_MS, max(TICK_EDGES_MS[-1], last.tick_max_ms)])
    reached = np.searchsorted(np.cumsum(counts), [share * total for share in (0.5, 0.99, 0.999)])
    p50, p99, p999 = edges[np.minimum(reached, len(edges) - 1)].tolist() if total else (0.0, 0.0, 0.0)
    most = float(edges[np.flatnonzero(counts)[-1]]) if total else 0.0
    return Ticks(total, late, p50, p99, p999, most)
