"""Applications in our own process, reached without a network hop: same requests, same signatures."""

import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from functools import lru_cache
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

    httpx2's own transport costs half a millisecond a request, which every call pays several times; its
    requests and responses alone, a third of that, so there is a way without them (`ask`).
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        headers = [(name.lower(), value) for name, value in request.headers.raw]
        done = await self._run(str(request.url), request.method, headers, await request.aread())
        return httpx2.Response(done.status, headers=done.headers, stream=httpx2.ByteStream(bytes(done.body)))

    async def ask(self, url: str, method: str, headers: Mapping[str, str], content: bytes) -> "Answered":
        """The same without objects of httpx2; `url` is an absolute one, `headers` all but Host and length."""
        raw = [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]
        raw.append((b"content-length", b"%d" % len(content)))
        return await self._run(url, method, raw, content)

    async def _run(
        self, url: str, method: str, headers: list[tuple[bytes, bytes]], content: bytes
    ) -> "Answered":
        exchange, (place, host) = Answered(content), _place(url)
        if not any(name == b"host" for name, _ in headers):
            headers.append((b"host", host))
        try:
            scope = {**place, "method": method, "headers": headers}
            await self._app(scope, exchange.receive, exchange.send)
        except Exception:
            _log.exception("the mounted application failed on %s %s", method, place["path"])
            return Answered(b"")
        return exchange


class Answered:
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
            self.headers = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
        elif message["type"] == "http.response.body":
            self.body += message.get("body", b"")


@lru_cache(maxsize=256)
def _place(address: str) -> tuple[dict[str, Any], bytes]:
    """The part of a request's scope that its URL makes, never to be changed; and the Host header."""
    url = httpx2.URL(address)
    path, _, query = url.raw_path.partition(b"?")
    scope = {
        "type": "http",
        # From this version on, an application that streams does not listen for a disconnect meanwhile: ours
        # would hear of one at once.
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "scheme": url.scheme,
        "path": url.path,
        "raw_path": path,
        "query_string": query,
        "root_path": "",
        "server": (url.host, url.port),
        "client": ("127.0.0.1", 0),
    }
    return scope, url.netloc
