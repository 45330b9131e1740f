"""One conference that grows: what it costs and delivers with more and more callers, and how it ends.

All come through the menu, at the pace that the last stage is judged by; those who are in already are
listened to while the others come. In the end the moderator leaves, and everybody hears a goodbye and is
hung up.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from townhall.bench.courses import Outcome, Progress, Table
from townhall.bench.load.answers import AnswerFigures, answer_figures, calling_in_rows
from townhall.bench.load.figures import Gathered, LoadFigures, figures_of, gather, settle, spoiled
from townhall.bench.load.lowest import measure_floor
from townhall.bench.load.release import ReleaseFigures, release_all, release_rows
from townhall.bench.load.rows import coming_rows, grown_row, load_rows
from townhall.bench.phones.apart import CrowdApart
from townhall.bench.phones.audience import Audience
from townhall.bench.phones.calling import Answered, Caller, Key, call_all, gather_crowd, phones_of
from townhall.bench.phones.window import Window
from townhall.bench.server.subject import LINE, BenchFailed, Subject, started_subject
from townhall.media.shapes import Int64s

_AGAIN, _AGAIN_AFTER_S = 3, 4.0
"""How often the refused call again, and after how many seconds."""


class ComingFigures(msgspec.Struct, frozen=True):
    """What those who were in the conference already got while others came."""

    listening: int
    packets_missed: int
    phones_with_misses: int
    gap_max_ms: float


class StageFigures(msgspec.Struct, frozen=True):
    """One stage of the growing conference."""

    answers: AnswerFigures
    coming: ComingFigures
    load: LoadFigures


class CapacityFigures(msgspec.Struct, frozen=True):
    stages: list[StageFigures]
    release: ReleaseFigures


class CapacityCourse:
    """A conference of `sizes`, one after the other, each listened to for `seconds`, the last for `last_s`."""

    name = "capacity"

    def __init__(
        self,
        sizes: Sequence[int],
        talkers: int = 10,
        *,
        calls_a_second: float = 100.0,
        seconds: float = 10.0,
        last_s: float = 60.0,
        floor_s: float = 6.0,
    ) -> None:
        if sizes[0] <= talkers or list(sizes) != sorted(set(sizes)):
            raise ValueError(f"sizes have to grow, and to be more than the {talkers} talkers: {sizes}")
        self._sizes = list(sizes)
        self._audience = Audience(1, sizes[-1], talkers)
        self._calls_a_second = calls_a_second
        self._stage_s = [seconds] * (len(sizes) - 1) + [last_s]
        self._floor_s = floor_s
        fill_s = sizes[-1] / calls_a_second
        self.seconds = 12 + fill_s + sum(self._stage_s) + len(sizes) * (floor_s + 9)

    async def run(self, progress: Progress) -> Outcome:
        progress("Starting a server", 0.0)
        grown: list[_Grown] = []
        async with (
            started_subject() as subject,
            gather_crowd(self._sizes[-1], self._audience.said()) as (crowd, caller),
        ):
            calls: list[Answered] = []
            for size, seconds in zip(self._sizes, self._stage_s, strict=True):
                grown.append(await self._grow(subject, crowd, caller, calls, size, seconds, progress))
                if len(calls) < size:
                    break  # it takes no more
            release = await release_all(crowd, calls, self._audience, progress)
        return _outcome(CapacityFigures([await self._reckon(stage, progress) for stage in grown], release))

    async def _grow(
        self,
        subject: Subject,
        crowd: CrowdApart,
        caller: Caller,
        calls: list[Answered],
        size: int,
        seconds: float,
        progress: Progress,
    ) -> "_Grown":
        """Call in as many as are missing, and listen; raises `BenchFailed` when none of them is answered."""
        before, failures = phones_of(calls), caller.failures.copy()
        uri = subject.uri(LINE)
        crowd.begin_window()
        answered = await call_all(
            size - len(calls),
            self._calls_a_second,
            lambda phone: self._join(caller, phone, uri),
            partial(progress, f"Calling in {size} phones, {self._calls_a_second:g} a second"),
            len(calls),
        )
        window = crowd.end_window()
        if not answered:
            raise BenchFailed(
                f"after {len(calls)} callers, none was answered: {dict(caller.failures)}\n{subject.tail()}"
            )
        answers = answer_figures(
            size - len(calls), self._calls_a_second, answered, dict(caller.failures - failures)
        )
        calls += answered
        await self._call_again(caller, calls, uri, size, progress)
        phones = phones_of(calls)
        await settle(crowd, self._audience, phones, partial(progress, "Waiting until all are in"))
        doing = f"{len(phones)} callers in one conference"
        measured = await gather(subject, crowd, phones, seconds, partial(progress, doing))
        return _Grown(answers, before, window, measured)

    async def _call_again(
        self, caller: Caller, calls: list[Answered], uri: str, size: int, progress: Progress
    ) -> None:
        """Whom the server sent away calls again a little later, as he was told to; a few times."""
        for _ in range(_AGAIN):
            missing = sorted(set(range(size)) - {call.phone for call in calls})
            if not missing:
                break
            await asyncio.sleep(_AGAIN_AFTER_S)
            join = partial(self._join_again, caller, missing, uri)
            doing = f"{len(missing)} of {size} phones call again"
            calls += await call_all(len(missing), self._calls_a_second / 4, join, partial(progress, doing))
        calls.sort(key=lambda call: call.phone)

    async def _join_again(
        self, caller: Caller, phones: Sequence[int], uri: str, number: int
    ) -> Answered | None:
        return await self._join(caller, phones[number], uri)

    async def _reckon(self, grown: "_Grown", progress: Progress) -> StageFigures:
        callers = len(grown.measured.phones)
        floor = await measure_floor(
            callers, self._floor_s, partial(progress, f"Finding the floor of {callers} callers")
        )
        progress(f"Listening to what {callers} phones heard", 0.0)
        load = await asyncio.to_thread(figures_of, grown.measured, self._audience, floor)
        return StageFigures(grown.answers, _coming(grown.window, grown.before), load)

    async def _join(self, caller: Caller, phone: int, uri: str) -> Answered | None:
        answered = await caller.call(phone, uri)
        if answered is not None:
            moderates, talks = self._audience.moderates(phone), self._audience.talks(phone)
            key: Key = "3" if moderates else "2" if talks else "1"
            await caller.press(answered, key)
        return answered


@dataclass(frozen=True, slots=True)
class _Grown:
    """A stage as it was gathered; `window` is what those `before` got while the others came."""

    answers: AnswerFigures
    before: Int64s
    window: Window
    measured: Gathered


def _coming(window: Window, listening: Int64s) -> ComingFigures:
    missed = window.missed[listening]
    return ComingFigures(
        listening=len(listening),
        packets_missed=int(missed.sum()),
        phones_with_misses=int((missed > 0).sum()),
        gap_max_ms=float(1000 * window.gap_s[listening].max()) if len(listening) else 0.0,
    )


def _outcome(figures: CapacityFigures) -> Outcome:
    """The last stage in full, the others in a line each."""
    loads = [stage.load for stage in figures.stages]
    last = figures.stages[-1]
    title = f"{last.load.callers} callers in one conference, {last.load.talkers} of them talking"
    rows = [*load_rows(last.load), *calling_in_rows(last.answers)]
    if last.coming.listening:
        rows += coming_rows(last.coming.listening, last.coming.packets_missed, last.coming.gap_max_ms)
    tables = [
        Table(title, rows),
        Table("the moderator leaves", release_rows(figures.release)),
        Table(
            "how it grew: ticks are the median, 99 %, 99.9 % and the longest",
            [grown_row(load) for load in loads],
        ),
    ]
    return Outcome(figures, tables, spoiled(*loads))
