"""What browsers cost: a conference of many that listen, one of many that talk, and how soon they hear."""

import asyncio
from collections.abc import Callable

import numpy as np

from townhall.bench.calling import Key, at_pace
from townhall.bench.crowd import Window
from townhall.bench.plan import BenchPlan, WebFigures
from townhall.bench.subject import ADDRESS, BenchFailed, Subject
from townhall.bench.web_calling import WebCall, WebCaller
from townhall.bench.web_crowd import WebCrowd
from townhall.media.shapes import TICK_S

Progress = Callable[[str, float], None]

_LINE = "1000"
_WITHIN_S = 30
_FULL = 0.8
"""Of a core: beyond it, new legs are refused."""


async def measure_browsers(plan: BenchPlan, subject: Subject, progress: Progress) -> WebFigures:
    """Fill two conferences, one after the other; raises `BenchFailed`."""
    idle_cpu, _ = await _cpu(subject, 2.0, lambda done: progress("Finding what idling costs", done))
    listening = await _conference(plan, subject, progress, plan.web_listeners, talking=False)
    talking = await _conference(plan, subject, progress, plan.web_talkers, talking=True)
    window = listening.window
    missed = np.maximum(0, window.expected - window.packets)
    first_ms = np.concatenate((listening.first_audio_ms, talking.first_audio_ms))
    p50, p99 = np.percentile(first_ms, [50, 99])
    listener_cpu = max(0.0, listening.cpu - idle_cpu) / plan.web_listeners
    talker_cpu = max(0.0, talking.cpu - idle_cpu) / plan.web_talkers
    return WebFigures(
        listeners=plan.web_listeners,
        talkers=plan.web_talkers,
        hearing=int((window.loud >= 0.9 * window.expected).sum()),
        first_audio_p50_ms=float(p50),
        first_audio_p99_ms=float(p99),
        idle_cpu=idle_cpu,
        listener_cpu=listener_cpu,
        talker_cpu=talker_cpu,
        listeners_per_core=int((_FULL - idle_cpu) / max(listener_cpu, 1e-6)),
        talkers_per_core=int((_FULL - idle_cpu) / max(talker_cpu, 1e-6)),
        packets_expected=int(window.expected.sum()),
        packets_missed=int(missed.sum()),
        load_maker_late_ms=max(listening.late_ms, talking.late_ms),
    )


class _Measured:
    """One conference's figures."""

    def __init__(
        self,
        window: Window,
        cpu: float,
        first_audio_ms: "np.ndarray[tuple[int], np.dtype[np.float64]]",
        late_ms: float,
    ) -> None:
        self.window = window
        self.cpu = cpu
        self.first_audio_ms = first_audio_ms
        self.late_ms = late_ms


async def _conference(
    plan: BenchPlan, subject: Subject, progress: Progress, browsers: int, *, talking: bool
) -> _Measured:
    """`browsers` in one conference, all talking or only the moderator."""
    what = "talk" if talking else "listen"
    crowd = WebCrowd(browsers)
    crowd.start()
    caller = WebCaller(crowd, ADDRESS, subject.http_port)
    calls: list[WebCall] = []
    try:
        calls = await _fill(
            plan,
            caller,
            browsers,
            talking,
            lambda done: progress(f"Calling in {browsers} browsers that {what}", done),
        )
        if len(calls) < browsers:
            raise BenchFailed(
                f"{browsers - len(calls)} of {browsers} browsers were not answered: "
                f"{dict(caller.failures)}\n{subject.tail()}"
            )
        await _until_all_hear(crowd, caller, subject)
        first_ms = np.array([1000 * (crowd.heard_at[call.browser] - call.invited_at) for call in calls])
        crowd.begin_window()
        cpu, _ = await _cpu(
            subject, plan.conference_s, lambda done: progress(f"{browsers} browsers {what}", done)
        )
        late_ms = crowd.late_s * 1000
        window = crowd.end_window()
    finally:
        await asyncio.gather(*(caller.hang_up(call) for call in calls))
        crowd.stop()
    return _Measured(window, cpu, first_ms, late_ms)


async def _fill(
    plan: BenchPlan, caller: WebCaller, browsers: int, talking: bool, tell: Callable[[float], None]
) -> list[WebCall]:
    queue = await at_pace(browsers, plan.web_joining_a_second)
    tasks = []
    while (number := await queue.get()) is not None:
        key: Key = "3" if number == 0 else "2" if talking else "1"
        tasks.append(asyncio.create_task(_join(caller, number, key)))
        tell(number / browsers)
    return [call for call in await asyncio.gather(*tasks) if call is not None]


async def _join(caller: WebCaller, browser: int, key: Key) -> WebCall | None:
    call = await caller.call(browser, _LINE, talking=key != "1")
    if call is not None:
        await caller.press(call, key)
    return call


async def _until_all_hear(crowd: WebCrowd, caller: WebCaller, subject: Subject) -> None:
    """Wait until every browser but the moderator hears talk for a whole second."""
    hearing = 0
    for _ in range(_WITHIN_S):
        crowd.begin_window()
        await asyncio.sleep(1.0)
        hearing = int((crowd.end_window().loud[1:] >= 45).sum())
        if hearing == crowd.browsers - 1:
            return
    failures = dict(caller.failures)
    raise BenchFailed(
        f"only {hearing} of {crowd.browsers} browsers hear the talk: {failures}\n{subject.tail()}"
    )


async def _cpu(subject: Subject, seconds: float, tell: Callable[[float], None]) -> tuple[float, float]:
    """The media process's share of a core, and for how long it was measured."""
    loop = asyncio.get_running_loop()
    began, first = loop.time(), await subject.stats()
    while (elapsed := loop.time() - began) < seconds:
        tell(elapsed / seconds)
        await asyncio.sleep(0.5)
    last = await subject.stats()
    ticks = last.ticks - first.ticks + last.ticks_late - first.ticks_late
    return (last.cpu_s - first.cpu_s) / max(TICK_S, ticks * TICK_S), elapsed
