"""From a `To` to the ways an INVITE can take: registered phones, trunks, SIP addresses.

The rules are `townhall.routing`'s; here are the registrar, the stored trunks, and names that resolve. A SIP
address with a loopback or private host is refused unless the operator consented to it, as webhooks are: TwiML
must not place calls into his network. His own trunks may be anywhere.
"""

import ipaddress
import time
from collections.abc import Awaitable, Callable, Container, Sequence
from dataclasses import dataclass

from townhall.calls.plan import OutboundPlan
from townhall.routing import (
    CallPermissions,
    CallRefused,
    ClientDestination,
    NumberDestination,
    PhoneDestination,
    SipDestination,
    choose_trunks,
    read_destination,
    why_no_trunk,
)  # fmt: skip
from townhall.signalling import InviteFailed, UserAgent
from townhall.sip import SIPURI, SIPParseError
from townhall.sip.hop import Hop
from townhall.store import Trunk
from townhall.webhooks.consent import is_public

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True)
class Way:
    """Where one INVITE goes, and as whom."""

    target: str
    hop: Hop
    headers: tuple[tuple[str, str], ...] = ()
    credentials: tuple[str, str] | None = None
    trunk: Trunk | None = None

    @property
    def host(self) -> str:
        return SIPURI.parse(self.target).host.lower()


@dataclass(frozen=True, slots=True)
class BrowserWay:
    """All browsers that are registered under an identity."""

    target: str
    """`client:alice`."""
    identity: str
    parameters: tuple[tuple[str, str], ...] = ()
    """Of the address (`client:alice?room=7`): the browsers are told these beside the call's own."""


Group = list[Way | BrowserWay]
"""Ways that ring at once: a user's phones and browsers."""


class Destinations:
    """`trunks` reads the stored ones; `down` holds the SIDs of those that did not answer of late.

    `own_hosts` are the names and addresses that phones know this server by; `inner` the names and networks
    that SIP addresses may lead to although they are not public; `browsers` counts those that are registered
    under an identity.
    """

    def __init__(
        self,
        user_agent: UserAgent,
        permissions: CallPermissions,
        trunks: Callable[[], Awaitable[Sequence[Trunk]]],
        *,
        down: Container[str] = (),
        own_hosts: Container[str] = (),
        inner: Sequence[str] = (),
        browsers: Callable[[str], int] = lambda identity: 0,
    ) -> None:
        self._user_agent = user_agent
        self._permissions = permissions
        self._trunks = trunks
        self._down = down
        self._own_hosts = own_hosts
        self._browsers = browsers
        self._inner_names = frozenset(host.lower() for host in inner)
        self._inner_networks = _networks(inner)

    async def ways(self, plan: OutboundPlan) -> list[Group]:
        """The groups of ways to try, one after the other; none when the phone is not registered now.

        Raises `CallRefused`.
        """
        destination = read_destination(plan.to)
        match destination:
            case ClientDestination(name, parameters):
                return self._clients(name, parameters, plan)
            case PhoneDestination(name):
                return self._phones(name, plan)
            case NumberDestination(number):
                return self._phones(number, plan) or await self._over_trunks(number, plan)
            case SipDestination(uri, headers):
                return await self._to_address(uri, headers, plan)

    async def redirected(self, way: Way, contact: str) -> Way | None:
        """Where a 3xx leads: anywhere on the same host, else only where a SIP address might lead, too."""
        try:
            uri = SIPURI.parse(contact)
            hop = await self._user_agent.first_hop(contact)
        except (SIPParseError, InviteFailed):
            return None
        if uri.host.lower() == way.host or (way.trunk is None and self._may_reach(uri.host, hop.host)):
            return Way(str(uri.replace(headers=())), hop, way.headers, way.credentials, way.trunk)
        return None

    def may_try(self, way: Way | BrowserWay) -> bool:
        """Count one more call over a way's trunk; False when it has had those of this minute."""
        return (
            isinstance(way, BrowserWay)
            or way.trunk is None
            or self._permissions.take_room(way.trunk, time.monotonic())
        )

    def _clients(self, name: str, parameters: tuple[tuple[str, str], ...], plan: OutboundPlan) -> list[Group]:
        ways = [way for group in self._phones(name, plan) for way in group]
        if self._browsers(name):
            ways.append(BrowserWay(f"client:{name}", name, parameters))
        return [ways] if ways else []

    def _phones(self, name: str, plan: OutboundPlan) -> list[Group]:
        bindings = self._user_agent.registrar.bindings(str(SIPURI(user=name, host="phones")))
        ways: Group = [Way(str(b.uri), b.hop, plan.sip_headers, plan.sip_auth) for b in bindings]
        return [ways] if ways else []

    async def _over_trunks(self, number: str, plan: OutboundPlan) -> list[Group]:
        self._permissions.check(number)
        trunks = await self._trunks()
        passages = choose_trunks(trunks, number, self._down)
        if not passages:
            raise CallRefused(21215, why_no_trunk(trunks, number))
        now = time.monotonic()
        passages = [p for p in passages if self._permissions.has_room(p.trunk, now)]
        if not passages:
            raise CallRefused(20429, f"every trunk for {number} has had its calls of this minute")
        self._permissions.count(now)
        groups: list[Group] = []
        for passage in passages:
            trunk = passage.trunk
            host = f"[{trunk.host}]" if ":" in trunk.host else trunk.host
            target = f"sip:{passage.dialled}@{host}:{trunk.port}"
            try:
                hop = await self._user_agent.first_hop(target, trunk.transport)
            except InviteFailed:
                continue  # its name does not resolve: the next one's may
            login = (trunk.username, trunk.password) if trunk.username and trunk.password else None
            groups.append([Way(target, hop, plan.sip_headers, plan.sip_auth or login, trunk)])
        return groups

    async def _to_address(
        self, uri_text: str, headers: tuple[tuple[str, str], ...], plan: OutboundPlan
    ) -> list[Group]:
        uri = SIPURI.parse(uri_text)
        if uri.host.lower() in self._own_hosts and (phones := self._phones(uri.user or "", plan)):
            return phones
        try:
            hop = await self._user_agent.first_hop(uri_text)
        except InviteFailed as error:
            raise CallRefused(21211, f"{uri_text}: {error.reason}") from None
        if not self._may_reach(uri.host, hop.host):
            raise CallRefused(
                21215,
                f"{uri.host} is the address {hop.host}, which is not public; to let calls go there, add "
                f"{uri.host} to TOWNHALL_SIP_INNER_HOSTS",
            )
        return [[Way(uri_text, hop, (*plan.sip_headers, *headers), plan.sip_auth)]]

    def _may_reach(self, name: str, address: str) -> bool:
        found = ipaddress.ip_address(address.partition("%")[0])
        if "*" in self._inner_names or name.lower() in self._inner_names or is_public(found):
            return True
        return any(found in network for network in self._inner_networks)


def _networks(inner: Sequence[str]) -> list[Network]:
    networks: list[Network] = []
    for text in inner:
        try:
            networks.append(ipaddress.ip_network(text, strict=False))
        except ValueError:
            continue  # a name
    return networks
