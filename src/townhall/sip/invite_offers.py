"""Offers inside a call: re-INVITE and UPDATE, both ways (RFC 3261 section 14, RFC 3311, RFC 6337).

Whoever is refused keeps the session that was. Two offers that cross are refused with 491 and ours is tried
again.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from townhall.sip.bodies import SDP_TYPE, description_or_none
from townhall.sip.errors import SIPParseError
from townhall.sip.events import OfferAnswered, OfferFailed
from townhall.sip.message import Request, Response
from townhall.sip.multipart import session_description
from townhall.sip.outcome import OfferRejected
from townhall.sip.refresh import IntervalTooSmall, answer_interval, interval_headers, interval_of
from townhall.sip.success import RepeatedSuccess
from townhall.sip.transaction import ClientTransaction, InviteServerTransaction, ServerTransaction, Timer

if TYPE_CHECKING:
    from townhall.sip.invite import Call

_GONE = (408, 481)
SDP_HEADER = ("Content-Type", SDP_TYPE)


class Offers:
    """The offers of one call; at most one of ours is under way."""

    def __init__(self, call: Call) -> None:
        self._call = call
        self._sent: ClientTransaction | None = None
        self._sent_sdp = b""
        self._is_refresh = False
        self._acks: dict[int, bytes] = {}
        self._retry: Timer | None = None
        self._awaiting_answer = False
        """Whether a 2xx of ours holds an offer whose answer the ACK will bring."""

    @property
    def busy(self) -> bool:
        return self._sent is not None or self._retry is not None

    # The peer's offers

    def receive_invite(self, transaction: InviteServerTransaction, now: float) -> None:
        call, endpoint = self._call, self._call.endpoint
        if not call.confirmed and call.success is None:
            # Section 14.2: one INVITE at a time.
            endpoint.respond(transaction, 500, now, headers=(("Retry-After", str(endpoint.chance(1, 10))),))
            return
        if self.busy or (call.success is not None and call.success.waiting):
            endpoint.respond(transaction, 491, now)
            return
        request = transaction.request
        if (granted := self._grant(transaction, now)) is None:
            return
        body, headers = granted
        offer_is_ours = session_description(request) is None
        response = endpoint.create_response(request, 200, headers=headers, body=body)
        transaction.user = call
        self._awaiting_answer = offer_is_ours
        call.success = RepeatedSuccess(transaction, response, self._acknowledged, call.give_up)
        call.success.start(now)

    def receive_update(self, transaction: ServerTransaction, now: float) -> None:
        call, endpoint = self._call, self._call.endpoint
        if session_description(transaction.request) is not None and (self.busy or self._awaiting_answer):
            endpoint.respond(transaction, 491, now)
            return
        if session_description(transaction.request) is not None and not call.local_sdp:
            # RFC 3311 section 5.2: the first offer has no answer yet.
            endpoint.respond(transaction, 500, now, headers=(("Retry-After", str(endpoint.chance(1, 10))),))
            return
        if (granted := self._grant(transaction, now)) is not None:
            body, headers = granted
            transaction.respond(
                endpoint.create_response(transaction.request, 200, headers=headers, body=body), now
            )

    def _grant(
        self, transaction: ServerTransaction, now: float
    ) -> tuple[bytes, tuple[tuple[str, str], ...]] | None:
        """Body and headers of the 2xx; None when the request was refused, which leaves everything as it
        was.
        """
        call, endpoint, request = self._call, self._call.endpoint, transaction.request
        offer = session_description(request)
        try:
            interval = answer_interval(request, endpoint.settings.min_session_s)
        except IntervalTooSmall:
            minimum = str(endpoint.settings.min_session_s)
            endpoint.respond(transaction, 422, now, headers=(("Min-SE", minimum),))
            return None
        body = b""
        if offer is not None or request.method == "INVITE":
            try:
                body = call.on_offer(offer)
            except OfferRejected as error:
                warning = (("Warning", f'399 townhall "{error}"'),)
                endpoint.respond(transaction, error.status, now, error.reason, headers=warning)
                return None
            call.local_sdp = body
        if call.dialog is not None:
            call.dialog.refresh_target(request, transaction.source)
        contact = (("Contact", self._contact),)
        call.session_timer.agree(interval, we_are="uas", now=now)
        sdp = (SDP_HEADER,) if body else ()
        return body, (*contact, *endpoint.abilities, *interval_headers(request, interval), *sdp)

    def _acknowledged(self, ack: Request, now: float) -> None:
        if self._awaiting_answer:
            self._awaiting_answer = False
            if (answer := description_or_none(ack)) is not None:
                self._call.on_answer(answer)

    # Our offers

    def offer(self, sdp: bytes, now: float) -> None:
        """Send a re-INVITE; `OfferAnswered` or `OfferFailed` follows. One at a time."""
        self._sent_sdp, self._is_refresh = sdp, False
        self._send_invite(now)

    def refresh(self, now: float) -> None:
        """Keep the session alive (RFC 4028 section 7.4): UPDATE if the peer knows it, else a re-INVITE that
        changes nothing.
        """
        if self.busy or self._call.ended is not None:
            return
        self._is_refresh = True
        if "UPDATE" in self._call.peer_allows:
            headers = (("Contact", self._contact), *self._call.endpoint.abilities)
            timer = self._call.session_timer.request_headers()
            self._sent = self._call.send("UPDATE", now, user=self, headers=(*headers, *timer))
        else:
            self._sent_sdp = self._call.local_sdp
            self._send_invite(now)

    def stop(self) -> None:
        """The call is over."""
        if self._retry is not None:
            self._retry.cancel()
        self._retry = None

    @property
    def _contact(self) -> str:
        return self._call.dialog.contact if self._call.dialog is not None else ""

    def _send_invite(self, now: float) -> None:
        self._retry = None
        headers = (("Contact", self._contact), *self._call.endpoint.abilities, SDP_HEADER)
        timer = self._call.session_timer.request_headers()
        self._sent = self._call.send(
            "INVITE", now, user=self, body=self._sent_sdp, headers=(*headers, *timer)
        )

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status < 200:
            return
        if response.status < 300:
            try:
                self._accepted(transaction, response, now)
            except SIPParseError as error:
                self._sent = None
                self._fail(502, f"The answer makes no sense: {error}")
            return
        if transaction is not self._sent:
            return
        self._sent = None
        if self._call.ended is not None:
            return
        if response.status == 491 and not self._is_refresh:
            # Section 14.1: whoever made the Call-ID waits longer, so that the two do not meet again.
            delay = (
                self._call.endpoint.chance(210, 400)
                if self._call.is_caller
                else self._call.endpoint.chance(0, 200)
            )
            self._retry = self._call.endpoint.timers.start(now + delay / 100, self._send_invite)
        elif response.status in _GONE:
            self._fail(response.status, response.reason)
            self._call.bye(now)
            self._call.end("error", now, response.status, response.reason, linger=True)
        elif response.status in (401, 407) and (
            again := self._call.endpoint.authorise(self._call, transaction.request, response)
        ):
            self._sent = self._call.endpoint.layer.send_request(again, transaction.hop, self, now)
        else:
            self._fail(response.status, response.reason)

    def request_failed(self, transaction: ClientTransaction, failure: str, now: float) -> None:
        if transaction is not self._sent:
            return
        self._sent = None
        self._fail(408 if failure == "timeout" else 503, None)
        self._call.give_up(now)

    def _accepted(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        call, cseq = self._call, transaction.request.cseq.number
        first = transaction is self._sent
        if transaction.request.method == "INVITE" and call.dialog is not None:
            if first:
                with suppress(SIPParseError):  # a broken Contact: the ACK goes where the INVITE went
                    call.dialog.refresh_target(response)
            self._acknowledge(cseq)
        if not first:
            return
        self._sent = None
        if call.ended is not None:
            return
        call.session_timer.agree(interval_of(response), we_are="uac", now=now)
        answer = description_or_none(response)
        if transaction.request.method == "INVITE":
            call.local_sdp = self._sent_sdp
        if self._is_refresh:
            if answer is not None:
                call.on_answer(answer)
        elif answer is None:
            self._fail(488, "No SDP in the answer")
        else:
            call.endpoint.emit(OfferAnswered(call, answer))

    def _acknowledge(self, cseq: int) -> None:
        """ACK a 2xx; a repeated one gets the same ACK again (section 13.2.2.4)."""
        dialog, layer = self._call.dialog, self._call.endpoint.layer
        if dialog is None:
            return
        hop = dialog.next_hop()
        if cseq in self._acks:
            layer.resend(self._acks[cseq], hop)
        else:
            ack = dialog.create_request("ACK", cseq=cseq, headers=self._call.endpoint.identity)
            self._acks = {cseq: layer.send_stateless(ack, hop)}

    def _fail(self, status: int, reason: str | None) -> None:
        if not self._is_refresh:
            self._call.endpoint.emit(OfferFailed(self._call, OfferRejected(status, reason)))
