"""Conferences, and who was in them from when to when."""

import asyncio
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

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


Participants = list[ParticipantRecord]


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
