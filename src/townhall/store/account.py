"""The account's own facts. There is one account; its SID and token are settings, not records."""

from dataclasses import dataclass, field
from datetime import UTC, datetime

import sqlalchemy as sa

from townhall.store.readers import Reader
from townhall.store.tables import account
from townhall.store.writer import Writer

_ONE = 1
"""The only row."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class AccountRecord:
    friendly_name: str = "Townhall"
    created_at: datetime = field(default_factory=_now)
    updated_at: datetime = field(default_factory=_now)


class Account:
    def __init__(self, reader: Reader, writer: Writer) -> None:
        self._reader = reader
        self._writer = writer

    async def get(self) -> AccountRecord:
        """The account's facts; they are begun when they are first asked for."""
        rows = await self._reader.rows(_SELECT)
        return AccountRecord(**rows[0]) if rows else await self._writer.submit("the account", _begin)

    async def rename(self, friendly_name: str) -> AccountRecord:
        def work(connection: sa.Connection) -> AccountRecord:
            _begin(connection)
            connection.execute(account.update().values(friendly_name=friendly_name, updated_at=_now()))
            return _read(connection)

        return await self._writer.submit("the account's name", work)


_SELECT = sa.select(account.c.friendly_name, account.c.created_at, account.c.updated_at)


def _read(connection: sa.Connection) -> AccountRecord:
    return AccountRecord(*connection.execute(_SELECT).one())


def _begin(connection: sa.Connection) -> AccountRecord:
    if connection.execute(_SELECT).first() is None:
        fresh = AccountRecord()
        values = {"friendly_name": fresh.friendly_name, "created_at": fresh.created_at}
        connection.execute(account.insert().values(id=_ONE, updated_at=fresh.updated_at, **values))
    return _read(connection)
