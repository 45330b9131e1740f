"""The INVITE client transaction: RFC 3261 section 17.1.1 with the Accepted state of RFC 6026 section 7.2."""

from townhall.sip.message import Message, Response
from townhall.sip.transaction.companions import ack_for_failure
from townhall.sip.transaction.machine import ClientTransaction, Event, State, Step, Table, complete

STATES = (State.CALLING, State.PROCEEDING, State.ACCEPTED, State.COMPLETED, State.TERMINATED)
EVENTS = (
    Event.RECEIVE_1XX,
    Event.RECEIVE_2XX,
    Event.RECEIVE_300_699,
    Event.TIMER_A,
    Event.TIMER_B,
    Event.TIMER_D,
    Event.TIMER_M,
    Event.TRANSPORT_ERROR,
)
_ACCEPT = Step(("stop_timers", "start_timer_m", "pass_response"), State.ACCEPTED)
_FAIL = Step(("stop_timers", "send_ack", "start_timer_d", "pass_response"), State.COMPLETED)
TABLE: Table = complete(
    STATES,
    EVENTS,
    {
        (State.CALLING, Event.TIMER_A): Step(("send_request", "restart_timer_a"), State.CALLING),
        (State.CALLING, Event.TIMER_B): Step(("report_timeout",), State.TERMINATED),
        (State.CALLING, Event.TRANSPORT_ERROR): Step(("report_transport_error",), State.TERMINATED),
        # Timer B stops here: section 17.1.1.2 lets a phone ring as long as its user wants it to.
        (State.CALLING, Event.RECEIVE_1XX): Step(("stop_timers", "pass_response"), State.PROCEEDING),
        (State.CALLING, Event.RECEIVE_2XX): _ACCEPT,
        (State.CALLING, Event.RECEIVE_300_699): _FAIL,
        (State.PROCEEDING, Event.RECEIVE_1XX): Step(("pass_response",), State.PROCEEDING),
        (State.PROCEEDING, Event.RECEIVE_2XX): _ACCEPT,
        (State.PROCEEDING, Event.RECEIVE_300_699): _FAIL,
        (State.ACCEPTED, Event.RECEIVE_2XX): Step(("pass_response",), State.ACCEPTED),
        (State.ACCEPTED, Event.TIMER_M): Step((), State.TERMINATED),
        (State.COMPLETED, Event.RECEIVE_300_699): Step(("repeat_ack",), State.COMPLETED),
        (State.COMPLETED, Event.TRANSPORT_ERROR): Step(("report_transport_error",), State.TERMINATED),
        (State.COMPLETED, Event.TIMER_D): Step((), State.TERMINATED),
    },
)


class InviteClientTransaction(ClientTransaction):
    """Carries one INVITE to its final response; ACKs failures itself, hands each 2xx to its user."""

    table = TABLE
    initial = State.CALLING
    __slots__ = ("_ack",)

    def start(self, now: float) -> None:
        """Send the INVITE; arm timer A (unreliable transports) and timer B."""
        if not self.reliable:
            self.start_timer(Event.TIMER_A, self._interval, now)
        self.start_timer(Event.TIMER_B, self.network.values.patience, now)
        self.send_request(None, now)

    def restart_timer_a(self, message: Message | None, now: float) -> None:
        self._interval *= 2
        self.start_timer(Event.TIMER_A, self._interval, now)

    def start_timer_d(self, message: Message | None, now: float) -> None:
        # Table 4: at least 32 s where messages may be repeated, none where they cannot be.
        self.start_timer(Event.TIMER_D, 0.0 if self.reliable else self.network.values.patience, now)

    def start_timer_m(self, message: Message | None, now: float) -> None:
        self.start_timer(Event.TIMER_M, self.network.values.patience, now)

    def send_ack(self, message: Message | None, now: float) -> None:
        if isinstance(message, Response):
            self._ack = bytes(ack_for_failure(self.request, message))
        self.repeat_ack(message, now)

    def repeat_ack(self, message: Message | None, now: float) -> None:
        self.network.send(self._ack, self.hop, self)
