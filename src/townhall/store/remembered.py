"""A short memory before a table that every call asks and that seldom changes.

What this process changes counts at once; what another one changes (the command line), within a second. So a
thousand calls a second to one number cost one read a second: who asks while another is reading waits for the
same answer.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

T = TypeVar("T")

LIFETIME_S = 1.0
MOST = 10_000


class Remembered(Generic[T]):
    """Answers by key, also that there is none. `now` is a clock in seconds that never goes back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._known: OrderedDict[str, tuple[float, T | None]] = OrderedDict()
        self._reading: dict[str, asyncio.Task[T | None]] = {}
        self._changes = 0

    async def get(self, key: str, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """What was read of this key within the last second, else what `read` finds now."""
        known = self._known.get(key)
        if known is not None and self._now() - known[0] < LIFETIME_S:
            return known[1]
        reading = self._reading.get(key)
        if reading is None:
            reading = self._reading[key] = asyncio.create_task(self._read(key, read))
            reading.add_done_callback(lambda task: self._has_read(key, task))
        return await asyncio.shield(reading)  # who is cancelled takes it from nobody else

    async def _read(self, key: str, read: Callable[[], Awaitable[T | None]]) -> T | None:
        asked_at, changes = self._now(), self._changes
        found = await read()
        if changes == self._changes:  # else it may be what was there before the change
            self._known[key] = (asked_at, found)
            self._known.move_to_end(key)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        return found

    def _has_read(self, key: str, task: "asyncio.Task[T | None]") -> None:
        if self._reading.get(key) is task:
            del self._reading[key]
        if not task.cancelled():
            task.exception()  # told to whoever still waits

    def forget(self) -> None:
        """Something of the table was changed."""
        self._changes += 1
        self._known.clear()
        self._reading.clear()  # what is being read may be what was there before
