"""What two media processes hold, against one: the processor time that a caller costs in each.

One process with N callers, then two with 2 N, each time through the whole server and every phone listened
to. If a caller costs as much in the second as in the first, two hold twice as many. Processor time is
counted, and only that of the media processes: on a machine with few cores the load maker takes time from
them, but none of theirs. Callers come to one process and the other by turns, so every conference spans both,
which is the worst case.
"""

from collections.abc import Sequence

import msgspec

from townhall.bench.courses import Outcome, Progress, Row, Table
from townhall.bench.load.figures import LoadFigures, spoiled
from townhall.bench.load.rooms import RoomsCourse
from townhall.bench.phones.audience import Audience

HOLDS_AIM = 1.8


class Comparison(msgspec.Struct, frozen=True):
    one: LoadFigures
    two: LoadFigures
    holds: float
    """How many times as many callers two processes hold, by what one costs in each."""


class WorkersFigures(msgspec.Struct, frozen=True):
    comparisons: list[Comparison]


class WorkersCourse:
    """For each pair of audiences: the first with one process, the second, twice as many, with two."""

    name = "workers"

    def __init__(
        self,
        pairs: Sequence[tuple[Audience, Audience]],
        *,
        calls_a_second: float = 100.0,
        seconds: float = 8.0,
    ) -> None:
        self._pairs = [
            tuple(
                RoomsCourse(
                    self.name,
                    audience,
                    calls_a_second=calls_a_second,
                    seconds=seconds,
                    floor_s=0.0,
                    settings={"TOWNHALL_MEDIA_WORKERS": str(workers)},
                )
                for workers, audience in enumerate(pair, 1)
            )
            for pair in pairs
        ]
        self.seconds = sum(room.seconds for pair in self._pairs for room in pair)

    async def run(self, progress: Progress) -> Outcome:
        comparisons = []
        for pair in self._pairs:
            one, two = [await room.load(progress) for room in pair]
            comparisons.append(compared(one, two))
        tables = [Table(_title(each), _rows(each)) for each in comparisons]
        reasons = [why for each in comparisons for load in (each.one, each.two) for why in spoiled(load)]
        return Outcome(WorkersFigures(comparisons), tables, reasons)


def compared(one: LoadFigures, two: LoadFigures) -> Comparison:
    """What a caller costs in one process, and in two."""
    costs = [load.media_cpu / load.callers for load in (one, two)]
    return Comparison(one, two, 2 * costs[0] / costs[1] if costs[1] else 0.0)


def _title(each: Comparison) -> str:
    two = each.two
    where = "one conference" if two.conferences == 1 else f"{two.conferences} conferences"
    return f"{two.callers} callers in {where} over two media processes"


def _rows(each: Comparison) -> list[Row]:
    one, two = each.one, each.two
    shares = " and ".join(f"{share:.3f}" for share in two.media_cpu_each)
    return [
        Row(f"one media process, {one.callers} callers", f"{one.media_cpu:.3f} cores"),
        Row(f"two, {two.callers} callers", f"{shares} cores"),
        Row("two hold", f"{each.holds:.2f} times as many", f">= {HOLDS_AIM}", each.holds >= HOLDS_AIM),
        Row(
            "who hears whom",
            f"right for {two.phones_right} of {two.callers} phones",
            "all",
            two.phones_right == two.callers,
        ),
        Row("delay, half of the pairs", f"{two.delay_p50_ms:.0f} ms (one process: {one.delay_p50_ms:.0f})"),
    ]
