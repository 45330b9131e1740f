"""HTTP connections with limits: uvicorn waits for ever for a request that is sent a byte at a time, and takes
as many connections as the system has descriptors.

Connections that became WebSockets have a room of their own, as each browser on the line keeps one.
"""

import asyncio
import ipaddress
from collections.abc import Container, Iterable
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from townhall.sip.shares import Shares, source_key

REQUEST_WITHIN_S = 20.0
"""For a client to send a whole request, body included."""

MOST_CONNECTIONS = 1000
MOST_SOCKETS = 4096
"""WebSockets: twice the calls that a server takes by default."""

PROXY_SPARE = 100
"""Connections that a trusted proxy may open when all places are taken."""

_SHARES = "townhall_shares"


class TrustedProxies(Container[str]):
    """The addresses and networks whose word of who asks is believed."""

    def __init__(self, networks: Iterable[str] = ()) -> None:
        self._networks = [ipaddress.ip_network(network, strict=False) for network in networks]

    def __contains__(self, host: object) -> bool:
        if not self._networks or not isinstance(host, str):
            return False
        try:
            address = ipaddress.ip_address(host)
        except ValueError:
            return False
        return any(address in network for network in self._networks)


class BoundedHTTP(H11Protocol):
    """Uvicorn's protocol on h11, for requests that come in time.

    One source has at most as many connections as are free (`townhall.sip.shares`); a trusted proxy, which
    stands for many, is not held to that.
    """

    _place: tuple[Shares, str] | None = None
    _overdue: asyncio.TimerHandle | None = None
    most_connections = MOST_CONNECTIONS
    most_sockets = MOST_SOCKETS
    request_within_s = REQUEST_WITHIN_S
    proxies: Container[str] = TrustedProxies()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if self._take_place("connections", self.most_connections):
            self._expect_request()
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._give_place()
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._overdue is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_request()
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and not cycle.more_body and not cycle.response_complete:
            self._expect_nothing()  # the request is whole, and being answered

    def handle_websocket_upgrade(self, event: h11.Request) -> None:
        """The connection is the WebSocket protocol's from now on, which tells us nothing but its end."""
        self._expect_nothing()
        self._give_place()
        if not self._take_place("sockets", self.most_sockets):
            self.transport.abort()
            return
        super().handle_websocket_upgrade(event)
        protocol: Any = self.transport.get_protocol()
        lost = protocol.connection_lost

        def connection_lost(exc: Exception | None) -> None:
            self._give_place()
            lost(exc)

        protocol.connection_lost = connection_lost

    def _take_place(self, room: str, capacity: int) -> bool:
        host = self.client[0] if self.client else ""
        shares = shared_room(self.server_state, room, capacity)
        source = source_key(host)
        if not shares.take(source, spare=PROXY_SPARE if host in self.proxies else 0):
            return False
        self._place = shares, source
        return True

    def _give_place(self) -> None:
        if self._place is not None:
            shares, source = self._place
            self._place = None
            shares.give(source)

    def _expect_request(self) -> None:
        self._overdue = self.loop.call_later(self.request_within_s, self._give_up)

    def _expect_nothing(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        self._overdue = None
        self.transport.abort()


def shared_room(server_state: object, room: str, capacity: int) -> Shares:
    """The places of one kind for all connections of a server, kept where uvicorn keeps what they share."""
    rooms: dict[str, Shares] = server_state.__dict__.setdefault(_SHARES, {})
    return rooms.setdefault(room, Shares(capacity))
