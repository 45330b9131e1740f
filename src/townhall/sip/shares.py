"""A bounded room shared out among sources, so that a flood from one of them leaves room for the others.

A source may hold as much as is still free: alone, half of the room; beside another one as greedy, a third. So
the room never fills up, however many they are, and whoever comes new gets in. Addresses that are forged at
will are as many sources; against those nothing helps here but the bound itself.
"""

from collections import Counter


class Shares:
    """Places held by each source, `capacity` in all."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.taken = 0
        self._held: Counter[str] = Counter()

    def take(self, source: str, places: int = 1, spare: int = 0) -> bool:
        """Hold places, if there is room. `spare` ones come on top, for those who are held to no share."""
        free = self.capacity + spare - self.taken
        if places > free or (not spare and self._held[source] > free):
            return False
        self._held[source] += places
        self.taken += places
        return True

    def give(self, source: str, places: int = 1) -> None:
        """Give places back that were taken."""
        self.taken -= places
        self._held[source] -= places
        if self._held[source] <= 0:
            del self._held[source]


def source_key(host: str) -> str:
    """Who an address is: of IPv6 the first 64 bits, as one machine has all of those behind them."""
    return ":".join(_groups(host)[:4]) if ":" in host else host


def _groups(host: str) -> list[str]:
    head, _, tail = host.partition("::")
    first, last = (part.split(":") if part else [] for part in (head, tail))
    return [*first, *["0"] * (8 - len(first) - len(last)), *last] if "::" in host else first
