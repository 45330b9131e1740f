"""Whom we connect to: public addresses, and what the operator consented to (server-side request forgery).

TwiML and REST requests name URLs that this server fetches from inside the operator's network. Loopback,
private, link-local, multicast and cloud metadata addresses are refused unless their origin was consented to:
the origins of the numbers' own URLs, those of a setting, and our own mounts. The address that was checked is
the one connected to, so that a name which resolves differently the second time (DNS rebinding) gains nothing.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import urlsplit

from townhall.errors import TownhallError

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
_METADATA = frozenset({ipaddress.ip_address("168.63.129.16"), ipaddress.ip_address("192.0.0.192")})
"""Metadata services at addresses that look public (Azure, Oracle); the others are link-local or private."""


class AddressRefusedError(TownhallError):
    """Nobody consented to this inner address; the message names the setting that would."""


class OriginConsent:
    """The origins (`scheme://host:port`) that may have any address. `*` allows every origin.

    `setting` is how the operator knows the list; it stands in the refusal's message.
    """

    def __init__(self, origins: Iterable[str] = (), setting: str = "TOWNHALL_WEBHOOK_INNER_ORIGINS") -> None:
        self._setting = setting
        self._allowed: set[tuple[str, int]] = set()
        self._everything = False
        for origin in origins:
            self.allow(origin)

    def allow(self, url: str) -> None:
        """Consent to the origin of a URL; raises ValueError when it is no http URL."""
        if url.strip() == "*":
            self._everything = True
            return
        self._allowed.add(_host_and_port(url))

    def withdraw(self, url: str) -> None:
        """Take a consent back; connections that are open live on."""
        self._allowed.discard(_host_and_port(url))

    def covers(self, host: str, port: int) -> bool:
        return self._everything or (host.strip("[]").lower(), port) in self._allowed

    def covers_url(self, url: str) -> bool:
        """The same of a URL; raises ValueError when it is no http URL."""
        return self.covers(*_host_and_port(url))

    async def addresses(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, in the resolver's order.

        Raises `OSError` when the name is unknown and `AddressRefusedError` when an address may not be
        connected to: one bad address spoils the name, as an attacker could mix good and bad ones.
        """
        host = host.strip("[]")
        found = await _resolve(host, port)
        if not self.covers(host, port):
            for address in found:
                self._check(host, port, ipaddress.ip_address(address.partition("%")[0]))
        return found

    def _check(self, host: str, port: int, address: Address) -> None:
        if is_public(address):
            return
        shown = f"[{host}]" if ":" in host else host
        scheme = "https" if port == 443 else "http"
        raise AddressRefusedError(
            f"{host} is the address {address}, which is not public; to let webhooks go there, add "
            f"{scheme}://{shown}:{port} to {self._setting}"
        )


def is_public(address: Address) -> bool:
    """Whether an address may be connected to without consent."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if inner is None and address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not address.is_multicast and address not in _METADATA


async def _resolve(host: str, port: int) -> list[str]:
    try:
        return [str(ipaddress.ip_address(host))]
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except UnicodeError as error:
        raise socket.gaierror(f"{host!r} is no host name: {error}") from None
    return list(dict.fromkeys(str(sockaddr[0]) for *_, sockaddr in found))


@lru_cache(maxsize=256)
def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"read {url!r}, expected an origin such as http://10.0.0.5:8000")
    return parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)
