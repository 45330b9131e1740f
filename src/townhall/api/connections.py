"""HTTP connections with limits: uvicorn waits for ever for a request that is sent a byte at a time, and takes
as many connections as the system has descriptors.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

from townhall.sip.shares import Shares, source_key

REQUEST_WITHIN_S = 20.0
"""For a client to send a whole request, body included."""

MOST_CONNECTIONS = 1000

_KEY = "townhall_shares"


class BoundedHTTP(H11Protocol):
    """Uvicorn's protocol on h11, for requests that come in time.

    One source has at most as many connections as are free (`townhall.sip.shares`).
    """

    _source: str | None = None
    _overdue: asyncio.TimerHandle | None = None
    most_connections = MOST_CONNECTIONS
    request_within_s = REQUEST_WITHIN_S

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        source = source_key(self.client[0] if self.client else "")
        if not self._shares.take(source):
            transport.abort()
            return
        self._source = source
        self._expect_request()

    def connection_lost(self, exc: Exception | None) -> None:
        if self._source is not None:
            self._shares.give(self._source)
            self._source = None
        self._expect_nothing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._overdue is None and (self.cycle is None or self.cycle.response_complete):
            self._expect_request()
        super().data_received(data)
        cycle = self.cycle
        if cycle is not None and not cycle.more_body and not cycle.response_complete:
            self._expect_nothing()  # the request is whole, and being answered

    @property
    def _shares(self) -> Shares:
        """One for all connections of a server, kept where uvicorn keeps what they share."""
        shared: dict[str, Any] = self.server_state.__dict__
        found: Shares = shared.setdefault(_KEY, Shares(self.most_connections))
        return found

    def _expect_request(self) -> None:
        self._overdue = self.loop.call_later(self.request_within_s, self._give_up)

    def _expect_nothing(self) -> None:
        if self._overdue is not None:
            self._overdue.cancel()
            self._overdue = None

    def _give_up(self) -> None:
        self._overdue = None
        self.transport.abort()
