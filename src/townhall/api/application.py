"""The REST API 2010-04-01 as one ASGI application: every request passes the door, and no answer is anything
but JSON (recordings' sound aside), also when the fault is ours.

Paths end in `.json`; without a suffix they mean the same (Twilio answers XML there, which we do not write).
"""

import logging
import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Mount, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from townhall.api import (
    accounts,
    applications,
    calls,
    conferences,
    keys,
    levels,
    notifications,
    numbers,
    participants,
    queues,
    recordings,
)
from townhall.api.auth import Doorkeeper
from townhall.api.engine import Engine, sentence
from townhall.api.errors import APIError, error_response, not_found
from townhall.errors import TownhallError
from townhall.store import DuplicateError, PageTokenError, UnknownRecordError

log = logging.getLogger(__name__)

RESOURCES = (
    accounts,
    applications,
    calls,
    conferences,
    keys,
    levels,
    notifications,
    numbers,
    participants,
    queues,
    recordings,
)


class APIMount(Mount):
    """Takes every path below its own; Starlette's leaves those with a line feed to others."""

    def __init__(self, path: str, app: ASGIApp) -> None:
        super().__init__(path, app)
        self.path_regex = re.compile(self.path_regex.pattern, re.DOTALL)


def create_api(engine: Engine) -> ASGIApp:
    """The application, to be mounted at `/2010-04-01`."""
    return _API(engine)


class _API:
    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._door = Doorkeeper(
            engine.account_sid,
            engine.auth_token,
            engine.store.api_keys.verify,
            requests_per_s=engine.requests_per_s,
        )
        self._router = Router(
            [route for resource in RESOURCES for route in resource.ROUTES], redirect_slashes=False
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            raise RuntimeError(f"the API speaks HTTP, not {scope['type']}")
        response: Response | None = None
        started = False

        async def watched(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            inner = {"app": self, **scope, "townhall.path": scope["path"], "townhall.engine": self._engine}
            inner["townhall.client"] = await self._door.admit(Request(scope, receive))
            inner["path"] = scope["path"].removesuffix(".json")
            await self._router(inner, receive, watched)
        except APIError as error:
            response = error_response(error)
        except HTTPException as error:
            response = error_response(_of_http(error, scope))
        except TownhallError as error:
            response = error_response(_of_room(error))
        except Exception:
            log.exception("%s %s failed by a fault of the server", scope["method"], scope["path"])
            response = error_response(
                APIError(20500, "The server could not do this by a fault of its own; its log says why")
            )
        if response is not None and not started:
            await response(scope, receive, send)


def _of_room(error: TownhallError) -> APIError:
    """What a room below refuses and no resource has a number of its own for."""
    for kind, code in ((PageTokenError, 21481), (UnknownRecordError, 20404), (DuplicateError, 20409)):
        if isinstance(error, kind):
            return APIError(code, sentence(str(error)))
    return APIError(20001, sentence(str(error)))


def _of_http(error: HTTPException, scope: Scope) -> APIError:
    if error.status_code == 405:
        allowed = dict(error.headers or {}).get("Allow", "")
        return APIError(
            20004,
            f"{scope['method']} is not allowed here; send {allowed}",
            headers=error.headers,
        )
    return not_found(scope["path"])
