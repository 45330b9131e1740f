"""Conferences beside one another, as many as wanted; who calls is put into his own by a webhook."""

import asyncio
import re
from urllib.parse import parse_qs

import msgspec

from townhall.bench.audience import Audience
from townhall.bench.calling import call_all, gather_crowd
from townhall.bench.courses import Outcome, Progress, Table
from townhall.bench.load import LoadFigures, figures_of, gather, settle, spoiled
from townhall.bench.load_rows import load_rows
from townhall.bench.lowest import measure_floor
from townhall.bench.receiver import Receiver
from townhall.bench.subject import ADDRESS, BenchFailed, started_subject

_NUMBER = "2000"
_PHONE = re.compile(r"phone(\d+)@")


class RoomsFigures(msgspec.Struct, frozen=True):
    load: LoadFigures


class RoomsCourse:
    """All of an audience called in and listened to for `seconds`."""

    def __init__(
        self,
        name: str,
        audience: Audience,
        *,
        calls_a_second: float = 100.0,
        seconds: float = 20.0,
        floor_s: float = 6.0,
    ) -> None:
        self.name = name
        self._audience = audience
        self._calls_a_second, self._measure_s, self._floor_s = calls_a_second, seconds, floor_s
        self.seconds = 25 + audience.phones / calls_a_second + seconds + floor_s

    async def run(self, progress: Progress) -> Outcome:
        audience = self._audience
        progress("Starting a server", 0.0)
        async with (
            started_subject() as subject,
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
            if len(answered) < audience.phones:
                raise BenchFailed(
                    f"{audience.phones - len(answered)} of {audience.phones} phones were not answered: "
                    f"{dict(caller.failures)}\n{subject.tail()}"
                )
            await settle(
                crowd, audience, audience.phones, lambda done: progress("Waiting until all are in", done)
            )
            doing = self._title()
            gathered = await gather(
                subject, crowd, audience.phones, self._measure_s, lambda done: progress(doing, done)
            )
        floor = await measure_floor(
            audience.phones,
            self._floor_s,
            lambda done: progress(f"Finding the floor of {audience.phones} callers", done),
        )
        progress(f"Listening to what {audience.phones} phones heard", 0.0)
        load = await asyncio.to_thread(figures_of, gathered, audience, floor)
        return Outcome(RoomsFigures(load), [Table(doing, load_rows(load))], spoiled(load))

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
