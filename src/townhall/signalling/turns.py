"""Connections take turns at the event loop, so that whoever sends much waits, and nobody waits for him.

What one connection sends in a moment may be thousands of messages; read as it comes, sixty such connections
held everything else up for seconds.
"""

import asyncio
from collections import deque
from collections.abc import Callable

TURN_S = 0.005
"""Of the loop's time before everything else is looked at again."""

Work = Callable[[], bool]
"""Does a little; True when there is more to do."""


class Turns:
    """Works that wait for their turn, first come, first served, a little each."""

    def __init__(self) -> None:
        self._waiting: deque[Work] = deque()
        self._loop = asyncio.get_running_loop()
        self._called = False

    def ask(self, work: Work) -> None:
        """Have `work` done soon, and again until it says that there is no more; ask once for each."""
        self._waiting.append(work)
        self._call()

    def drop(self, work: Work) -> None:
        """Do it no more."""
        if work in self._waiting:
            self._waiting.remove(work)

    def _call(self) -> None:
        if not self._called:
            self._called = True
            self._loop.call_soon(self._run)

    def _run(self) -> None:
        self._called = False
        until = self._loop.time() + TURN_S
        try:
            while self._waiting and self._loop.time() < until:
                work = self._waiting.popleft()
                if work():
                    self._waiting.append(work)
        finally:
            if self._waiting:
                self._call()
