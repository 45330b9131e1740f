"""What browsers cost: a conference of many that listen, one of many that talk, and how soon they hear."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from townhall.bench.courses import Outcome, Progress, Row, Table
from townhall.bench.phones.calling import Key, at_pace
from townhall.bench.phones.window import Window
from townhall.bench.server.subject import ADDRESS, LINE, BenchFailed, Subject, started_subject
from townhall.bench.web.calling import WebCall, WebCaller, gather_browsers
from townhall.bench.web.crowd import WebCrowd
from townhall.media.shapes import TICK_S

_WITHIN_S = 60
_FULL = 0.8
"""Of a core: beyond it, new legs are refused."""


class WebFigures(msgspec.Struct, frozen=True):
    """What browsers cost the media process, in cores, and from a page's `invite` to the first sound it hears.

    `listener_cpu` and `talker_cpu` are each browser's own, without what idling costs; how many a core
    carries is reckoned from them, with 80 % of it in use.
    """

    listeners: int
    talkers: int
    hearing: int
    """Browsers that heard talk throughout the window, the moderator's own not being among them."""
    first_audio_p50_ms: float
    first_audio_p99_ms: float
    idle_cpu: float
    listener_cpu: float
    talker_cpu: float
    listeners_per_core: int
    talkers_per_core: int
    packets_expected: int
    packets_missed: int
    load_maker_late_ms: float


class BrowsersCourse:
    """Two conferences, one after the other: of `listeners` browsers of which one talks, and of `talkers`."""

    name = "browsers"

    def __init__(self, listeners: int, talkers: int, *, seconds: float = 8.0, joining: float = 10.0) -> None:
        self._listeners, self._talkers = listeners, talkers
        self._measure_s, self._joining = seconds, joining
        self.seconds = 20 + (listeners + talkers) / joining + 2 * seconds

    async def run(self, progress: Progress) -> Outcome:
        progress("Starting a server", 0.0)
        async with started_subject() as subject:
            idle_cpu, _ = await _cpu(subject, 2.0, lambda done: progress("Finding what idling costs", done))
            plan = _Plan(self._measure_s, self._joining)
            listening = await _conference(plan, subject, progress, self._listeners, talking=False)
            talking = await _conference(plan, subject, progress, self._talkers, talking=True)
        figures = _figures(self._listeners, self._talkers, idle_cpu, listening, talking)
        return Outcome(figures, [_table(figures)])


@dataclass(frozen=True, slots=True)
class _Plan:
    seconds: float
    joining_a_second: float


def _figures(
    listeners: int, talkers: int, idle_cpu: float, listening: "_Measured", talking: "_Measured"
) -> WebFigures:
    window = listening.window
    first_ms = np.concatenate((listening.first_audio_ms, talking.first_audio_ms))
    p50, p99 = np.percentile(first_ms, [50, 99])
    listener_cpu = max(0.0, listening.cpu - idle_cpu) / listeners
    talker_cpu = max(0.0, talking.cpu - idle_cpu) / talkers
    return WebFigures(
        listeners=listeners,
        talkers=talkers,
        hearing=int((window.loud >= 0.9 * window.expected).sum()),
        first_audio_p50_ms=float(p50),
        first_audio_p99_ms=float(p99),
        idle_cpu=idle_cpu,
        listener_cpu=listener_cpu,
        talker_cpu=talker_cpu,
        listeners_per_core=int((_FULL - idle_cpu) / max(listener_cpu, 1e-6)),
        talkers_per_core=int((_FULL - idle_cpu) / max(talker_cpu, 1e-6)),
        packets_expected=int(window.expected.sum()),
        packets_missed=int(window.missed.sum()),
        load_maker_late_ms=max(listening.late_ms, talking.late_ms),
    )


def _table(browsers: WebFigures) -> Table:
    share = 100 * browsers.packets_missed / max(1, browsers.packets_expected)
    return Table(
        f"browsers: {browsers.listeners} of which one talks, then {browsers.talkers} that all talk",
        [
            Row(
                "browsers that hear the talk",
                f"{browsers.hearing}",
                "all but who talks",
                browsers.hearing == browsers.listeners - 1,
            ),
            Row("first sound after the call, median", f"{browsers.first_audio_p50_ms:.0f} ms"),
            Row("99 % within", f"{browsers.first_audio_p99_ms:.0f} ms"),
            Row("each that listens", f"{100 * browsers.listener_cpu:.3f} % of a core"),
            Row("each that talks", f"{100 * browsers.talker_cpu:.3f} % of a core"),
            Row("listening, on a core", f"about {browsers.listeners_per_core}"),
            Row("talking, on a core", f"about {browsers.talkers_per_core}"),
            Row(
                "packets missed",
                f"{browsers.packets_missed} ({share:.3f} %)",
                "0",
                browsers.packets_missed == 0,
            ),
            Row("load maker late by at most", f"{browsers.load_maker_late_ms:.1f} ms"),
        ],
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
    plan: _Plan, subject: Subject, progress: Progress, browsers: int, *, talking: bool
) -> _Measured:
    """`browsers` in one conference, all talking or only the moderator."""
    what = "talk" if talking else "listen"
    async with gather_browsers(browsers, ADDRESS, subject.http_port) as (crowd, caller):
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
        cpu, _ = await _cpu(subject, plan.seconds, lambda done: progress(f"{browsers} browsers {what}", done))
        window = crowd.end_window()
    return _Measured(window, cpu, first_ms, float(window.late_s.max() * 1000))


async def _fill(
    plan: _Plan, caller: WebCaller, browsers: int, talking: bool, tell: Callable[[float], None]
) -> list[WebCall]:
    queue = await at_pace(browsers, plan.joining_a_second)
    tasks = []
    while (number := await queue.get()) is not None:
        key: Key = "3" if number == 0 else "2" if talking else "1"
        tasks.append(asyncio.create_task(_join(caller, number, key)))
        tell(number / browsers)
    return [call for call in await asyncio.gather(*tasks) if call is not None]


async def _join(caller: WebCaller, browser: int, key: Key) -> WebCall | None:
    call = await caller.call(browser, LINE, talking=key != "1")
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
        if hearing == crowd.count - 1:
            return
    failures = dict(caller.failures)
    raise BenchFailed(f"only {hearing} of {crowd.count} browsers hear the talk: {failures}\n{subject.tail()}")


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
