"""How much one client may ask for: token buckets in bounded memory, which tell how long to wait."""

from collections import OrderedDict
from dataclasses import dataclass

MOST_CLIENTS = 10_000
"""So many are remembered; the one not seen for longest is forgotten first, and starts afresh."""


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class RateLimit:
    """`rate` requests a second in the long run, `burst` at once; a rate of 0 limits nothing."""

    def __init__(self, rate: float, burst: float, most_clients: int = MOST_CLIENTS) -> None:
        self._rate = rate
        self._burst = burst
        self._most_clients = most_clients
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def wait_s(self, client: str, now: float) -> float:
        """Seconds until this client may go on; 0: now. Takes nothing. `now`: monotonic seconds."""
        if not self._rate:
            return 0.0
        return max(0.0, (1.0 - self._left(client, now)) / self._rate)

    def take(self, client: str, now: float) -> float:
        """Take one, if there is one; returns as `wait_s`."""
        wait_s = self.wait_s(client, now)
        if self._rate and not wait_s:
            self._buckets[client] = _Bucket(self._left(client, now) - 1.0, now)
            self._buckets.move_to_end(client)
            if len(self._buckets) > self._most_clients:
                self._buckets.popitem(last=False)
        return wait_s

    def _left(self, client: str, now: float) -> float:
        bucket = self._buckets.get(client)
        if bucket is None:
            return self._burst
        return min(self._burst, bucket.left + (now - bucket.at) * self._rate)
