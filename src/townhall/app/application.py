"""The webhook endpoints: who calls, which line, which document. Every decision about words is in `documents`.

The path of a call, as in Twilio's how-to for moderated conferences: `menu` asks and posts the key back to
itself; the answer redirects to `role/…`; a role with a PIN asks for it and posts it to `pin/…`; the role's
document dials the conference, and `left` is its action.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable
from ipaddress import IPv6Address, ip_address
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from townhall.app import documents
from townhall.app.attendance import Attendance, Nobody
from townhall.app.guessing import Guess, GuessGuard, PinGuard
from townhall.app.lines import ROLES, Line, LineBook, Role, dialled_number
from townhall.app.signed import Parameters, SignatureCheck

log = logging.getLogger(__name__)

MAX_WRONG_KEYS = 9
MAX_WRONG_PINS = 3
"""A call's own limit; the guard's limits hold across calls."""
WITHHELD = {"", "anonymous", "restricted", "unavailable", "unknown", "private", "blocked", "+266696687"}
"""What `From` says when the caller's number is withheld; the last is "anonymous" spelled on a keypad."""

FULL = "ServerFull"
"""A parameter of Townhall's own, beside Twilio's: this call is taken only to be told that there is no room.
Lines that want it told in words are asked; Twilio, which is never full, never asks.
"""

_PAGE = "client:web_"
"""Who calls from the phone page (`townhall.console.phone`)."""

Document = Callable[[Line, Parameters, str], Awaitable[str]]
Endpoint = Callable[[Request], Awaitable[Response]]


def create_app(
    lines: LineBook,
    auth_token: str,
    base_url: str,
    guard: GuessGuard | None = None,
    *,
    console_url: str | None = None,
    attendance: Attendance | None = None,
) -> ASGIApp:
    """The conference application as an ASGI application, to be mounted anywhere.

    `auth_token` is the key that requests are signed with. `base_url` is the server's public address as it
    stands in webhook URLs, such as `https://calls.example.com`, without the path that the application is
    mounted at. `console_url` gets the status callbacks of conferences and their recordings; `attendance` is
    told who calls, and in which role.
    """
    attendance = attendance or Nobody()
    flow = _Flow(guard or PinGuard(auth_token), attendance, console_url)
    check = SignatureCheck(auth_token, base_url)
    prefix = urlsplit(base_url).path.rstrip("/")

    def endpoint(document: Document) -> Endpoint:
        async def answer(request: Request) -> Response:
            parameters = await check.parameters(request)
            line = await lines.get(dialled_number(parameters.get("To", "")))
            if line is None:
                log.warning("call %s: there is no line %s", *_said(parameters, "CallSid", "To"))
                return _twiml(documents.no_such_line())
            caller, name = parameters.get("From", ""), _name(parameters)
            attendance.called(parameters.get("CallSid", ""), caller, line.number, name)
            links = prefix + str(request.scope.get("root_path", ""))
            return _twiml(await document(line, parameters, links))

        return answer

    routes: list[tuple[str, Document]] = [("/menu", flow.menu), ("/left", flow.left)]
    routes += [(f"/role/{role}", flow.role(role)) for role in ROLES]
    routes += [(f"/pin/{role}", flow.pin(role)) for role in ROLES]
    return _Application({path: endpoint(document) for path, document in routes})


class _Application:
    """Answers at once what has a document; Starlette, whose way to it costs as much again, says what to think
    of all else.
    """

    def __init__(self, endpoints: dict[str, Endpoint]) -> None:
        self._endpoints = endpoints
        methods = ["GET", "POST"]
        routes = [Route(path, endpoint, methods=methods) for path, endpoint in endpoints.items()]
        self._others = Starlette(routes=routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "POST"):
            return await self._others(scope, receive, send)
        endpoint = self._endpoints.get(scope["path"].removeprefix(scope.get("root_path", "")))
        if endpoint is None:
            return await self._others(scope, receive, send)
        request = Request(scope, receive, send)
        try:
            response = await endpoint(request)
        except HTTPException as refusal:
            response = PlainTextResponse(refusal.detail, refusal.status_code)
        await response(scope, receive, send)


class _Flow:
    """One method for each document: the line, the request's parameters and where links start, to TwiML."""

    def __init__(self, guard: GuessGuard, attendance: Attendance, console_url: str | None) -> None:
        self._guard = guard
        self._attendance = attendance
        self._console_url = console_url

    async def menu(self, line: Line, parameters: Parameters, links: str) -> str:
        digits = parameters.get("Digits", "")
        wrong_keys = _count(parameters)
        if FULL in parameters:
            return documents.farewell(line, "full")
        if not digits:
            return documents.menu(line, links, wrong_keys)
        if role := documents.KEYS.get(digits):
            log.info("call %s: %s of line %s", *_said(parameters, "CallSid"), role, line.number)
            return documents.redirect(links, role)
        if wrong_keys >= MAX_WRONG_KEYS:
            return documents.farewell(line, "give_up")
        return documents.menu(line, links, wrong_keys + 1)

    def role(self, role: Role) -> Document:
        async def document(line: Line, parameters: Parameters, links: str) -> str:
            if not line.pin(role):
                return self._join(line, links, role, parameters)
            wait_s = await self._guard.wait_s(_guess(line, role, parameters))
            if wait_s > 0:
                return documents.wait(line, wait_s)
            return documents.ask_pin(line, links, role)

        return document

    def pin(self, role: Role) -> Document:
        async def document(line: Line, parameters: Parameters, links: str) -> str:
            pin = line.pin(role)
            if not pin:
                return self._join(line, links, role, parameters)
            entered = parameters.get("Digits", "")
            wrong_pins = _count(parameters)
            if not entered:
                return documents.ask_pin(line, links, role, wrong_pins)
            right = hmac.compare_digest(entered.encode(), pin.encode())
            verdict = await self._guard.judge(_guess(line, role, parameters), right)
            if verdict.outcome == "right":
                return self._join(line, links, role, parameters)
            log.warning("call %s: %s PIN %s", *_said(parameters, "CallSid"), role, verdict.outcome)
            if verdict.wait_s > 0:
                return documents.wait(line, verdict.wait_s)
            if wrong_pins + 1 >= MAX_WRONG_PINS:
                return documents.farewell(line, "give_up")
            return documents.ask_pin(line, links, role, wrong_pins + 1)

        return document

    def _join(self, line: Line, links: str, role: Role, parameters: Parameters) -> str:
        self._attendance.took_role(
            parameters.get("CallSid", ""), parameters.get("From", ""), line.number, role
        )
        return documents.conference(line, links, role, self._console_url)

    async def left(self, line: Line, parameters: Parameters, links: str) -> str:
        joined = parameters.get("DialCallStatus", "answered") in ("answered", "completed")
        return documents.farewell(line, "thanks" if joined else "not_joined")


def _guess(line: Line, role: Role, parameters: Parameters) -> Guess:
    return Guess(line.number, role, line.pin(role) or "", _caller(parameters))


def _caller(parameters: Parameters) -> str:
    """Who calls, as well as can be known; empty when the number is withheld."""
    caller = parameters.get("From", "").strip()
    user = dialled_number(caller).lower()
    if user in WITHHELD:
        return ""
    if caller.lower().startswith(("sip:", "sips:")):
        host = caller.partition("@")[2].partition(";")[0].lower()
        return f"{user}@{host} {parameters.get('SipSourceIp', '')}"
    if caller.startswith(_PAGE):
        # A page's name is made up anew each time: guesses are counted by where it is.
        return f"web {_network(parameters.get('ClientSourceIp', ''))}"
    return caller


def _network(host: str) -> str:
    """The address; of IPv6 the network, for one house has as many addresses as it likes."""
    try:
        address = ip_address(host)
    except ValueError:
        return host
    return str(int(address) >> 64) if isinstance(address, IPv6Address) else host


def _name(parameters: Parameters) -> str:
    """What the caller is called: by himself on a page that can say so, or by the telephone network."""
    return parameters.get("Name") or parameters.get("CallerName") or ""


def _count(parameters: Parameters) -> int:
    """How often the caller was wrong in this call. It comes back in a URL of ours, so the signature covers
    it, and it stands before what a browser's page may have put into the form.
    """
    wrong = next(iter(parameters.getlist("wrong")), "0")
    return int(wrong) if wrong.isascii() and wrong.isdigit() and len(wrong) < 3 else 0


def _said(parameters: Parameters, *names: str) -> list[str]:
    return [ascii(parameters.get(name, ""))[1:-1][:100] for name in names]


def _twiml(document: str) -> Response:
    return Response(document, media_type="text/xml")
