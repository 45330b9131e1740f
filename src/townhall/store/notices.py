"""The error log: what went wrong with a call's documents and callbacks, in Twilio's numbers."""

import asyncio
from dataclasses import asdict

import sqlalchemy as sa

from townhall.store.readers import Reader
from townhall.store.records import NoticeRecord
from townhall.store.tables import notices
from townhall.store.writer import Writer

_INSERT = notices.insert()


class Notices:
    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    def add(
        self, *, resource_sid: str, code: int, level: str, message: str, url: str = ""
    ) -> asyncio.Future[NoticeRecord]:
        """Resolves to the record once it is written; it need not be awaited."""
        notice = NoticeRecord(resource_sid, code, level, message, url)

        def work(connection: sa.Connection) -> NoticeRecord:
            connection.execute(_INSERT, asdict(notice))
            return notice

        return self._writer.submit(f"notice {code} of {resource_sid}", work)

    async def list(self, limit: int = 50, *, resource_sid: str | None = None) -> "list[NoticeRecord]":
        """The latest notices, newest first."""
        query = sa.select(notices).order_by(notices.c.at.desc(), notices.c.sid).limit(limit)
        if resource_sid is not None:
            query = query.where(notices.c.resource_sid == resource_sid)
        return [NoticeRecord(**row) for row in await self._reader.rows(query)]
