"""Which address of ours a peer sees, and the addresses of names."""

import asyncio
import socket
import time
from ipaddress import ip_address

_CACHED = 1024
NAME_LIFETIME_S = 60.0


def is_wildcard(host: str) -> bool:
    return host in ("0.0.0.0", "::", "")


def is_literal(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


class LocalAddresses:
    """The address that the system would send from; asked once for each peer, for the recent ones
    remembered.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, str]] = {}

    def toward(self, host: str) -> str:
        """Our address on the way to an address literal; loopback when there is no way."""
        known, now = self._known.get(host), time.monotonic()
        if known is not None and now - known[0] < NAME_LIFETIME_S:  # networks change under a laptop
            return known[1]
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect((host, 9))  # sends nothing: only asks the routing table
                found = str(probe.getsockname()[0])
            except OSError:
                found = "::1" if family == socket.AF_INET6 else "127.0.0.1"
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[host] = (now, found)
        return found


class Names:
    """Host names to address literals, kept for a minute."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, list[str]]] = {}

    async def resolve(self, host: str) -> list[str]:
        """The addresses of a name, as the system prefers them; a literal is its own. Raises OSError."""
        if is_literal(host):
            return [host]
        loop = asyncio.get_running_loop()
        known = self._known.get(host)
        if known is not None and loop.time() - known[0] < NAME_LIFETIME_S:
            return known[1]
        found = await loop.getaddrinfo(host, None, type=socket.SOCK_DGRAM)
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if len(self._known) >= _CACHED:
            self._known.clear()
        self._known[host] = (loop.time(), addresses)
        return addresses
