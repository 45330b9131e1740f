"""A 2xx to an INVITE, repeated until its ACK comes (RFC 3261 section 13.3.1.4)."""

from collections.abc import Callable

from townhall.sip.message import Request, Response
from townhall.sip.transaction import InviteServerTransaction, State, Timer


class RepeatedSuccess:
    """Sends a 2xx at once, then after T1, doubling up to T2; gives up after 64*T1."""

    def __init__(
        self,
        transaction: InviteServerTransaction,
        response: Response,
        on_ack: Callable[[Request, float], None],
        on_timeout: Callable[[float], None],
    ) -> None:
        self.cseq = transaction.request.cseq.number
        self._transaction = transaction
        self._response = response
        self._on_ack = on_ack
        self._on_timeout = on_timeout
        self._interval = transaction.network.values.t1
        self._timers: list[Timer] = []

    def start(self, now: float) -> None:
        timers, values = self._transaction.network.timers, self._transaction.network.values
        self._timers = [
            timers.start(now + self._interval, self._repeat),
            timers.start(now + values.patience, self._give_up),
        ]
        self._transaction.respond(self._response, now)

    def receive_ack(self, ack: Request, now: float) -> None:
        """Stop, and tell; an ACK of another INVITE is nothing to us."""
        if ack.cseq.number == self.cseq and self._timers:
            self.stop()
            self._on_ack(ack, now)

    @property
    def waiting(self) -> bool:
        return bool(self._timers)

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []

    def _repeat(self, now: float) -> None:
        if self._transaction.state is not State.ACCEPTED:
            return
        self._transaction.respond(self._response, now)
        network = self._transaction.network
        # Over TCP too: a proxy on the way may speak UDP to the caller.
        self._interval = min(2 * self._interval, network.values.t2)
        self._timers[0] = network.timers.start(now + self._interval, self._repeat)

    def _give_up(self, now: float) -> None:
        self.stop()
        self._on_timeout(now)
