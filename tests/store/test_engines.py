"""What is special to SQLite: a lock held by another process is told apart from every other failure."""

import asyncio

import pytest
import sqlalchemy as sa

from townhall.store.engines import connect
from townhall.store.errors import DatabaseBusyError


async def test_write_lock_of_another_process_is_told_as_busy(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("townhall.store.engines.BUSY_TIMEOUT_S", 0.0)
    holder, reading = connect(url)
    waiter, other = connect(url)
    held, finish = asyncio.Event(), asyncio.Event()
    loop = asyncio.get_running_loop()

    def hold(_: sa.Connection) -> None:
        loop.call_soon_threadsafe(held.set)
        asyncio.run_coroutine_threadsafe(finish.wait(), loop).result(10)

    holding = asyncio.create_task(holder.run(hold))
    await held.wait()
    with pytest.raises(DatabaseBusyError, match="locked"):
        await waiter.run(lambda connection: None)
    finish.set()
    await holding
    assert await waiter.run(lambda connection: 1) == 1
    for transactions, engine in ((holder, reading), (waiter, other)):
        await transactions.close()
        await engine.close()


async def test_sqlite_keeps_a_write_ahead_log_and_syncs_every_commit(url: str) -> None:
    transactions, engine = connect(url)

    def pragmas(connection: sa.Connection) -> list[object]:
        names = ("journal_mode", "synchronous")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert await transactions.run(pragmas) == ["wal", 2]
    await transactions.close()
    await engine.close()
