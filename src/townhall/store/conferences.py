"""Conferences, and who was in them from when to when."""

import asyncio
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from townhall.store.paging import Order, Page, Place, between
from townhall.store.readers import Reader
from townhall.store.records import ConferenceRecord, ParticipantRecord
from townhall.store.tables import conferences, participants
from townhall.store.writer import Writer

_PARTICIPANT = tuple(participants.c[field.name] for field in fields(ParticipantRecord))
_JOINED = participants.insert()
_CREATED = conferences.insert()
_OF_CONFERENCE = conferences.c.sid == sa.bindparam("key")
_STARTED = (
    conferences.update()
    .where(_OF_CONFERENCE)
    .values(status="in-progress", started_at=sa.bindparam("at"), updated_at=sa.bindparam("at"))
)
_COMPLETED = (
    conferences.update()
    .where(_OF_CONFERENCE)
    .values(
        status="completed",
        ended_at=sa.bindparam("at"),
        updated_at=sa.bindparam("at"),
        reason_ended=sa.bindparam("why"),
        call_sid_ending=sa.bindparam("who"),
    )
)
_LEFT = (
    participants.update()
    .where(
        participants.c.conference_sid == sa.bindparam("key"),
        participants.c.call_sid == sa.bindparam("who"),
        participants.c.left_at.is_(None),  # an earlier stay of the same call keeps its end
    )
    .values(left_at=sa.bindparam("at"), updated_at=sa.bindparam("at"), reason_left=sa.bindparam("why"))
)
_ORDER = Order(conferences.c.created_at, conferences.c.sid)

Participants = list[ParticipantRecord]


@dataclass(frozen=True, slots=True)
class ConferenceFilter:
    """Which conferences a list holds; None: any. Times go from `…_since` on, up to before `…_before`."""

    friendly_name: str | None = None
    status: str | None = None
    created_since: datetime | None = None
    created_before: datetime | None = None
    updated_since: datetime | None = None
    updated_before: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        conditions: list[sa.ColumnElement[bool]] = []
        if self.friendly_name is not None:
            conditions.append(conferences.c.friendly_name == self.friendly_name)
        if self.status is not None:
            conditions.append(conferences.c.status == self.status)
            over = conferences.c.ended_at.is_not(None)  # has an index, and few are live
            conditions.append(over if self.status == "completed" else sa.not_(over))
        conditions += between(conferences.c.created_at, self.created_since, self.created_before)
        return conditions + between(conferences.c.updated_at, self.updated_since, self.updated_before)


class ConferenceLog:
    """Writes return a future that resolves when the record is on the disk; it need not be awaited."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def created(self, conference: ConferenceRecord) -> asyncio.Future[None]:
        return self._write(f"conference {conference.sid}", _CREATED, asdict(conference))

    def started(self, sid: str, at: datetime) -> asyncio.Future[None]:
        return self._write(f"the start of conference {sid}", _STARTED, {"key": sid, "at": at})

    def completed(
        self, sid: str, at: datetime, *, reason: str, call_sid_ending: str | None = None
    ) -> asyncio.Future[None]:
        values = {"key": sid, "at": at, "why": reason, "who": call_sid_ending}
        return self._write(f"the end of conference {sid}", _COMPLETED, values)

    def participant_joined(self, participant: ParticipantRecord) -> asyncio.Future[None]:
        what = f"participant {participant.call_sid} of {participant.conference_sid}"
        return self._write(what, _JOINED, asdict(participant))

    def participant_left(
        self, conference_sid: str, call_sid: str, at: datetime, reason: str
    ) -> asyncio.Future[None]:
        values = {"key": conference_sid, "who": call_sid, "at": at, "why": reason}
        return self._write(f"the leaving of {call_sid} from {conference_sid}", _LEFT, values)

    def _write(self, what: str, statement: sa.Executable, values: dict[str, Any]) -> asyncio.Future[None]:
        def work(connection: sa.Connection) -> None:
            connection.execute(statement, values)

        return self._writer.submit(what, work)

    async def get(self, sid: str) -> ConferenceRecord | None:
        rows = await self._reader.rows(sa.select(conferences).where(conferences.c.sid == sid))
        return ConferenceRecord(**rows[0]) if rows else None

    async def list(
        self, limit: int = 50, *, name: str | None = None, live: bool | None = None
    ) -> "list[ConferenceRecord]":
        """The latest conferences, newest first. `live`: only those that go on (True) or are over (False)."""
        query = sa.select(conferences).order_by(conferences.c.created_at.desc(), conferences.c.sid)
        if name is not None:
            query = query.where(conferences.c.friendly_name == name)
        if live is not None:
            over = conferences.c.ended_at.is_not(None)
            query = query.where(sa.not_(over) if live else over)
        return [ConferenceRecord(**row) for row in await self._reader.rows(query.limit(limit))]

    async def page(
        self, wanted: ConferenceFilter = ConferenceFilter(), *, limit: int = 50, token: str | None = None
    ) -> Page[ConferenceRecord]:
        """Raises `PageTokenError`."""
        place = Place.parse(token) if token else None
        query = sa.select(conferences).where(*wanted.conditions())
        rows = await self._reader.rows(_ORDER.page(query, limit, place))
        rows, older, newer = _ORDER.tokens(rows, limit, place)
        return Page([ConferenceRecord(**row) for row in rows], older, newer)

    async def participant_count(self, conference_sid: str, *, present: bool = False) -> int:
        """How many calls have been in a conference; `present`: how many are in it now."""
        query = sa.select(sa.func.count(sa.distinct(participants.c.call_sid)).label("calls"))
        query = query.where(participants.c.conference_sid == conference_sid)
        if present:
            query = query.where(participants.c.left_at.is_(None))
        (row,) = await self._reader.rows(query)
        return int(row["calls"])

    async def participants(
        self, conference_sid: str | None = None, *, call_sid: str | None = None
    ) -> Participants:
        """Who was in a conference, or where a call was, in the order of arrival."""
        query = sa.select(*_PARTICIPANT).order_by(participants.c.id)
        if conference_sid is not None:
            query = query.where(participants.c.conference_sid == conference_sid)
        if call_sid is not None:
            query = query.where(participants.c.call_sid == call_sid)
        return [ParticipantRecord(**row) for row in await self._reader.rows(query)]
