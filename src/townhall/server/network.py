"""The server's own sockets and addresses."""

import asyncio
import contextlib
import resource
import socket
from collections.abc import Iterator, Sequence

import uvicorn

from townhall.errors import TownhallError

OPEN_FILES = 8192
"""2,000 SIP connections, 1,000 HTTP ones, webhooks, and room to spare."""


class ServerError(TownhallError):
    """The server cannot start; the message says which setting and what to do."""


class QuietServer(uvicorn.Server):
    """Signals are the server's business, not its HTTP part's."""

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


def url_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    if host in ("0.0.0.0", "::"):
        host = "127.0.0.1" if host == "0.0.0.0" else "::1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


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
