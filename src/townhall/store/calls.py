"""Calls and their outcome."""

import asyncio
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from townhall.store.readers import Reader
from townhall.store.records import CallRecord
from townhall.store.tables import calls
from townhall.store.writer import Writer

_COLUMNS = tuple(field.name for field in fields(CallRecord))
_INSERT = calls.insert()
_UPDATE = calls.update().where(calls.c.sid == sa.bindparam("key"))
_ANSWERED = _UPDATE.values(
    status="in-progress", answered_at=sa.bindparam("at"), updated_at=sa.bindparam("at")
)
_ENDED = _UPDATE.values(
    status=sa.bindparam("new_status"),
    ended_at=sa.bindparam("at"),
    updated_at=sa.bindparam("at"),
    duration_s=sa.bindparam("seconds"),
    cause=sa.bindparam("why"),
    media=sa.bindparam("figures"),
)


class Calls:
    """Writes return a future that resolves when the record is on the disk; it need not be awaited."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def started(self, call: CallRecord) -> asyncio.Future[None]:
        # `asdict` would copy the media figures deeply, which a record that is written once need not suffer.
        return self._write(f"call {call.sid}", _INSERT, {name: getattr(call, name) for name in _COLUMNS})

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
    ) -> asyncio.Future[None]:
        values = {
            "key": sid,
            "at": at,
            "new_status": status,
            "seconds": duration_s,
            "why": cause,
            "figures": media,
        }
        return self._write(f"the end of call {sid}", _ENDED, values)

    def _write(self, what: str, statement: sa.Executable, values: dict[str, Any]) -> asyncio.Future[None]:
        def work(connection: sa.Connection) -> None:
            connection.execute(statement, values)

        return self._writer.submit(what, work)

    async def get(self, sid: str) -> CallRecord | None:
        rows = await self._reader.rows(sa.select(calls).where(calls.c.sid == sid))
        return CallRecord(**rows[0]) if rows else None

    async def list(self, limit: int = 50, *, live: bool | None = None) -> "list[CallRecord]":
        """The latest calls, newest first. `live`: only those that go on (True) or have ended (False)."""
        query = sa.select(calls).order_by(calls.c.started_at.desc(), calls.c.sid).limit(limit)
        if live is not None:
            query = query.where(calls.c.ended_at.is_(None) if live else calls.c.ended_at.is_not(None))
        return [CallRecord(**row) for row in await self._reader.rows(query)]
