"""Which of a peer's faults are logged: a flood of nonsense must not fill the disk."""

INTERVAL_S = 60.0
"""Between two complaints about one source."""

MOST_AN_INTERVAL = 30
"""About all sources together, whose addresses are easily forged."""


class Complaints:
    """Says whether a fault is to be logged, and counts those that were not."""

    def __init__(self) -> None:
        self._sources: set[str] = set()
        self._since = float("-inf")
        self._unsaid = 0

    def unsaid_before(self, source: str, now: float) -> int | None:
        """How many were kept back since the last interval; None: keep this one back, too."""
        if now - self._since >= INTERVAL_S:
            self._since = now
            self._sources.clear()
        if source in self._sources or len(self._sources) >= MOST_AN_INTERVAL:
            self._unsaid += 1
            return None
        self._sources.add(source)
        unsaid, self._unsaid = self._unsaid, 0
        return unsaid
