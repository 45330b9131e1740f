"""Callbacks that wait to be delivered: the disk behind `townhall.webhooks.Outbox`.

Every change returns at once. While one batch of changes is being written the next gathers, and a callback
that is delivered before its turn to be written came is never written at all.
"""

import asyncio
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from townhall.store.readers import Reader
from townhall.store.records import OutboxRecord
from townhall.store.tables import outbox
from townhall.store.writer import Writer

MOST_AT_ONCE = 2000
"""Rows of one batch; a longer one would keep the answer of a call waiting."""

_INSERT = outbox.insert()
_OF_NUMBER = outbox.c.number == sa.bindparam("key")
_DELETE = outbox.delete().where(_OF_NUMBER)
_TRIED = outbox.update().where(_OF_NUMBER).values(attempts=sa.bindparam("tries"))


class Outbox:
    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._added: dict[int, dict[str, Any]] = {}
        self._tried: dict[int, int] = {}
        self._gone: list[int] = []
        self._writing: asyncio.Future[None] | None = None

    async def due(self) -> list[OutboxRecord]:
        """All of them, in the order of sending."""
        rows = await self._reader.rows(sa.select(outbox).order_by(outbox.c.number))
        return [_record(row) for row in rows]

    def add(
        self,
        number: int,
        *,
        resource_sid: str,
        url: str,
        method: str,
        parameters: tuple[tuple[str, str], ...],
        consented: bool,
        at: datetime,
    ) -> None:
        self._added[number] = {
            "number": number,
            "resource_sid": resource_sid,
            "url": url,
            "method": method,
            "parameters": parameters,
            "consented": consented,
            "attempts": 0,
            "at": at,
        }
        self._write()

    def done(self, number: int) -> None:
        """It need not be kept any longer."""
        self._tried.pop(number, None)
        if self._added.pop(number, None) is None:
            self._gone.append(number)
            self._write()

    def failed(self, number: int, attempts: int) -> None:
        if number in self._added:
            self._added[number]["attempts"] = attempts
        else:
            self._tried[number] = attempts
            self._write()

    async def settled(self) -> None:
        """Wait until every change so far is on the disk."""
        while self._writing is not None:
            await asyncio.wait({self._writing})
            await asyncio.sleep(0)  # what gathered meanwhile is handed to the writer now

    def _write(self) -> None:
        if self._writing is not None or not (self._added or self._tried or self._gone):
            return
        added = [self._added.pop(number) for number in list(self._added)[:MOST_AT_ONCE]]
        tried = [{"key": number, "tries": tries} for number, tries in self._tried.items()]
        gone = [{"key": number} for number in self._gone]
        self._tried, self._gone = {}, []

        def work(connection: sa.Connection) -> None:
            for statement, rows in ((_INSERT, added), (_TRIED, tried), (_DELETE, gone)):
                if rows:
                    connection.execute(statement, rows)

        self._writing = self._writer.submit("callbacks", work)
        self._writing.add_done_callback(self._written)

    def _written(self, _: asyncio.Future[None]) -> None:
        self._writing = None
        self._write()


def _record(row: dict[str, Any]) -> OutboxRecord:
    parameters = tuple((str(name), str(value)) for name, value in row["parameters"])
    return OutboxRecord(**(row | {"parameters": parameters}))
