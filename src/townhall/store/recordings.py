"""Recordings of calls and conferences: what the REST API tells of them. Their sound is elsewhere."""

from datetime import datetime
from typing import TypedDict, Unpack

import sqlalchemy as sa

from townhall.store.paging import Page, between
from townhall.store.records import RecordingRecord
from townhall.store.shelf import Shelf
from townhall.store.tables import recordings
from townhall.store.validation import UNFINISHED_RECORDING, check_recording


class RecordingChanges(TypedDict, total=False):
    status: str
    call_sid: str | None
    conference_sid: str | None
    channels: int
    start_time: datetime | None
    duration_s: int | None
    path: str
    error_code: int | None


class Recordings(Shelf[RecordingRecord]):
    record = RecordingRecord
    table = recordings
    noun = "recording"

    def check(self, record: RecordingRecord) -> None:
        check_recording(record)

    async def unfinished(self) -> "list[RecordingRecord]":
        """Those that are not at their end: after a crash, the ones it left."""
        going_on = recordings.c.status.in_(UNFINISHED_RECORDING)
        return await self._all(going_on, order=recordings.c.created_at.asc())

    async def list(
        self, *, call_sid: str | None = None, conference_sid: str | None = None
    ) -> "list[RecordingRecord]":
        """The recordings of a call or a conference, the oldest first; those that were deleted are left
        out.
        """
        conditions = _conditions(call_sid, conference_sid, include_deleted=False)
        return await self._all(*conditions, order=recordings.c.created_at.asc())

    async def page(
        self,
        *,
        call_sid: str | None = None,
        conference_sid: str | None = None,
        created_since: datetime | None = None,
        created_before: datetime | None = None,
        include_deleted: bool = False,
        limit: int = 50,
        token: str | None = None,
    ) -> Page[RecordingRecord]:
        conditions = _conditions(call_sid, conference_sid, include_deleted)
        conditions += between(recordings.c.created_at, created_since, created_before)
        return await self._page(conditions, limit, token)

    async def change(self, sid: str, /, **changes: Unpack[RecordingChanges]) -> RecordingRecord:
        return await self._change(sid, changes)


def _conditions(
    call_sid: str | None, conference_sid: str | None, include_deleted: bool
) -> "list[sa.ColumnElement[bool]]":
    conditions: list[sa.ColumnElement[bool]] = []
    if call_sid is not None:
        conditions.append(recordings.c.call_sid == call_sid)
    if conference_sid is not None:
        conditions.append(recordings.c.conference_sid == conference_sid)
    if not include_deleted:
        conditions.append(recordings.c.status != "deleted")
    return conditions
