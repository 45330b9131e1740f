"""What the API answers when it refuses: Twilio's numbers, the HTTP status of each, and the JSON of an error.

One table says which status belongs to a number. Twilio's pages name the number and the cause, rarely the
status: 16022 and 16028 are 404 here, all other numbers of conferences 400.
"""

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from townhall.errors import TownhallError

STATUS: Mapping[int, int] = {
    20001: 400,  # a parameter is wrong
    20002: 400,  # FriendlyName
    20003: 401,  # not authenticated
    20004: 405,  # method
    20006: 403,  # access denied
    20007: 400,  # PageSize
    20009: 409,  # cannot be deleted yet
    20404: 404,  # not found
    20409: 409,  # conflict
    20429: 429,  # too many requests
    20500: 500,  # a fault of ours
    20503: 503,  # not now
    10004: 429,  # as many calls as the server takes
    16022: 404,  # no such live conference
    16028: 404,  # no such participant
}
"""Numbers that are not here are answered with 400."""

LONGEST_PATH_SHOWN = 300
MORE_INFO = "https://www.twilio.com/docs/errors/{}"


class APIError(TownhallError):
    """A request is refused; `code` is Twilio's number, `status` the HTTP status that belongs to it."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        status: int | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status or STATUS.get(code, 400)
        self.headers = dict(headers or {})


def not_found(path: str) -> APIError:
    """20404 in Twilio's words; `path` is what was asked for, its beginning where it is long."""
    path = path if len(path) <= LONGEST_PATH_SHOWN else f"{path[:LONGEST_PATH_SHOWN]}…"
    return APIError(20404, f"The requested resource {path} was not found")


def error_response(error: APIError) -> Response:
    body = {
        "code": error.code,
        "message": error.message,
        "more_info": MORE_INFO.format(error.code),
        "status": error.status,
    }
    return Response(
        msgspec.json.encode(body),
        status_code=error.status,
        headers=error.headers,
        media_type="application/json",
    )
