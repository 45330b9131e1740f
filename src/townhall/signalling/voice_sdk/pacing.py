"""An allowance that refills: so many at once, so many a second in the long run."""

from __future__ import annotations


class Allowance:
    def __init__(self, per_second: float, at_once: float) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._left = at_once
        self._since = 0.0

    def take(self, now: float) -> bool:
        """Whether one more is allowed at this time (any clock that does not go back)."""
        self._left = min(self._at_once, self._left + (now - self._since) * self._per_second)
        self._since = now
        if self._left < 1:
            return False
        self._left -= 1
        return True
