"""A web server on loopback that answers whatever bytes a test wants, over TCP or TLS, and remembers what it
was asked.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True, slots=True)
class Asked:
    method: str
    target: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes

    @property
    def form(self) -> list[tuple[str, str]]:
        return parse_qsl(self.body.decode(), keep_blank_values=True)

    @property
    def query(self) -> list[tuple[str, str]]:
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)


def answer(
    body: bytes | str = "<Response/>",
    status: int = 200,
    content_type: str = "text/xml",
    *headers: str,
    close: bool = False,
) -> bytes:
    """A whole HTTP response as bytes."""
    raw = body.encode() if isinstance(body, str) else body
    lines = [
        f"HTTP/1.1 {status} Status",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(raw)}",
        *headers,
    ]
    if close:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


Handler = Callable[[Asked], "bytes | Awaitable[bytes | None] | None"]


@dataclass
class RawServer:
    origin: str
    port: int
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0

    def url(self, path: str = "/") -> str:
        return self.origin + path


@asynccontextmanager
async def raw_server(
    handler: Handler, ssl_context: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0
) -> AsyncIterator[RawServer]:
    """Serve until the block ends. The handler gives the bytes of a response; None closes the connection
    instead.
    """
    server_info = RawServer("", 0)
    tasks: set[asyncio.Task[None]] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        server_info.connections += 1
        try:
            while True:
                asked = await _read_request(reader)
                server_info.asked.append(asked)
                result = handler(asked)
                raw = result if isinstance(result, bytes) or result is None else await result
                if raw is None:
                    return
                writer.write(raw)
                await writer.drain()
                if b"Connection: close" in raw:
                    return
        except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError, asyncio.CancelledError):
            return
        finally:
            writer.close()
            tasks.discard(task)

    server = await asyncio.start_server(serve, host, port, ssl=ssl_context)
    server_info.port = server.sockets[0].getsockname()[1]
    shown = f"[{host}]" if ":" in host else host
    server_info.origin = f"{'https' if ssl_context else 'http'}://{shown}:{server_info.port}"
    try:
        yield server_info
    finally:
        server.close()
        for task in tuple(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _read_request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
    first, *lines = head.split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {}
    for line in filter(None, lines):
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Asked(method, target, headers, body)
