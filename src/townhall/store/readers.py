"""The database's reading side: whatever is committed, outside of any transaction."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine

from townhall.store.errors import StoreError

Rows = list[dict[str, Any]]


class Reader(Protocol):
    async def rows(self, query: sa.Select[Any]) -> Rows:
        """The rows as dictionaries by column; raises `StoreError` when the database fails."""

    async def close(self) -> None: ...


class ThreadReader:
    """SQLite's: a query is one hop to one of a few threads, each of which finds a connection of its own in
    the pool. (A driver that hops for every step of a query took five times as long.)
    """

    THREADS = 4
    """So that a long list keeps no call's number waiting."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._threads = ThreadPoolExecutor(self.THREADS, thread_name_prefix="store-reader")

    async def rows(self, query: sa.Select[Any]) -> Rows:
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._rows, query)

    def _rows(self, query: sa.Select[Any]) -> Rows:
        try:
            with self._engine.connect() as connection:
                result = connection.execute(query)
                names = tuple(result.keys())
                return [dict(zip(names, row, strict=True)) for row in result]
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"cannot read the database: {error}") from error

    async def close(self) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self._threads.shutdown)
        self._engine.dispose()


class AsyncReader:
    """PostgreSQL's."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def rows(self, query: sa.Select[Any]) -> Rows:
        try:
            async with self._engine.connect() as connection:
                result = await connection.execute(query)
                return [dict(row) for row in result.mappings()]
        except sa.exc.SQLAlchemyError as error:
            raise StoreError(f"cannot read the database: {error}") from error

    async def close(self) -> None:
        await self._engine.dispose()
