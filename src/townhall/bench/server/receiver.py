"""The webhook of the measured server: answers with documents, and notes when callbacks arrive.

Just enough of HTTP/1.1 to cost next to nothing beside the server that is measured.
"""

import asyncio
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self

CALLBACKS = "/events"
_MOST_HEADER = 64 * 1024


class Receiver:
    """`async with Receiver(address) as receiver: receiver.url, receiver.arrivals`."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._document: Callable[[bytes], str] = lambda form: ""
        self.arrivals: list[float] = []
        """When each callback came, in monotonic seconds."""

    @property
    def url(self) -> str:
        host, port = self._server.sockets[0].getsockname()[:2]
        return f"http://{host}:{port}"

    def answer(self, document: Callable[[bytes], str]) -> None:
        """What makes, of a request's form, the document that every other request is answered with."""
        self._document = document

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                form = await reader.readexactly(_content_length(head))
                if head.split(b" ", 2)[1].startswith(CALLBACKS.encode()):
                    self.arrivals.append(time.monotonic())
                    writer.write(b"HTTP/1.1 204 No Content\r\n\r\n")
                else:
                    document = self._document(form).encode()
                    writer.write(
                        b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: %d\r\n\r\n%s"
                        % (len(document), document)
                    )
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self._address, 0, limit=_MOST_HEADER)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()


def _content_length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0
