"""How fast calls are answered: so many a second through the menu, each held for a while."""

import asyncio
from collections.abc import Sequence

import msgspec
import numpy as np

from townhall.bench.courses import Outcome, Progress, Row, Table
from townhall.bench.phones.calling import Answered, Caller, call_all, gather_crowd
from townhall.bench.server.subject import LINE, BenchFailed, started_subject

ANSWER_AIM_MS = 300.0


class AnswerFigures(msgspec.Struct, frozen=True):
    """How calls were set up. Times are from the INVITE's sending to the 200's arrival at the caller."""

    calls: int
    failed: int
    calls_a_second: float
    p50_ms: float
    p90_ms: float
    p99_ms: float
    max_ms: float
    failures: dict[str, int] = {}
    """Why calls were not answered, and how many for each reason."""


class AnswersCourse:
    """`calls` at `calls_a_second`, each held for `hold_s`."""

    name = "answers"

    def __init__(self, calls: int, calls_a_second: float, hold_s: float = 1.0) -> None:
        self._calls, self._calls_a_second, self._hold_s = calls, calls_a_second, hold_s
        self.seconds = 8 + calls / calls_a_second

    async def run(self, progress: Progress) -> Outcome:
        progress("Starting a server", 0.0)
        async with started_subject() as subject, gather_crowd(self._calls) as (_, caller):
            uri = subject.uri(LINE)
            await self._call(
                caller, 0, uri, 0.0
            )  # the first call finds the prompts cold, as no later one does
            answered = await call_all(
                self._calls,
                self._calls_a_second,
                lambda phone: self._call(caller, phone, uri, self._hold_s),
                lambda done: progress(f"Setting up {self._calls_a_second:g} calls a second", done),
            )
            if not answered:
                raise BenchFailed(
                    f"none of {self._calls} calls was answered: {dict(caller.failures)}\n{subject.tail()}"
                )
        figures = answer_figures(self._calls, self._calls_a_second, answered, dict(caller.failures))
        title = f"{self._calls} calls at {self._calls_a_second:g} a second through the menu"
        return Outcome(figures, [Table(title, answer_rows(figures))])

    async def _call(self, caller: Caller, phone: int, uri: str, hold_s: float) -> Answered | None:
        answered = await caller.call(phone, uri)
        if answered is not None:
            await caller.press(answered, "1")
            await asyncio.sleep(hold_s)
            await caller.hang_up(answered)
        return answered


def answer_figures(
    calls: int, calls_a_second: float, answered: Sequence[Answered], failures: dict[str, int]
) -> AnswerFigures:
    times = np.array([call.after_ms for call in answered])
    p50, p90, p99 = np.percentile(times, [50, 90, 99])
    return AnswerFigures(
        calls=calls,
        failed=calls - len(times),
        calls_a_second=calls_a_second,
        p50_ms=float(p50),
        p90_ms=float(p90),
        p99_ms=float(p99),
        max_ms=float(times.max()),
        failures=failures,
    )


def answer_rows(figures: AnswerFigures) -> list[Row]:
    return [
        Row("not answered", f"{figures.failed}", "0", figures.failed == 0),
        *(Row(f"not answered: {reason}", f"{count}") for reason, count in figures.failures.items()),
        Row("answered after, median", f"{figures.p50_ms:.0f} ms"),
        Row("90 % within", f"{figures.p90_ms:.0f} ms"),
        Row(
            "99 % within",
            f"{figures.p99_ms:.0f} ms",
            f"< {ANSWER_AIM_MS:g} ms",
            figures.p99_ms < ANSWER_AIM_MS,
        ),
        Row("slowest", f"{figures.max_ms:.0f} ms"),
    ]


def calling_in_rows(figures: AnswerFigures) -> list[Row]:
    """The same in a table that is of something else."""
    named = [(f"calling in: {row.what}", row) for row in answer_rows(figures)]
    return [Row(what, row.measured, row.aim, row.reached) for what, row in named]
