"""Making a call (RFC 3261 sections 9.1, 13.2 and 22; PRACK: RFC 3262).

Early media and ringing are told as they come. When several phones answer, the first keeps the call, the
others are thanked and hung up on. Left out: following a 3xx (who calls is told the contacts, and decides),
session timers of our own wish.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from townhall.sip.bodies import SDP_TYPE, description_or_none
from townhall.sip.dialog import Dialog
from townhall.sip.errors import SIPParseError
from townhall.sip.events import CallAnswered, CallFailed, ProvisionalReceived
from townhall.sip.headers import Headers
from townhall.sip.hop import Hop
from townhall.sip.invite import Call
from townhall.sip.message import Request, Response
from townhall.sip.outcome import InviteFailed, OfferRejected
from townhall.sip.refresh import interval_of
from townhall.sip.transaction import ClientTransaction, State, Timer, cancel_for

if TYPE_CHECKING:
    from townhall.sip.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class InvitePlan:
    """What to call and how. `hop` is the first hop, resolved; `make_answer` is needed when there is no
    offer.
    """

    target: str
    from_uri: str
    hop: Hop
    offer: bytes | None = None
    make_answer: Callable[[bytes], bytes] | None = None
    headers: tuple[tuple[str, str], ...] = ()
    routes: tuple[str, ...] = ()
    credentials: tuple[str, str] | None = None
    timeout_s: float | None = None


@dataclass(slots=True, eq=False)
class EarlyDialog:
    dialog: Dialog
    last_rseq: int | None = None
    sdp: bytes | None = None


class ClientCall(Call):
    """A call that we make."""

    is_caller = True

    def __init__(self, endpoint: Endpoint, plan: InvitePlan, now: float) -> None:
        super().__init__(endpoint)
        self.plan = plan
        self.credentials = plan.credentials
        self.local_sdp = plan.offer or b""
        self.call_id = f"{endpoint.new_token()}{endpoint.new_token()}"
        self.tag = endpoint.new_token()
        self.failed: InviteFailed | None = None
        self._early: dict[str, EarlyDialog] = {}
        self._acks: dict[str, tuple[bytes, Hop]] = {}
        self._provisional_seen = False
        self._cancelled = False
        self._challenges = 0
        self._give_up_reason = (487, "Request Terminated")
        self._deadline: Timer | None = None
        if plan.timeout_s is not None:
            self._deadline = endpoint.timers.start(now + plan.timeout_s, self._time_out)
        self.invite = self._create_invite()
        self._transaction = endpoint.layer.send_request(self.invite, plan.hop, self, now)

    def _create_invite(self) -> Request:
        plan, endpoint = self.plan, self.endpoint
        headers = Headers()
        for route in plan.routes:
            headers.add("Route", route)
        headers.add("Max-Forwards", "70")
        headers.add("From", f"<{plan.from_uri}>;tag={self.tag}")
        headers.add("To", f"<{plan.target}>")
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", f"{endpoint.chance(1, 10_000)} INVITE")
        headers.add("Contact", endpoint.contact(plan.hop, None))
        for name, value in (*endpoint.abilities, *endpoint.identity, *plan.headers):
            headers.add(name, value)
        if plan.offer:
            headers.add("Content-Type", SDP_TYPE)
        return Request("INVITE", plan.target, headers, plan.offer or b"")

    # Responses

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if transaction is not self._transaction:
            if transaction.request.method == "BYE":
                super().response_received(transaction, response, now)
            return
        try:
            self._receive_response(response, now)
        except SIPParseError as error:
            if response.status >= 200:  # a broken provisional response is as good as none
                self._fail(InviteFailed(502, f"The answer makes no sense: {error}"))

    def _receive_response(self, response: Response, now: float) -> None:
        if response.status < 200:
            self._receive_provisional(response, now)
        elif response.status < 300:
            self._receive_success(response, now)
        else:
            self._receive_failure(response, now)

    @property
    def remote_uri(self) -> str:
        return self.plan.target

    def request_failed(self, transaction: ClientTransaction, failure: str, now: float) -> None:
        if transaction is not self._transaction:
            super().request_failed(transaction, failure, now)
        elif failure == "timeout":
            self._fail(InviteFailed(408, "Request Timeout"))
        else:
            self._fail(InviteFailed(503, "Service Unavailable"))

    def _receive_provisional(self, response: Response, now: float) -> None:
        if not self._provisional_seen:
            self._provisional_seen = True
            if self._cancelled:
                self._send_cancel(now)
        tag = response.to.tag
        if response.status == 100:
            return
        if tag:
            early = self._early.get(tag)
            if early is None:
                if len(self._early) >= 16:  # forks of one call that we follow
                    return
                early = EarlyDialog(Dialog.from_response(self.invite, response, self._transaction.hop))
                self._early[tag] = early
                self.endpoint.adopt(self, early.dialog)
            if "100rel" in response.require and not self._acknowledge_provisional(early, response, now):
                return
            early.sdp = description_or_none(response) or early.sdp
        if self.ended is None and not self._cancelled:
            self.endpoint.emit(ProvisionalReceived(self, response))

    def _acknowledge_provisional(self, early: EarlyDialog, response: Response, now: float) -> bool:
        """Send PRACK; False for a repetition or one out of order (RFC 3262 section 4)."""
        rseq = response.rseq
        if rseq is None or (early.last_rseq is not None and rseq != early.last_rseq + 1):
            return False
        early.last_rseq = rseq
        body = b""
        if (
            self.plan.offer is None
            and early.sdp is None
            and (offer := description_or_none(response)) is not None
        ):
            body = self._make_answer(offer) or b""
        sdp = (("Content-Type", SDP_TYPE),) if body else ()
        rack = ("RAck", f"{rseq} {self.invite.cseq.number} INVITE")
        prack = early.dialog.create_request("PRACK", body=body, headers=(rack, *self.endpoint.identity, *sdp))
        self.endpoint.layer.send_request(prack, early.dialog.next_hop(), self, now)
        return True

    def _receive_success(self, response: Response, now: float) -> None:
        tag = response.to.tag or ""
        if tag in self._acks:
            self.endpoint.layer.resend(*self._acks[tag])
            return
        if len(self._acks) >= 16:
            return
        early = self._early.get(tag)
        dialog = Dialog.from_response(self.invite, response, self._transaction.hop)
        if early is not None:
            dialog.local_cseq = early.dialog.local_cseq
            dialog.remote_cseq = early.dialog.remote_cseq
        description = description_or_none(response) or (early.sdp if early is not None else None)
        answer = self._late_answer(response, early)
        sdp = (("Content-Type", SDP_TYPE),) if answer else ()
        ack = dialog.create_request(
            "ACK", cseq=self.invite.cseq.number, body=answer or b"", headers=(*self._authorization(), *sdp)
        )
        hop = dialog.next_hop()
        self._acks[tag] = (self.endpoint.layer.send_stateless(ack, hop), hop)
        late_offer_refused = self.plan.offer is None and not answer and not (early is not None and early.sdp)
        if (
            self.confirmed
            or self.failed is not None
            or self._cancelled
            or description is None
            or late_offer_refused
        ):
            self._leave(dialog, now)
            if not self.confirmed and self.failed is None:
                self._fail(
                    InviteFailed(*self._give_up_reason)
                    if self._cancelled
                    else InviteFailed(488, "No usable session description in the answer")
                )
            return
        self._confirm(dialog, response, description, now)

    def _confirm(self, dialog: Dialog, response: Response, description: bytes, now: float) -> None:
        self._stop_deadline()
        for early in self._early.values():
            self.endpoint.abandon(early.dialog)
        self.dialog, self.confirmed = dialog, True
        self.peer_allows = frozenset(response.allow)
        self.endpoint.adopt(self, dialog)
        self.session_timer.agree(interval_of(response), we_are="uac", now=now)
        self.endpoint.emit(CallAnswered(self, description))

    def _late_answer(self, response: Response, early: EarlyDialog | None) -> bytes | None:
        """The answer to an offer in the 2xx; None when the offer was ours, or was answered in a PRACK."""
        if self.plan.offer is not None or (early is not None and early.sdp is not None):
            return None
        offer = description_or_none(response)
        return None if offer is None else self._make_answer(offer)

    def _make_answer(self, offer: bytes) -> bytes | None:
        if self.plan.make_answer is None:
            return None
        try:
            self.local_sdp = self.plan.make_answer(offer)
        except OfferRejected:
            return None
        return self.local_sdp

    def _authorization(self) -> tuple[tuple[str, str], ...]:
        """Section 22.1: the ACK carries the INVITE's credentials."""
        names = ("Authorization", "Proxy-Authorization")
        found = [(name, value) for name in names for value in self.invite.headers.get_all(name)]
        return (*found, *self.endpoint.identity)

    def _leave(self, dialog: Dialog, now: float) -> None:
        """Hang up on a phone that answered in vain."""
        bye = dialog.create_request("BYE", headers=self.endpoint.identity)
        self.endpoint.layer.send_request(bye, dialog.next_hop(), _Nobody(), now)

    def _receive_failure(self, response: Response, now: float) -> None:
        if response.status in (401, 407) and not self._cancelled and self._challenges < 2:
            again = self.endpoint.authorise(self, self.invite, response)
            if again is not None:
                self._challenges += 1
                self._drop_early()
                self.invite = again
                self._provisional_seen = False
                self._transaction = self.endpoint.layer.send_request(again, self.plan.hop, self, now)
                return
        if self._cancelled:
            self._fail(InviteFailed(*self._give_up_reason))
            return
        contacts: list[str] = []
        if 300 <= response.status < 400:
            try:
                found = response.contacts
                contacts = [str(contact.uri) for contact in found] if found != "*" else []
            except SIPParseError:
                contacts = []
        later = response.headers.get("Retry-After")
        self._fail(InviteFailed(response.status, response.reason, contacts, later))

    # Giving up

    def hang_up(self, now: float, reason_header: str | None = None) -> None:
        """BYE, or CANCEL while it still rings; then `CallFailed` tells when it is done."""
        if self.confirmed:
            super().hang_up(now, reason_header)
        elif self.failed is None and not self._cancelled:
            self._cancelled = True
            self._stop_deadline()
            if self._provisional_seen:  # section 9.1: not before the first sign of the callee
                self._send_cancel(now)
            else:
                self._deadline = self.endpoint.timers.start(
                    now + self.endpoint.values.patience, self._give_up
                )

    def _time_out(self, now: float) -> None:
        self._give_up_reason = (408, "Request Timeout")
        self.hang_up(now)

    def _send_cancel(self, now: float) -> None:
        if self._transaction.state is not State.PROCEEDING:
            return
        self.endpoint.layer.send_cancel(cancel_for(self.invite), self._transaction.hop, self, now)
        # Section 9.1: without a final response 64*T1 after the CANCEL, the INVITE counts as cancelled.
        self._stop_deadline()
        self._deadline = self.endpoint.timers.start(now + self.endpoint.values.patience, self._give_up)

    def _give_up(self, now: float) -> None:
        self._transaction.abandon(now)
        self._fail(InviteFailed(*self._give_up_reason))

    def _stop_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _drop_early(self) -> None:
        for early in self._early.values():
            self.endpoint.abandon(early.dialog)
        self._early.clear()

    def _fail(self, error: InviteFailed) -> None:
        if self.failed is not None or self.confirmed:
            return
        self.failed = error
        self._stop_deadline()
        self._drop_early()
        self.endpoint.emit(CallFailed(self, error))
        self.endpoint.forget(self)


class _Nobody:
    """Who sends a BYE and does not care."""

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        """It was heard."""

    def request_failed(self, transaction: ClientTransaction, failure: str, now: float) -> None:
        """It was not."""
