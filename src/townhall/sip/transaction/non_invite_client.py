"""The non-INVITE client transaction: RFC 3261 section 17.1.2."""

from townhall.sip.message import Message
from townhall.sip.transaction.machine import ClientTransaction, Event, State, Step, Table, complete

STATES = (State.TRYING, State.PROCEEDING, State.COMPLETED, State.TERMINATED)
EVENTS = (
    Event.RECEIVE_1XX,
    Event.RECEIVE_2XX,
    Event.RECEIVE_300_699,
    Event.TIMER_E,
    Event.TIMER_F,
    Event.TIMER_K,
    Event.TRANSPORT_ERROR,
)
_FINAL = Step(("stop_timers", "start_timer_k", "pass_response"), State.COMPLETED)
_TIMEOUT = Step(("report_timeout",), State.TERMINATED)
_REFUSED = Step(("report_transport_error",), State.TERMINATED)
TABLE: Table = complete(
    STATES,
    EVENTS,
    {
        (State.TRYING, Event.TIMER_E): Step(("send_request", "restart_timer_e"), State.TRYING),
        (State.TRYING, Event.TIMER_F): _TIMEOUT,
        (State.TRYING, Event.TRANSPORT_ERROR): _REFUSED,
        (State.TRYING, Event.RECEIVE_1XX): Step(("pass_response",), State.PROCEEDING),
        (State.TRYING, Event.RECEIVE_2XX): _FINAL,
        (State.TRYING, Event.RECEIVE_300_699): _FINAL,
        # Once the server has spoken, the request is repeated every T2, no faster (section 17.1.2.2).
        (State.PROCEEDING, Event.TIMER_E): Step(("send_request", "restart_timer_e_at_t2"), State.PROCEEDING),
        (State.PROCEEDING, Event.TIMER_F): _TIMEOUT,
        (State.PROCEEDING, Event.TRANSPORT_ERROR): _REFUSED,
        (State.PROCEEDING, Event.RECEIVE_1XX): Step(("pass_response",), State.PROCEEDING),
        (State.PROCEEDING, Event.RECEIVE_2XX): _FINAL,
        (State.PROCEEDING, Event.RECEIVE_300_699): _FINAL,
        (State.COMPLETED, Event.TIMER_K): Step((), State.TERMINATED),
    },
)


class NonInviteClientTransaction(ClientTransaction):
    """Carries any request but INVITE and ACK to its final response."""

    table = TABLE
    initial = State.TRYING
    __slots__ = ()

    def start(self, now: float) -> None:
        """Send the request; arm timer E (unreliable transports) and timer F."""
        if not self.reliable:
            self.start_timer(Event.TIMER_E, self._interval, now)
        self.start_timer(Event.TIMER_F, self.network.values.patience, now)
        self.send_request(None, now)

    def restart_timer_e(self, message: Message | None, now: float) -> None:
        self._interval = min(2 * self._interval, self.network.values.t2)
        self.start_timer(Event.TIMER_E, self._interval, now)

    def restart_timer_e_at_t2(self, message: Message | None, now: float) -> None:
        self.start_timer(Event.TIMER_E, self.network.values.t2, now)

    def start_timer_k(self, message: Message | None, now: float) -> None:
        self.start_timer(Event.TIMER_K, 0.0 if self.reliable else self.network.values.t4, now)
