"""The webhook requests made for each call, with what came back: the latest of them, cut to what is worth
keeping.
"""

import asyncio
from collections import OrderedDict
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import sqlalchemy as sa

from townhall.store.readers import Reader
from townhall.store.records import EventRecord
from townhall.store.tables import events
from townhall.store.writer import Writer

MOST_PER_CALL = 200
"""A caller who waits for hours asks for his wait document again and again; the latest requests tell most."""
MOST_CHARACTERS = 4096
"""Of an answer's body, and of a parameter's value."""
MOST_CALLS = 20_000
KEPT = timedelta(days=30)
CLEARED_EVERY = 5000
"""Requests, after which those that are too old are thrown away."""

_COLUMNS = tuple(events.c[field.name] for field in fields(EventRecord))
_INSERT = events.insert()
_REPLACED = events.delete().where(
    events.c.call_sid == sa.bindparam("key"), events.c.place == sa.bindparam("where")
)


class Events:
    """Writes need not be awaited."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._counts: OrderedDict[str, int] = OrderedDict()
        self._added = 0

    def add(self, event: EventRecord) -> asyncio.Future[None]:
        number = self._counts.pop(event.call_sid, 0)
        self._counts[event.call_sid] = number + 1
        if len(self._counts) > MOST_CALLS:
            self._counts.popitem(last=False)
        place = number % MOST_PER_CALL
        values = _row(event) | {"place": place}
        clearing = self._added % CLEARED_EVERY == 0
        self._added += 1

        def work(connection: sa.Connection) -> None:
            if number >= MOST_PER_CALL:
                connection.execute(_REPLACED, {"key": event.call_sid, "where": place})
            if clearing:
                connection.execute(events.delete().where(events.c.at < event.at - KEPT))
            connection.execute(_INSERT, values)

        return self._writer.submit(f"a request of call {event.call_sid}", work)

    async def list(self, call_sid: str) -> "list[EventRecord]":
        """The requests made for a call, in the order of their answers."""
        query = sa.select(*_COLUMNS).where(events.c.call_sid == call_sid).order_by(events.c.id)
        return [_record(row) for row in await self._reader.rows(query)]


def _row(event: EventRecord) -> dict[str, Any]:
    cut = replace(
        event,
        body=event.body[:MOST_CHARACTERS],
        parameters=tuple((name, value[:MOST_CHARACTERS]) for name, value in event.parameters),
    )
    return {field.name: getattr(cut, field.name) for field in fields(cut)}


def _record(row: dict[str, Any]) -> EventRecord:
    parameters = tuple((str(name), str(value)) for name, value in row["parameters"])
    return EventRecord(**(row | {"parameters": parameters}))
