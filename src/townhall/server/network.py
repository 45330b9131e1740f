"""The server's own sockets and addresses."""

import asyncio
import contextlib
import resource
import socket
import ssl
from collections.abc import Callable, Iterator, Sequence

import uvicorn

from townhall.errors import TownhallError
from townhall.server.handshake import TLSListener

OPEN_FILES = 16384
"""2,000 SIP connections, 1,000 HTTP ones, 4,096 WebSockets, webhooks, and room to spare."""


class ServerError(TownhallError):
    """The server cannot start; the message says which setting and what to do."""


class QuietServer(uvicorn.Server):
    """Signals are the server's business, not its HTTP part's.

    `context` tells the TLS context for the next connection; None: plain HTTP.
    """

    def __init__(self, config: uvicorn.Config, context: Callable[[], ssl.SSLContext] | None = None) -> None:
        super().__init__(config)
        self._context = context

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Uvicorn's own would ask for the context once, and wait a minute for each handshake."""
        if self._context is None:
            return await super().startup(sockets)
        for listener in sockets or ():
            listener.listen(self.config.backlog)
        self.servers = [
            TLSListener(listener, self._protocol, self._context, self.server_state)  # type: ignore[misc]
            for listener in sockets or ()
        ]
        self.started = True
        return None

    def _protocol(self) -> asyncio.Protocol:
        make: Callable[..., asyncio.Protocol] = self.config.http_protocol_class
        return make(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(hosts: Sequence[str], port: int) -> list[socket.socket]:
    """A listening socket per host, all on one port (chosen by the first one when it is 0)."""
    sockets: list[socket.socket] = []
    for host in hosts:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        try:
            # Sets SO_REUSEADDR, so that a restart need not wait for the last one's connections to fade.
            listener = socket.create_server((host, port), family=family)
        except OSError:
            for opened in sockets:
                opened.close()
            raise
        port = listener.getsockname()[1]
        sockets.append(listener)
    return sockets


def url_of(listener: socket.socket, scheme: str = "http") -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


async def address_of(host: str | None) -> str | None:
    """The address that SDP can carry of a public host, which may be a name; raises `ServerError`."""
    if host is None:
        return None
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, None, type=socket.SOCK_DGRAM)
    except OSError as error:
        raise ServerError(
            f"TOWNHALL_PUBLIC_HOST: read {host!r}, which has no address ({error}); "
            "allowed is an IP address, or a name that resolves"
        ) from None
    return str(found[0][4][0])


def allow_open_files() -> None:
    """Every connection is an open file: a flood of them must meet our limits before the system's 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = OPEN_FILES if hard == resource.RLIM_INFINITY else min(OPEN_FILES, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
