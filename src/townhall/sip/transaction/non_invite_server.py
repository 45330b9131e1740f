"""The non-INVITE server transaction: RFC 3261 section 17.2.2 (and RFC 6026 section 8.8: a network failure
keeps the state).
"""

from townhall.sip.message import Message
from townhall.sip.transaction.machine import Event, ServerTransaction, State, Step, Table, complete

STATES = (State.TRYING, State.PROCEEDING, State.COMPLETED, State.TERMINATED)
SENDS = (Event.SEND_1XX, Event.SEND_2XX, Event.SEND_300_699)
EVENTS = (Event.RECEIVE_REQUEST, *SENDS, Event.TIMER_J, Event.TRANSPORT_ERROR)
_PROVISIONAL = Step(("send_response",), State.PROCEEDING)
_FINAL = Step(("start_timer_j", "send_response"), State.COMPLETED)
TABLE: Table = complete(
    STATES,
    EVENTS,
    {
        (State.TRYING, Event.SEND_1XX): _PROVISIONAL,
        (State.TRYING, Event.SEND_2XX): _FINAL,
        (State.TRYING, Event.SEND_300_699): _FINAL,
        (State.PROCEEDING, Event.RECEIVE_REQUEST): Step(("repeat_response",), State.PROCEEDING),
        (State.PROCEEDING, Event.SEND_1XX): _PROVISIONAL,
        (State.PROCEEDING, Event.SEND_2XX): _FINAL,
        (State.PROCEEDING, Event.SEND_300_699): _FINAL,
        (State.COMPLETED, Event.RECEIVE_REQUEST): Step(("repeat_response",), State.COMPLETED),
        (State.COMPLETED, Event.TIMER_J): Step((), State.TERMINATED),
    },
    forbidden=SENDS,
)


class NonInviteServerTransaction(ServerTransaction):
    """Any other request that we were sent; the answer is repeated whenever the request is."""

    table = TABLE
    initial = State.TRYING
    __slots__ = ()

    def start_timer_j(self, message: Message | None, now: float) -> None:
        self.start_timer(Event.TIMER_J, 0.0 if self.reliable else self.network.values.patience, now)
