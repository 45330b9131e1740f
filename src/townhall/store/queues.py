"""Queues by name and SID. Who waits in them is not kept here: it is gone with the calls."""

from typing import TypedDict, Unpack

import sqlalchemy as sa

from townhall.store.paging import Page
from townhall.store.resources import QueueRecord
from townhall.store.shelf import Shelf
from townhall.store.tables import queues
from townhall.store.validation import check_queue


class QueueChanges(TypedDict, total=False):
    friendly_name: str
    max_size: int


class Queues(Shelf[QueueRecord]):
    record = QueueRecord
    table = queues
    noun = "queue"
    unique = "friendly_name"

    def check(self, record: QueueRecord) -> None:
        check_queue(record)

    async def by_name(self, friendly_name: str) -> QueueRecord | None:
        rows = await self._reader.rows(sa.select(queues).where(queues.c.friendly_name == friendly_name))
        return QueueRecord(**rows[0]) if rows else None

    async def ensure(self, friendly_name: str) -> QueueRecord:
        """The queue of this name, made now if there was none (`<Enqueue>` does that)."""
        queue = QueueRecord(friendly_name)
        check_queue(queue)

        def work(connection: sa.Connection) -> QueueRecord:
            named = sa.select(queues).where(queues.c.friendly_name == friendly_name)
            row = connection.execute(named).mappings().first()
            if row is not None:
                return self.made_of(row)
            connection.execute(queues.insert(), self.row(queue))
            return queue

        return await self._writer.submit(f"queue {friendly_name}", work)

    async def list(self) -> "list[QueueRecord]":
        """All of them, by name."""
        return await self._all(order=queues.c.friendly_name.asc())

    async def page(self, *, limit: int = 50, token: str | None = None) -> Page[QueueRecord]:
        return await self._page([], limit, token)

    async def change(self, sid: str, /, **changes: Unpack[QueueChanges]) -> QueueRecord:
        return await self._change(sid, changes)
