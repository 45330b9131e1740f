"""One queue: callers in the order in which they came, takers in the order in which they came.

The first free taker gets the first free caller. One who is being prepared for his taker keeps his place until
the two are connected, so that he loses nothing when the taker goes.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from townhall.errors import TownhallError
from townhall.queues.commands import Command, Connect, Prepare, Resume
from townhall.queues.events import CallerJoined, CallerLeft, CallerPrepared, Event, TakerJoined, TakerLeft


class LocalProtocolError(TownhallError):
    """We misused the rules: a call came in twice."""


@dataclass(slots=True)
class QueuedCaller:
    call_sid: str
    since: float
    """Monotonic second at which he came."""
    taker: str | None = None
    """Who is about to talk to him."""


@dataclass(slots=True)
class _Taker:
    call_sid: str
    prepares: bool
    caller: str | None = None


class Queue:
    """`handle` is the only way in which callers and takers come and go."""

    def __init__(self, sid: str, name: str, max_size: int) -> None:
        self.sid = sid
        self.name = name
        self.max_size = max_size
        self._callers: dict[str, QueuedCaller] = {}
        self._takers: dict[str, _Taker] = {}

    def handle(self, event: Event, now: float) -> list[Command]:
        """What is to be done, in this order, because of `event`. `now` is monotonic seconds.

        Raises `LocalProtocolError` when somebody joins who is there already, or a full queue.
        """
        match event:
            case CallerJoined(call_sid):
                self._must_be_new(call_sid)
                if self.full:
                    raise LocalProtocolError(f"{self.sid} is full, it must be asked before {call_sid} joins")
                self._callers[call_sid] = QueuedCaller(call_sid, now)
                return self._match(now)
            case TakerJoined(call_sid, prepares):
                self._must_be_new(call_sid)
                self._takers[call_sid] = _Taker(call_sid, prepares)
                return self._match(now)
            case CallerLeft(call_sid):
                return self._caller_left(call_sid, now)
            case TakerLeft(call_sid):
                return self._taker_left(call_sid, now)
            case CallerPrepared(call_sid):
                caller = self._callers.get(call_sid)
                return [self._connect(caller, now)] if caller is not None and caller.taker else []

    # ---- what others may ask ----

    @property
    def callers(self) -> tuple[QueuedCaller, ...]:
        """Everybody who waits, the head first."""
        return tuple(self._callers.values())

    @property
    def takers(self) -> tuple[str, ...]:
        """The calls that dial the queue and are not connected yet, the first comer first."""
        return tuple(self._takers)

    @property
    def size(self) -> int:
        return len(self._callers)

    @property
    def full(self) -> bool:
        return len(self._callers) >= self.max_size

    def caller(self, call_sid: str) -> QueuedCaller | None:
        return self._callers.get(call_sid)

    def position(self, call_sid: str) -> int:
        """1 for the head; 0 for one who is not in the queue."""
        places = enumerate(self._callers, 1)
        return next((place for place, sid in places if sid == call_sid), 0)

    def average_wait_s(self, now: float) -> float:
        """How long those who wait now have waited on average; 0 when nobody does."""
        waited = [now - caller.since for caller in self._callers.values()]
        return sum(waited) / len(waited) if waited else 0.0

    # ---- the rules ----

    def _must_be_new(self, call_sid: str) -> None:
        if call_sid in self._callers or call_sid in self._takers:
            raise LocalProtocolError(f"{call_sid} is in queue {self.sid} already")

    def _caller_left(self, call_sid: str, now: float) -> list[Command]:
        caller = self._callers.pop(call_sid, None)
        if caller is None or caller.taker is None:
            return []
        self._takers[caller.taker].caller = None
        return self._match(now)

    def _taker_left(self, call_sid: str, now: float) -> list[Command]:
        taker = self._takers.pop(call_sid, None)
        if taker is None or taker.caller is None:
            return []
        self._callers[taker.caller].taker = None
        return [Resume(taker.caller), *self._match(now)]

    def _match(self, now: float) -> list[Command]:
        commands: list[Command] = []
        while True:
            caller, taker = _first_free(self._callers.values()), _first_waiting(self._takers.values())
            if caller is None or taker is None:
                return commands
            caller.taker, taker.caller = taker.call_sid, caller.call_sid
            if taker.prepares:
                commands.append(Prepare(caller.call_sid, taker.call_sid))
            else:
                commands.append(self._connect(caller, now))

    def _connect(self, caller: QueuedCaller, now: float) -> Connect:
        assert caller.taker is not None
        del self._callers[caller.call_sid]
        del self._takers[caller.taker]
        return Connect(caller.call_sid, caller.taker, now - caller.since)


def _first_free(callers: Iterable[QueuedCaller]) -> QueuedCaller | None:
    return next((caller for caller in callers if caller.taker is None), None)


def _first_waiting(takers: Iterable[_Taker]) -> _Taker | None:
    return next((taker for taker in takers if taker.caller is None), None)
