"""SIP over UDP (RFC 3261 section 18)."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import cast

RECEIVE_BUFFER = 4 * 1024 * 1024
"""Bytes the kernel may hold while we are busy: some 5,000 INVITEs, what a burst of callers sends in a
second.
"""

_log = logging.getLogger("townhall.signalling")

Received = Callable[[bytes, "tuple[str, int]", "UDPSocket"], None]


class UDPSocket(asyncio.DatagramProtocol):
    """One bound UDP socket."""

    def __init__(self, host: str, received: Received) -> None:
        self.host = host
        self.port = 0
        self._received = received
        self._transport: asyncio.DatagramTransport | None = None

    @property
    def is_ipv6(self) -> bool:
        return ":" in self.host

    async def open(self, port: int) -> None:
        """Bind; raises OSError."""
        family = socket.AF_INET6 if self.is_ipv6 else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
            if self.is_ipv6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind((self.host, port))
            self.port = sock.getsockname()[1]
            await asyncio.get_running_loop().create_datagram_endpoint(lambda: self, sock=sock)
        except OSError:
            sock.close()
            raise

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # A cast, not isinstance: until Python 3.12 the loop's datagram transports do not derive from this
        # class.
        self._transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        self._received(data, (str(addr[0]).partition("%")[0], int(addr[1])), self)

    def error_received(self, exc: Exception) -> None:
        _log.debug("UDP %s:%s: %s", self.host, self.port, exc)

    def send(self, data: bytes, host: str, port: int) -> bool:
        """Send one datagram; False when the socket is closed or does not take the address."""
        if self._transport is None or self._transport.is_closing():
            return False
        try:
            self._transport.sendto(data, (host, port))
        except (OSError, ValueError) as error:
            _log.debug("UDP to %s:%s: %s", host, port, error)
            return False
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
