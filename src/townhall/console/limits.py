"""How much one session may do: token buckets in bounded memory."""

from collections import OrderedDict

MOST_KNOWN = 10_000


class Bucket:
    """`rate` a second in the long run, `burst` at once, for each key."""

    def __init__(self, rate: float, burst: float) -> None:
        self._rate = rate
        self._burst = burst
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def take(self, key: str, now: float, cost: float = 1.0) -> float:
        """Take `cost`, if there is as much; else the seconds until there is. `now`: seconds, of any clock."""
        left, at = self._left.get(key, (self._burst, now))
        left = min(self._burst, left + max(0.0, now - at) * self._rate)
        if left < cost:
            return (cost - left) / self._rate
        self._left[key] = (left - cost, now)
        self._left.move_to_end(key)
        if len(self._left) > MOST_KNOWN:
            self._left.popitem(last=False)
        return 0.0
