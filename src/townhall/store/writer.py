"""All writes of this process: one task that commits whatever is queued in one transaction (group commit).

While a batch is being written the next one gathers, so under load a commit (and its wait for the disk) is
shared by many writes and alone it is made at once; what comes in quick succession waits a moment for more,
as a commit costs more than its writes. Writes take effect in the order in which they were handed
in. When a batch fails, each of its writes is tried alone, so a bad one fails by itself; the writer goes on in
any case.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from townhall.store.engines import Transactions
from townhall.store.errors import DatabaseBusyError, StoreError

log = logging.getLogger(__name__)
T = TypeVar("T")

LARGEST_BATCH = 500
GATHER_S = 0.01
"""From the beginning of one batch to the next."""
MOST_QUEUED = 100_000
"""Beyond it the database has been stuck for minutes; further writes fail instead of filling the memory."""
BUSY_ATTEMPTS = 3


@dataclass(frozen=True, slots=True)
class _Write:
    what: str
    work: Callable[[sa.Connection], Any]
    done: asyncio.Future[Any]


class Writer:
    """Created inside a running loop."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        self._queue: deque[_Write] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._handed_in = self._dealt_with = 0
        self._progress = asyncio.Event()
        self._task = asyncio.create_task(self._run(), name="store-writer")

    def submit(self, what: str, work: Callable[[sa.Connection], T]) -> asyncio.Future[T]:
        """Queue a write; the future resolves once it is committed. It need not be awaited: failures are
        logged.

        `work` runs in the writer's transaction and may run twice (a batch that failed is tried one by one).
        The future fails with `StoreError`. Cancelling it does not take the write back.
        """
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        done.add_done_callback(_retrieve)
        if self._closing or len(self._queue) >= MOST_QUEUED:
            why = "the store is closed" if self._closing else f"{MOST_QUEUED} writes are waiting"
            self._fail(_Write(what, work, done), StoreError(f"{what} is not written: {why}"))
            return done
        self._queue.append(_Write(what, work, done))
        self._handed_in += 1
        self._wake.set()
        return done

    async def settled(self) -> None:
        """Wait until everything that was handed in before is written (or has failed, and is logged)."""
        # Counted, not awaited: whoever waits for a write may be cancelled, and its future with him.
        last = self._handed_in
        while self._dealt_with < last:
            await self._progress.wait()

    async def close(self) -> None:
        """Write what is queued, then stop."""
        self._closing = True
        self._wake.set()
        await self._task

    async def _run(self) -> None:
        loop, next_at = asyncio.get_running_loop(), 0.0
        while self._queue or not self._closing:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                early_s = next_at - loop.time()
                if early_s > 0 and len(self._queue) < LARGEST_BATCH and not self._closing:
                    await asyncio.sleep(early_s)
                next_at = loop.time() + GATHER_S
                size = min(len(self._queue), LARGEST_BATCH)
                await self._write([self._queue.popleft() for _ in range(size)])
                self._dealt_with += size
                self._progress.set()
                self._progress = asyncio.Event()

    async def _write(self, batch: list[_Write]) -> None:
        try:
            results = await self._together(batch)
        except DatabaseBusyError as error:
            for write in batch:
                self._fail(write, error)
        except Exception:
            # Whatever it was: the writes tell one by one.
            for write in batch:
                await self._alone(write)
        else:
            for write, result in zip(batch, results, strict=True):
                _resolve(write, result)

    async def _together(self, batch: list[_Write]) -> list[Any]:
        attempt = 1
        while True:
            try:
                return await self._transactions.run(lambda connection: [w.work(connection) for w in batch])
            except DatabaseBusyError as error:
                log.warning("%s; %d writes are waiting", error, len(batch) + len(self._queue))
                if attempt == BUSY_ATTEMPTS:
                    raise
                attempt += 1

    async def _alone(self, write: _Write) -> None:
        try:
            _resolve(write, await self._transactions.run(write.work))
        except Exception as error:
            self._fail(write, error)

    def _fail(self, write: _Write, error: Exception) -> None:
        if not isinstance(error, StoreError):
            cause = getattr(error, "orig", None) or error
            log.error("cannot write %s: %s", write.what, cause)
            failure = StoreError(f"cannot write {write.what}: {cause}")
            failure.__cause__ = error
            error = failure
        else:
            log.warning("%s: %s", write.what, error)
        if not write.done.done():
            write.done.set_exception(error)


def _resolve(write: _Write, result: Any) -> None:
    if not write.done.done():
        write.done.set_result(result)


def _retrieve(done: asyncio.Future[Any]) -> None:
    """Take note of the exception: whoever does not await his write has it in the log."""
    if not done.cancelled():
        done.exception()
