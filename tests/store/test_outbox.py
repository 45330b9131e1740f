"""Callbacks on disk until they are delivered, at the price of a batch."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest

from townhall.store import OutboxRecord, Store, StoreError
from townhall.store.outbox import MOST_AT_ONCE, Outbox

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def add(outbox: Outbox, number: int, **changes: Any) -> OutboxRecord:
    values: dict[str, Any] = {
        "resource_sid": "CA1",
        "url": "http://a/status",
        "method": "POST",
        "parameters": (("CallSid", "CA1"), ("From", "Zoë")),
        "consented": True,
        "at": NOW,
    }
    outbox.add(number, **(values | changes))
    return OutboxRecord(number, **(values | changes))


async def test_callbacks_are_kept_whole_and_in_order(store: Store) -> None:
    kept = [add(store.outbox, number) for number in (3, 7, 5)]
    await store.outbox.settled()
    assert await store.outbox.due() == sorted(kept, key=lambda record: record.number)


async def test_delivered_callback_is_gone_whenever_it_was_written(store: Store) -> None:
    add(store.outbox, 1)  # on its way to the disk at once
    add(store.outbox, 2)  # waits for the next batch
    store.outbox.done(1)
    store.outbox.done(2)
    add(store.outbox, 3)
    await store.outbox.settled()
    assert [record.number for record in await store.outbox.due()] == [3]
    store.outbox.done(3)
    await store.outbox.settled()
    assert await store.outbox.due() == []


async def test_tries_are_counted(store: Store) -> None:
    add(store.outbox, 1)
    add(store.outbox, 2)
    store.outbox.failed(1, 1)
    store.outbox.failed(2, 1)
    await store.outbox.settled()
    store.outbox.failed(2, 2)
    store.outbox.failed(2, 3)
    await store.outbox.settled()
    assert [record.attempts for record in await store.outbox.due()] == [1, 3]


async def test_many_are_written_in_several_batches(store: Store) -> None:
    for number in range(2 * MOST_AT_ONCE + 10):
        add(store.outbox, number)
    await store.outbox.settled()
    assert len(await store.outbox.due()) == 2 * MOST_AT_ONCE + 10


async def test_close_writes_what_has_gathered(url: str) -> None:
    store = await Store.open(url)
    for number in range(100):
        add(store.outbox, number)
    await store.close()
    again = await Store.open(url)
    assert len(await again.outbox.due()) == 100
    await again.close()


async def test_disk_that_fails_is_logged_and_stops_nothing(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    add(store.outbox, 1)
    await store.outbox.settled()
    add(store.outbox, 1)  # the number is taken
    await store.outbox.settled()
    assert "cannot write callbacks" in caplog.text
    add(store.outbox, 2)
    await asyncio.wait_for(store.outbox.settled(), 10)
    assert [record.number for record in await store.outbox.due()] == [1, 2]


async def test_closed_store_takes_no_more(url: str, caplog: pytest.LogCaptureFixture) -> None:
    store = await Store.open(url)
    await store.close()
    add(store.outbox, 1)
    await store.outbox.settled()
    assert "the store is closed" in caplog.text
    with pytest.raises(StoreError):
        await store.numbers.remove("x")
