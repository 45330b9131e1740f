"""The INVITE server transaction: RFC 3261 section 17.2.1 with the Accepted state of RFC 6026 section 7.1.

As RFC 6026 section 8.8 asks, a response that the network refuses is reported and the state kept: the peer's
next retransmission gives the response another chance.
"""

from townhall.sip.hop import Hop
from townhall.sip.message import Message, Request
from townhall.sip.transaction.machine import (
    Event,
    Key,
    Network,
    ServerTransaction,
    ServerUser,
    State,
    Step,
    Table,
    complete,
)

STATES = (State.PROCEEDING, State.ACCEPTED, State.COMPLETED, State.CONFIRMED, State.TERMINATED)
SENDS = (Event.SEND_1XX, Event.SEND_2XX, Event.SEND_300_699)
EVENTS = (
    Event.RECEIVE_REQUEST,
    Event.RECEIVE_ACK,
    *SENDS,
    Event.TIMER_100,
    Event.TIMER_G,
    Event.TIMER_H,
    Event.TIMER_I,
    Event.TIMER_L,
    Event.TRANSPORT_ERROR,
)
TABLE: Table = complete(
    STATES,
    EVENTS,
    {
        (State.PROCEEDING, Event.RECEIVE_REQUEST): Step(("repeat_response",), State.PROCEEDING),
        (State.PROCEEDING, Event.TIMER_100): Step(("send_trying",), State.PROCEEDING),
        (State.PROCEEDING, Event.SEND_1XX): Step(("stop_timers", "send_response"), State.PROCEEDING),
        (State.PROCEEDING, Event.SEND_2XX): Step(
            ("stop_timers", "start_timer_l", "send_response"), State.ACCEPTED
        ),
        (State.PROCEEDING, Event.SEND_300_699): Step(
            ("stop_timers", "start_timer_g", "start_timer_h", "send_response"), State.COMPLETED
        ),
        (State.PROCEEDING, Event.TRANSPORT_ERROR): Step(("report_transport_error",), State.PROCEEDING),
        # The core repeats the 2xx (section 13.3.1.4); a repeated INVITE is absorbed.
        (State.ACCEPTED, Event.SEND_2XX): Step(("send_response",), State.ACCEPTED),
        (State.ACCEPTED, Event.RECEIVE_ACK): Step(("pass_ack",), State.ACCEPTED),
        (State.ACCEPTED, Event.TRANSPORT_ERROR): Step(("report_transport_error",), State.ACCEPTED),
        (State.ACCEPTED, Event.TIMER_L): Step((), State.TERMINATED),
        (State.COMPLETED, Event.RECEIVE_REQUEST): Step(("repeat_response",), State.COMPLETED),
        (State.COMPLETED, Event.TIMER_G): Step(("repeat_response", "restart_timer_g"), State.COMPLETED),
        (State.COMPLETED, Event.RECEIVE_ACK): Step(("stop_timers", "start_timer_i"), State.CONFIRMED),
        (State.COMPLETED, Event.TIMER_H): Step(("report_timeout",), State.TERMINATED),
        (State.COMPLETED, Event.TRANSPORT_ERROR): Step(("report_transport_error",), State.COMPLETED),
        (State.CONFIRMED, Event.TIMER_I): Step((), State.TERMINATED),
    },
    forbidden=SENDS,
)


class InviteServerTransaction(ServerTransaction):
    """One INVITE that we were sent, however often it was repeated."""

    table = TABLE
    initial = State.PROCEEDING
    __slots__ = ("user",)

    def __init__(self, request: Request, source: Hop, hop: Hop, network: Network, key: Key) -> None:
        super().__init__(request, source, hop, network, key)
        self.user: ServerUser | None = None

    def start(self, now: float) -> None:
        """Send 100 by ourselves if the core has said nothing within 200 ms."""
        self.start_timer(Event.TIMER_100, self.network.values.trying_delay, now)

    def send_trying(self, message: Message | None, now: float) -> None:
        self.send_response(self.request.create_response(100), now)

    def start_timer_g(self, message: Message | None, now: float) -> None:
        if not self.reliable:
            self.start_timer(Event.TIMER_G, self._interval, now)

    def restart_timer_g(self, message: Message | None, now: float) -> None:
        self._interval = min(2 * self._interval, self.network.values.t2)
        self.start_timer(Event.TIMER_G, self._interval, now)

    def start_timer_h(self, message: Message | None, now: float) -> None:
        self.start_timer(Event.TIMER_H, self.network.values.patience, now)

    def start_timer_i(self, message: Message | None, now: float) -> None:
        self.start_timer(Event.TIMER_I, 0.0 if self.reliable else self.network.values.t4, now)

    def start_timer_l(self, message: Message | None, now: float) -> None:
        self.start_timer(Event.TIMER_L, self.network.values.patience, now)

    def pass_ack(self, message: Message | None, now: float) -> None:
        if self.user is not None and isinstance(message, Request):
            self.user.ack_received(self, message, now)

    def report_timeout(self, message: Message | None, now: float) -> None:
        if self.user is not None:
            self.user.response_failed(self, "timeout", now)

    def report_transport_error(self, message: Message | None, now: float) -> None:
        if self.user is not None:
            self.user.response_failed(self, "transport", now)
