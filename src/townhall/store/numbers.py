"""Numbers and the webhooks behind them."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypedDict, TypeVar, Unpack

import sqlalchemy as sa

from townhall.store.errors import DuplicateError, StoreError
from townhall.store.paging import Order, Page, Place
from townhall.store.readers import Reader
from townhall.store.records import Number
from townhall.store.remembered import Remembered
from townhall.store.tables import numbers
from townhall.store.validation import check_number
from townhall.store.writer import Writer

T = TypeVar("T")

_ORDER = Order(numbers.c.created_at, numbers.c.sid)


class NumberChanges(TypedDict, total=False):
    """What of a number can be changed; what is not named stays."""

    number: str
    friendly_name: str
    voice_url: str
    voice_method: str
    voice_fallback_url: str | None
    voice_fallback_method: str
    status_callback: str | None
    status_callback_method: str
    voice_application_sid: str | None


class Numbers:
    """`add`, `change` and `remove` raise `StoreError`: a bad value, a duplicate, an unknown number."""

    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer
        self._remembered = Remembered[Number]()

    async def add(self, number: Number) -> Number:
        check_number(number)

        def work(connection: sa.Connection) -> Number:
            _refuse_duplicate(connection, number.number)
            connection.execute(numbers.insert(), asdict(number))
            return number

        return await self._write(number.number, work)

    async def get(self, number: str) -> Number | None:
        """Every call asks this, so it is remembered for a second; another process's change counts then."""

        async def read() -> Number | None:
            rows = await self._reader.rows(_select(number))
            return Number(**rows[0]) if rows else None

        return await self._remembered.get(number, read)

    async def by_sid(self, sid: str) -> Number | None:
        rows = await self._reader.rows(sa.select(numbers).where(numbers.c.sid == sid))
        return Number(**rows[0]) if rows else None

    async def page(
        self,
        *,
        number: str | None = None,
        friendly_name: str | None = None,
        limit: int = 50,
        token: str | None = None,
    ) -> Page[Number]:
        """`number` is a part of it, in which `*` stands for any character. Raises `PageTokenError`."""
        place = Place.parse(token) if token else None
        query = sa.select(numbers)
        if number is not None:
            pattern = re.sub(r"([%_\\])", r"\\\1", number).replace("*", "_")
            query = query.where(numbers.c.number.like(f"%{pattern}%", escape="\\"))
        if friendly_name is not None:
            query = query.where(numbers.c.friendly_name == friendly_name)
        rows = await self._reader.rows(_ORDER.page(query, limit, place))
        rows, older, newer = _ORDER.tokens(rows, limit, place)
        return Page([Number(**row) for row in rows], older, newer)

    async def list(self) -> "list[Number]":
        rows = await self._reader.rows(sa.select(numbers).order_by(numbers.c.number))
        return [Number(**row) for row in rows]

    async def change(self, number: str, /, **changes: Unpack[NumberChanges]) -> Number:
        """The number as it is now; `number=` gives it another."""

        def work(connection: sa.Connection) -> Number:
            row = connection.execute(_select(number)).mappings().first()
            if row is None:
                raise _unknown(number)
            changed = replace(Number(**_keywords(row)), **changes, updated_at=datetime.now(UTC))
            check_number(changed)
            if changed.number != number:
                _refuse_duplicate(connection, changed.number)
            connection.execute(numbers.update().where(numbers.c.number == number), asdict(changed))
            return changed

        return await self._write(number, work)

    async def remove(self, number: str) -> None:
        def work(connection: sa.Connection) -> None:
            if not connection.execute(numbers.delete().where(numbers.c.number == number)).rowcount:
                raise _unknown(number)

        await self._write(number, work)

    async def _write(self, number: str, work: Callable[[sa.Connection], T]) -> T:
        try:
            return await self._writer.submit(f"number {number}", work)
        finally:
            self._remembered.forget()


def _select(number: str) -> sa.Select[Any]:
    return sa.select(numbers).where(numbers.c.number == number)


def _keywords(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _refuse_duplicate(connection: sa.Connection, number: str) -> None:
    if connection.execute(_select(number)).first() is not None:
        raise DuplicateError(f"number {number} exists already; change it, or remove it first")


def _unknown(number: str) -> StoreError:
    return StoreError(f"there is no number {number}")
