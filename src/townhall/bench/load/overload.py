"""More calls than the server can carry: the surplus is refused, and those who are in notice nothing.

The server is told to be content with a small share of its time, so that few calls are what fits. Phones call
until the first is refused; then as many again call. Meanwhile those who were in are listened to.
"""

import asyncio

import msgspec

from townhall.bench.courses import Outcome, Progress, Row, Table
from townhall.bench.phones.audience import Audience
from townhall.bench.phones.calling import Answered, Caller, Key, at_pace, call_all, gather_crowd
from townhall.bench.phones.window import Window
from townhall.bench.server.subject import LINE, BenchFailed, Subject, started_subject

GAP_AIM_MS = 60.0
LATE_AIM_MS = 10.0
_MOST = 1500
_SETTLE_S = 4.0
"""The last who came are through the menu, and the media process has told how busy it is."""
_REFUSED, _LATER = "503", "Retry-After"


class OverloadFigures(msgspec.Struct, frozen=True):
    busy_share: float
    fits: int
    """Calls that were in when the first was refused."""
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
    load_maker_late_max_ms: float


class OverloadCourse:
    """`calls_a_second` come until a server that may use `busy_share` of its time is full, and twice as many
    in all.
    """

    name = "overload"

    def __init__(self, busy_share: float = 0.12, calls_a_second: float = 60.0, most: int = _MOST) -> None:
        self._busy_share, self._calls_a_second = busy_share, calls_a_second
        self._audience = Audience(1, most, 4)
        self.seconds = 12 + 2 * _SETTLE_S + 15

    async def run(self, progress: Progress) -> Outcome:
        progress("Starting a server", 0.0)
        settings = {"TOWNHALL_BUSY_SHARE": f"{self._busy_share:g}"}
        async with (
            started_subject(settings) as subject,
            gather_crowd(self._audience.phones, self._audience.said()) as (crowd, caller),
        ):
            inside = await self._fill(subject, caller, progress)
            await asyncio.sleep(_SETTLE_S)
            caller.failures.clear()
            crowd.begin_window()
            offered = len(inside)
            taken = await self._offer(subject, caller, len(inside), offered, progress)
            window = crowd.end_window()
            figures = self._figures(inside, offered, len(taken), dict(caller.failures), window)
        late = figures.load_maker_late_max_ms
        reasons = [f"the load maker was {late:.0f} ms late at worst"] if late > LATE_AIM_MS else []
        title = f"twice what fits, at {self._calls_a_second:g} calls a second"
        return Outcome(figures, [Table(title, overload_rows(figures))], reasons)

    async def _fill(self, subject: Subject, caller: Caller, progress: Progress) -> list[Answered]:
        """Call until somebody is refused; raises `BenchFailed` when nobody is."""
        queue = await at_pace(self._audience.phones, self._calls_a_second)
        tasks: list[asyncio.Task[Answered | None]] = []
        while (number := await queue.get()) is not None and not caller.failures:
            tasks.append(asyncio.create_task(self._join(subject, caller, number)))
            progress("Calling until the server is full", number / self._audience.phones)
        inside = [answered for answered in await asyncio.gather(*tasks) if answered is not None]
        if not caller.failures or not inside:
            raise BenchFailed(
                f"{len(inside)} of {len(tasks)} calls were taken, with {self._busy_share:g} of the time:"
                f" {dict(caller.failures)}\n{subject.tail()}"
            )
        return inside

    async def _offer(
        self, subject: Subject, caller: Caller, first: int, count: int, progress: Progress
    ) -> list[Answered]:
        return await call_all(
            min(count, self._audience.phones - first),
            self._calls_a_second,
            lambda phone: self._join(subject, caller, phone),
            lambda done: progress(f"Offering {count} more", done),
            first,
        )

    async def _join(self, subject: Subject, caller: Caller, phone: int) -> Answered | None:
        answered = await caller.call(phone, subject.uri(LINE))
        if answered is not None:
            key: Key = "3" if phone == 0 else "2" if self._audience.talks(phone) else "1"
            await caller.press(answered, key)
        return answered

    def _figures(
        self, inside: list[Answered], offered: int, taken: int, failures: dict[str, int], window: Window
    ) -> OverloadFigures:
        refused = sum(n for why, n in failures.items() if _REFUSED in why and _LATER in why)
        phones = [answered.phone for answered in inside]
        return OverloadFigures(
            busy_share=self._busy_share,
            fits=len(inside),
            offered=offered,
            taken=taken,
            refused=refused,
            failed=sum(failures.values()) - refused,
            failures=failures,
            listening=len(phones),
            ended=sum(answered.ended_at is not None for answered in inside),
            packets_missed=int(window.missed[phones].sum()),
            gap_max_ms=float(1000 * window.gap_s[phones].max()),
            load_maker_late_max_ms=float(1000 * window.late_s.max()),
        )


def overload_rows(figures: OverloadFigures) -> list[Row]:
    refused = f"{figures.refused} of {figures.offered}"
    return [
        Row(f"in, with {figures.busy_share:g} of the time", f"{figures.fits}"),
        Row("refused with 503 and Retry-After, of as many again", refused, "", figures.refused > 0),
        Row("taken all the same", f"{figures.taken}"),
        Row("failed in another way", f"{figures.failed}", "0", figures.failed == 0),
        Row("of those who were in: ended", f"{figures.ended}", "0", figures.ended == 0),
        Row("packets missed", f"{figures.packets_missed}", "0", figures.packets_missed == 0),
        Row(
            "longest gap",
            f"{figures.gap_max_ms:.0f} ms",
            f"≤ {GAP_AIM_MS:g} ms",
            figures.gap_max_ms <= GAP_AIM_MS,
        ),
    ]
