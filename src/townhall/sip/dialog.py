"""Dialogs: what both sides remember between requests (RFC 3261 section 12).

A dialog also knows the hop its peer was last heard from: over TCP that connection is used again while it
lives, and a phone behind a NAT, which names a private address in its Contact, is answered where it spoke
from. Left out: sips (no TLS here yet).
"""

from dataclasses import dataclass, replace
from ipaddress import ip_address

from townhall.sip.address import Address
from townhall.sip.headers import Headers
from townhall.sip.hop import Hop
from townhall.sip.message import Request, Response
from townhall.sip.uri import SIPURI

Key = tuple[str, str, str]


@dataclass(slots=True, eq=False)
class Dialog:
    """`local` and `remote` are From and To as they stand in our requests; tags of RFC 2543 peers may be
    empty.
    """

    call_id: str
    local: str
    remote: str
    local_tag: str
    remote_tag: str
    remote_target: SIPURI
    route_set: tuple[Address, ...]
    contact: str
    hop: Hop
    local_cseq: int
    remote_cseq: int | None = None

    @property
    def key(self) -> Key:
        return self.call_id, self.local_tag, self.remote_tag

    @classmethod
    def from_invite(
        cls, invite: Request, target: SIPURI, local_tag: str, contact: str, source: Hop
    ) -> "Dialog":
        """The callee's side (section 12.1.1)."""
        return cls(
            call_id=invite.call_id,
            local=str(invite.to.with_tag(local_tag)),
            remote=invite.headers.get("From") or "",
            local_tag=local_tag,
            remote_tag=invite.from_.tag or "",
            remote_target=target,
            route_set=tuple(invite.record_routes),
            contact=contact,
            hop=source,
            local_cseq=0,
            remote_cseq=invite.cseq.number,
        )

    @classmethod
    def from_response(cls, invite: Request, response: Response, hop: Hop) -> "Dialog":
        """The caller's side (section 12.1.2); without a Contact the INVITE's own target stays."""
        contact = response.contact
        return cls(
            call_id=invite.call_id,
            local=invite.headers.get("From") or "",
            remote=response.headers.get("To") or "",
            local_tag=invite.from_.tag or "",
            remote_tag=response.to.tag or "",
            remote_target=contact.uri if contact is not None else invite.request_uri,
            route_set=tuple(reversed(response.record_routes)),
            contact=invite.headers.get("Contact") or "",
            hop=hop,
            local_cseq=invite.cseq.number,
        )

    def create_request(
        self,
        method: str,
        cseq: int | None = None,
        body: bytes = b"",
        headers: tuple[tuple[str, str], ...] = (),
    ) -> Request:
        """A request inside the dialog (section 12.2.1.1), without Via; `cseq` is given only for ACK and
        CANCEL.
        """
        if cseq is None:
            self.local_cseq += 1
            cseq = self.local_cseq
        target, routes = self._request_uri_and_routes()
        fields = Headers()
        for route in routes:
            fields.add("Route", route)
        fields.add("Max-Forwards", "70")
        fields.add("From", self.local)
        fields.add("To", self.remote)
        fields.add("Call-ID", self.call_id)
        fields.add("CSeq", f"{cseq} {method}")
        for name, value in headers:
            fields.add(name, value)
        return Request(method, target, fields, body)

    def _request_uri_and_routes(self) -> tuple[SIPURI, list[str]]:
        routes = [str(route) for route in self.route_set]
        if not self.route_set or self.route_set[0].uri.is_loose_router:
            return self.remote_target, routes
        # A strict router wants to find itself in the Request-URI, and the target as the last route.
        first = self.route_set[0].uri
        bare = first.replace(headers=(), parameters=first.parameters.without("method"))
        return bare, [*routes[1:], f"<{self.remote_target}>"]

    def next_hop(self) -> Hop:
        """Where requests go (sections 8.1.2 and 12.2.1.1), over the known connection if it leads there."""
        uri = self.route_set[0].uri if self.route_set else self.remote_target
        same_peer = uri.host.lower() == self.hop.host.lower()
        transport = uri.transport or (self.hop.transport if same_peer else "udp")
        if not self.route_set and _is_behind_nat(uri.host, self.hop.host):
            return self.hop
        port = uri.port or 5060
        if transport != self.hop.transport:
            return Hop(transport, uri.host, port, self.hop.local)
        return replace(
            self.hop, host=uri.host, port=port, connection=self.hop.connection if same_peer else None
        )

    def is_in_order(self, request: Request) -> bool:
        """Whether a request's CSeq is not older than the last one's (section 12.2.2); notes it."""
        number = request.cseq.number
        if self.remote_cseq is not None and number < self.remote_cseq:
            return False
        self.remote_cseq = number
        return True

    def refresh_target(self, message: Request | Response, source: Hop | None = None) -> None:
        """Take the Contact of a target refresh, and the hop it came by."""
        contact = message.contact
        if contact is not None:
            self.remote_target = contact.uri
        if source is not None:
            self.hop = source


def _is_behind_nat(host: str, source: str) -> bool:
    """Whether a contact names a private address although its packets come from another, as behind a NAT."""
    try:
        named, seen = ip_address(host), ip_address(source)
    except ValueError:
        return False
    return named != seen and (named.is_private or named.is_unspecified) and not named.is_loopback
