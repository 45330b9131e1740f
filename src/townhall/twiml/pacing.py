"""A bucket that leaks: so many steps may follow each other at once, after that one per spacing."""

import asyncio


class Pace:
    """`spacing_s` seconds between two steps in the long run, `burst` of them without delay."""

    def __init__(self, spacing_s: float, burst: int = 1) -> None:
        self._spacing_s = spacing_s
        self._credit_s = spacing_s * (burst - 1)
        self._due: float | None = None

    async def wait(self) -> None:
        """Wait until the next step may be taken."""
        now = asyncio.get_running_loop().time()
        due = now if self._due is None else max(self._due, now)
        self._due = due + self._spacing_s
        delay = due - now - self._credit_s
        if delay > 0:
            await asyncio.sleep(delay)
