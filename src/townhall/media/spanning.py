"""Which buses span several media processes, and what these must be told so that everybody hears everybody.

Pure: what control tells one leg goes in, commands to workers come out. A bus whose legs are all in one
worker is that worker's own affair. Once they are in two, it is given a row of the shared memory, and each
worker that has legs in it (or records it) is told `ShareBus`. A whisper to a leg of another worker has a row
of its own.
"""

import heapq
import logging
from collections import Counter, deque
from dataclasses import dataclass, field

from townhall.media.protocol import AddVoice, Command, SetMix, ShareBus, ShareVoice

log = logging.getLogger(__name__)

MOST_RESTING = 64
"""Rows that were given back and are not given out yet: for some ticks, what their last owner said is in them
still, and engines that have not heard of it go on writing there.
"""

Order = tuple[int, Command]
"""A worker, and what it is told."""


@dataclass(slots=True)
class _Leg:
    worker: int
    bus: str | None = None
    target: int | None = None
    """To whom it whispers, if that leg is another worker's."""
    row: int = -1
    """Of that whisper."""


@dataclass(slots=True)
class _Bus:
    members: Counter[int] = field(default_factory=Counter)
    """Legs, and recorders, of each worker."""
    row: int | None = None
    told: set[int] = field(default_factory=set)
    """Workers that know the row."""


class Spanning:
    """Every leg's worker and bus. `rows` of the shared memory are given out, the lowest free one first; one
    that was given back rests until many others have been.
    """

    def __init__(self, rows: int) -> None:
        self._legs: dict[int, _Leg] = {}
        self._buses: dict[str, _Bus] = {}
        self._whisperers: dict[int, set[int]] = {}
        """Of other workers, by the leg that they whisper to."""
        self._free = list(range(rows))
        self._resting: deque[int] = deque()
        self._rest = min(MOST_RESTING, rows // 4)

    @property
    def rows_free(self) -> int:
        return len(self._free) + len(self._resting)

    def workers_of(self, bus: str) -> list[int]:
        """Who has legs (or a recorder) in this bus, most first."""
        found = self._buses.get(bus)
        return [worker for worker, _ in found.members.most_common()] if found else []

    def worker_of(self, leg: int) -> int | None:
        """Where an open leg lives."""
        found = self._legs.get(leg)
        return found.worker if found else None

    def opened(self, leg: int, worker: int) -> None:
        """A leg more."""
        self._legs[leg] = _Leg(worker)

    def mix(self, command: SetMix) -> list[Order]:
        """A leg's place is to change. What comes out includes the command itself."""
        leg = self._legs.get(command.leg)
        if leg is None:
            return []
        before, leg.bus = leg.bus, command.bus
        orders = self._end_whisper(command.leg, leg)
        if command.bus is not None:
            orders += self.join(command.bus, leg.worker)
        orders.append((leg.worker, command))
        orders += self._begin_whisper(command, leg)
        if before is not None:
            orders += self.part(before, leg.worker)
        return orders

    def closed(self, number: int) -> list[Order]:
        """A leg is closed."""
        leg = self._legs.pop(number, None)
        if leg is None:
            return []
        orders = self._end_whisper(number, leg)
        for whisperer in list(self._whisperers.get(number, ())):
            orders += self._end_whisper(whisperer, self._legs[whisperer])
        return orders + (self.part(leg.bus, leg.worker) if leg.bus is not None else [])

    def lost(self, worker: int) -> list[Order]:
        """A worker has died, and its legs with it. It need not be told anything."""
        orders: list[Order] = []
        for number in [number for number, leg in self._legs.items() if leg.worker == worker]:
            orders += self.closed(number)
        for name, bus in list(self._buses.items()):
            bus.told.discard(worker)
            if bus.members.pop(worker, 0):
                orders += self._settle(name, bus)
        return [order for order in orders if order[0] != worker]

    def join(self, name: str, worker: int) -> list[Order]:
        """A worker has a leg, or a recorder, more in a bus."""
        bus = self._buses.setdefault(name, _Bus())
        bus.members[worker] += 1
        return self._settle(name, bus)

    def part(self, name: str, worker: int) -> list[Order]:
        """One less."""
        bus = self._buses.get(name)
        if bus is None or not bus.members[worker]:
            return []
        bus.members[worker] -= 1
        if not bus.members[worker]:
            del bus.members[worker]
        return self._settle(name, bus)

    def _settle(self, name: str, bus: _Bus) -> list[Order]:
        """Tell who must know the row of a bus, and who no longer."""
        wanted = set(bus.members) if len(bus.members) > 1 else set()
        if wanted and bus.row is None:
            bus.row = self._row(name)
            if bus.row is None:
                return []
        orders: list[Order] = [(worker, ShareBus(name, None)) for worker in sorted(bus.told - wanted)]
        orders += [(worker, ShareBus(name, bus.row)) for worker in sorted(wanted - bus.told)]
        bus.told = wanted
        if not wanted and bus.row is not None:
            self._give_back(bus.row)
            bus.row = None
        if not bus.members:
            del self._buses[name]
        return orders

    def _begin_whisper(self, command: SetMix, leg: _Leg) -> list[Order]:
        target = self._legs.get(command.whisper_to or 0)
        if command.whisper_to is None or target is None or target.worker == leg.worker:
            return []
        row = self._row("a whisper") if command.bus is not None and not command.heard else None
        if row is None:
            return []
        leg.target, leg.row = command.whisper_to, row
        self._whisperers.setdefault(command.whisper_to, set()).add(command.leg)
        return [
            (leg.worker, ShareVoice(command.leg, row)),
            (target.worker, AddVoice(command.whisper_to, row, command.bus)),
        ]

    def _end_whisper(self, number: int, leg: _Leg) -> list[Order]:
        if leg.target is None:
            return []
        target, row = leg.target, leg.row
        leg.target, leg.row = None, -1
        others = self._whisperers[target]
        others.discard(number)
        if not others:
            del self._whisperers[target]
        self._give_back(row)
        orders: list[Order] = [(leg.worker, ShareVoice(number, None))]
        worker = self.worker_of(target)
        return orders if worker is None else [*orders, (worker, AddVoice(target, row, None))]

    def _row(self, what: str) -> int | None:
        if not self._free:
            log.error("%s is not heard in other media processes: no row of their memory is free", what)
            return None
        return heapq.heappop(self._free)

    def _give_back(self, row: int) -> None:
        self._resting.append(row)
        if len(self._resting) > self._rest:
            heapq.heappush(self._free, self._resting.popleft())
