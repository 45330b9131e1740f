"""The one HTTP port: the REST API, the conference application, the pages, and the browsers' signalling.

What is not there yet while the server starts answers 503 with Retry-After.
"""

from collections.abc import Callable

from starlette.applications import Starlette
from starlette.routing import Mount
from starlette.types import ASGIApp, Receive, Scope, Send

from townhall.api import APIError, APIMount, error_response
from townhall.api.health import Health, health_route
from townhall.signalling.voice_sdk import is_insights

APPLICATION_PATH = "/app"
API_PATH = "/2010-04-01"
_APPLICATION = f"{APPLICATION_PATH}/"
_CONSOLE = "/console/"


class Front:
    """An ASGI application. What it hands requests to is filled in as the server starts.

    `application`: the conference application. `api`: the REST API. `signal`: WebSockets. `gateway`: what the
    Voice SDK tells of its calls. `pages`: all else.
    """

    def __init__(self, health: Callable[[], Health]) -> None:
        self.application: ASGIApp | None = None
        self.api: ASGIApp | None = None
        self.signal: ASGIApp | None = None
        self.gateway: ASGIApp | None = None
        self.pages: ASGIApp | None = None
        self._http = Starlette(
            routes=[
                health_route(health),
                Mount(APPLICATION_PATH, self._answer_application),
                APIMount(API_PATH, self._answer_api),
                Mount("/", self._answer_page),
            ]
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "websocket":
            await self._answer_socket(scope, receive, send)
        elif is_insights(scope):
            await (self.gateway or _not_yet)(scope, receive, send)
        elif (
            scope["type"] == "http" and scope["path"].startswith(_APPLICATION) and not scope.get("root_path")
        ):
            # As the mount would do it, but every call comes this way several times.
            inner = {**scope, "app_root_path": "", "root_path": APPLICATION_PATH}
            await self._answer_application(inner, receive, send)
        elif scope["type"] == "http" and scope["path"].startswith(_CONSOLE) and not scope.get("root_path"):
            # Nor need a callback of each who comes and goes take the long way.
            await self._answer_page(scope, receive, send)
        else:
            await self._http(scope, receive, send)

    async def _answer_application(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.application or _not_yet)(scope, receive, send)

    async def _answer_api(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.api or _not_yet)(scope, receive, send)

    async def _answer_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        await (self.pages or _not_yet)(scope, receive, send)

    async def _answer_socket(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The Voice SDK's is the only WebSocket; it says itself what it thinks of the path."""
        if self.signal is None:
            await send({"type": "websocket.close", "code": 1013, "reason": "starting"})
        else:
            await self.signal(scope, receive, send)


async def _not_yet(scope: Scope, receive: Receive, send: Send) -> None:
    starting = APIError(20503, "The server is starting; try again", headers={"Retry-After": "1"})
    await error_response(starting)(scope, receive, send)
