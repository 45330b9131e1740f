"""How requests reach their server: connections to checked addresses, or a mounted application without a
network hop.
"""

import contextvars
import ssl
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterable
from typing import Any

import httpcore2
import httpx2

from townhall.webhooks.consent import OriginConsent

MOST_CONNECTIONS = 100
"""Per origin, so that a server which hangs starves its own calls only. The pool's cost per request grows with
it.
"""

MOST_ORIGINS = 64
IDLE_S = 1.5
"""Shorter than the keep-alive of common servers (2 to 5 s), so that we rarely use a connection as they close
it.
"""

connections_of: contextvars.ContextVar[list[str] | None] = contextvars.ContextVar(
    "connections_of", default=None
)
"""Notes of the request under way: `sent` when it went to the network, `opened` when it opened a connection
for it.
"""


class CheckedBackend(httpcore2.AsyncNetworkBackend):
    """Connects to the very addresses that `OriginConsent` allowed."""

    def __init__(self, consent: OriginConsent) -> None:
        self._consent = consent
        self._sockets = httpcore2.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        _note("opened")
        deadline = None if timeout is None else time.monotonic() + timeout
        failure: Exception = httpcore2.ConnectError(f"no address for {host}")
        for address in await self._consent.addresses(host, port):
            left = None if deadline is None else max(0.05, deadline - time.monotonic())
            try:
                return await self._sockets.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                failure = error
        raise failure

    async def connect_unix_socket(
        self, path: str, timeout: float | None = None, socket_options: Iterable[Any] | None = None
    ) -> httpcore2.AsyncNetworkStream:
        raise httpcore2.ConnectError("webhooks go over TCP only")

    async def sleep(self, seconds: float) -> None:
        await self._sockets.sleep(seconds)


class CheckedTransport(httpx2.AsyncBaseTransport):
    """A bounded pool of connections per origin, to checked addresses only.

    Raises httpcore2's errors, `OSError` and `AddressRefusedError`.
    """

    def __init__(self, consent: OriginConsent, ssl_context: ssl.SSLContext | None = None) -> None:
        self._backend = CheckedBackend(consent)
        self._ssl_context = ssl_context or httpx2.create_ssl_context(trust_env=False)
        self._pools: OrderedDict[tuple[bytes, bytes, int | None], httpcore2.AsyncConnectionPool] = (
            OrderedDict()
        )

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        _note("sent")
        url = request.url
        pool = await self._pool_of((url.raw_scheme, url.raw_host, url.port))
        response = await pool.handle_async_request(
            httpcore2.Request(
                method=request.method,
                url=httpcore2.URL(
                    scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path
                ),
                headers=request.headers.raw,
                content=request.stream,
                extensions=request.extensions,
            )
        )
        return httpx2.Response(response.status, headers=response.headers, stream=_Body(response))

    async def aclose(self) -> None:
        while self._pools:
            _, pool = self._pools.popitem()
            await pool.aclose()

    async def _pool_of(self, origin: tuple[bytes, bytes, int | None]) -> httpcore2.AsyncConnectionPool:
        """The origin's pool; when there are too many, the one that was idle longest makes room."""
        pool = self._pools.get(origin)
        if pool is not None:
            self._pools.move_to_end(origin)
            return pool
        idle = None
        if len(self._pools) >= MOST_ORIGINS:
            idle = next((key for key, pool in self._pools.items() if _is_idle(pool)), None)
            if idle is None:
                raise httpcore2.PoolTimeout(f"requests to {MOST_ORIGINS} servers are under way")
        evicted = self._pools.pop(idle) if idle is not None else None
        pool = self._pools[origin] = httpcore2.AsyncConnectionPool(
            ssl_context=self._ssl_context,
            max_connections=MOST_CONNECTIONS,
            max_keepalive_connections=MOST_CONNECTIONS,
            keepalive_expiry=IDLE_S,
            network_backend=self._backend,
        )
        if evicted is not None:
            await evicted.aclose()
        return pool


def _is_idle(pool: httpcore2.AsyncConnectionPool) -> bool:
    return all(connection.is_idle() or connection.is_closed() for connection in pool.connections)


def _note(what: str) -> None:
    notes = connections_of.get()
    if notes is not None:
        notes.append(what)


class _Body(httpx2.AsyncByteStream):
    def __init__(self, response: httpcore2.Response) -> None:
        self._response = response

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for part in self._response.aiter_stream():
            yield part

    async def aclose(self) -> None:
        await self._response.aclose()
