"""The user agent core without sockets: messages and the time in, messages and events out.

    endpoint.receive(message, source, now)      endpoint.take_sends()  -> list[Send]
    endpoint.handle_timer(now)                  endpoint.take_events() -> list[EndpointEvent]
    endpoint.invite(plan, now), call.answer(…)  endpoint.next_timer()  -> float | None

After every call into it, drain what it has to send and to tell (RFC 3261 section 8.2 for requests, 12.2.2
for those inside dialogs). Calls that wait for an answer, calls in all and transactions are bounded: a flood
is refused with 503.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from townhall.sip.checks import ACCEPT, ALLOW, SUPPORTED, check_request
from townhall.sip.dialog import Dialog, Key
from townhall.sip.digest import answer_challenges
from townhall.sip.errors import SIPParseError
from townhall.sip.events import EndpointEvent, InviteReceived, RegisterReceived
from townhall.sip.hop import Hop
from townhall.sip.invite import Call
from townhall.sip.invite_uac import ClientCall, InvitePlan
from townhall.sip.invite_uas import ServerCall
from townhall.sip.layer import Send, TransactionLayer, stamp_via
from townhall.sip.message import Request, Response
from townhall.sip.outside import OutsideRequest, RequestPlan
from townhall.sip.refresh import IntervalTooSmall, answer_interval
from townhall.sip.shares import source_key
from townhall.sip.transaction import InviteServerTransaction, ServerTransaction, TimerQueue, TimerValues
from townhall.sip.uri import SIPURI


@dataclass(frozen=True, slots=True)
class EndpointSettings:
    """`public_host` replaces our own address in Contact; the limits bound what a flood can make us
    remember.
    """

    user_agent: str = "Townhall"
    public_host: str | None = None
    min_session_s: int = 90
    max_pending_calls: int = 1000
    max_calls: int = 10_000
    max_transactions: int = 20_000
    tcp: bool = True
    timers: TimerValues = field(default_factory=TimerValues)


class Endpoint:
    """One user agent, server and client. `new_token` makes tags and branches; `chance(a, b)` a number from a
    to b.
    """

    def __init__(
        self, settings: EndpointSettings, new_token: Callable[[], str], chance: Callable[[int, int], int]
    ) -> None:
        self.settings = settings
        self.new_token = new_token
        self.chance = chance
        self.values = settings.timers
        self.timers = TimerQueue()
        self.layer = TransactionLayer(
            self,
            self.timers,
            settings.timers,
            new_token,
            capacity=settings.max_transactions,
            datagrams_only=not settings.tcp,
        )
        self.identity = (("User-Agent", settings.user_agent),)
        self.abilities = (ALLOW, SUPPORTED)
        self.pending: set[Call] = set()
        self._server = ("Server", settings.user_agent)
        self._calls: dict[Key, Call] = {}
        self._keys: dict[Call, list[Key]] = {}
        self._events: list[EndpointEvent] = []

    # In and out

    def receive(self, message: Request | Response, source: Hop, now: float) -> None:
        """A message that `parse_message` or `StreamParser` has read."""
        try:
            if isinstance(message, Response):
                self.layer.receive_response(message, source, now)
            else:
                self.layer.receive_request(message, source, now)
        except SIPParseError as error:
            # A header that is read only here makes no sense.
            if isinstance(message, Request):
                self.receive_malformed(message, error.status_hint, str(error), source)

    def receive_malformed(self, request: Request | None, status: int, text: str, source: Hop) -> None:
        """Answer what could be read of a broken request; drop noise, and ACKs, which get no answer."""
        if request is None or request.method == "ACK":
            return
        try:
            stamp_via(request, source)
        except SIPParseError:
            return
        if "From" in request.headers and "Call-ID" in request.headers and "CSeq" in request.headers:
            reason = text if status == 400 and text.isascii() and len(text) < 120 else None
            self.layer.respond_stateless(request, source, status, reason)

    def handle_timer(self, now: float) -> None:
        self.timers.run(now)

    def next_timer(self) -> float | None:
        return self.timers.next_timer()

    def take_sends(self) -> list[Send]:
        sends, self.layer.sends = self.layer.sends, []
        return sends

    def take_events(self) -> list[EndpointEvent]:
        events, self._events = self._events, []
        return events

    def send_failed(self, send: Send, now: float) -> None:
        """The network refused a message."""
        if send.transaction is not None:
            send.transaction.transport_failed(now)

    def invite(self, plan: InvitePlan, now: float) -> ClientCall:
        """Call somebody; `ProvisionalReceived`, then `CallAnswered` or `CallFailed` follow."""
        return ClientCall(self, plan, now)

    def ask(self, plan: RequestPlan, now: float) -> OutsideRequest:
        """Send a request outside dialogs; `RequestDone` follows."""
        return OutsideRequest(self, plan, now)

    @property
    def calls(self) -> list[Call]:
        """All calls that are not over, and those whose BYE has no answer yet."""
        return list(self._keys)

    # From the transaction layer

    def request_received(self, transaction: ServerTransaction, now: float) -> None:
        try:
            self._dispatch(transaction, now)
        except SIPParseError as error:
            if not transaction.answered:
                self.respond(transaction, error.status_hint, now, _printable(error))

    def _dispatch(self, transaction: ServerTransaction, now: float) -> None:
        request = transaction.request
        refusal = check_request(request)
        if refusal is not None:
            self.respond(transaction, refusal.status, now, refusal.reason, headers=refusal.headers)
        elif request.to.tag is not None:
            call = self._calls.get((request.call_id, request.to.tag, request.from_.tag or ""))
            if call is None:
                self.respond(transaction, 481, now)
            else:
                call.receive_request(transaction, now)
        elif isinstance(transaction, InviteServerTransaction):
            self._receive_invite(transaction, now)
        elif request.method == "OPTIONS":
            self.respond_options(transaction, now)
        elif request.method == "REGISTER":
            self.emit(RegisterReceived(transaction))
        else:
            self.respond(transaction, 481, now)

    def _receive_invite(self, transaction: InviteServerTransaction, now: float) -> None:
        request = transaction.request
        if len(self._keys) >= self.settings.max_calls or self._is_crowded(transaction.source):
            self.layer.refuse(transaction, 503, 5, now)
            return
        try:
            interval = answer_interval(request, self.settings.min_session_s)
        except IntervalTooSmall:
            minimum = str(self.settings.min_session_s)
            self.respond(transaction, 422, now, headers=(("Min-SE", minimum),))
            return
        contact = request.contact
        target: SIPURI = request.from_.uri if contact is None else contact.uri
        call = ServerCall(self, transaction, target, interval, now)
        self.pending.add(call)
        if call.dialog is not None:
            self.adopt(call, call.dialog)
        self.emit(InviteReceived(call))

    def _is_crowded(self, source: Hop) -> bool:
        """Whether too many calls wait for an answer: in all, or of this source, which may have as many as are
        free (`shares`).
        """
        free = self.settings.max_pending_calls - len(self.pending)
        if free > len(self.pending):
            return False
        who = source_key(source.host)
        own = sum(
            isinstance(call, ServerCall) and source_key(call.source.host) == who for call in self.pending
        )
        return own > free or free <= 0

    def cancel_received(
        self, transaction: ServerTransaction, invite: InviteServerTransaction | None, now: float
    ) -> None:
        if invite is None:
            self.respond(transaction, 481, now)
            return
        call = invite.user
        tag = call.tag if isinstance(call, ServerCall) else self.new_token()
        self.respond(transaction, 200, now, to_tag=tag)
        if isinstance(call, ServerCall) and call.transaction is invite:
            call.cancel(transaction.request, now)

    def knows_dialog(self, request: Request) -> bool:
        return (request.call_id, request.to.tag or "", request.from_.tag or "") in self._calls

    def ack_received(self, ack: Request, source: Hop, now: float) -> None:
        call = self._calls.get((ack.call_id, ack.to.tag or "", ack.from_.tag or ""))
        if call is not None:
            call.receive_ack(ack, now)

    # For calls

    def emit(self, event: EndpointEvent) -> None:
        self._events.append(event)

    def adopt(self, call: Call, dialog: Dialog) -> None:
        """Requests inside this dialog are the call's."""
        keys = self._keys.setdefault(call, [])
        if dialog.key not in keys:
            keys.append(dialog.key)
        self._calls[dialog.key] = call

    def abandon(self, dialog: Dialog) -> None:
        """An early dialog came to nothing."""
        call = self._calls.pop(dialog.key, None)
        if call is not None:
            keys = self._keys[call]
            keys.remove(dialog.key)
            if not keys:
                del self._keys[call]

    def forget(self, call: Call) -> None:
        """The call is over and nothing more is expected."""
        self.pending.discard(call)
        for key in self._keys.pop(call, ()):
            self._calls.pop(key, None)
        call.let_go()

    def contact(self, hop: Hop, user: str | None) -> str:
        """Our Contact as seen along `hop`: the address we were reached at, or the public one."""
        host, port = hop.local or ("localhost", 5060)
        uri = SIPURI(user=user, host=self.settings.public_host or host, port=port)
        if hop.transport != "udp":
            uri = uri.replace(parameters=uri.parameters.replace(transport=hop.transport))
        return f"<{uri}>"

    def create_response(
        self,
        request: Request,
        status: int,
        reason: str | None = None,
        *,
        to_tag: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> Response:
        tag = to_tag if to_tag is not None or status == 100 else self.new_token()
        return request.create_response(
            status, reason, to_tag=tag, headers=(*headers, self._server), body=body
        )

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        now: float,
        reason: str | None = None,
        *,
        to_tag: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        body: bytes = b"",
    ) -> None:
        """Answer; a To tag is made up where there is none."""
        if status == 405 and ALLOW not in headers:
            headers = (*headers, ALLOW)
        response = self.create_response(
            transaction.request, status, reason, to_tag=to_tag, headers=headers, body=body
        )
        transaction.respond(response, now)

    def respond_options(self, transaction: ServerTransaction, now: float) -> None:
        """What we can do (section 11.2)."""
        contact = ("Contact", self.contact(transaction.source, None))
        headers = (
            contact,
            ALLOW,
            ACCEPT,
            SUPPORTED,
            ("Accept-Encoding", "identity"),
            ("Accept-Language", "en"),
        )
        self.respond(transaction, 200, now, headers=headers)

    def authorise(self, call: Call | OutsideRequest, request: Request, response: Response) -> Request | None:
        """The request again, with the next CSeq and an answer to a 401 or 407; None when we cannot, or did
        already.
        """
        if call.credentials is None:
            return None
        proxy = response.status == 407
        challenge, name = (
            ("Proxy-Authenticate", "Proxy-Authorization") if proxy else ("WWW-Authenticate", "Authorization")
        )
        values = response.headers.get_all(challenge)
        if name in request.headers and not any("stale=true" in value.lower() for value in values):
            return None  # our password was refused
        username, password = call.credentials
        try:
            answer = answer_challenges(
                values,
                username=username,
                password=password,
                method=request.method,
                uri=request.uri,
                body=request.body,
            )
        except SIPParseError:
            return None
        if answer is None:
            return None
        number = request.cseq.number + 1
        if call.dialog is not None:
            call.dialog.local_cseq += 1
            number = call.dialog.local_cseq
        headers = request.headers.copy()
        headers.remove("Via")
        headers.set("CSeq", f"{number} {request.method}")
        headers.set(name, str(answer))
        return Request(request.method, request.uri, headers, request.body)


def _printable(error: SIPParseError) -> str | None:
    text = str(error)
    return text if text.isascii() and text.isprintable() and len(text) < 120 else None
