"""Signing in and out.

A line's moderator signs in with the PIN that also lets him moderate by phone, so guesses here and there stand
on one account (`townhall.app.guessing`): per source and per line, across sources and restarts. The operator's
password is guarded per source in the same way; it has too many possibilities to be guessed by many.
"""

import hmac
import logging
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from townhall.app import Guess, GuessGuard, Line
from townhall.console.desk import Desk, clean
from townhall.console.door import Door, json_body, source_of, text_in
from townhall.console.limits import Bucket
from townhall.console.refusals import PRIVATE, Refusal, bad
from townhall.console.sessions import Session, SessionRole

log = logging.getLogger(__name__)

LONGEST_NAME = 40
LONGEST_SECRET = 128
ATTEMPTS = (1.0, 20.0)
"""Of one source, rightly or wrongly: a second in the long run, and at once."""
ATTEMPTS_IN_ALL = (20.0, 200.0)
"""Of all sources together, so that many of them cost no more than this."""


class SignIn:
    """`refresh_lines` reads the lines anew; `on_change` is told when somebody was signed out."""

    def __init__(
        self,
        desk: Desk,
        door: Door,
        guard: GuessGuard,
        *,
        refresh_lines: Callable[[], Awaitable[None]],
        on_change: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._door = door
        self._guard = guard
        self._refresh_lines = refresh_lines
        self._on_change = on_change
        self._attempts = Bucket(*ATTEMPTS)
        self._attempts_in_all = Bucket(*ATTEMPTS_IN_ALL)

    def routes(self) -> list[Route]:
        return [
            Route("/console/session", self.tell, methods=["GET"]),
            Route("/console/sign-in", self.enter, methods=["POST"]),
            Route("/console/sign-out", self.leave, methods=["POST"]),
        ]

    async def tell(self, request: Request) -> Response:
        await self._refresh_lines()
        try:
            session = await self._door.session(request, self._desk.now_ms())
        except Refusal:
            return JSONResponse(self._shape(None), headers=PRIVATE)
        return JSONResponse(self._shape(session), headers=PRIVATE)

    async def enter(self, request: Request) -> Response:
        self._door.check_origin(request)
        self._limit(source_of(request))
        body = await json_body(request)
        await self._refresh_lines()
        name = clean(text_in(body, "name", LONGEST_NAME, required=False), LONGEST_NAME)
        if "password" in body:
            session = await self._as_operator(request, text_in(body, "password", LONGEST_SECRET), name)
        elif "line" in body and "pin" in body:
            line, pin = text_in(body, "line", LONGEST_SECRET), text_in(body, "pin", LONGEST_SECRET)
            session = await self._as_moderator(request, line, pin, name)
        else:
            raise bad("Send line and pin, or password.")
        response = JSONResponse(self._shape(session), headers=PRIVATE)
        self._door.let_in(request, response, session)
        log.info("%s signed in to the console%s", session.role, f", line {session.line}" * bool(session.line))
        return response

    async def leave(self, request: Request) -> Response:
        session = await self._door.session(request, self._desk.now_ms())
        self._door.check_origin(request)
        self._door.check_token(request, session)
        self._door.sessions.sign_out(session)
        self._on_change()
        response = Response(status_code=204, headers=PRIVATE)
        self._door.let_out(request, response)
        return response

    # ---- who it is ----

    async def _as_moderator(self, request: Request, number: str, pin: str, name: str) -> Session:
        line = await self._door.line(number)
        wrong = Refusal("wrong-pin", f"This is not the moderator PIN of line {number[:32]}.")
        if line is None:
            raise wrong  # which lines there are is no secret; the guard keeps an account of each for ever
        right = line.pin("moderator")
        if not right:
            raise Refusal(
                "no-pin", f"Line {number} has no moderator PIN, so only the operator moderates it here."
            )
        fits = hmac.compare_digest(pin.encode(), right.encode())
        await self._judge(Guess(number, "moderator", right, f"web {source_of(request)}"), fits, wrong)
        return self._open("moderator", name or "Moderator", number, right)

    async def _as_operator(self, request: Request, password: str, name: str) -> Session:
        known = await self._door.known("operator", "") or ""
        fits = hmac.compare_digest(password.encode(), known.encode()) and bool(known)
        wrong = Refusal("wrong-password", "This is not the operator's password.")
        await self._judge(Guess("operator", "moderator", known, f"web {source_of(request)}"), fits, wrong)
        return self._open("operator", name or "Operator", "", known)

    async def _judge(self, guess: Guess, fits: bool, wrong: Refusal) -> None:
        verdict = await self._guard.judge(guess, fits)
        if verdict.outcome == "right":
            return
        log.warning("console: %s for %s %s", wrong.code, ascii(guess.line), verdict.outcome)
        if verdict.outcome == "refused":
            raise Refusal(
                "too-many", "There were too many wrong guesses. Wait, then try again.", wait_s=verdict.wait_s
            )
        wrong.wait_s = verdict.wait_s
        raise wrong

    def _open(self, role: SessionRole, name: str, line: str, known: str) -> Session:
        return self._door.sessions.open(role, name, line, known, self._desk.now_ms())

    def _limit(self, source: str) -> None:
        now = self._desk.now_ms() / 1000
        wait_s = self._attempts.take(source, now) or self._attempts_in_all.take("", now)
        if wait_s:
            raise Refusal("too-many", "There were too many attempts. Wait, then try again.", wait_s=wait_s)

    # ---- what the page is told ----

    def _shape(self, session: Session | None) -> dict[str, object]:
        lines = [self._line(line) for line in self._desk.lines]
        common = {"capabilities": self._desk.capabilities}
        if session is None:
            return {
                "signed_in": False,
                "role": None,
                "name": None,
                "line": None,
                "token": None,
                "expires_at_ms": None,
                **common,
                "lines": lines,
            }
        seen = [line for line in lines if session.role == "operator" or line["number"] == session.line]
        return {
            "signed_in": True,
            "role": session.role,
            "name": session.name,
            "line": seen[0] if session.line and seen else None,
            "token": self._door.sessions.token(session),
            "expires_at_ms": session.expires_at_ms,
            **common,
            "lines": seen,
        }

    def _line(self, line: Line) -> dict[str, object]:
        return {
            "number": line.number,
            "name": line.conference_name,
            "pin": bool(line.pin("moderator")),
        }
