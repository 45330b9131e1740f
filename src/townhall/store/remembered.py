"""A short memory before a table that every call asks and that seldom changes.

What this process changes counts at once; what another one changes (the command line), within a second. So a
thousand calls a second to one number cost one read a second.
"""

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
        self._changes = 0

    async def get(self, key: str, read: Callable[[], Awaitable[T | None]]) -> T | None:
        """What was read of this key within the last second, else what `read` finds now."""
        known = self._known.get(key)
        asked_at = self._now()
        if known is not None and asked_at - known[0] < LIFETIME_S:
            return known[1]
        changes = self._changes
        found = await read()
        if changes == self._changes:  # else it may be what was there before the change
            self._known[key] = (asked_at, found)
            self._known.move_to_end(key)
            if len(self._known) > MOST:
                self._known.popitem(last=False)
        return found

    def forget(self) -> None:
        """Something of the table was changed."""
        self._changes += 1
        self._known.clear()
