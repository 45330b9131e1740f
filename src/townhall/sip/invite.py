"""The INVITE usage: what caller and callee do alike once there is a dialog (RFC 3261 sections 12 to 15).

BYE both ways, INFO with key presses (RFC 6086 and the older RFC 2976), OPTIONS; offers inside the call are
`invite_offers`'s, how the call began is `invite_uas`'s or `invite_uac`'s.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from townhall.sip.address import Address
from townhall.sip.bodies import INFO_TYPES, read_digit
from townhall.sip.dialog import Dialog
from townhall.sip.errors import SIPParseError
from townhall.sip.events import CallEnded
from townhall.sip.invite_offers import Offers
from townhall.sip.message import Request, Response
from townhall.sip.outcome import Cause, OfferRejected, SessionEnded
from townhall.sip.refresh import SessionTimer
from townhall.sip.success import RepeatedSuccess
from townhall.sip.transaction import ClientTransaction, InviteServerTransaction, ServerTransaction

if TYPE_CHECKING:
    from townhall.sip.endpoint import Endpoint


def _refuse_offer(offer: bytes | None) -> bytes:
    raise OfferRejected(488)


def _ignore(*values: object) -> None:
    """Nobody is interested."""


class Call:
    """One INVITE session. `on_offer`, `on_answer` and `on_digit` are asked while a message is handled."""

    is_caller = False

    def __init__(self, endpoint: Endpoint) -> None:
        self.endpoint = endpoint
        self.dialog: Dialog | None = None
        self.ended: SessionEnded | None = None
        self.confirmed = False
        self.credentials: tuple[str, str] | None = None
        self.peer_allows: frozenset[str] = frozenset()
        self.local_sdp = b""
        self.on_offer: Callable[[bytes | None], bytes] = _refuse_offer
        self.on_answer: Callable[[bytes], None] = _ignore
        self.on_digit: Callable[[str, int], None] = _ignore
        self.success: RepeatedSuccess | None = None
        self.offers = Offers(self)
        self.session_timer = SessionTimer(endpoint.timers, self.offers.refresh, self._session_expired)

    @property
    def remote_uri(self) -> str:
        """The peer's URI as From or To has it."""
        return "" if self.dialog is None else str(Address.parse(self.dialog.remote).uri)

    # What arrives

    def receive_request(self, transaction: ServerTransaction, now: float) -> None:
        """A request inside the dialog, not ACK or CANCEL."""
        request, endpoint = transaction.request, self.endpoint
        if self.dialog is None or (self.ended is not None and request.method != "BYE"):
            endpoint.respond(transaction, 481, now)
        elif not self.dialog.is_in_order(request):
            endpoint.respond(transaction, 500, now, "CSeq Out of Order", headers=(("Retry-After", "1"),))
        elif request.method == "BYE":
            self.receive_bye(transaction, now)
        elif request.method == "INVITE" and isinstance(transaction, InviteServerTransaction):
            self.offers.receive_invite(transaction, now)
        elif request.method == "UPDATE":
            self.offers.receive_update(transaction, now)
        elif request.method == "INFO":
            self._receive_info(transaction, now)
        elif request.method == "PRACK":
            self.receive_prack(transaction, now)
        elif request.method == "OPTIONS":
            endpoint.respond_options(transaction, now)
        else:
            endpoint.respond(transaction, 405, now)

    def receive_ack(self, ack: Request, now: float) -> None:
        if self.success is not None:
            self.success.receive_ack(ack, now)

    def receive_bye(self, transaction: ServerTransaction, now: float) -> None:
        self.endpoint.respond(transaction, 200, now)
        self.end("bye", now, reason=transaction.request.headers.get("Reason"))

    def receive_prack(self, transaction: ServerTransaction, now: float) -> None:
        self.endpoint.respond(transaction, 481, now)

    def _receive_info(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        media_type = request.content_type
        if not request.body:
            self.endpoint.respond(transaction, 200, now)  # a sign of life of old gateways
        elif media_type is None or media_type.essence not in INFO_TYPES:
            self.endpoint.respond(transaction, 415, now, headers=(("Accept", ", ".join(INFO_TYPES)),))
        else:
            try:
                digit, duration_ms = read_digit(request)
            except SIPParseError as error:
                self.endpoint.respond(transaction, 400, now, str(error))
                return
            self.endpoint.respond(transaction, 200, now)
            self.on_digit(digit, duration_ms)

    # What we do

    def hang_up(self, now: float, reason_header: str | None = None) -> None:
        """End the call, whatever its state; idempotent."""
        if self.ended is None:
            self.bye(now, reason_header)
            self.end("local", now, linger=True)

    def bye(self, now: float, reason_header: str | None = None) -> None:
        """Send BYE; the call is forgotten when it is answered or given up."""
        if self.success is not None:
            self.success.stop()
        headers = () if reason_header is None else (("Reason", reason_header),)
        self.send("BYE", now, headers=headers, user=self)

    def send_digit(self, digit: str, duration_ms: int, now: float) -> None:
        """Press a key by INFO; nothing happens unless the call stands."""
        if self.confirmed and self.ended is None:
            body = f"Signal={digit}\r\nDuration={duration_ms}\r\n".encode()
            self.send("INFO", now, user=self, body=body, headers=(("Content-Type", INFO_TYPES[0]),))

    def send(
        self,
        method: str,
        now: float,
        *,
        user: Call | Offers,
        body: bytes = b"",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> ClientTransaction:
        """Start a request inside the dialog."""
        if self.dialog is None:
            raise RuntimeError(f"{method} before there is a dialog")
        headers = (*headers, *self.endpoint.identity)
        request = self.dialog.create_request(method, body=body, headers=headers)
        return self.endpoint.layer.send_request(request, self.dialog.next_hop(), user, now)

    def end(
        self,
        cause: Cause,
        now: float,
        status: int | None = None,
        reason: str | None = None,
        *,
        linger: bool = False,
    ) -> None:
        """Note the end and tell it once; with `linger` the dialog stays until our BYE is answered."""
        if self.ended is None:
            self.ended = SessionEnded(cause, status, reason)
            self.endpoint.emit(CallEnded(self, self.ended))
        self.session_timer.stop()
        self.offers.stop()
        if not linger:
            if self.success is not None:
                self.success.stop()
            self.endpoint.forget(self)

    # The answer to our BYE (or PRACK)

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if transaction.request.method != "BYE" or response.status < 200:
            return
        if response.status in (401, 407) and (
            again := self.endpoint.authorise(self, transaction.request, response)
        ):
            self.endpoint.layer.send_request(again, transaction.hop, self, now)
            return
        self.endpoint.forget(self)

    def request_failed(self, transaction: ClientTransaction, failure: str, now: float) -> None:
        if transaction.request.method == "BYE":
            self.endpoint.forget(self)

    def ack_received(self, transaction: InviteServerTransaction, ack: Request, now: float) -> None:
        # The ACK of a 2xx under the INVITE's own branch: wrong, and common enough (RFC 6026 section 7.1
        # passes it up).
        self.receive_ack(ack, now)

    def response_failed(self, transaction: ServerTransaction, failure: str, now: float) -> None:
        """Nothing to do: the peer's repetition brings the response again, and the 2xx has its own
        patience.
        """

    def give_up(self, now: float) -> None:
        """The peer has vanished: BYE into the dark, and the end."""
        if self.ended is None:
            self.bye(now)
            self.end("timeout", now, 408, "Request Timeout", linger=True)

    def let_go(self) -> None:
        """The endpoint has forgotten the call."""

    def _session_expired(self, now: float) -> None:
        self.give_up(now)
