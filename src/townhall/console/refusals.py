"""Why a request is refused, as every endpoint says it."""

import math

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

PRIVATE = {"Cache-Control": "no-store"}

_STATUS = {
    "bad-request": 400,
    "signed-out": 401,
    "wrong-pin": 401,
    "wrong-password": 401,
    "no-pin": 403,
    "cross-site": 403,
    "forbidden": 403,
    "not-found": 404,
    "refused": 409,
    "over": 409,
    "too-large": 413,
    "too-many": 429,
    "not-supported": 501,
    "engine": 502,
}


class Refusal(Exception):
    """Nothing was done; `code` is one of docs/reference/console-api.md, `message` a sentence for people."""

    def __init__(
        self, code: str, message: str, *, wait_s: float = 0.0, twilio_code: int | None = None
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.wait_s = wait_s
        self.twilio_code = twilio_code

    def response(self) -> Response:
        wait = math.ceil(self.wait_s) or None
        error = {
            "code": self.code,
            "message": self.message,
            "wait_s": wait,
            "twilio_code": self.twilio_code,
        }
        headers = PRIVATE | ({"Retry-After": str(wait)} if wait else {})
        return JSONResponse({"error": error}, _STATUS[self.code], headers=headers)


async def on_refusal(request: Request, error: Exception) -> Response:
    """For Starlette's `exception_handlers`."""
    assert isinstance(error, Refusal)
    return error.response()


async def on_http_error(request: Request, error: Exception) -> Response:
    """What Starlette, or the check of a signature, refuses."""
    assert isinstance(error, HTTPException)
    code = {404: "not-found", 405: "bad-request", 413: "too-large", 403: "forbidden"}.get(
        error.status_code, "bad-request"
    )
    said = "There is nothing here." if error.status_code == 404 else error.detail
    response = Refusal(code, said).response()
    response.status_code = error.status_code
    return response


def bad(message: str) -> Refusal:
    return Refusal("bad-request", message)
