"""The course of a measurement: start the server, set calls up, fill a conference, find the floor."""

import asyncio
import os
import platform
import tempfile
from pathlib import Path

import numpy as np

from townhall import __version__
from townhall.bench.calling import Answered, Caller, Key, at_pace
from townhall.bench.courses import Outcome, Progress
from townhall.bench.crowd import Crowd, Window
from townhall.bench.lowest import Floor
from townhall.bench.plan import AnswerFigures, BenchPlan, BenchReport, ConferenceFigures, RemoteFigures
from townhall.bench.remote import measure_remote
from townhall.bench.subject import ADDRESS, BenchFailed, Subject
from townhall.bench.table import tables_of
from townhall.bench.web_course import measure_browsers
from townhall.media.protocol import Stats

LINE = "1000"
_CALLER_ADDRESS = "127.126.0.1"
_EVERYBODY_WITHIN_S = 30


class WholeCourse:
    """All that was measured before there were courses."""

    name = "whole"

    def __init__(self, plan: BenchPlan) -> None:
        self._plan = plan
        self.seconds = plan.setup_s + 6 * plan.conference_s + 30

    async def run(self, progress: Progress) -> Outcome:
        report = await run_bench(self._plan, progress)
        return Outcome(report, tables_of(report))


async def run_bench(plan: BenchPlan, progress: Progress = lambda doing, done: None) -> BenchReport:
    """Measure, in about the time that the plan says and half a minute; raises `BenchFailed`."""
    with tempfile.TemporaryDirectory(prefix="townhall-bench-") as directory:
        progress("Starting a server", 0.0)
        async with Subject(Path(directory)) as subject:
            answers = await _measure_answers(plan, subject, progress)
            window, stats, late_ms, media_cpu = await _measure_conference(plan, subject, progress)
            remote = await _measure_remote(plan, subject, progress)
            browsers = await measure_browsers(plan, subject, progress)
    floor_cpu = await _measure_floor(plan, progress)
    return BenchReport(
        cores=os.cpu_count() or 1,
        machine=f"{platform.system()} {platform.machine()}, Python {platform.python_version()}",
        version=__version__,
        answers=answers,
        conference=_conference_figures(plan, window, stats, late_ms, media_cpu, floor_cpu),
        remote=remote,
        browsers=browsers,
    )


# ---- calls a second ----


async def _measure_answers(plan: BenchPlan, subject: Subject, progress: Progress) -> AnswerFigures:
    count = round(plan.calls_a_second * plan.setup_s)
    crowd, caller = await _gather_crowd(count)
    try:
        await _one(caller, subject, 0.0)  # the first call finds the prompts cold, as no later one does
        answered = await _set_up(count, plan, caller, subject, progress)
    finally:
        await caller.stop()
        crowd.stop()
    times = np.array([call.after_ms for call in answered if call is not None])
    if not len(times):
        raise BenchFailed(f"none of {count} calls was answered: {dict(caller.failures)}")
    p50, p90, p99 = np.percentile(times, [50, 90, 99])
    return AnswerFigures(
        calls=count,
        failed=count - len(times),
        calls_a_second=plan.calls_a_second,
        p50_ms=float(p50),
        p90_ms=float(p90),
        p99_ms=float(p99),
        max_ms=float(times.max()),
        failures=dict(caller.failures),
    )


async def _set_up(
    count: int, plan: BenchPlan, caller: Caller, subject: Subject, progress: Progress
) -> list[Answered | None]:
    queue = await at_pace(count, plan.calls_a_second)
    tasks: list[asyncio.Task[Answered | None]] = []
    while (number := await queue.get()) is not None:
        tasks.append(asyncio.create_task(_one(caller, subject, plan.hold_s, number)))
        progress(f"Setting up {plan.calls_a_second:g} calls a second", number / count)
    return list(await asyncio.gather(*tasks))


async def _one(caller: Caller, subject: Subject, hold_s: float, phone: int = 0) -> Answered | None:
    answered = await caller.call(phone, subject.uri(LINE))
    if answered is not None:
        await caller.press(answered, "1")
        await asyncio.sleep(hold_s)
        await caller.hang_up(answered)
    return answered


# ---- one conference ----


async def _measure_conference(
    plan: BenchPlan, subject: Subject, progress: Progress
) -> tuple[Window, list[Stats], float, float]:
    crowd, caller = await _gather_crowd(plan.callers)
    try:
        await _fill(plan, caller, subject, progress)
        await _until_all_hear(plan, crowd, subject, progress)
        crowd.begin_window()
        began = asyncio.get_running_loop().time()
        stats = [await subject.stats()]
        while (elapsed := asyncio.get_running_loop().time() - began) < plan.conference_s:
            progress(f"{plan.callers} callers in one conference", elapsed / plan.conference_s)
            await asyncio.sleep(1.0)
            stats.append(await subject.stats())
        late_ms = crowd.late_s * 1000
        window = crowd.end_window()
    finally:
        await caller.stop()
        crowd.stop()
    ticks = sum(second.ticks for second in stats[1:])
    if not ticks:
        raise BenchFailed("the media process counted no ticks")
    return window, stats[1:], late_ms, (stats[-1].cpu_s - stats[0].cpu_s) / elapsed


async def _fill(plan: BenchPlan, caller: Caller, subject: Subject, progress: Progress) -> None:
    queue = await at_pace(plan.callers, plan.joining_a_second)
    tasks = []
    while (number := await queue.get()) is not None:
        key: Key = "3" if number == 0 else "2" if number < plan.talkers else "1"
        tasks.append(asyncio.create_task(_join(caller, number, subject, key)))
        progress(f"Calling in {plan.callers} phones", number / plan.callers)
    missing = (await asyncio.gather(*tasks)).count(None)
    if missing:
        raise BenchFailed(
            f"{missing} of {plan.callers} phones were not answered: {dict(caller.failures)}\n{subject.tail()}"
        )


async def _join(caller: Caller, phone: int, subject: Subject, key: Key) -> Answered | None:
    answered = await caller.call(phone, subject.uri(LINE), talking=key != "1")
    if answered is not None:
        await caller.press(answered, key)
    return answered


async def _until_all_hear(plan: BenchPlan, crowd: Crowd, subject: Subject, progress: Progress) -> None:
    """Wait until every phone hears talk for a whole second: nobody is in the menu or in a queue any more."""
    hearing = 0
    for _ in range(_EVERYBODY_WITHIN_S):
        crowd.begin_window()
        await asyncio.sleep(1.0)
        hearing = int((crowd.end_window().loud >= 45).sum())
        progress("Waiting until everybody hears the talk", hearing / plan.callers)
        if hearing == plan.callers:
            return
    raise BenchFailed(f"only {hearing} of {plan.callers} phones hear the talk\n{subject.tail()}")


async def _gather_crowd(phones: int) -> tuple[Crowd, Caller]:
    crowd = Crowd(phones)
    caller = Caller(crowd, _CALLER_ADDRESS)
    await caller.start()
    crowd.start()
    return crowd, caller


# ---- moderating from outside ----


async def _measure_remote(plan: BenchPlan, subject: Subject, progress: Progress) -> RemoteFigures:
    crowd, caller = await _gather_crowd(plan.moderated)
    try:
        return await measure_remote(plan, subject, crowd, caller, progress)
    finally:
        await caller.stop()
        crowd.stop()


# ---- the floor ----


async def _measure_floor(plan: BenchPlan, progress: Progress) -> float:
    crowd = Crowd(plan.callers)
    async with Floor(ADDRESS) as floor:
        for phone in range(plan.callers):
            crowd.connect(
                phone, (ADDRESS, floor.ports[phone % len(floor.ports)]), talking=phone < plan.talkers
            )
        crowd.start()
        try:
            await asyncio.sleep(1.0)
            began = await floor.settle()
            for second in range(round(plan.conference_s)):
                progress("Finding the floor", second / plan.conference_s)
                await asyncio.sleep(1.0)
            ended = await floor.figures()
        finally:
            crowd.stop()
    return (ended.cpu_s - began.cpu_s) / (ended.at - began.at)


def _conference_figures(
    plan: BenchPlan, window: Window, stats: list[Stats], late_ms: float, media_cpu: float, floor_cpu: float
) -> ConferenceFigures:
    missed = np.maximum(0, window.expected - window.packets)
    return ConferenceFigures(
        callers=plan.callers,
        talkers=plan.talkers,
        hearing=int((window.loud >= 0.9 * window.expected).sum()),
        seconds=plan.conference_s,
        ticks=sum(second.ticks for second in stats),
        tick_p50_ms=float(np.median([second.tick_p50_ms for second in stats])),
        tick_p99_ms=max(second.tick_p99_ms for second in stats),
        tick_max_ms=max(second.tick_max_ms for second in stats),
        ticks_late=sum(second.ticks_late for second in stats),
        packets_expected=int(window.expected.sum()),
        packets_missed=int(missed.sum()),
        phones_with_misses=int((missed > 0).sum()),
        worst_gap_ms=float(window.gap_s.max() * 1000),
        media_cpu=media_cpu,
        floor_cpu=floor_cpu,
        ratio=media_cpu / floor_cpu,
        load_maker_late_ms=late_ms,
    )
