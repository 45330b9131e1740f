"""Answering an INVITE (RFC 3261 sections 9.2, 13.3 and 15; reliable provisional responses are
`reliable`'s).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from townhall.sip.bodies import SDP_TYPE, description_or_none
from townhall.sip.dialog import Dialog
from townhall.sip.events import AnswerAcknowledged
from townhall.sip.hop import Hop
from townhall.sip.invite import Call
from townhall.sip.message import Request
from townhall.sip.multipart import session_description
from townhall.sip.outcome import Cause
from townhall.sip.refresh import SessionInterval, interval_headers
from townhall.sip.reliable import ReliableProvisionals
from townhall.sip.success import RepeatedSuccess
from townhall.sip.transaction import InviteServerTransaction, ServerTransaction, Timer
from townhall.sip.uri import SIPURI

if TYPE_CHECKING:
    from townhall.sip.endpoint import Endpoint

SDP_HEADER = ("Content-Type", SDP_TYPE)


class ServerCall(Call):
    """A call to us: `ring`, then `answer` or `reject`."""

    def __init__(
        self,
        endpoint: Endpoint,
        transaction: InviteServerTransaction,
        target: SIPURI,
        interval: SessionInterval | None,
        now: float,
    ) -> None:
        super().__init__(endpoint)
        self.transaction = transaction
        self.request: Request = transaction.request
        self.offer = session_description(self.request)
        self.peer_allows = frozenset(self.request.allow)
        self.tag = endpoint.new_token()
        contact = endpoint.contact(transaction.source, self.request.request_uri.user)
        self.dialog = Dialog.from_invite(self.request, target, self.tag, contact, transaction.source)
        self._interval = interval
        self._reliable = ReliableProvisionals(self, transaction)
        self._held_answer: bytes | None = None
        self._bye_wanted: tuple[str | None] | None = None
        self._expiry: Timer | None = None
        self._is_forgotten = False
        transaction.user = self
        if (seconds := self.request.expires) is not None:
            self._expiry = endpoint.timers.start(now + seconds, self._expire)

    @property
    def source(self) -> Hop:
        return self.transaction.source

    @property
    def answered(self) -> bool:
        return self.transaction.answered

    def ring(self, now: float, status: int = 180, sdp: bytes = b"") -> None:
        """Send a provisional response; reliably if the caller asks for it, or if it has a description (RFC
        3262).
        """
        if self.answered or self.ended is not None or self._reliable.waiting:
            return
        headers = [*self._dialog_headers(), *([SDP_HEADER] if sdp else [])]
        required = "100rel" in self.request.require
        if required or (sdp and "100rel" in self.request.supported):
            if sdp:
                self.local_sdp = sdp
            self._reliable.send(status, tuple(headers), sdp, now)
        else:
            self.endpoint.respond(
                self.transaction, status, now, to_tag=self.tag, headers=tuple(headers), body=sdp
            )

    def answer(self, sdp: bytes, now: float) -> None:
        """Send 200 with a description (our answer, or our offer when the INVITE had none);
        `AnswerAcknowledged` follows.
        """
        if self.answered or self.ended is not None:
            return
        if self._reliable.waiting and self._reliable.has_offer_answer:
            self._held_answer = sdp  # RFC 3262 section 3: first the PRACK
            return
        self._stop_waiting()
        if self._reliable.offer_answered:
            headers: tuple[tuple[str, str], ...] = ()
            body = b""
        else:
            headers, body = (SDP_HEADER,), sdp
            self.local_sdp = sdp
        response = self.endpoint.create_response(
            self.request,
            200,
            to_tag=self.tag,
            headers=(
                *self._dialog_headers(),
                *self.endpoint.abilities,
                *interval_headers(self.request, self._interval),
                *headers,
            ),
            body=body,
        )
        self.success = RepeatedSuccess(self.transaction, response, self._acknowledged, self._unacknowledged)
        self.endpoint.pending.discard(self)
        self.success.start(now)

    def reject(
        self,
        status: int,
        now: float,
        reason: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        cause: Cause = "local",
    ) -> None:
        """Send a final response other than 2xx; the call is over."""
        if self.answered or self.ended is not None:
            return
        self._stop_waiting()
        self.endpoint.respond(self.transaction, status, now, reason, to_tag=self.tag, headers=headers)
        self.end(cause, now, status, reason)

    def cancel(self, cancel: Request, now: float) -> None:
        """The caller gave up (section 9.2); too late after a final response."""
        if self.answered or self.ended is not None:
            return
        self._stop_waiting()
        self.endpoint.respond(self.transaction, 487, now, to_tag=self.tag)
        self.end("cancel", now, 487, cancel.headers.get("Reason"))

    def hang_up(self, now: float, reason_header: str | None = None) -> None:
        if self.ended is not None:
            return
        if not self.answered:
            reason = () if reason_header is None else (("Reason", reason_header),)
            self.reject(480, now, headers=reason)
        elif self.success is not None and self.success.waiting and not self.confirmed:
            # Section 15: the callee sends no BYE before the ACK has come or was waited for in vain.
            self._bye_wanted = (reason_header,)
            self.end("local", now, linger=True)
        else:
            super().hang_up(now, reason_header)

    def receive_bye(self, transaction: ServerTransaction, now: float) -> None:
        if not self.answered:
            self._stop_waiting()
            self.endpoint.respond(self.transaction, 487, now, to_tag=self.tag)
        super().receive_bye(transaction, now)

    def receive_prack(self, transaction: ServerTransaction, now: float) -> None:
        if self._reliable.receive_prack(transaction, now) and self._held_answer is not None:
            held, self._held_answer = self._held_answer, None
            self.answer(held, now)

    def _dialog_headers(self) -> list[tuple[str, str]]:
        """What makes the dialog on the caller's side: our Contact, and the route as it was recorded (section
        12.1.1).
        """
        routes = [("Record-Route", value) for value in self.request.headers.get_all("Record-Route")]
        contact = self.dialog.contact if self.dialog is not None else ""
        return [*routes, ("Contact", contact)]

    def _stop_waiting(self) -> None:
        self._reliable.stop()
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None

    def _expire(self, now: float) -> None:
        # Section 13.3.1: the caller's Expires has passed.
        self.reject(487, now, cause="timeout")

    def _acknowledged(self, ack: Request, now: float) -> None:
        self.confirmed = True
        if self._bye_wanted is not None:
            self.bye(now, self._bye_wanted[0])
            return
        if self.ended is None:
            self.session_timer.agree(self._interval, we_are="uas", now=now)
            self.endpoint.emit(AnswerAcknowledged(self, description_or_none(ack)))

    def _unacknowledged(self, now: float) -> None:
        if self._bye_wanted is not None:
            self.bye(now, self._bye_wanted[0])
        else:
            self.give_up(now)

    def let_go(self) -> None:
        # They know the call, and it knew them: all would be kept until the garbage is collected, which is
        # seldom. Nothing reaches a forgotten call but what looks at its end first.
        if self.ended is not None and not self._is_forgotten:
            self._is_forgotten = True
            self.success = None
            del self.offers, self.session_timer, self._reliable

    def provisional_failed(self, now: float) -> None:
        """No PRACK came for 64*T1 (RFC 3262 section 3)."""
        self.reject(500, now, "No PRACK", cause="timeout")
