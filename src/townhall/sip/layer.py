"""The transaction layer: which transaction a message belongs to, and making new ones (RFC 3261 sections
17.1.3, 17.2.3, 18).

Messages go in with the hop they came from; what is to be sent comes out as a list of `Send`. The table of
server transactions is bounded, in number and in bytes, and shared out among the sources (`shares`): beyond it
a request is answered 503 without state, except inside dialogs, for which a tenth more is kept free, so that a
flood of new calls cannot keep those that stand from hanging up.
Left out: TLS, maddr (a response goes nowhere but back to its source).
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

from townhall.sip.hop import Hop
from townhall.sip.message import Request, Response
from townhall.sip.shares import Shares, source_key
from townhall.sip.transaction import (
    ClientTransaction,
    ClientUser,
    InviteClientTransaction,
    InviteServerTransaction,
    NonInviteClientTransaction,
    NonInviteServerTransaction,
    ServerTransaction,
    TimerQueue,
    TimerValues,
    Transaction,
)
from townhall.sip.via import MAGIC_COOKIE, Via

Key = tuple[object, ...]

DATAGRAM_LIMIT = 1300
"""Bytes that a request may have over UDP when the path's MTU is not known (RFC 3261 section 18.1.1)."""

BYTES_PER_PLACE = 4096
"""A request takes one of the places, and one more for each of these: most have less than half of it, but some
may have 64 kB.
"""


@dataclass(frozen=True, slots=True)
class Send:
    """A message to put on the wire; `transaction` (if any) wants to hear when that fails."""

    data: bytes
    hop: Hop
    transaction: Transaction | None = None


class LayerUser(Protocol):
    """The core above the layer."""

    def request_received(self, transaction: ServerTransaction, now: float) -> None:
        """A new request, not ACK or CANCEL; it must be answered through the transaction."""

    def cancel_received(
        self, transaction: ServerTransaction, invite: InviteServerTransaction | None, now: float
    ) -> None:
        """A CANCEL, and the INVITE that it means."""

    def ack_received(self, ack: Request, source: Hop, now: float) -> None:
        """An ACK of its own branch: for a 2xx."""

    def knows_dialog(self, request: Request) -> bool:
        """Whether a request is inside a dialog that stands."""


class TransactionLayer:
    """All transactions of one endpoint."""

    def __init__(
        self,
        user: LayerUser,
        timers: TimerQueue,
        values: TimerValues,
        new_token: Callable[[], str],
        *,
        capacity: int = 20_000,
        datagrams_only: bool = False,
    ) -> None:
        self.timers = timers
        self.values = values
        self.sends: list[Send] = []
        self._user = user
        self._new_token = new_token
        self._datagrams_only = datagrams_only
        self._servers: dict[Key, ServerTransaction] = {}
        self._clients: dict[Key, ClientTransaction] = {}
        self._room = Shares(capacity)
        self._places: dict[Key, tuple[str, int]] = {}  # what each server transaction holds of it
        self._initial: dict[Key, Key] = {}  # requests outside dialogs by what section 8.2.2.2 compares

    def __len__(self) -> int:
        return len(self._servers) + len(self._clients)

    def receive_request(self, request: Request, source: Hop, now: float) -> None:
        """Match or create. The top Via must be readable (`parse_message` says so)."""
        key = server_key(request, request.via)
        transaction = self._servers.get(key)
        if transaction is not None:
            transaction.receive(request, now)
            return
        stamp_via(request, source)
        if request.method == "ACK":
            self._user.ack_received(request, source, now)
            return
        held = source_key(source.host), 1 + request.size // BYTES_PER_PLACE
        if not self._room.take(*held) and not self._take_for_dialog(request, held):
            self.respond_stateless(request, source, 503, headers=(("Retry-After", "5"),))
            return
        self._places[key] = held
        self._create_server(request, source, key, now)

    def _take_for_dialog(self, request: Request, held: tuple[str, int]) -> bool:
        """Room that only those have who are in a call."""
        if request.to.tag is None or not self._user.knows_dialog(request):
            return False
        return self._room.take(*held, spare=self._room.capacity // 10)

    def _create_server(self, request: Request, source: Hop, key: Key, now: float) -> None:
        hop = response_hop(request.via, source)
        if request.method == "INVITE":
            transaction: ServerTransaction = InviteServerTransaction(request, source, hop, self, key)
        else:
            transaction = NonInviteServerTransaction(request, source, hop, self, key)
        self._servers[key] = transaction
        transaction.start(now)
        if request.method == "CANCEL":
            invite = self._servers.get((*key[:-1], "INVITE"))
            self._user.cancel_received(
                transaction, invite if isinstance(invite, InviteServerTransaction) else None, now
            )
            return
        if request.to.tag is None and self._initial.setdefault(_merge_key(request), key) != key:
            transaction.respond(request.create_response(482, to_tag=self._new_token()), now)
            return
        self._user.request_received(transaction, now)

    def refuse(self, transaction: ServerTransaction, status: int, retry_after_s: int, now: float) -> None:
        """Answer once and forget it: under a flood, repeating a refusal would only help the flood."""
        transaction.abandon(now)
        headers = (("Retry-After", str(retry_after_s)),)
        self.respond_stateless(transaction.request, transaction.source, status, headers=headers)

    def receive_response(self, response: Response, source: Hop, now: float) -> None:
        """Hand a response to its transaction; one that has none is dropped."""
        if len(response.vias) > 1:
            return  # misrouted (section 8.1.3.3)
        transaction = self._clients.get((response.via.branch, response.cseq.method))
        if transaction is not None:
            transaction.receive(response, now)

    def send_request(self, request: Request, hop: Hop, user: ClientUser, now: float) -> ClientTransaction:
        """Start a client transaction; the Via is put on here. A request too long for a datagram tries TCP
        first.
        """
        branch = MAGIC_COOKIE + self._new_token()
        first, fallback = self._choose_transport(request, hop)
        request.headers.prepend("Via", str(self.new_via(first, branch)))
        return self._start_client(request, first, fallback, user, (branch, request.method), now)

    def send_cancel(self, cancel: Request, hop: Hop, user: ClientUser, now: float) -> ClientTransaction:
        """Start the transaction of a CANCEL, which has its INVITE's Via."""
        return self._start_client(cancel, hop, None, user, (cancel.via.branch, "CANCEL"), now)

    def send_stateless(self, request: Request, hop: Hop) -> bytes:
        """Send the ACK for a 2xx, which has no transaction; returns its bytes for when it must be
        repeated.
        """
        request.headers.prepend("Via", str(self.new_via(hop, MAGIC_COOKIE + self._new_token())))
        data = bytes(request)
        self.sends.append(Send(data, hop))
        return data

    def resend(self, data: bytes, hop: Hop) -> None:
        """Send such an ACK once more."""
        self.sends.append(Send(data, hop))

    def respond_stateless(
        self,
        request: Request,
        source: Hop,
        status: int,
        reason: str | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Answer without a transaction; the top Via must have been read and stamped."""
        response = request.create_response(status, reason, to_tag=self._new_token(), headers=headers)
        self.sends.append(Send(bytes(response), response_hop(top_via(request), source)))

    def _start_client(
        self, request: Request, hop: Hop, fallback: Hop | None, user: ClientUser, key: Key, now: float
    ) -> ClientTransaction:
        make = InviteClientTransaction if request.method == "INVITE" else NonInviteClientTransaction
        transaction = make(request, hop, self, key, user)
        transaction.fallback = fallback
        self._clients[key] = transaction
        transaction.start(now)
        return transaction

    def _choose_transport(self, request: Request, hop: Hop) -> tuple[Hop, Hop | None]:
        if hop.transport != "udp" or self._datagrams_only:
            return hop, None
        if len(bytes(request)) + 100 <= DATAGRAM_LIMIT:  # 100 for the Via that is still to come
            return hop, None
        return replace(hop, transport="tcp", connection=None), hop

    def new_via(self, hop: Hop, branch: str) -> Via:
        """Our Via on the way to `hop`; always with rport (RFC 3581)."""
        host, port = hop.local or ("localhost", 5060)
        bare = Via(hop.transport.upper(), host, port)
        return replace(bare, parameters=bare.parameters.replace(branch=branch, rport=None))

    def send(self, data: bytes, hop: Hop, transaction: Transaction) -> None:
        self.sends.append(Send(data, hop, transaction))

    def transaction_terminated(self, transaction: Transaction) -> None:
        if isinstance(transaction, ClientTransaction):
            self._clients.pop(transaction.key, None)
            return
        self._servers.pop(transaction.key, None)
        if isinstance(transaction, InviteServerTransaction):
            transaction.user = None  # nothing more is told to it, and it knows the transaction
        self._room.give(*self._places.pop(transaction.key))
        merge_key = _merge_key(transaction.request)
        if self._initial.get(merge_key) == transaction.key:
            del self._initial[merge_key]


def server_key(request: Request, via: Via) -> Key:
    """What section 17.2.3 compares; ACK counts as the INVITE it belongs to. The method is last."""
    method = "INVITE" if request.method == "ACK" else request.method
    if via.is_rfc3261:
        return via.branch, via.host.lower(), via.port, method
    # RFC 2543 peers: the To tag is left out, so that the ACK, which has the one we gave, is found by the
    # same key.
    return request.uri, request.from_.tag, request.call_id, request.cseq.number, str(via), method


def response_hop(via: Via, source: Hop) -> Hop:
    """Where the response to a request goes (section 18.2.2 and RFC 3581): back on its connection, or to its
    source.
    """
    host = via.received or via.host
    port = via.rport or via.port or 5060
    if source.transport != "udp":
        return Hop(source.transport, source.host, via.port or 5060, source.local, source.connection)
    return Hop("udp", host, port, source.local)


def top_via(request: Request) -> Via:
    """The Via we answer to; raises SIPParseError. What is below it is the proxies' business."""
    return Via.parse((request.headers.get_list("Via") or [""])[0])


def _merge_key(request: Request) -> Key:
    return request.from_.tag, request.call_id, request.cseq.number, request.method


def stamp_via(request: Request, source: Hop) -> None:
    """Put received and rport on the top Via; raises SIPParseError when there is none."""
    first, *rest = request.headers.get_list("Via") or [""]
    stamped = Via.parse(first).with_source(source.host, source.port)
    request.headers.remove("Via")
    for value in reversed([str(stamped), *rest]):
        request.headers.prepend("Via", value)
