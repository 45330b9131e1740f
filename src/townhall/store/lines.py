"""The lines of our own conference application."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypedDict, TypeVar, Unpack

import sqlalchemy as sa

from townhall.store.errors import StoreError
from townhall.store.readers import Reader
from townhall.store.records import Line
from townhall.store.remembered import Remembered
from townhall.store.tables import installation, lines, numbers
from townhall.store.validation import check_line
from townhall.store.writer import Writer

T = TypeVar("T")

DEFAULT_LINE = "1000"
DEFAULT_CONFERENCE = "Town Hall"


class LineChanges(TypedDict, total=False):
    """What of a line can be changed; what is not named stays."""

    number: str
    conference_name: str
    welcome: str | None
    speaker_pin: str | None
    moderator_pin: str | None
    voice: str | None
    language: str
    music: str | None
    max_participants: int | None
    when_full: str


class Lines:
    """`add`, `change` and `remove` raise `StoreError`: a bad value, a duplicate, an unknown line."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._remembered = Remembered[Line]()

    async def ensure_default(self) -> Line | None:
        """Give a fresh install its line 1000; returns it when it was made now.

        Done once per database: who removes the line, or has set up numbers of his own, does not get it back.
        """
        return await self._write(DEFAULT_LINE, _make_default)

    async def add(self, line: Line) -> Line:
        check_line(line)

        def work(connection: sa.Connection) -> Line:
            _refuse_duplicate(connection, line.number)
            connection.execute(lines.insert(), asdict(line))
            return line

        return await self._write(line.number, work)

    async def get(self, number: str) -> Line | None:
        """Every call asks this, so it is remembered for a second; another process's change counts then."""

        async def read() -> Line | None:
            rows = await self._reader.rows(_select(number))
            return Line(**rows[0]) if rows else None

        return await self._remembered.get(number, read)

    async def list(self) -> "list[Line]":
        rows = await self._reader.rows(sa.select(lines).order_by(lines.c.number))
        return [Line(**row) for row in rows]

    async def change(self, number: str, /, **changes: Unpack[LineChanges]) -> Line:
        """The line as it is now; `number=` gives it another number."""

        def work(connection: sa.Connection) -> Line:
            row = connection.execute(_select(number)).mappings().first()
            if row is None:
                raise _unknown(number)
            changed = replace(Line(**_keywords(row)), **changes)
            check_line(changed)
            if changed.number != number:
                _refuse_duplicate(connection, changed.number)
            connection.execute(lines.update().where(lines.c.number == number), asdict(changed))
            return changed

        return await self._write(number, work)

    async def remove(self, number: str) -> None:
        def work(connection: sa.Connection) -> None:
            if not connection.execute(lines.delete().where(lines.c.number == number)).rowcount:
                raise _unknown(number)

        await self._write(number, work)

    async def _write(self, number: str, work: Callable[[sa.Connection], T]) -> T:
        try:
            return await self._writer.submit(f"line {number}", work)
        finally:
            self._remembered.forget()


def _make_default(connection: sa.Connection) -> Line | None:
    fact = "default line"
    if connection.execute(sa.select(installation).where(installation.c.fact == fact)).first():
        return None
    now = datetime.now(UTC)
    connection.execute(installation.insert(), {"fact": fact, "since": now})
    if connection.execute(sa.select(lines.c.number)).first():
        return None
    if connection.execute(sa.select(numbers.c.number).where(numbers.c.number == DEFAULT_LINE)).first():
        return None
    line = Line(number=DEFAULT_LINE, conference_name=DEFAULT_CONFERENCE, created_at=now)
    connection.execute(lines.insert(), asdict(line))
    return line


def _select(number: str) -> sa.Select[Any]:
    return sa.select(lines).where(lines.c.number == number)


def _keywords(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _refuse_duplicate(connection: sa.Connection, number: str) -> None:
    if connection.execute(_select(number)).first() is not None:
        raise StoreError(f"line {number} exists already; change it, or remove it first")


def _unknown(number: str) -> StoreError:
    return StoreError(f"there is no line {number}")
