"""The UDP sockets of a media process: a pair (RTP even, RTCP odd) per port and bind host, and one for all
browsers (ICE) per bind host.
"""

import contextlib
import ipaddress
import logging
import select
import socket
from collections.abc import Callable

from townhall.errors import TownhallError
from townhall.media.batched import BatchedIO, best_io
from townhall.media.network import LocalPort
from townhall.media.settings import MediaSettings
from townhall.media.shapes import Outgoing, Received

log = logging.getLogger(__name__)

RECEIVE_ROWS = 4096
"""Datagrams taken in at once; more are taken in another round."""

ROUNDS_A_TICK = 4
BUFFER_BYTES = 4 << 20
SYSTEM_CHOSEN_PAIRS = 32


class BindError(TownhallError):
    """No RTP port could be bound."""


class Sockets:
    """All sockets. `local` lists the RTP ones and then the browsers'; RTP socket `i`'s RTCP partner has index
    `len(local) + i`, browsers have theirs on the same port.
    """

    def __init__(self, settings: MediaSettings, io: BatchedIO | None = None) -> None:
        self.local: list[LocalPort] = []
        self.ice_port = 0
        """The browsers' port; 0: there is none."""
        self._rtp: list[socket.socket] = []
        self._ice: list[socket.socket] = []
        self._rtcp: list[socket.socket] = []
        self._io = io or best_io(RECEIVE_ROWS)
        problem = self._bind(settings)
        if not self.local:
            hosts = ", ".join(settings.bind_hosts)
            raise BindError(
                f"no RTP port could be bound on {hosts}: {problem}; choose other TOWNHALL_RTP_PORTS"
            )
        if settings.ice_port is not None:
            self._bind_ice(settings.bind_hosts, settings.ice_port)
        self._all = self._rtp + self._ice + self._rtcp
        self._indexed = list(enumerate(self._all))
        self._of_descriptor = {sock.fileno(): (index, sock) for index, sock in self._indexed}
        self._poll = select.epoll() if hasattr(select, "epoll") else None
        if self._poll is not None:
            for descriptor in self._of_descriptor:
                self._poll.register(descriptor, select.EPOLLIN)

    def _bind(self, settings: MediaSettings) -> str:
        """Bind the wanted ports; ports that are taken are left out. Returns the last problem met."""
        problem = "the range has no even port"
        first, last = settings.rtp_ports
        wanted = list(settings.ports) or [port for port in range(first, last) if port % 2 == 0 and port]
        if settings.rtp_ports == (0, 0) and not settings.ports:
            wanted = _free_pairs(settings.bind_hosts, SYSTEM_CHOSEN_PAIRS)
        left_out: list[int] = []
        for port in wanted:
            try:
                pairs = [_bound_pair(host, port) for host in settings.bind_hosts]
            except OSError as error:
                problem = f"port {port}: {error.strerror}"
                left_out.append(port)
                continue
            for host, (rtp, rtcp) in zip(settings.bind_hosts, pairs, strict=True):
                self.local.append(LocalPort(host, port, ipaddress.ip_address(host).version))
                self._rtp.append(rtp)
                self._rtcp.append(rtcp)
        if left_out and self.local:
            log.warning(
                "%d of %d pairs of RTP ports are left out, from %d on (%s)",
                len(left_out),
                len(wanted),
                left_out[0],
                problem,
            )
        return problem

    def _bind_ice(self, hosts: tuple[str, ...], port: int) -> None:
        """Bind the browsers' port on all hosts; without it phones can call all the same."""
        try:
            self._ice = _bound_on_all(hosts, port)
        except OSError as error:
            log.error(
                "no browser can call: UDP port %d cannot be bound (%s); choose another TOWNHALL_ICE_PORT",
                port,
                error.strerror,
            )
            return
        self.ice_port = self._ice[0].getsockname()[1]
        for host in hosts:
            version = ipaddress.ip_address(host).version
            self.local.append(LocalPort(host, self.ice_port, version, secure=True))

    @property
    def ports(self) -> list[int]:
        """The RTP ports, each once, ascending."""
        return sorted({local.port for local in self.local if not local.secure})

    @property
    def ice(self) -> range:
        """The indices of the browsers' sockets."""
        return range(len(self._rtp), len(self._rtp) + len(self._ice))

    @property
    def sockets(self) -> list[socket.socket]:
        """All of them, in the order of their indices."""
        return self._all

    def receive(self, take: Callable[[Received], None]) -> None:
        """Hand over everything that waits, in batches over all sockets; in each, the browsers' stand last."""
        for _ in range(ROUNDS_A_TICK):
            batch = self._io.receive(self._readable())
            if batch is None:
                return
            take(batch)
            if len(batch.lengths) < RECEIVE_ROWS:
                return

    def _readable(self) -> list[tuple[int, socket.socket]]:
        readable = self._indexed
        if self._poll is not None:
            readable = [
                self._of_descriptor[descriptor] for descriptor, _ in self._poll.poll(0, len(self._all))
            ]
        if not self._ice:
            return readable
        ice = self.ice
        return sorted(readable, key=lambda item: item[0] in ice)

    def send(self, batch: Outgoing) -> int:
        """Send a batch that is sorted by socket; how many datagrams the kernel took."""
        return self._io.send(self._all, batch)

    def close(self) -> None:
        """Close all sockets."""
        if self._poll is not None:
            self._poll.close()
        for sock in self._all:
            sock.close()


def _bound_pair(host: str, port: int) -> tuple[socket.socket, socket.socket]:
    rtp = _bound(host, port)
    try:
        return rtp, _bound(host, port + 1)
    except OSError:
        rtp.close()
        raise


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ipaddress.ip_address(host).version == 6 else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        sock.setblocking(False)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, option, BUFFER_BYTES)
        sock.bind((host, port))
    except OSError:
        sock.close()
        raise
    return sock


def _bound_on_all(hosts: tuple[str, ...], port: int) -> list[socket.socket]:
    """One socket per host, all on one port. Raises OSError."""
    attempts = 1 if port else 20
    for attempt in range(attempts):
        bound: list[socket.socket] = []
        try:
            for host in hosts:
                bound.append(_bound(host, bound[0].getsockname()[1] if bound else port))
        except OSError:
            for sock in bound:
                sock.close()
            if attempt + 1 == attempts:
                raise
        else:
            return bound
    raise AssertionError("unreachable")


def _free_pairs(hosts: tuple[str, ...], count: int) -> list[int]:
    """Even ports that are free with the next one on all hosts, as far as a few attempts find them."""
    found: list[int] = []
    for _ in range(20 * count):
        if len(found) == count:
            break
        with contextlib.suppress(OSError), contextlib.ExitStack() as held:
            probe = held.enter_context(_bound(hosts[0], 0))
            port = probe.getsockname()[1] & ~1
            probe.close()
            if port in found:
                continue
            for host in hosts:
                for sock in _bound_pair(host, port):
                    held.enter_context(sock)
            found.append(port)
    return sorted(found)
