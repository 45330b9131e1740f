"""Calls and their outcome."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from townhall.store.errors import UnknownRecordError
from townhall.store.paging import Order, Page, Place, between
from townhall.store.readers import Reader
from townhall.store.records import CallRecord
from townhall.store.tables import calls, events
from townhall.store.writer import Writer

LIVE = ("queued", "ringing", "in-progress")
_COLUMNS = tuple(field.name for field in fields(CallRecord))
_INSERT = calls.insert()
_UPDATE = calls.update().where(calls.c.sid == sa.bindparam("key"))
_NOW: sa.BindParameter[Any] = sa.bindparam("at")
_ANSWERED = _UPDATE.values(status="in-progress", answered_at=_NOW, updated_at=_NOW)
_PROGRESSED = _UPDATE.values(status=sa.bindparam("new_status"), updated_at=_NOW)
_ENDED = _UPDATE.values(
    status=sa.bindparam("new_status"),
    ended_at=_NOW,
    updated_at=_NOW,
    duration_s=sa.bindparam("seconds"),
    cause=sa.bindparam("why"),
    media=sa.bindparam("figures"),
    sip_response_code=sa.bindparam("sip_status"),
)
_ORDER = Order(calls.c.started_at, calls.c.sid)


@dataclass(frozen=True, slots=True)
class CallFilter:
    """Which calls a list holds; None: any. Times go from `…_since` on, up to before `…_before`."""

    to: str | None = None
    from_: str | None = None
    parent_call_sid: str | None = None
    status: str | None = None
    started_since: datetime | None = None
    started_before: datetime | None = None
    ended_since: datetime | None = None
    ended_before: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        wanted = (
            (calls.c.to, self.to),
            (calls.c.from_, self.from_),
            (calls.c.parent_call_sid, self.parent_call_sid),
            (calls.c.status, self.status),
        )
        conditions = [column == value for column, value in wanted if value is not None]
        if self.status in LIVE:
            conditions.append(calls.c.ended_at.is_(None))  # which has an index, and there are few of them
        conditions += between(calls.c.started_at, self.started_since, self.started_before)
        return conditions + between(calls.c.ended_at, self.ended_since, self.ended_before)


class Calls:
    """Writes return a future that resolves when the record is on the disk; it need not be awaited."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def started(self, call: CallRecord) -> asyncio.Future[None]:
        # `asdict` would copy the media figures deeply, which a record that is written once need not suffer.
        return self._write(f"call {call.sid}", _INSERT, {name: getattr(call, name) for name in _COLUMNS})

    def progressed(self, sid: str, status: str, at: datetime) -> asyncio.Future[None]:
        """An outbound call goes on from `queued` to `ringing`."""
        return self._write(f"call {sid}", _PROGRESSED, {"key": sid, "new_status": status, "at": at})

    def answered(self, sid: str, at: datetime) -> asyncio.Future[None]:
        """Await it before the 200 goes out: then a crash loses no call that was answered."""
        return self._write(f"the answer of call {sid}", _ANSWERED, {"key": sid, "at": at})

    def ended(
        self,
        sid: str,
        at: datetime,
        *,
        status: str,
        duration_s: int | None = None,
        cause: str | None = None,
        media: Mapping[str, object] | None = None,
        sip_response_code: int | None = None,
    ) -> asyncio.Future[None]:
        values = {
            "key": sid,
            "at": at,
            "new_status": status,
            "seconds": duration_s,
            "why": cause,
            "figures": media,
            "sip_status": sip_response_code,
        }
        return self._write(f"the end of call {sid}", _ENDED, values)

    def _write(self, what: str, statement: sa.Executable, values: dict[str, Any]) -> asyncio.Future[None]:
        def work(connection: sa.Connection) -> None:
            connection.execute(statement, values)

        return self._writer.submit(what, work)

    async def get(self, sid: str) -> CallRecord | None:
        rows = await self._reader.rows(sa.select(calls).where(calls.c.sid == sid))
        return CallRecord(**rows[0]) if rows else None

    async def page(
        self, wanted: CallFilter = CallFilter(), *, limit: int = 50, token: str | None = None
    ) -> Page[CallRecord]:
        """Raises `PageTokenError`."""
        place = Place.parse(token) if token else None
        query = sa.select(calls).where(*wanted.conditions())
        rows = await self._reader.rows(_ORDER.page(query, limit, place))
        rows, older, newer = _ORDER.tokens(rows, limit, place)
        return Page([CallRecord(**row) for row in rows], older, newer)

    async def remove(self, sid: str) -> None:
        """Forget a call that is over; raises `UnknownRecordError` for any other."""

        def work(connection: sa.Connection) -> None:
            over = calls.delete().where(calls.c.sid == sid, calls.c.ended_at.is_not(None))
            if not connection.execute(over).rowcount:
                raise UnknownRecordError(f"there is no call {sid} that is over")
            connection.execute(events.delete().where(events.c.call_sid == sid))

        await self._writer.submit(f"the removal of call {sid}", work)

    async def list(self, limit: int = 50, *, live: bool | None = None) -> "list[CallRecord]":
        """The latest calls, newest first. `live`: only those that go on (True) or have ended (False)."""
        query = sa.select(calls).order_by(calls.c.started_at.desc(), calls.c.sid).limit(limit)
        if live is not None:
            query = query.where(calls.c.ended_at.is_(None) if live else calls.c.ended_at.is_not(None))
        return [CallRecord(**row) for row in await self._reader.rows(query)]
