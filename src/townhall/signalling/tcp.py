"""SIP over TCP (RFC 3261 section 18; keep-alives: RFC 5626 section 3.5.1)."""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from townhall.sip import KeepAlive, Request, Response, StreamError, StreamParser

WRITE_LIMIT = 1024 * 1024
"""Bytes a peer may leave unread before we give its connection up."""

_log = logging.getLogger("townhall.signalling")


class TCPConnection(asyncio.Protocol):
    """One connection, whoever opened it. `received` gets its messages, `closed` is called once."""

    def __init__(
        self,
        number: int,
        opened: Callable[["TCPConnection"], bool],
        received: Callable[[Request | Response | StreamError, "TCPConnection"], None],
        closed: Callable[["TCPConnection"], None],
    ) -> None:
        self.number = number
        self.peer: tuple[str, int] = ("", 0)
        self.local_host = ""
        self.last_used = 0.0
        self._opened = opened
        self._received = received
        self._closed = closed
        self._parser = StreamParser()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if peer:
            self.peer = (str(peer[0]).partition("%")[0], int(peer[1]))
        if local:
            self.local_host = str(local[0]).partition("%")[0]
        self.last_used = self._loop.time()
        if not peer or not self._opened(self):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.last_used = self._loop.time()
        for event in self._parser.receive_data(data):
            if isinstance(event, KeepAlive):
                self.send(b"\r\n")
                continue
            self._received(event, self)
            if isinstance(event, StreamError) and event.fatal:
                self.close()
                return

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._closed(self)

    @property
    def is_open(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def send(self, data: bytes) -> bool:
        """Queue bytes; False when the connection is gone, or its peer does not read."""
        if self._transport is None or self._transport.is_closing():
            return False
        if self._transport.get_write_buffer_size() + len(data) > WRITE_LIMIT:
            _log.warning("TCP %s:%s does not read; its connection is closed", *self.peer)
            self._transport.abort()
            return False
        self.last_used = self._loop.time()
        self._transport.write(data)
        return True

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
