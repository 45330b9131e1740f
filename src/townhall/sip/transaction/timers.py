"""The values of SIP's timers and the one queue that holds every timer of an endpoint.

RFC 3261 section 17.1.1.1 defines T1, T2 and T4; table 4 derives the timers A to K from them, RFC 6026 adds L
and M. Nothing here reads a clock: whoever owns the queue says what time it is.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class TimerValues:
    """T1 (round-trip estimate), T2 (largest retransmission interval) and T4 (life of a message in the
    network), seconds.
    """

    t1: float = 0.5
    t2: float = 4.0
    t4: float = 5.0
    trying_delay: float = 0.2
    """How long an INVITE may wait for its first answer before the transaction sends 100 (section 17.2.1)."""

    @property
    def patience(self) -> float:
        """64*T1: timers B, F, H, J, L and M, and how long a 2xx waits for its ACK."""
        return 64 * self.t1


@dataclass(slots=True, eq=False)
class Timer:
    """A started timer; `cancel` is idempotent and safe after it fired."""

    at: float
    callback: Callable[[float], None] | None
    _queue: "TimerQueue | None" = field(default=None, repr=False)

    def cancel(self) -> None:
        if self.callback is None:
            return
        self.callback = None
        if self._queue is not None:
            self._queue.note_cancelled()


class TimerQueue:
    """A heap of timers; cancelled ones are swept once they are the majority, so memory follows the living."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Timer]] = []
        self._started = 0
        self._cancelled = 0

    def __len__(self) -> int:
        return len(self._heap) - self._cancelled

    def start(self, at: float, callback: Callable[[float], None]) -> Timer:
        """Call `callback(now)` from `run` once the time `at` (seconds) has come."""
        timer = Timer(at, callback, self)
        self._started += 1  # the tie-breaker keeps timers of one instant in the order they were started
        heapq.heappush(self._heap, (at, self._started, timer))
        return timer

    def note_cancelled(self) -> None:
        self._cancelled += 1
        if self._cancelled > 64 and self._cancelled * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[2].callback is not None]
            heapq.heapify(self._heap)
            self._cancelled = 0

    def next_timer(self) -> float | None:
        """When `run` has something to do next, or None."""
        while self._heap and self._heap[0][2].callback is None:
            heapq.heappop(self._heap)
            self._cancelled -= 1
        return self._heap[0][0] if self._heap else None

    def run(self, now: float) -> None:
        """Fire every timer that is due, in order; those they start with a time not after `now` fire too."""
        while (at := self.next_timer()) is not None and at <= now:
            timer = heapq.heappop(self._heap)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback(now)
