"""More calls than the server can carry: the surplus is refused, and those who are in notice nothing.

Some phones are in; then browsers that all talk come, the dearest callers there are, until the media process
says that its ticks take up what it may use of their time. Then as many again call. Meanwhile those who were
in are listened to.
"""

import asyncio
import contextlib
from dataclasses import dataclass
from functools import partial

import msgspec

from townhall.bench.courses import Outcome, Progress, Row, Table
from townhall.bench.phones.apart import CrowdApart
from townhall.bench.phones.audience import Audience
from townhall.bench.phones.calling import Answered, Caller, Key, at_pace, call_all, gather_crowd
from townhall.bench.phones.window import Window
from townhall.bench.server.processes import Shares, shares, spent
from townhall.bench.server.subject import ADDRESS, LINE, BenchFailed, Subject, started_subject
from townhall.bench.server.ticks import Ticks, ticks_between
from townhall.bench.web.calling import WebCall, WebCaller, gather_browsers
from townhall.bench.web.crowd import WebCrowd
from townhall.settings import Settings

GAP_AIM_MS = 60.0
LATE_AIM_MS = 10.0
_PHONES, _MOST_BROWSERS = 50, 400
_BROWSERS_A_SECOND = 6.0
_SETTLE_S = 4.0
"""The last who came are through the menu, and the media process has told how busy it is."""
_LOOKS_EVERY_S = 0.3
_REFUSED, _LATER = "503", "Retry-After"


class OverloadFigures(msgspec.Struct, frozen=True):
    busy_share: float
    fits: int
    """Calls that were in when the media process would take no more."""
    browsers: int
    """Of them, the rest being telephones."""
    offered: int
    """Calls beyond those."""
    taken: int
    refused: int
    """With 503 and Retry-After."""
    failed: int
    """In any other way."""
    failures: dict[str, int]
    listening: int
    ended: int
    """Of those who were in, how many were not at the end."""
    packets_missed: int
    gap_max_ms: float
    media_cpu: float
    """In cores, while the surplus called."""
    tick_p99_ms: float
    ticks_late: int
    load_maker_late_max_ms: float


@dataclass(frozen=True, slots=True)
class _Callers:
    subject: Subject
    crowd: CrowdApart
    caller: Caller
    web_crowd: WebCrowd
    web_caller: WebCaller


@dataclass(frozen=True, slots=True)
class _Meanwhile:
    """What was seen while the surplus called."""

    taken: int
    phones: Window
    browsers: Window
    shares: Shares
    ticks: Ticks


class OverloadCourse:
    """The surplus comes at `calls_a_second`. `busy_share`: what the media process may use of its time; None:
    the usual share.
    """

    name = "overload"

    def __init__(
        self,
        busy_share: float | None = None,
        calls_a_second: float = 20.0,
        most_browsers: int = _MOST_BROWSERS,
    ) -> None:
        self._busy_share = usual_share() if busy_share is None else busy_share
        self._calls_a_second, self._most_browsers = calls_a_second, most_browsers
        self._audience = Audience(1, 2 * _PHONES + most_browsers, 4)
        self.seconds = 12 + 2 * _SETTLE_S + 30

    async def run(self, progress: Progress) -> Outcome:
        progress("Starting a server", 0.0)
        settings = {"TOWNHALL_BUSY_SHARE": f"{self._busy_share:g}"}
        async with (
            started_subject(settings) as subject,
            gather_crowd(self._audience.phones, self._audience.said()) as (crowd, caller),
            gather_browsers(self._most_browsers, ADDRESS, subject.http_port) as (web_crowd, web_caller),
        ):
            callers, pages = _Callers(subject, crowd, caller, web_crowd, web_caller), web_caller.calls
            inside = await call_all(
                _PHONES,
                self._calls_a_second,
                partial(self._join, callers),
                partial(progress, f"Calling in {_PHONES} phones"),
            )
            await self._fill(callers, progress)
            await asyncio.sleep(_SETTLE_S)
            meanwhile = await self._offer(callers, len(inside) + len(pages), progress)
            figures = self._figures(callers, inside, pages, meanwhile)
        late = figures.load_maker_late_max_ms
        reasons = [f"the load maker was {late:.0f} ms late at worst"] if late > LATE_AIM_MS else []
        return Outcome(figures, [Table("twice what fits", overload_rows(figures))], reasons)

    async def _fill(self, callers: _Callers, progress: Progress) -> None:
        """Browsers call until the server takes no more; raises `BenchFailed` when it takes them all."""
        queue = await at_pace(self._most_browsers, _BROWSERS_A_SECOND)
        full = asyncio.create_task(_until_full(callers.subject))
        tasks: list[asyncio.Task[None]] = []
        try:
            while (number := await queue.get()) is not None and not full.done():
                tasks.append(asyncio.create_task(_join_browser(callers.web_caller, number)))
                progress("Calling until the server is full", number / self._most_browsers)
            await asyncio.gather(*tasks)
        finally:
            full.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await full
        if full.cancelled():
            raise BenchFailed(
                f"{len(callers.web_caller.calls)} of {len(tasks)} browsers were taken, and the server was not"
                f" full with {self._busy_share:g} of its time: {dict(callers.web_caller.failures)}"
                f"\n{callers.subject.tail()}"
            )

    async def _offer(self, callers: _Callers, many: int, progress: Progress) -> _Meanwhile:
        """As many phones again as callers are inside, while those are listened to."""
        subject, crowd, web_crowd = callers.subject, callers.crowd, callers.web_crowd
        callers.caller.failures.clear()
        crowd.begin_window()
        web_crowd.begin_window()
        first, first_stats = spent(subject.pid), await subject.stats()
        taken = await call_all(
            many,
            self._calls_a_second,
            partial(self._join, callers),
            partial(progress, f"Offering {many} more to {many}"),
            _PHONES,
        )
        parts = shares(first, spent(subject.pid))
        ticks = ticks_between(first_stats, await subject.stats())
        return _Meanwhile(len(taken), crowd.end_window(), web_crowd.end_window(), parts, ticks)

    async def _join(self, callers: _Callers, phone: int) -> Answered | None:
        answered = await callers.caller.call(phone, callers.subject.uri(LINE))
        if answered is not None:
            key: Key = "3" if phone == 0 else "2" if self._audience.talks(phone) else "1"
            await callers.caller.press(answered, key)
        return answered

    def _figures(
        self, callers: _Callers, inside: list[Answered], pages: list[WebCall], meanwhile: _Meanwhile
    ) -> OverloadFigures:
        failures = dict(callers.caller.failures)
        refused = sum(n for why, n in failures.items() if _REFUSED in why and _LATER in why)
        phones, browsers = [call.phone for call in inside], [call.browser for call in pages]
        heard = (meanwhile.phones, phones), (meanwhile.browsers, browsers)
        fits = len(phones) + len(browsers)
        return OverloadFigures(
            busy_share=self._busy_share,
            fits=fits,
            browsers=len(browsers),
            offered=fits,
            taken=meanwhile.taken,
            refused=refused,
            failed=sum(failures.values()) - refused,
            failures=failures,
            listening=fits,
            ended=sum(call.ended_at is not None for call in inside)
            + sum(call.listener.done() for call in pages),
            packets_missed=sum(int(window.missed[who].sum()) for window, who in heard),
            gap_max_ms=max(float(1000 * window.gap_s[who].max(initial=0.0)) for window, who in heard),
            media_cpu=sum(meanwhile.shares.media),
            tick_p99_ms=meanwhile.ticks.p99_ms,
            ticks_late=meanwhile.ticks.late,
            load_maker_late_max_ms=float(1000 * meanwhile.phones.late_s.max()),
        )


def usual_share() -> float:
    """What a media process may use of its time where nobody has set it."""
    share: float = Settings.model_fields["busy_share"].default
    return share


async def _until_full(subject: Subject) -> None:
    while not (await subject.stats()).refusal:  # noqa: ASYNC110  (it tells nobody)
        await asyncio.sleep(_LOOKS_EVERY_S)


async def _join_browser(caller: WebCaller, browser: int) -> None:
    call = await caller.call(browser, LINE, talking=True)
    if call is not None:
        await caller.press(call, "2")


def overload_rows(figures: OverloadFigures) -> list[Row]:
    refused = f"{figures.refused} of {figures.offered}"
    return [
        Row(
            f"in, with {figures.busy_share:g} of the time",
            f"{figures.fits}, {figures.browsers} of them browsers",
        ),
        Row("refused with 503 and Retry-After, of as many again", refused, "", figures.refused > 0),
        Row("taken all the same", f"{figures.taken}"),
        Row("failed in another way", f"{figures.failed}", "0", figures.failed == 0),
        Row("of those who were in: ended", f"{figures.ended}", "0", figures.ended == 0),
        Row("media, meanwhile", f"{figures.media_cpu:.2f} of a core"),
        Row("tick, 99 % within", f"{figures.tick_p99_ms:.1f} ms"),
        Row("ticks missed", f"{figures.ticks_late}"),
        Row("packets missed", f"{figures.packets_missed}", "0", figures.packets_missed == 0),
        Row(
            "longest gap",
            f"{figures.gap_max_ms:.0f} ms",
            f"≤ {GAP_AIM_MS:g} ms",
            figures.gap_max_ms <= GAP_AIM_MS,
        ),
    ]
