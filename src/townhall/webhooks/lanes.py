"""Which callback may be sent next: in order per resource, in parallel between resources, patient with
receivers that are down.

A *lane* is what one resource has for one receiver (an origin, `https://host:port`); its callbacks go out one
after the other. A receiver that cannot be reached at all pauses with all its lanes, and after the pause one
lane at a time tries whether it is back; one that answers badly pauses only the lane. Nothing here does I/O:
the times are seconds of any clock that never goes back.
"""

import heapq
from collections import OrderedDict, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from urllib.parse import urlsplit

from townhall.webhooks.outbox import Callback


@dataclass(frozen=True, slots=True)
class Pauses:
    """How long to wait after the n-th failure in a row: twice as long each time."""

    first_s: float = 1.0
    longest_s: float = 300.0

    def after(self, failures: int) -> float:
        return min(self.longest_s, self.first_s * 2.0 ** min(failures - 1, 30))


@dataclass(slots=True, eq=False)
class Lane:
    key: tuple[str, str]
    """The resource's SID and the receiver's origin."""
    receiver: "Receiver"
    waiting: deque[Callback] = field(default_factory=deque)
    busy: bool = False
    failures: int = 0

    @property
    def head(self) -> Callback:
        return self.waiting[0]


@dataclass(slots=True, eq=False)
class Receiver:
    origin: str
    lanes: dict[str, Lane] = field(default_factory=dict)
    ready: deque[Lane] = field(default_factory=deque)
    busy: int = 0
    failures: int = 0
    not_before: float = 0.0
    silent: bool = False
    """Whether it kept the last request waiting until we gave up."""


class Lanes:
    """All callbacks that wait."""

    def __init__(self, pauses: Pauses, most_per_receiver: int) -> None:
        self._pauses = pauses
        self._most_per_receiver = most_per_receiver
        self._receivers: OrderedDict[str, Receiver] = OrderedDict()
        self._by_number: OrderedDict[int, Lane] = OrderedDict()
        self._paused: list[tuple[float, int, Lane]] = []
        self._pause_count = 0

    def __len__(self) -> int:
        return len(self._by_number)

    def __iter__(self) -> Iterator[Callback]:
        for receiver in self._receivers.values():
            for lane in receiver.lanes.values():
                yield from lane.waiting

    def add(self, callback: Callback) -> None:
        origin = origin_of(callback.url)
        receiver = self._receivers.get(origin)
        if receiver is None:
            receiver = self._receivers[origin] = Receiver(origin)
        lane = receiver.lanes.get(callback.resource_sid)
        if lane is None:
            lane = receiver.lanes[callback.resource_sid] = Lane((callback.resource_sid, origin), receiver)
            receiver.ready.append(lane)
        lane.waiting.append(callback)
        self._by_number[callback.number] = lane

    def take(self, now: float) -> Lane | None:
        """A lane whose head may be sent now; it is busy until one of the methods below is called for it."""
        while self._paused and self._paused[0][0] <= now:
            lane = heapq.heappop(self._paused)[2]
            if lane.waiting:
                lane.receiver.ready.append(lane)
        for receiver in self._receivers.values():
            while receiver.ready and not receiver.ready[0].waiting:
                receiver.ready.popleft()
            if receiver.ready and receiver.not_before <= now and receiver.busy < self._room(receiver):
                lane = receiver.ready.popleft()
                lane.busy = True
                receiver.busy += 1
                self._receivers.move_to_end(receiver.origin)  # the others' turn is next
                return lane
        return None

    def wake_at(self) -> float | None:
        """When `take` may find something that it does not find now."""
        times = [r.not_before for r in self._receivers.values() if r.ready and r.busy < self._room(r)]
        if self._paused:
            times.append(self._paused[0][0])
        return min(times, default=None)

    def delivered(self, lane: Lane) -> None:
        lane.failures = 0
        self.answered(lane)
        self.given_up(lane)

    def answered(self, lane: Lane) -> None:
        """The receiver is there, whatever it said."""
        lane.receiver.failures = 0
        lane.receiver.not_before = 0.0
        lane.receiver.silent = False

    def given_up(self, lane: Lane) -> None:
        """Its head will not be sent again."""
        del self._by_number[lane.waiting.popleft().number]
        self._release(lane)
        if lane.waiting:
            lane.receiver.ready.append(lane)

    def put_off(self, lane: Lane, now: float) -> None:
        """The head was refused for now: this lane waits, the receiver's others do not."""
        lane.failures += 1
        self._release(lane)
        self._pause_count += 1
        heapq.heappush(self._paused, (now + self._pauses.after(lane.failures), self._pause_count, lane))

    def unanswered(self, lane: Lane, now: float) -> None:
        """The receiver took the request and said nothing. It gets one at a time until it answers: several
        silent ones must not take every place.
        """
        lane.receiver.silent = True
        self.put_off(lane, now)

    def unreachable(self, lane: Lane, now: float) -> None:
        """The receiver is not there: all its lanes wait. Tries that were under way together count once.

        A lane that finds nobody again, where others found somebody meanwhile, waits alone: there is something
        wrong with what it sends.
        """
        receiver = lane.receiver
        if lane.failures and not receiver.failures:
            return self.put_off(lane, now)
        lane.failures += 1
        if receiver.not_before <= now:
            receiver.failures += 1
            receiver.not_before = now + self._pauses.after(receiver.failures)
        self.interrupted(lane)

    def interrupted(self, lane: Lane) -> None:
        """Nothing is known of the head; it is sent again when its turn comes."""
        self._release(lane)
        lane.receiver.ready.append(lane)

    def expired(self, receiver: Receiver, before: datetime) -> list[Callback]:
        """Take out what has waited for this receiver since before a time."""
        return [
            self._remove_head(lane)
            for lane in list(receiver.lanes.values())
            if not lane.busy
            for _ in range(sum(1 for callback in lane.waiting if callback.at < before))
        ]

    def oldest(self) -> Callback | None:
        """Take out the callback that has waited longest and is not being sent."""
        for number, lane in self._by_number.items():
            if not lane.busy:
                return self._remove_head(lane)
            if lane.head.number != number:  # it is the next after the one that is being sent
                callback = lane.waiting[1]
                del lane.waiting[1], self._by_number[number]
                return callback
        return None

    def _room(self, receiver: Receiver) -> int:
        return 1 if receiver.failures or receiver.silent else self._most_per_receiver

    def _remove_head(self, lane: Lane) -> Callback:
        callback = lane.waiting.popleft()
        del self._by_number[callback.number]
        if not lane.waiting:
            self._forget(lane)  # `take` skips it where it stands
        return callback

    def _release(self, lane: Lane) -> None:
        lane.busy = False
        lane.receiver.busy -= 1
        if not lane.waiting:
            self._forget(lane)

    def _forget(self, lane: Lane) -> None:
        receiver = lane.receiver
        del receiver.lanes[lane.key[0]]
        if not receiver.lanes:
            del self._receivers[receiver.origin]


@lru_cache(maxsize=256)
def origin_of(url: str) -> str:
    """The receiver behind a URL; a URL that is none is a receiver of its own."""
    try:
        parts = urlsplit(url)
        return f"{parts.scheme}://{(parts.hostname or '').lower()}:{parts.port or ''}"
    except ValueError:
        return url
