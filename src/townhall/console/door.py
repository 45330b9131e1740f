"""Who sends a request, whether it comes from our own page, and what it says.

Another site's page can send requests with our cookie (CSRF), but it can neither look like ours (`Origin`,
`Sec-Fetch-Site`) nor send JSON without asking first, nor read the session's token. All three are checked.
"""

import json
from ipaddress import IPv6Address, ip_address
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from townhall.app import Line
from townhall.console.phone import is_same_origin
from townhall.console.refusals import Refusal, bad
from townhall.console.sessions import COOKIE, LASTS_MS, Session, Sessions
from townhall.console.settings import ConsoleSettings, LineBook

TOKEN_HEADER = "X-Townhall-Token"
MOST_BODY_BYTES = 16 * 1024
COOKIE_PATH = "/console"


class Door:
    def __init__(self, settings: ConsoleSettings, lines: LineBook, sessions: Sessions) -> None:
        self.sessions = sessions
        self._settings = settings
        self._lines = lines

    async def session(self, request: Request, now_ms: int) -> Session:
        """Who is signed in; raises `Refusal` `signed-out`."""
        session = self.sessions.read(request.cookies.get(COOKIE, ""), now_ms)
        if session is None or not await self.is_current(session):
            raise Refusal("signed-out", "You are signed out. Sign in again.")
        return session

    async def is_current(self, session: Session) -> bool:
        """Whether the PIN or password that opened it is still the one."""
        known = await self.known(session.role, session.line)
        return known is not None and self.sessions.still_knows(session, known)

    async def known(self, role: str, line: str) -> str | None:
        """The password of the operator, or the moderator PIN of a line; None: it has none."""
        if role == "operator":
            return self._settings.operator_password
        found = await self.line(line)
        return found.pin("moderator") if found else None

    async def line(self, number: str) -> Line | None:
        """The line of this number, be it new."""
        return await self._lines.get(number)

    def check_origin(self, request: Request) -> None:
        """Raises `Refusal` `cross-site`."""
        if not is_same_origin(request, self._settings.base_url):
            raise Refusal("cross-site", "Only the console's own page may ask for this.")

    def check_token(self, request: Request, session: Session) -> None:
        """Raises `Refusal` `cross-site`."""
        if not self.sessions.is_token(session, request.headers.get(TOKEN_HEADER, "")):
            raise Refusal("cross-site", "The request lacks this session's token. Load the page anew.")

    def let_in(self, request: Request, response: Response, session: Session) -> None:
        response.set_cookie(
            COOKIE,
            self.sessions.cookie(session),
            max_age=LASTS_MS // 1000,
            path=COOKIE_PATH,
            secure=_is_secure(request),
            httponly=True,
            samesite="strict",
        )

    def let_out(self, request: Request, response: Response) -> None:
        secure = _is_secure(request)
        response.delete_cookie(COOKIE, path=COOKIE_PATH, secure=secure, httponly=True, samesite="strict")


def _is_secure(request: Request) -> bool:
    """Whether the page was had by https, be it through a proxy; the one address may be both."""
    return request.url.scheme == "https" or request.headers.get("origin", "").startswith("https:")


async def json_body(request: Request) -> dict[str, Any]:
    """The JSON object that was posted; raises `Refusal`."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise bad("The body must be JSON, sent as application/json.")
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BODY_BYTES:
            raise Refusal("too-large", f"The body may have {MOST_BODY_BYTES} bytes.")
    try:
        read = json.loads(body)
    except (ValueError, RecursionError):
        raise bad("The body is no JSON.") from None
    if not isinstance(read, dict):
        raise bad("The body must be a JSON object.")
    return read


def text_in(body: dict[str, Any], name: str, most: int, *, required: bool = True) -> str:
    """A word of the body, without white space around it; raises `Refusal`."""
    value = body.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or len(value) > most or (required and not value.strip()):
        raise bad(f"{name} must be a text of at most {most} characters.")
    if any((ord(c) < 32 and c not in "\n\t") or 0xD800 <= ord(c) <= 0xDFFF for c in value):
        raise bad(f"{name} holds characters that are no text.")
    return value.strip()


def source_of(request: Request) -> str:
    """Where a request comes from; of IPv6 the network, for one house has as many addresses as it likes."""
    host = request.client.host if request.client else ""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else host
