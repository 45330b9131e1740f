"""`GET /health`: whether calls are taken, and how the server does, in figures without names."""

import time
from collections.abc import Callable

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from townhall.media.protocol import Stats


class Health(msgspec.Struct, frozen=True):
    """The answer's JSON. `status` is `ok` with HTTP 200, or `starting` / `stopping` with 503."""

    status: str
    version: str
    uptime_s: float
    sip: list[str]
    calls: int
    conferences: int
    media: Stats | None
    tasks: int = 0
    """Of the control process's event loop: a few of the server's own, and some for each call. Those that stay
    when all calls are over are a fault.
    """


def health_route(read: Callable[[], Health]) -> Route:
    async def health(request: Request) -> Response:
        now = read()
        return Response(
            msgspec.json.encode(now),
            status_code=200 if now.status == "ok" else 503,
            media_type="application/json",
        )

    return Route("/health", health, methods=["GET"])


class Uptime:
    def __init__(self) -> None:
        self._since = time.monotonic()

    def seconds(self) -> float:
        return round(time.monotonic() - self._since, 1)
