"""The writer: order, batches, and failures that stay where they belong."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from typing import TypeVar

import pytest
import sqlalchemy as sa

from townhall.store.engines import Transactions, connect
from townhall.store.errors import DatabaseBusyError, StoreError
from townhall.store.writer import BUSY_ATTEMPTS, LARGEST_BATCH, Writer

T = TypeVar("T")
NAMES = sa.Table("names", sa.MetaData(), sa.Column("name", sa.Text, primary_key=True))


@pytest.fixture
async def transactions(url: str) -> AsyncIterator[Transactions]:
    writing, reading = connect(url)
    await writing.run(NAMES.create)
    yield writing
    await writing.close()
    await reading.close()


class Counted:
    """Passes transactions on and counts them; the first `busy` of them find the database locked."""

    def __init__(self, inner: Transactions, busy: int = 0) -> None:
        self.inner = inner
        self.count = 0
        self.busy = busy

    async def run(self, work: Callable[[sa.Connection], T]) -> T:
        self.count += 1
        if self.count <= self.busy:
            raise DatabaseBusyError("locked")
        return await self.inner.run(work)

    async def close(self) -> None: ...


def insert(name: str | None) -> Callable[[sa.Connection], str | None]:
    def work(connection: sa.Connection) -> str | None:
        connection.execute(NAMES.insert(), {"name": name})
        return name

    return work


async def names(transactions: Transactions) -> list[str]:
    query = sa.select(NAMES.c.name).order_by(sa.text("rowid"))
    return await transactions.run(lambda connection: list(connection.scalars(query)))


async def test_writes_queued_together_are_one_transaction_in_order(transactions: Transactions) -> None:
    counted = Counted(transactions)
    writer = Writer(counted)
    results = await asyncio.gather(*(writer.submit("name", insert(str(n))) for n in range(LARGEST_BATCH)))
    assert results == [str(n) for n in range(LARGEST_BATCH)]
    assert counted.count == 1
    await writer.close()
    assert await names(transactions) == results


async def test_failing_write_fails_alone_and_is_logged(
    transactions: Transactions, caplog: pytest.LogCaptureFixture
) -> None:
    writer = Writer(transactions)
    writes = [writer.submit(f"name {name}", insert(name)) for name in ("a", "b", "a", "c")]
    results = await asyncio.gather(*writes, return_exceptions=True)
    assert [results[0], results[1], results[3]] == ["a", "b", "c"]
    assert isinstance(results[2], StoreError)
    assert "cannot write name a: UNIQUE constraint failed" in caplog.text
    assert await writer.submit("name", insert("d")) == "d"
    await writer.close()
    assert await names(transactions) == ["a", "b", "c", "d"]


async def test_full_disk_fails_writes_until_there_is_room(transactions: Transactions) -> None:
    writer = Writer(transactions)
    pages = await writer.submit("pages", lambda c: c.exec_driver_sql("PRAGMA page_count").scalar())
    await writer.submit("limit", lambda c: c.exec_driver_sql(f"PRAGMA max_page_count={pages}").scalar())
    long, short = writer.submit("long", insert("x" * 100_000)), writer.submit("short", insert("y"))
    with pytest.raises(StoreError, match="cannot write long: database or disk is full"):
        await long
    assert await short == "y"
    await writer.submit("limit", lambda c: c.exec_driver_sql("PRAGMA max_page_count=100000").scalar())
    await writer.submit("long", insert("x" * 100_000))
    await writer.close()


async def test_any_exception_in_a_write_is_its_own(transactions: Transactions) -> None:
    writer = Writer(transactions)

    def wrong(_: sa.Connection) -> None:
        raise ZeroDivisionError("not even the database's fault")

    bad, good = writer.submit("bad", wrong), writer.submit("good", insert("a"))
    with pytest.raises(StoreError, match="not even"):
        await bad
    assert await good == "a"
    await writer.close()


async def test_failed_write_that_nobody_awaits_is_only_logged(
    transactions: Transactions, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        writer = Writer(transactions)
        writer.submit("nothing", insert(None))
        await writer.close()
    assert [record.name for record in caplog.records] == ["townhall.store.writer"]


async def test_cancelled_write_is_written_all_the_same(transactions: Transactions) -> None:
    writer = Writer(transactions)
    waiting = asyncio.ensure_future(writer.submit("name", insert("a")))
    waiting.cancel()
    await writer.close()
    assert await names(transactions) == ["a"]


async def test_cancelled_write_does_not_settle_those_before_it(transactions: Transactions) -> None:
    writer = Writer(transactions)
    writer.submit("a name", insert("kept"))
    writer.submit("a name", insert("kept too")).cancel()
    await writer.settled()
    assert await names(transactions) == ["kept", "kept too"]
    await writer.settled()
    await writer.close()


async def test_locked_database_is_tried_again(transactions: Transactions) -> None:
    writer = Writer(Counted(transactions, busy=BUSY_ATTEMPTS - 1))
    assert await writer.submit("name", insert("a")) == "a"
    await writer.close()


async def test_database_locked_for_too_long_fails_the_batch_and_not_the_writer(
    transactions: Transactions,
) -> None:
    writer = Writer(Counted(transactions, busy=BUSY_ATTEMPTS))
    results = await asyncio.gather(
        *(writer.submit("name", insert(name)) for name in "ab"), return_exceptions=True
    )
    assert all(isinstance(result, DatabaseBusyError) for result in results)
    assert await writer.submit("name", insert("c")) == "c"
    await writer.close()
    assert await names(transactions) == ["c"]


async def test_queue_is_bounded(transactions: Transactions, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("townhall.store.writer.MOST_QUEUED", 2)
    writer = Writer(transactions)
    writes = [writer.submit("name", insert(name)) for name in "abc"]
    with pytest.raises(StoreError, match="2 writes are waiting"):
        await writes[2]
    await writer.close()
    assert await names(transactions) == ["a", "b"]
