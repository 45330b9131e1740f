"""What all records that are set up have in common: they are added, listed, changed and removed by SID."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import sqlalchemy as sa

from townhall.store.errors import DuplicateError, UnknownRecordError
from townhall.store.paging import Order, Page, Place
from townhall.store.readers import Reader
from townhall.store.writer import Writer


class Kept(Protocol):
    """A record of a shelf: a frozen dataclass with a SID and its times."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def sid(self) -> str: ...

    @property
    def updated_at(self) -> datetime: ...


T = TypeVar("T", bound=Kept)


class Shelf(Generic[T]):
    """`add`, `change`, `remove` raise `StoreError`: a bad value, `DuplicateError`, `UnknownRecordError`."""

    record: type[T]
    table: sa.Table
    noun: str
    """What a record is called in messages."""
    unique: str | None = None
    """The column whose values may be there once."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    # ---- for everybody ----

    async def add(self, record: T) -> T:
        self.check(record)

        def work(connection: sa.Connection) -> T:
            self._refuse_duplicate(connection, record)
            connection.execute(self.table.insert(), self.row(record))
            return record

        return await self._writer.submit(f"{self.noun} {record.sid}", work)

    async def get(self, sid: str) -> T | None:
        rows = await self._reader.rows(self._select(sid))
        return self.made_of(rows[0]) if rows else None

    async def remove(self, sid: str) -> None:
        def work(connection: sa.Connection) -> None:
            if not connection.execute(self.table.delete().where(self.table.c.sid == sid)).rowcount:
                raise self._unknown(sid)

        await self._writer.submit(f"{self.noun} {sid}", work)

    # ---- for the shelves ----

    def check(self, record: T) -> None:
        """Raises `StoreError` when a value cannot be used."""

    def row(self, record: T) -> dict[str, Any]:
        return {field.name: getattr(record, field.name) for field in fields(record)}

    def made_of(self, row: Mapping[Any, Any]) -> T:
        return self.record(**{str(name): value for name, value in row.items()})

    async def _change(self, sid: str, changes: Mapping[str, Any]) -> T:
        def work(connection: sa.Connection) -> T:
            row = connection.execute(self._select(sid)).mappings().first()
            if row is None:
                raise self._unknown(sid)
            changed: T = replace(self.made_of(row), **changes, updated_at=datetime.now(UTC))
            self.check(changed)
            self._refuse_duplicate(connection, changed)
            connection.execute(self.table.update().where(self.table.c.sid == sid).values(**self.row(changed)))
            return changed

        return await self._writer.submit(f"{self.noun} {sid}", work)

    async def _all(self, *conditions: sa.ColumnElement[bool], order: sa.ColumnElement[Any]) -> list[T]:
        rows = await self._reader.rows(sa.select(self.table).where(*conditions).order_by(order))
        return [self.made_of(row) for row in rows]

    async def _page(self, conditions: list[sa.ColumnElement[bool]], limit: int, token: str | None) -> Page[T]:
        place = Place.parse(token) if token else None
        order = Order(self.table.c.created_at, self.table.c.sid)
        rows = await self._reader.rows(order.page(sa.select(self.table).where(*conditions), limit, place))
        rows, older, newer = order.tokens(rows, limit, place)
        return Page([self.made_of(row) for row in rows], older, newer)

    def _select(self, sid: str) -> sa.Select[Any]:
        return sa.select(self.table).where(self.table.c.sid == sid)

    def _refuse_duplicate(self, connection: sa.Connection, record: T) -> None:
        if self.unique is None:
            return
        column, value = self.table.c[self.unique], getattr(record, self.unique)
        others = sa.select(column).where(column == value, self.table.c.sid != record.sid)
        if connection.execute(others).first() is not None:
            raise DuplicateError(f"there is a {self.noun} {value!r} already; choose another name")

    def _unknown(self, sid: str) -> UnknownRecordError:
        return UnknownRecordError(f"there is no {self.noun} {sid}")
