"""All sockets of a user agent: which one a message goes out by, and what came in by which hop."""

import asyncio
import errno
import logging
import socket
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from townhall.signalling.addresses import LocalAddresses, Names, is_literal, is_wildcard
from townhall.signalling.settings import UserAgentSettings
from townhall.signalling.tcp import TCPConnection
from townhall.signalling.turns import Turns
from townhall.signalling.udp import UDPSocket
from townhall.sip import Request, Response, SIPParseError, StreamError, parse_message
from townhall.sip.hop import Hop
from townhall.sip.layer import Send
from townhall.sip.shares import source_key
from townhall.sip.transaction import ClientTransaction

_log = logging.getLogger("townhall.signalling")
_SWEEP_S = 5.0
_HURRY_S = 1.0  # to wait for a connection where UDP would do as well
_MAX_QUEUED = 1000  # messages that wait for one connection to open


@dataclass(frozen=True, slots=True)
class Malformed:
    """Something that is not SIP, or nearly."""

    status: int
    request: Request | None
    text: str


class Transports:
    """UDP and TCP on every host of the settings. `received` and `failed` are the user agent's."""

    def __init__(
        self,
        settings: UserAgentSettings,
        received: Callable[[Request | Response | Malformed, Hop], None],
        failed: Callable[[Send], None],
    ) -> None:
        self._settings = settings
        self._received = received
        self._failed = failed
        self._sockets: list[UDPSocket] = []
        self._servers: list[asyncio.Server] = []
        self._connections: dict[int, TCPConnection] = {}
        self._by_peer: dict[tuple[str, int], TCPConnection] = {}
        self._per_source: Counter[str] = Counter()
        self._queued: dict[tuple[str, int], list[Send]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._number = 0
        self._turns: Turns | None = None
        self._sweep_s = min(_SWEEP_S, settings.message_timeout_s / 4)
        self._local = LocalAddresses()
        self._sweep: asyncio.TimerHandle | None = None
        self.names = Names()
        self.port = settings.port

    # Opening and closing

    async def open(self) -> None:
        """Bind everything; with port 0, look for one that is free for all. Raises OSError."""
        attempts = 20 if self._settings.port == 0 else 1
        for attempt in range(attempts):
            try:
                await self._open_all()
                break
            except OSError as error:
                await self.close()
                if error.errno != errno.EADDRINUSE or attempt == attempts - 1:
                    raise
        self._sweep = asyncio.get_running_loop().call_later(self._sweep_s, self._close_idle)

    async def _open_all(self) -> None:
        port = self._settings.port
        for host in self._settings.bind_hosts:
            udp = UDPSocket(host, self._datagram_received)
            await udp.open(port)
            self._sockets.append(udp)
            port = udp.port
            if self._settings.tcp:
                await self._listen(host, port)
        self.port = port

    async def _listen(self, host: str, port: int) -> None:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        server = await asyncio.get_running_loop().create_server(
            self._new_connection, host, port, family=family, backlog=1024
        )
        self._servers.append(server)

    @property
    def addresses(self) -> list[tuple[str, str, int]]:
        kinds = ("udp", "tcp") if self._settings.tcp else ("udp",)
        return [(kind, udp.host, udp.port) for udp in self._sockets for kind in kinds]

    async def close(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for server in self._servers:
            server.close()
        for connection in list(self._connections.values()):
            connection.close()
        for udp in self._sockets:
            udp.close()
        self._servers, self._sockets = [], []
        await asyncio.sleep(0)  # let the loop close what was asked to

    # Sending

    def send(self, send: Send) -> None:
        """Send, or begin to; `failed` is called when it cannot be done."""
        hop = send.hop
        if hop.transport == "udp" and is_literal(hop.host):
            self._send_datagram(send)
        elif hop.transport == "tcp" and (connection := self._find_connection(hop)) is not None:
            if not connection.send(send.data):
                self._fail_soon(send)
        elif hop.transport == "tcp" and is_literal(hop.host):
            self._queue(send)
        elif hop.transport in ("udp", "tcp"):
            self._start(self._resolve_and_send(send))
        else:
            _log.warning("no transport %s (to %s)", hop.transport, hop)
            self._fail_soon(send)

    def _send_datagram(self, send: Send) -> None:
        udp = self._choose_socket(send.hop)
        if udp is None or not udp.send(send.data, send.hop.host, send.hop.port):
            self._fail_soon(send)

    def _choose_socket(self, hop: Hop) -> UDPSocket | None:
        """The socket that the peer knows; else any of the family."""
        is_ipv6 = ":" in hop.host
        fitting = [udp for udp in self._sockets if udp.is_ipv6 == is_ipv6]
        for udp in fitting:
            if hop.local is not None and udp.host == hop.local[0]:
                return udp
        return next((udp for udp in fitting if is_wildcard(udp.host)), fitting[0] if fitting else None)

    def local_for(self, host: str) -> tuple[str, int] | None:
        """Our address on the way to a literal; None when no socket of ours speaks its family."""
        udp = self._choose_socket(Hop("udp", host, 0, (self._local.toward(host), 0)))
        if udp is None:
            return None
        return (self._local.toward(host) if is_wildcard(udp.host) else udp.host), udp.port

    def _find_connection(self, hop: Hop) -> TCPConnection | None:
        candidates = (self._connections.get(hop.connection or 0), self._by_peer.get((hop.host, hop.port)))
        return next((found for found in candidates if found is not None and found.is_open), None)

    def _queue(self, send: Send) -> None:
        peer = (send.hop.host, send.hop.port)
        waiting = self._queued.get(peer)
        if waiting is None:
            self._queued[peer] = [send]
            client = send.transaction
            hurry = isinstance(client, ClientTransaction) and client.fallback is not None
            self._start(self._connect(send.hop, _HURRY_S if hurry else self._settings.connect_timeout_s))
        elif len(waiting) < _MAX_QUEUED:
            waiting.append(send)
        else:
            self._fail_soon(send)

    async def _connect(self, hop: Hop, timeout_s: float) -> None:
        peer = (hop.host, hop.port)
        local = hop.local[0] if hop.local is not None else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(timeout_s):
                bind = (local, 0) if local is not None and (":" in local) == (":" in hop.host) else None
                _, connection = await loop.create_connection(
                    self._new_connection, hop.host, hop.port, local_addr=bind
                )
        except (OSError, TimeoutError) as error:
            _log.debug("TCP to %s:%s: %s", hop.host, hop.port, error or "no answer")
            for send in self._queued.pop(peer, []):
                self._failed(send)
            return
        for send in self._queued.pop(peer, []):
            if not connection.send(send.data):
                self._failed(send)

    async def _resolve_and_send(self, send: Send) -> None:
        try:
            addresses = await self.names.resolve(send.hop.host)
        except OSError as error:
            _log.debug("%s cannot be resolved: %s", send.hop.host, error)
            self._failed(send)
            return
        wanted = [host for host in addresses if self.local_for(host) is not None]
        if not wanted:
            self._failed(send)
            return
        self.send(replace(send, hop=replace(send.hop, host=wanted[0])))

    def _fail_soon(self, send: Send) -> None:
        # Not at once: whoever sends is in the middle of something.
        asyncio.get_running_loop().call_soon(self._failed, send)

    def _start(self, work: "asyncio._CoroutineLike[None]") -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    # Receiving

    def _datagram_received(self, data: bytes, source: tuple[str, int], udp: UDPSocket) -> None:
        if len(data) <= 4 and not data.strip(b"\r\n\0"):
            return  # a keep-alive
        host = self._local.toward(source[0]) if is_wildcard(udp.host) else udp.host
        hop = Hop("udp", source[0], source[1], (host, udp.port))
        try:
            message: Request | Response | Malformed = parse_message(data)
        except SIPParseError as error:
            message = Malformed(error.status_hint, error.request, str(error))
        self._received(message, hop)

    def _new_connection(self) -> TCPConnection:
        self._number += 1
        self._turns = self._turns or Turns()
        return TCPConnection(self._number, self._turns, self._opened, self._stream_received, self._closed)

    def _opened(self, connection: TCPConnection) -> bool:
        source = source_key(connection.peer[0])
        free = self._settings.max_connections - len(self._connections)
        # As many as are free (`townhall.sip.shares`), so that a few sources do not take all.
        if free <= 0 or self._per_source[source] >= min(self._settings.max_connections_per_source, free + 1):
            return False
        self._connections[connection.number] = connection
        self._by_peer[connection.peer] = connection
        self._per_source[source] += 1
        return True

    def _stream_received(self, event: Request | Response | StreamError, connection: TCPConnection) -> None:
        hop = Hop("tcp", *connection.peer, (connection.local_host, self.port), connection.number)
        if isinstance(event, StreamError):
            self._received(Malformed(event.status_hint, event.request, event.message), hop)
        else:
            self._received(event, hop)

    def _closed(self, connection: TCPConnection) -> None:
        if self._connections.pop(connection.number, None) is None:
            return
        if self._by_peer.get(connection.peer) is connection:
            del self._by_peer[connection.peer]
        source = source_key(connection.peer[0])
        self._per_source[source] -= 1
        if not self._per_source[source]:
            del self._per_source[source]

    def _close_idle(self) -> None:
        """Close what is not used, and what only pretends to be: half a message, or none, for too long."""
        loop = asyncio.get_running_loop()
        now = loop.time()
        for connection in list(self._connections.values()):
            owes_since = connection.owes_since
            is_idle = now - connection.last_used > self._settings.idle_timeout_s
            is_late = owes_since is not None and now - owes_since > self._settings.message_timeout_s
            if is_idle or is_late or not connection.is_open:
                connection.abort()
        self._sweep = loop.call_later(self._sweep_s, self._close_idle)
