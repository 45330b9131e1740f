"""Bad networks between a browser and the server: relays that lose, delay, fall silent, move, or are cut.

`UDPRelay` stands before the server's ICE port: a tab opened with `place=relay.place` is sent there instead of
to the candidate that the server named. `TCPRelay` stands before its HTTP port; pages are opened at its `url`.
Chance is seeded; what a relay does besides is done when the test says so.
"""

import asyncio
import random
import socket
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

Address = tuple[str, int]
Deliver = Callable[[bytes, Address], None]
_HOST = "127.0.0.1"
_LONGEST = 2048
_SOUND = range(128, 192)
"""First bytes of RTP and RTCP, as against STUN and DTLS (RFC 7983)."""


@dataclass(frozen=True)
class Weather:
    """What happens to each datagram, either way: lost with probability `loss`, else late by up to `jitter_s`.

    Since each is delayed for itself, jitter of more than a packet's time puts them out of order.
    """

    loss: float = 0.0
    jitter_s: float = 0.0


class UDPRelay:
    """`async with UDPRelay(Weather(loss=0.05)) as relay: await browsing.tab(…, place=relay.place)`."""

    def __init__(self, weather: Weather | None = None, seed: int = 1) -> None:
        self.weather = weather or Weather()
        self.dark = False
        """While set, nothing passes."""
        self.passed = self.lost = 0
        self._answered = asyncio.Event()
        self._random = random.Random(seed)
        self._server: Address | None = None
        self._front = _open()
        self._backs: dict[Address, socket.socket] = {}
        """For each of the browser's addresses a socket of its own, as a NAT has."""
        self._others: list[socket.socket] = []

    async def __aenter__(self) -> Self:
        self._listen(self._front, self._from_browser)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for opened in (self._front, *self._backs.values(), *self._others):
            asyncio.get_running_loop().remove_reader(opened)
            opened.close()

    async def place(self, host: str, port: int) -> Address:
        """Where the browser is to go instead of to the server's candidate."""
        self._server = (host, port)
        return _address(self._front)

    def move_browser(self) -> None:
        """The server sees the browser at other addresses from now on, as when a NAT has forgotten it."""
        self._others += self._backs.values()
        self._backs.clear()
        self._answered.clear()

    async def answered(self, within_s: float = 30.0) -> None:
        """Wait until the server sends sound to where it sees the browser now."""
        await asyncio.wait_for(self._answered.wait(), within_s)

    def move_server(self) -> None:
        """The old address is dead; who asks for `place` anew finds the server at another one."""
        asyncio.get_running_loop().remove_reader(self._front)
        self._others.append(self._front)
        self._front = _open()
        self._listen(self._front, self._from_browser)

    def _listen(self, opened: socket.socket, deliver: Deliver) -> None:
        def ready() -> None:
            try:
                data, source = opened.recvfrom(_LONGEST)
            except OSError:  # told of a port that nobody listens on any more
                return
            deliver(data, source)

        asyncio.get_running_loop().add_reader(opened, ready)

    def _from_browser(self, data: bytes, source: Address) -> None:
        assert self._server is not None, "nobody has asked for a place yet"
        if source not in self._backs:
            self._backs[source] = back = _open()
            self._listen(back, lambda data, _: self._to_browser(data, source, back))
        self._carry(self._backs[source], data, self._server)

    def _to_browser(self, data: bytes, browser: Address, back: socket.socket) -> None:
        if data[0] in _SOUND and self._backs.get(browser) is back:
            self._answered.set()
        self._carry(self._front, data, browser)

    def _carry(self, through: socket.socket, data: bytes, to: Address) -> None:
        if self.dark or self._random.random() < self.weather.loss:
            self.lost += 1
            return
        delay_s = self._random.uniform(0.0, self.weather.jitter_s)
        asyncio.get_running_loop().call_later(delay_s, self._send, through, data, to)

    def _send(self, through: socket.socket, data: bytes, to: Address) -> None:
        if through.fileno() < 0:
            return
        try:
            through.sendto(data, to)
            self.passed += 1
        except OSError:  # nobody is there: as in any network, lost
            self.lost += 1


def _open() -> socket.socket:
    opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    opened.setblocking(False)
    opened.bind((_HOST, 0))
    return opened


def _address(opened: socket.socket) -> Address:
    host, port = opened.getsockname()
    return str(host), int(port)


class TCPRelay:
    """`async with TCPRelay(server.address, server.http_port) as relay: await browsing.open(…, relay.url)`."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self._writers: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self._opened = asyncio.Event()
        self.closed = False
        """While set, connections are cut as soon as they are made."""

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, _HOST, 0)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._server is not None
        self._server.close()
        self.closed = True
        self.cut()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        assert self._server is not None
        host, port = self._server.sockets[0].getsockname()
        return f"http://{host}:{port}"

    def cut(self) -> int:
        """Reset every connection, both ends of it; returns how many ends there were."""
        count = len(self._writers)
        for writer in list(self._writers):
            writer.transport.abort()
        return count

    async def tried(self, within_s: float = 30.0) -> None:
        """Wait until somebody connects from now on, let in or not."""
        self._opened = asyncio.Event()
        await asyncio.wait_for(self._opened.wait(), within_s)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._opened.set()
        if self.closed:
            writer.transport.abort()
            return
        try:
            far_reader, far_writer = await asyncio.open_connection(*self._to)
        except OSError:
            writer.transport.abort()
            return
        self._writers |= {writer, far_writer}
        try:
            await asyncio.gather(_pipe(reader, far_writer), _pipe(far_reader, writer))
        finally:
            self._writers -= {writer, far_writer}
            writer.transport.abort()
            far_writer.transport.abort()


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until either end is gone; the other end is told so."""
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except OSError:
        writer.transport.abort()
    else:
        writer.close()
