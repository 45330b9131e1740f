"""Reliable provisional responses, the callee's side (RFC 3262): RSeq, repetition, PRACK.

One at a time: the next is sent only after the last was acknowledged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from townhall.sip.bodies import SDP_TYPE
from townhall.sip.message import Response
from townhall.sip.multipart import session_description
from townhall.sip.outcome import OfferRejected
from townhall.sip.transaction import InviteServerTransaction, ServerTransaction, Timer

if TYPE_CHECKING:
    from townhall.sip.invite_uas import ServerCall


class ReliableProvisionals:
    """The reliable responses to one INVITE."""

    def __init__(self, call: ServerCall, transaction: InviteServerTransaction) -> None:
        self._call = call
        self._transaction = transaction
        self._rseq = 0
        self._response: Response | None = None
        self._interval = 0.0
        self._timers: list[Timer] = []
        self.has_offer_answer = False
        """Whether the response that waits for its PRACK holds a description."""
        self.offer_answered = False
        """Whether offer and answer were exchanged before the 2xx."""

    @property
    def waiting(self) -> bool:
        return self._response is not None

    def send(self, status: int, headers: tuple[tuple[str, str], ...], sdp: bytes, now: float) -> None:
        """Send a response and repeat it, T1 and doubling, until its PRACK comes."""
        endpoint = self._call.endpoint
        self._rseq = self._rseq + 1 if self._rseq else endpoint.chance(1, 2**31 - 1)
        self._response = endpoint.create_response(
            self._transaction.request,
            status,
            to_tag=self._call.tag,
            headers=(*headers, ("Require", "100rel"), ("RSeq", str(self._rseq))),
            body=sdp,
        )
        self.has_offer_answer = bool(sdp)
        self._interval = endpoint.values.t1
        self._timers = [
            endpoint.timers.start(now + self._interval, self._repeat),
            endpoint.timers.start(now + endpoint.values.patience, self._give_up),
        ]
        self._transaction.respond(self._response, now)

    def receive_prack(self, transaction: ServerTransaction, now: float) -> bool:
        """Answer a PRACK; True when it is the one waited for. Another gets 481 (section 3)."""
        endpoint, rack = self._call.endpoint, transaction.request.rack
        invite = self._transaction.request.cseq
        if (
            self._response is None
            or rack is None
            or (rack.response_number, rack.cseq) != (self._rseq, invite)
        ):
            endpoint.respond(transaction, 481, now)
            return False
        body = session_description(transaction.request)
        answer = b""
        if body is not None and self._call.offer is not None:
            try:
                answer = self._call.on_offer(body)  # section 5: a new offer in the PRACK
            except OfferRejected as error:
                endpoint.respond(transaction, error.status, now, error.reason)
                return False
            self._call.local_sdp = answer
        had_description = self.has_offer_answer
        self.stop()
        self.offer_answered = self.offer_answered or had_description
        headers = (("Content-Type", SDP_TYPE),) if answer else ()
        endpoint.respond(transaction, 200, now, headers=headers, body=answer)
        if body is not None and self._call.offer is None and had_description:
            self._call.on_answer(body)
        return True

    def stop(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers = []
        self._response = None
        self.has_offer_answer = False

    def _repeat(self, now: float) -> None:
        if self._response is None or self._transaction.answered:
            return
        self._transaction.respond(self._response, now)
        self._interval *= 2
        self._timers[0] = self._call.endpoint.timers.start(now + self._interval, self._repeat)

    def _give_up(self, now: float) -> None:
        self.stop()
        self._call.provisional_failed(now)
