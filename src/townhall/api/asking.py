"""One request to the API: who asks, for what, with which parameters; and how resources state their routes."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from townhall.api.auth import Client
from townhall.api.engine import Engine
from townhall.api.errors import APIError, not_found
from townhall.api.params import Parameters, read_form, read_query
from townhall.api.render import account_uri


@dataclass(frozen=True, slots=True)
class Ask:
    engine: Engine
    client: Client
    request: Request

    @property
    def query(self) -> Parameters:
        return read_query(self.request)

    async def form(self) -> Parameters:
        return await read_form(self.request)

    def named(self, name: str) -> str:
        """A part of the path, decoded."""
        return str(self.request.path_params[name])

    def uri(self, *parts: str) -> str:
        return account_uri(self.engine.account_sid, *parts)

    def not_found(self) -> APIError:
        """The thing that the path names does not exist."""
        return not_found(self.path)

    @property
    def path(self) -> str:
        """What was asked for, with its suffix."""
        return str(self.request.scope["townhall.path"])

    def for_the_account_alone(self) -> None:
        """Raises `APIError` 20006 for a standard API key."""
        if self.client.standard:
            raise APIError(20006, "An API key may not do this; use the Account SID and its auth token")


Handler = Callable[[Ask], Awaitable[Response]]


def route(
    path: str, *, get: Handler | None = None, post: Handler | None = None, delete: Handler | None = None
) -> Route:
    """A path below `/Accounts/{account}`, and what each method does there."""
    handlers = {
        name: handler for name, handler in (("GET", get), ("POST", post), ("DELETE", delete)) if handler
    }

    async def endpoint(request: Request) -> Response:
        handler = handlers["GET" if request.method == "HEAD" else request.method]
        ask = Ask(request.scope["townhall.engine"], request.scope["townhall.client"], request)
        if "account" in request.path_params and ask.named("account") != ask.engine.account_sid:
            raise ask.not_found()
        return await handler(ask)

    return Route(path, endpoint, methods=list(handlers))
