"""Conferences beside one another, as many as wanted; who calls is put into his own by a webhook."""

import asyncio
import re
from collections.abc import Mapping
from functools import partial
from urllib.parse import parse_qs

import msgspec

from townhall.bench.courses import Outcome, Progress, Table
from townhall.bench.load.answers import AnswerFigures, answer_figures, calling_in_rows
from townhall.bench.load.figures import LoadFigures, figures_of, gather, settle, spoiled
from townhall.bench.load.lowest import measure_floor
from townhall.bench.load.rows import load_rows
from townhall.bench.phones.audience import Audience
from townhall.bench.phones.calling import call_all, gather_crowd, phones_of
from townhall.bench.server.receiver import Receiver
from townhall.bench.server.subject import ADDRESS, BenchFailed, started_subject

_NUMBER = "2000"
_PHONE = re.compile(r"phone(\d+)@")


class RoomsFigures(msgspec.Struct, frozen=True):
    answers: AnswerFigures
    load: LoadFigures


class RoomsCourse:
    """All of an audience called in and listened to for `seconds`.

    `floor_s` 0: the floor is not looked for. `settings`: see `Subject`.
    """

    def __init__(
        self,
        name: str,
        audience: Audience,
        *,
        calls_a_second: float = 100.0,
        seconds: float = 20.0,
        floor_s: float = 6.0,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.name = name
        self._settings = settings
        self._audience = audience
        self._calls_a_second, self._measure_s, self._floor_s = calls_a_second, seconds, floor_s
        self.seconds = 12 + audience.phones / calls_a_second + seconds + floor_s

    async def run(self, progress: Progress) -> Outcome:
        figures = await self._measure(progress)
        rows = [*load_rows(figures.load), *calling_in_rows(figures.answers)]
        return Outcome(figures, [Table(self._title(), rows)], spoiled(figures.load))

    async def load(self, progress: Progress) -> LoadFigures:
        """Measure; raises `BenchFailed`."""
        return (await self._measure(progress)).load

    async def _measure(self, progress: Progress) -> RoomsFigures:
        audience = self._audience
        progress("Starting a server", 0.0)
        async with (
            started_subject(self._settings) as subject,
            Receiver(ADDRESS) as receiver,
            gather_crowd(audience.phones, audience.said()) as (crowd, caller),
        ):
            receiver.answer(self._document)
            await asyncio.to_thread(subject.command, "number", "add", _NUMBER, f"{receiver.url}/voice")
            answered = await call_all(
                audience.phones,
                self._calls_a_second,
                lambda phone: caller.call(phone, subject.uri(_NUMBER)),
                lambda done: progress(f"Calling in {audience.phones} phones", done),
            )
            if not answered:
                raise BenchFailed(
                    f"none of {audience.phones} phones was answered: {dict(caller.failures)}\n"
                    f"{subject.tail()}"
                )
            phones = audience.started(phones_of(answered))
            await settle(crowd, audience, phones, partial(progress, "Waiting until all are in"))
            gathered = await gather(subject, crowd, phones, self._measure_s, partial(progress, self._title()))
        floor = None
        if self._floor_s:
            floor = await measure_floor(
                len(answered),
                self._floor_s,
                partial(progress, f"Finding the floor of {len(answered)} callers"),
            )
        progress(f"Listening to what {len(phones)} phones heard", 0.0)
        load = await asyncio.to_thread(figures_of, gathered, audience, floor)
        answers = answer_figures(audience.phones, self._calls_a_second, answered, dict(caller.failures))
        return RoomsFigures(answers, load)

    def _title(self) -> str:
        audience = self._audience
        where = (
            "one conference"
            if audience.conferences == 1
            else f"{audience.conferences} conferences of {audience.callers}"
        )
        many = "all" if audience.talkers == audience.callers else f"{audience.talkers}"
        each = " in each" if audience.conferences > 1 else ""
        return f"{audience.phones} callers in {where}, {many} of them talking{each}"

    def _document(self, form: bytes) -> str:
        """The caller's place, found by his number."""
        sender = parse_qs(form.decode()).get("From", [""])[0]
        found = _PHONE.search(sender)
        phone = int(found[1]) if found else 0
        audience = self._audience
        starts = str(audience.moderates(phone)).lower()
        muted = str(not audience.talks(phone)).lower()
        return (
            f'<Response><Dial><Conference beep="false" startConferenceOnEnter="{starts}"'
            f' endConferenceOnExit="{starts}" muted="{muted}">'
            f"bench-{audience.conference(phone)}</Conference></Dial></Response>"
        )
