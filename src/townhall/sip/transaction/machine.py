"""What the four transaction machines share: states, events, and a table that decides every pair of them.

A machine is a table from (state, event) to a `Step`: actions, in order, then the next state. The table is
complete; `tests/conformance/test_rfc3261_section17.py` says so. IGNORED is a decision too (the RFC absorbs
the event), and so is FORBIDDEN (our own core asked for something that the state does not allow, which is a
bug of ours).
"""

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Protocol

from townhall.sip.hop import Hop
from townhall.sip.message import Message, Request, Response
from townhall.sip.transaction.timers import Timer, TimerQueue, TimerValues


class State(enum.Enum):
    """The states of RFC 3261 section 17 and of RFC 6026 (Accepted)."""

    CALLING = "Calling"
    TRYING = "Trying"
    PROCEEDING = "Proceeding"
    ACCEPTED = "Accepted"
    COMPLETED = "Completed"
    CONFIRMED = "Confirmed"
    TERMINATED = "Terminated"


class Event(enum.Enum):
    """What can happen to a transaction: something is received, sent by its user, a timer fires or the
    network fails.
    """

    START = "the user starts it"
    RECEIVE_REQUEST = "the request arrives"
    RECEIVE_ACK = "an ACK arrives"
    RECEIVE_1XX = "a provisional response arrives"
    RECEIVE_2XX = "a 2xx arrives"
    RECEIVE_300_699 = "a 3xx to 6xx arrives"
    SEND_1XX = "the user sends a provisional response"
    SEND_2XX = "the user sends a 2xx"
    SEND_300_699 = "the user sends a 3xx to 6xx"
    TIMER_A = "timer A"
    TIMER_B = "timer B"
    TIMER_D = "timer D"
    TIMER_E = "timer E"
    TIMER_F = "timer F"
    TIMER_G = "timer G"
    TIMER_H = "timer H"
    TIMER_I = "timer I"
    TIMER_J = "timer J"
    TIMER_K = "timer K"
    TIMER_L = "timer L"
    TIMER_M = "timer M"
    TIMER_100 = "200 ms have passed without a response"
    TRANSPORT_ERROR = "the network refused a message"


@dataclass(frozen=True, slots=True)
class Step:
    """Actions (method names of the machine), then the next state."""

    actions: tuple[str, ...]
    next_state: State


class Decision(enum.Enum):
    IGNORED = "nothing happens"
    FORBIDDEN = "our own core must not do this"


Key = tuple[object, ...]
Table = Mapping[tuple[State, Event], Step | Decision]


class LocalProtocolError(RuntimeError):
    """We misused a transaction: a bug of ours, never a peer's doing (hence not a `TownhallError`)."""


class Network(Protocol):
    """What a transaction needs from the layer above the sockets."""

    timers: TimerQueue
    values: TimerValues

    def send(self, data: bytes, hop: Hop, transaction: "Transaction") -> None: ...
    def transaction_terminated(self, transaction: "Transaction") -> None: ...


class ClientUser(Protocol):
    """The core that started a client transaction."""

    def response_received(self, transaction: Any, response: Response, now: float) -> None: ...
    def request_failed(self, transaction: Any, failure: str, now: float) -> None:
        """`failure` is "timeout" (timer B or F) or "transport"."""


class ServerUser(Protocol):
    """The core that answers a server transaction."""

    def ack_received(self, transaction: Any, ack: Request, now: float) -> None: ...
    def response_failed(self, transaction: Any, failure: str, now: float) -> None:
        """`failure` is "timeout" (timer H: no ACK for a failure response) or "transport"."""


class Transaction:
    """The engine under the four machines: looks the step up, changes state, runs the actions."""

    table: ClassVar[Table]
    initial: ClassVar[State]
    __slots__ = ("_interval", "_timers", "hop", "key", "network", "reliable", "request", "state")

    def __init__(self, request: Request, hop: Hop, network: Network, key: Key) -> None:
        self.request = request
        self.hop = hop
        self.network = network
        self.key = key
        self.reliable = hop.transport != "udp"
        self.state = self.initial
        self._timers: dict[Event, Timer] = {}
        self._interval = network.values.t1

    def fire(self, event: Event, message: Message | None, now: float) -> None:
        """Take one step. Raises LocalProtocolError where the table forbids it."""
        step = self.table[(self.state, event)]
        if step is Decision.IGNORED:
            return
        if not isinstance(step, Step):
            raise LocalProtocolError(
                f"{type(self).__name__} in {self.state.value}: {event.value} is not allowed"
            )
        self.state = step.next_state
        for action in step.actions:
            method: Callable[[Message | None, float], None] = getattr(self, action)
            method(message, now)
        if self.state is State.TERMINATED:
            self.stop_timers(None, now)
            self.network.transaction_terminated(self)

    def transport_failed(self, now: float) -> None:
        """The network could not deliver what this transaction sent last."""
        self.fire(Event.TRANSPORT_ERROR, None, now)

    def abandon(self, now: float) -> None:
        """Forget the transaction, whatever its state: nobody waits for it any more (section 9.1)."""
        if self.state is not State.TERMINATED:
            self.state = State.TERMINATED
            self.stop_timers(None, now)
            self.network.transaction_terminated(self)

    def start_timer(self, event: Event, delay: float, now: float) -> None:
        self.stop_timer(event)
        self._timers[event] = self.network.timers.start(now + delay, lambda at: self.fire(event, None, at))

    def stop_timer(self, event: Event) -> None:
        timer = self._timers.pop(event, None)
        if timer is not None:
            timer.cancel()

    def stop_timers(self, message: Message | None, now: float) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()


class ClientTransaction(Transaction):
    """What both client machines share: the request as bytes, and a user who hears of the outcome."""

    __slots__ = ("_data", "fallback", "user")

    def __init__(self, request: Request, hop: Hop, network: Network, key: Key, user: ClientUser) -> None:
        super().__init__(request, hop, network, key)
        self.user = user
        self.fallback: Hop | None = None
        """Where to try again when the network refuses the first hop (RFC 3261 section 18.1.1: UDP after
        TCP).
        """
        self._data = bytes(request)

    def start(self, now: float) -> None:
        raise NotImplementedError

    def transport_failed(self, now: float) -> None:
        if self.fallback is None or self.state is not self.initial:
            super().transport_failed(now)
            return
        self.hop, self.fallback = self.fallback, None
        self.reliable = self.hop.transport != "udp"
        self.request.headers.set("Via", str(replace(self.request.via, transport=self.hop.transport.upper())))
        self._data = bytes(self.request)
        self.stop_timers(None, now)
        self.start(now)

    def receive(self, response: Response, now: float) -> None:
        """A response whose branch and method are this transaction's (section 17.1.3)."""
        if response.status < 200:
            event = Event.RECEIVE_1XX
        else:
            event = Event.RECEIVE_2XX if response.status < 300 else Event.RECEIVE_300_699
        self.fire(event, response, now)

    def send_request(self, message: Message | None, now: float) -> None:
        self.network.send(self._data, self.hop, self)

    def pass_response(self, message: Message | None, now: float) -> None:
        if isinstance(message, Response):
            self.user.response_received(self, message, now)

    def report_timeout(self, message: Message | None, now: float) -> None:
        self.user.request_failed(self, "timeout", now)

    def report_transport_error(self, message: Message | None, now: float) -> None:
        self.user.request_failed(self, "transport", now)


class ServerTransaction(Transaction):
    """What both server machines share: the last response, repeated whenever the request is."""

    __slots__ = ("_last", "source")

    def __init__(self, request: Request, source: Hop, hop: Hop, network: Network, key: Key) -> None:
        super().__init__(request, hop, network, key)
        self.source = source
        self._last = b""

    def start(self, now: float) -> None:
        """Called once, when the request has arrived; nothing to arm unless a machine says so."""

    def receive(self, request: Request, now: float) -> None:
        """The request again, or the ACK for its final response."""
        self.fire(Event.RECEIVE_ACK if request.method == "ACK" else Event.RECEIVE_REQUEST, request, now)

    def respond(self, response: Response, now: float) -> None:
        """Send a response of the core's; raises LocalProtocolError after a final one (2xx repetitions
        excepted).
        """
        if response.status < 200:
            event = Event.SEND_1XX
        else:
            event = Event.SEND_2XX if response.status < 300 else Event.SEND_300_699
        self.fire(event, response, now)

    @property
    def answered(self) -> bool:
        """Whether a final response was sent."""
        return self.state not in (State.TRYING, State.PROCEEDING)

    def send_response(self, message: Message | None, now: float) -> None:
        if message is not None:
            self._last = bytes(message)
        self.network.send(self._last, self.hop, self)

    def repeat_response(self, message: Message | None, now: float) -> None:
        if self._last:
            self.network.send(self._last, self.hop, self)


def complete(
    states: tuple[State, ...], events: tuple[Event, ...], steps: Table, forbidden: tuple[Event, ...] = ()
) -> Table:
    """Fill a table so that every pair is decided: what the RFC's figure does not draw is ignored, or
    forbidden to us.

    Nothing may be sent by our own core in a state that does not list it; everything that comes from outside
    (messages, late timers, the network) is absorbed.
    """
    table: dict[tuple[State, Event], Step | Decision] = {}
    for state in states:
        for event in events:
            default = Decision.FORBIDDEN if event in forbidden else Decision.IGNORED
            table[(state, event)] = steps.get((state, event), default)
    unknown = set(steps) - set(table)
    if unknown:
        raise LocalProtocolError(f"steps outside the table: {unknown}")
    return table
