"""Numbers and the webhooks behind them."""

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any, TypedDict, Unpack

import sqlalchemy as sa

from townhall.store.errors import StoreError
from townhall.store.readers import Reader
from townhall.store.records import Number
from townhall.store.tables import numbers
from townhall.store.validation import check_number
from townhall.store.writer import Writer


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

    async def add(self, number: Number) -> Number:
        check_number(number)

        def work(connection: sa.Connection) -> Number:
            _refuse_duplicate(connection, number.number)
            connection.execute(numbers.insert(), asdict(number))
            return number

        return await self._writer.submit(f"number {number.number}", work)

    async def get(self, number: str) -> Number | None:
        rows = await self._reader.rows(_select(number))
        return Number(**rows[0]) if rows else None

    async def by_sid(self, sid: str) -> Number | None:
        rows = await self._reader.rows(sa.select(numbers).where(numbers.c.sid == sid))
        return Number(**rows[0]) if rows else None

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

        return await self._writer.submit(f"number {number}", work)

    async def remove(self, number: str) -> None:
        def work(connection: sa.Connection) -> None:
            if not connection.execute(numbers.delete().where(numbers.c.number == number)).rowcount:
                raise _unknown(number)

        await self._writer.submit(f"number {number}", work)


def _select(number: str) -> sa.Select[Any]:
    return sa.select(numbers).where(numbers.c.number == number)


def _keywords(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}


def _refuse_duplicate(connection: sa.Connection, number: str) -> None:
    if connection.execute(_select(number)).first() is not None:
        raise StoreError(f"number {number} exists already; change it, or remove it first")


def _unknown(number: str) -> StoreError:
    return StoreError(f"there is no number {number}")
