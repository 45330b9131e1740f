"""Applications in our own process, reached without a network hop: same requests, same signatures."""

import logging
from typing import Any

import httpx2

_log = logging.getLogger(__name__)


class MountedTransport(httpx2.AsyncBaseTransport):
    """Hands requests to an ASGI application; what it raises is logged and becomes a 500."""

    def __init__(self, app: Any) -> None:
        self._asgi = httpx2.ASGITransport(app)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        try:
            return await self._asgi.handle_async_request(request)
        except Exception:
            _log.exception("the mounted application failed on %s %s", request.method, request.url.path)
            return httpx2.Response(500, stream=httpx2.ByteStream(b""))
