"""The database's connections: one way to write, one to read, and all that is special to SQLite or to
PostgreSQL.

SQLite: WAL, so readers and the command line do not wait for the writer; full synchronisation, so a power cut
loses nothing that was committed. Writes run on a thread of their own with the plain driver: a batch then
costs one hop between threads, where aiosqlite would hop several times per statement (measured: 25 to 40 µs
against 350 µs a write). Reads do the same on a few threads (`readers`). PostgreSQL: asyncpg for both.
"""

import asyncio
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Protocol, TypeVar

import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from townhall.store.errors import DatabaseBusyError, StoreError
from townhall.store.readers import AsyncReader, Reader, ThreadReader

T = TypeVar("T")

BUSY_TIMEOUT_S = 10.0
"""How long a write waits for another process's: the command line's changes take milliseconds."""


class Transactions(Protocol):
    """Runs a function in a transaction of its own: committed when it returns, rolled back when it raises."""

    async def run(self, work: Callable[[sa.Connection], T]) -> T: ...

    async def close(self) -> None: ...


def connect(url: str) -> tuple[Transactions, Reader]:
    """The writing side and the reading side of the database; creates a missing SQLite file for its owner
    only.

    Raises `StoreError` when the URL names no database that the store can use.
    """
    try:
        parsed = sa.make_url(url)
    except sa.exc.ArgumentError as error:
        raise StoreError("that is no database URL; one is sqlite:////var/lib/townhall/townhall.db") from error
    match parsed.get_backend_name():
        case "sqlite":
            return _connect_sqlite(parsed)
        case "postgresql":
            return _connect_postgresql(parsed)
        case other:
            raise StoreError(f"{other!r} is no database for the store; sqlite and postgresql are")


def _connect_sqlite(url: sa.URL) -> tuple[Transactions, Reader]:
    if not url.database or url.database == ":memory:":
        raise StoreError("the store needs a SQLite file; one in memory would forget every call")
    path = Path(url.database).absolute()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StoreError(f"cannot open the database {path}: {error.strerror}") from error
    writing = sa.create_engine(
        url.set(drivername="sqlite+pysqlite"), pool_size=1, connect_args={"timeout": BUSY_TIMEOUT_S}
    )
    reading = sa.create_engine(
        url.set(drivername="sqlite+pysqlite"),
        isolation_level="AUTOCOMMIT",
        pool_size=ThreadReader.THREADS,
        pool_reset_on_return=None,
        connect_args={"timeout": BUSY_TIMEOUT_S},
    )
    sa.event.listen(writing, "connect", _prepare_writing)
    sa.event.listen(writing, "begin", _begin_immediate)
    sa.event.listen(reading, "connect", _prepare_reading)
    return ThreadTransactions(writing), ThreadReader(reading)


def _connect_postgresql(url: sa.URL) -> tuple[Transactions, Reader]:
    url = url.set(drivername="postgresql+asyncpg")
    writing = create_async_engine(url, pool_size=1, pool_pre_ping=True)
    reading = create_async_engine(
        url, isolation_level="AUTOCOMMIT", pool_reset_on_return=None, pool_pre_ping=True
    )
    return AsyncTransactions(writing), AsyncReader(reading)


def _prepare_writing(connection: sqlite3.Connection, _: object) -> None:
    connection.isolation_level = None  # `_begin_immediate` says when a transaction begins
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")


def _prepare_reading(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA query_only=ON")


def _begin_immediate(connection: sa.Connection) -> None:
    # Take the write lock first: a transaction that reads and then writes could otherwise fail in the middle.
    connection.exec_driver_sql("BEGIN IMMEDIATE")


class ThreadTransactions:
    """SQLite's writing side: a thread that keeps one connection."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._connection: sa.Connection | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store-writer")

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._run, work)

    def _run(self, work: Callable[[sa.Connection], T]) -> T:
        # Kept from one to the next: out of the pool and back again costs as much as five writes.
        connection, self._connection = self._connection or self._engine.connect(), None
        try:
            with connection.begin():
                result = work(connection)
        except sa.exc.OperationalError as error:
            if isinstance(error.orig, sqlite3.OperationalError) and _is_busy(error.orig):
                raise DatabaseBusyError(f"the database is locked for {BUSY_TIMEOUT_S:.0f} s") from error
            raise
        else:
            self._connection = connection
            return result
        finally:
            if self._connection is None:
                connection.close()  # the next one begins afresh, whatever went wrong with this

    def _close(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._engine.dispose()

    async def close(self) -> None:
        await asyncio.get_running_loop().run_in_executor(self._thread, self._close)
        self._thread.shutdown()


class AsyncTransactions:
    """PostgreSQL's writing side."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        async with self._engine.begin() as connection:
            return await connection.run_sync(work)

    async def close(self) -> None:
        await self._engine.dispose()


def _is_busy(error: sqlite3.OperationalError) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
