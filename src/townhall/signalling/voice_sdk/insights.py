"""The event gateway: where the SDK sends what it measures, from any page's origin. Read, counted, thrown
away.

Bodies are read up to a bound and never kept, so it takes no token.
"""

from __future__ import annotations

from starlette.types import Receive, Scope, Send

PATHS = ("/v4/EndpointEvents", "/v4/EndpointMetrics")
LARGEST_BODY = 262_144
_CORS = [
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"POST, OPTIONS"),
    (b"access-control-allow-headers", b"content-type, x-twilio-token"),
    (b"access-control-max-age", b"86400"),
    (b"cache-control", b"no-store"),
]


class Insights:
    """An ASGI application for addresses that end in one of `PATHS`, be it in the query (see `home`)."""

    def __init__(self) -> None:
        self.received = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if not is_insights(scope):
            await _respond(send, 404)
        elif scope["method"] == "OPTIONS":
            await _respond(send, 204)
        elif scope["method"] != "POST":
            await _respond(send, 405)
        elif not await _swallow(receive):
            await _respond(send, 413)
        else:
            self.received += 1
            await _respond(send, 200, b"{}")


def is_insights(scope: Scope) -> bool:
    """Whether this is a request to the event gateway."""
    if scope["type"] != "http":
        return False
    path: str = scope["path"]
    query: str = scope.get("query_string", b"").decode("latin-1")
    return path.endswith(PATHS) or query.endswith(PATHS)


async def _swallow(receive: Receive) -> bool:
    """Read the body away; False: it is too large, or its sender is gone."""
    size, more = 0, True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return False
        size += len(message.get("body", b""))
        more = message.get("more_body", False)
        if size > LARGEST_BODY:
            return False
    return True


async def _respond(send: Send, status: int, body: bytes = b"") -> None:
    headers = [*_CORS, (b"content-length", str(len(body)).encode())]
    if body:
        headers.append((b"content-type", b"application/json"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
