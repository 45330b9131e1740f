"""A listening socket whose connections are TLS: each shakes hands, then is the HTTP protocol's.

Asyncio's own servers take any number of connections that never begin to shake hands, for a minute each, and
have one certificate for ever. Here they are counted from the first byte on, one source has a share of the
places only (`townhall.sip.shares`), a handshake has a few seconds, and each asks for the certificate anew.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable

from townhall.api.connections import shared_room
from townhall.sip.shares import source_key

WITHIN_S = 10.0
CLOSED_WITHIN_S = 5.0
MOST_HANDSHAKES = 500
PAUSE_S = 0.2
"""When the system has no descriptor for another connection."""


class TLSListener:
    """Accepts until it is closed; `make` makes the protocol of a connection."""

    within_s = WITHIN_S

    def __init__(
        self,
        listener: socket.socket,
        make: Callable[[], asyncio.Protocol],
        context: Callable[[], ssl.SSLContext],
        server_state: object,
    ) -> None:
        listener.setblocking(False)
        self._listener = listener
        self._make = make
        self._context = context
        self._room = shared_room(server_state, "handshakes", MOST_HANDSHAKES)
        self._handshakes: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept(), name="TLS connections")

    def close(self) -> None:
        """Take no more; handshakes under way are given up."""
        for task in (self._accepting, *self._handshakes):
            task.cancel()

    async def wait_closed(self) -> None:
        """Return once nothing of it runs."""
        await asyncio.gather(self._accepting, *self._handshakes, return_exceptions=True)

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            try:
                connection, address = await loop.sock_accept(self._listener)
            except OSError:
                await asyncio.sleep(PAUSE_S)
                continue
            source = source_key(str(address[0]))
            if not self._room.take(source):
                connection.close()
                continue
            task = asyncio.create_task(self._shake_hands(connection, source), name="TLS handshake")
            self._handshakes.add(task)
            task.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self, connection: socket.socket, source: str) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                self._make,
                connection,
                ssl=self._context(),
                ssl_handshake_timeout=self.within_s,
                ssl_shutdown_timeout=CLOSED_WITHIN_S,
            )
        except OSError:
            pass  # what the peer sent was no TLS, or it has gone; it learns no more than that
        finally:
            self._room.give(source)
