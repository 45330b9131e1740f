"""Applications in our own process, reached without a network hop: same requests, same signatures."""

import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import httpx2

_log = logging.getLogger(__name__)

Message = MutableMapping[str, Any]
Application = Callable[
    [dict[str, Any], Callable[[], Awaitable[Message]], Callable[[Message], Awaitable[None]]], Awaitable[None]
]
"""An ASGI 3 application."""


class MountedTransport(httpx2.AsyncBaseTransport):
    """Hands requests to an ASGI application; what it raises is logged and becomes a 500.

    httpx2's own transport costs half a millisecond a request, which every call pays several times.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        exchange = _Exchange(await request.aread())
        try:
            await self._app(_scope(request), exchange.receive, exchange.send)
        except Exception:
            _log.exception("the mounted application failed on %s %s", request.method, request.url.path)
            return httpx2.Response(500, stream=httpx2.ByteStream(b""))
        stream = httpx2.ByteStream(bytes(exchange.body))
        return httpx2.Response(exchange.status, headers=exchange.headers, stream=stream)


class _Exchange:
    """One request's body, given out once, and what is answered to it."""

    def __init__(self, body: bytes) -> None:
        self._unread: bytes | None = body
        self.status = 500
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = bytearray()

    async def receive(self) -> Message:
        if self._unread is None:
            return {"type": "http.disconnect"}
        body, self._unread = self._unread, None
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = list(message.get("headers", ()))
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


def _scope(request: httpx2.Request) -> dict[str, Any]:
    path, _, query = request.url.raw_path.partition(b"?")
    return {
        "type": "http",
        # From this version on, an application that streams does not listen for a disconnect meanwhile: ours
        # would hear of one at once.
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
    }
