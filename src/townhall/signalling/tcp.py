"""SIP over TCP (RFC 3261 section 18; keep-alives: RFC 5626 section 3.5.1)."""

import asyncio
import logging
from collections.abc import Callable
from typing import cast

from townhall.signalling.turns import Turns
from townhall.sip import KeepAlive, Request, Response, StreamError, StreamParser

WRITE_LIMIT = 256 * 1024
"""Bytes a peer may leave unread before we give its connection up."""

SLICE = 4096
"""Bytes read in one turn: a dozen messages or fewer."""

UNREAD_LIMIT = 16 * 1024
"""Bytes that wait for their turn before we stop taking more from the network."""

_log = logging.getLogger("townhall.signalling")


class TCPConnection(asyncio.Protocol):
    """One connection, whoever opened it. `received` gets its messages, `closed` is called once."""

    def __init__(
        self,
        number: int,
        turns: Turns,
        opened: Callable[["TCPConnection"], bool],
        received: Callable[[Request | Response | StreamError, "TCPConnection"], None],
        closed: Callable[["TCPConnection"], None],
    ) -> None:
        self.number = number
        self.peer: tuple[str, int] = ("", 0)
        self.local_host = ""
        self.last_used = 0.0
        self.owes_since: float | None = None
        """Since when the peer owes the rest of a message, or its first one; None: it does not."""
        self._turns = turns
        self._opened = opened
        self._received = received
        self._closed = closed
        self._parser = StreamParser()
        self._unread = bytearray()
        self._transport: asyncio.Transport | None = None
        self._loop = asyncio.get_running_loop()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        peer, local = transport.get_extra_info("peername"), transport.get_extra_info("sockname")
        if peer:
            self.peer = (str(peer[0]).partition("%")[0], int(peer[1]))
        if local:
            self.local_host = str(local[0]).partition("%")[0]
        self.last_used = self.owes_since = self._loop.time()
        if not peer or not self._opened(self):
            self._transport.abort()

    def data_received(self, data: bytes) -> None:
        self.last_used = self._loop.time()
        if not self._unread:
            self._turns.ask(self._read)
        self._unread += data
        if len(self._unread) > UNREAD_LIMIT and self._transport is not None:
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        # Whoever says BYE and is gone is still heard; but not for long.
        self._turns.drop(self._read)
        self._read()
        self._unread.clear()
        self._transport = None
        self._closed(self)

    def _read(self) -> bool:
        """Read a slice of what has come; whether there is more."""
        piece = bytes(self._unread[:SLICE])
        del self._unread[:SLICE]
        pinged = False
        for event in self._parser.receive_data(piece):
            self.owes_since = None
            if isinstance(event, KeepAlive):
                pinged = True
                continue
            self._received(event, self)
            if isinstance(event, StreamError) and event.fatal:
                self._unread.clear()
                self.close()
                return False
        if self._parser.is_inside_message:
            self.owes_since = self.owes_since or self._loop.time()
        if pinged:  # one answer to many pings: each would be a packet of its own
            self.send(b"\r\n")
        if len(self._unread) <= UNREAD_LIMIT and self.is_open and self._transport is not None:
            self._transport.resume_reading()
        return bool(self._unread)

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
        """Close once all is sent."""
        if self._transport is not None:
            self._transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self._transport is not None:
            self._transport.abort()
