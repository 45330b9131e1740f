"""People come and go: what a call takes of the memory, and what it leaves behind.

A conference is filled, then somebody joins and somebody leaves all the time, then all leave. What the server
holds is looked at before, meanwhile and afterwards. An hour at 100 joins and 100 leaves a minute is
`SoakCourse(joins_a_minute=100, minutes=60)`; a quicker pace shows the same sooner: after some 2,500 visits
the lists of the latest ones (log, console) are full, and only what is kept of every visit grows.
"""

import asyncio
from collections import deque
from collections.abc import Sequence

import msgspec
import numpy as np

from townhall.bench.courses import Outcome, Progress, Row, Table
from townhall.bench.phones.calling import Answered, Caller, call_all, gather_crowd
from townhall.bench.server.standing import Standing, standing
from townhall.bench.server.subject import LINE, BenchFailed, Subject, started_subject

CALL_AIM_KB = 150.0
LEFT_AIM_KB = 4.0
"""What the record of a visit may take, for each who has come and gone: it stands in the conference's own list
of visitors, which lasts as long as the conference.
"""
SETTLED_S = 36.0
"""SIP remembers what it has answered for 32 s (RFC 3261, 64*T1)."""
_FILL_A_SECOND = 50.0
_SAMPLES = 60
_WARM = 30
_NOTICED_S = 1.5
"""The media process tells once a second how many legs it has."""


class SoakFigures(msgspec.Struct, frozen=True):
    callers: int
    call_kb: float
    """Memory for each call that is in, over all processes."""
    call_control_kb: float
    """Of it in the control process."""
    joins: int
    joins_a_minute: float
    failed: int
    failures: dict[str, int]
    left_kb: float
    """How much memory grew for each who came and went, in the second half of the coming and going."""
    calls_left: int
    legs_left: int
    threads_left: int
    files_left: int
    tasks_left: int
    """What there was more of after all had gone than before the first had come."""
    memory_first_kb: int
    memory_last_kb: int


class SoakCourse:
    """`callers` are in; then `joins_a_minute` join, and as many leave, for `minutes`."""

    name = "soak"

    def __init__(self, callers: int = 300, joins_a_minute: float = 2400.0, minutes: float = 1.5) -> None:
        self._callers, self._joins_a_minute, self._minutes = callers, joins_a_minute, minutes
        self.seconds = 20 + callers / _FILL_A_SECOND + 60 * minutes + SETTLED_S

    async def run(self, progress: Progress) -> Outcome:
        progress("Starting a server", 0.0)
        async with started_subject() as subject, gather_crowd(self._callers) as (_, caller):
            uri = subject.uri(LINE)
            await self._warm_up(caller, uri)
            await asyncio.sleep(_NOTICED_S)
            before = await standing(subject)
            inside = deque(await self._fill(caller, uri, progress))
            await asyncio.sleep(_NOTICED_S)
            full = await standing(subject)
            if not inside:
                raise BenchFailed(f"nobody was answered: {dict(caller.failures)}\n{subject.tail()}")
            seen = await self._come_and_go(subject, caller, inside, progress)
            for answered in inside:
                await caller.hang_up(answered)
            for second in range(round(SETTLED_S)):
                progress("All have gone; waiting until the server is at rest", second / SETTLED_S)
                await asyncio.sleep(1.0)
            after = await standing(subject)
        figures = self._figures(before, full, len(inside), seen, after, dict(caller.failures))
        return Outcome(figures, [Table(self._title(), soak_rows(figures))])

    async def _warm_up(self, caller: Caller, uri: str) -> None:
        """A conference that comes and goes, so that all that is made once is there: words, threads,
        connections.
        """
        calls = await asyncio.gather(*(self._join(caller, phone, uri) for phone in range(_WARM)))
        await asyncio.sleep(_NOTICED_S)
        for answered in calls:
            if answered is not None:
                await caller.hang_up(answered)

    async def _fill(self, caller: Caller, uri: str, progress: Progress) -> list[Answered]:
        return await call_all(
            self._callers,
            _FILL_A_SECOND,
            lambda phone: self._join(caller, phone, uri),
            lambda done: progress(f"Calling in {self._callers} phones", done),
        )

    async def _join(self, caller: Caller, phone: int, uri: str) -> Answered | None:
        answered = await caller.call(phone, uri)
        if answered is not None:
            await caller.press(answered, "3" if phone == 0 else "1")
        return answered

    async def _come_and_go(
        self, subject: Subject, caller: Caller, inside: deque[Answered], progress: Progress
    ) -> list[Standing]:
        """Whoever came first goes first, but for the moderator, and calls again with the same phone."""
        uri, seconds = subject.uri(LINE), 60 * self._minutes
        joins = round(self._joins_a_minute * self._minutes)
        seen = [await standing(subject)]

        async def again(number: int) -> Answered | None:
            if number % max(1, joins // _SAMPLES) == 0:
                seen.append(await standing(subject))
            if len(inside) < 2:
                return None
            moderator, leaver = inside.popleft(), inside.popleft()
            inside.appendleft(moderator)
            await caller.hang_up(leaver)
            answered = await self._join(caller, leaver.phone, uri)
            if answered is not None:
                inside.append(answered)
            return answered

        doing = f"{self._joins_a_minute:g} join and {self._joins_a_minute:g} leave a minute"
        await call_all(joins, joins / seconds, again, lambda done: progress(doing, done))
        seen.append(await standing(subject))
        return seen

    def _figures(
        self,
        before: Standing,
        full: Standing,
        callers: int,
        seen: Sequence[Standing],
        after: Standing,
        failures: dict[str, int],
    ) -> SoakFigures:
        return SoakFigures(
            callers=callers,
            call_kb=(full.memory_kb - before.memory_kb) / callers,
            call_control_kb=(full.control_kb - before.control_kb) / callers,
            joins=round(self._joins_a_minute * self._minutes),
            joins_a_minute=self._joins_a_minute,
            failed=sum(failures.values()),
            failures=failures,
            left_kb=growth_kb(seen) / (self._joins_a_minute / 60),
            calls_left=after.calls,
            legs_left=after.legs,
            threads_left=max(0, after.threads - before.threads),
            files_left=max(0, after.files - before.files),
            tasks_left=max(0, after.tasks - before.tasks),
            memory_first_kb=before.memory_kb,
            memory_last_kb=after.memory_kb,
        )

    def _title(self) -> str:
        return (
            f"{self._joins_a_minute:g} joins and {self._joins_a_minute:g} leaves a minute"
            f" for {self._minutes:g} min"
        )


def growth_kb(seen: Sequence[Standing]) -> float:
    """How much the memory grows in a second: the straight line through the second half of what was seen."""
    half = seen[len(seen) // 2 :]
    if len(half) < 2:
        return 0.0
    slope, _ = np.polyfit([each.at - half[0].at for each in half], [each.memory_kb for each in half], 1)
    return float(slope)


def soak_rows(figures: SoakFigures) -> list[Row]:
    left = (figures.threads_left, figures.files_left, figures.tasks_left)
    return [
        Row(
            f"memory for each of {figures.callers} calls",
            f"{figures.call_kb:.0f} kB",
            f"≤ {CALL_AIM_KB:g} kB",
            figures.call_kb <= CALL_AIM_KB,
        ),
        Row("of it in the control process", f"{figures.call_control_kb:.0f} kB"),
        Row(f"not answered, of {figures.joins} joins", f"{figures.failed}", "0", figures.failed == 0),
        Row(
            "memory that each visit leaves behind",
            f"{figures.left_kb:.1f} kB",
            f"≤ {LEFT_AIM_KB:g} kB",
            figures.left_kb <= LEFT_AIM_KB,
        ),
        Row(
            "calls and legs left when all had gone",
            f"{figures.calls_left}, {figures.legs_left}",
            "0",
            figures.calls_left + figures.legs_left == 0,
        ),
        Row(
            "threads, open files, tasks left behind",
            ", ".join(str(count) for count in left),
            "0",
            not any(left),
        ),
        Row(
            "memory before and afterwards",
            f"{figures.memory_first_kb / 1024:.0f} and {figures.memory_last_kb / 1024:.0f} MB",
        ),
    ]
