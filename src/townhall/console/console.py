"""The console put together: `create_console` gives an ASGI application for `/`, to be started and stopped."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Coroutine
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route
from twilio.rest import Client

from townhall.app import GuessGuard, PinGuard
from townhall.console.acting import Acting
from townhall.console.announcing import Announcements
from townhall.console.archive import Archive
from townhall.console.callbacks import callback_routes, secret_path
from townhall.console.conferences import Conferences
from townhall.console.desk import Desk
from townhall.console.door import Door
from townhall.console.facts import Fact
from townhall.console.pages import Pages, SafeHeaders
from townhall.console.phone import PhoneLine, PhoneLines, PhoneSettings, phone_routes
from townhall.console.recording import Recorder
from townhall.console.refusals import Refusal, on_http_error, on_refusal
from townhall.console.remote import Remote
from townhall.console.room import Room
from townhall.console.sessions import Sessions
from townhall.console.settings import ConsoleSettings, LineBook
from townhall.console.sign_in import SignIn
from townhall.console.stream import Streams
from townhall.console.watching import Watch

log = logging.getLogger(__name__)

LINES_EVERY_S = 0.1
"""How old the list of lines may be where it matters."""
SIGNED_OUT = "signed-out"
KEYS = (("1", "Listen"), ("2", "Speak"), ("3", "Moderate"))


class Console:
    """`app` is mounted at the root; `attendance` and `callback_url` go to the conference application."""

    def __init__(
        self,
        settings: ConsoleSettings,
        lines: LineBook,
        rest: Client,
        *,
        guard: GuessGuard | None = None,
        phone: PhoneSettings | None = None,
        phone_lines: PhoneLines | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        ours = settings.engine == "townhall"
        self._lines = lines
        self._lines_read_at = -LINES_EVERY_S
        self._reading_lines = asyncio.Lock()
        self._archive = Archive(settings.data_dir)
        self.desk = Desk(self._archive, levels=ours, lock=ours, clock=clock)
        self.attendance = self.desk
        """Told by the conference application who calls and in which role (`townhall.app.Attendance`)."""
        self.callback_url = settings.base_url + secret_path(settings.auth_token)
        self._sessions = Sessions(settings.auth_token)
        door = Door(settings, lines, self._sessions)
        self._remote = Remote(rest, settings.account_sid)
        self._recorder = Recorder(self.desk, self._remote, self.callback_url, whole=ours)
        announcements = Announcements(settings.auth_token, settings.base_url)
        self._acting = Acting(self.desk, self._remote, announcements, self._recorder, settings.caller_id)
        self._streams = Streams(self.desk, door)
        self._watch = Watch(self.desk, self._remote, self._refresh_lines)
        self._tasks: set[asyncio.Task[None]] = set()
        self._mending: set[str] = set()
        self.desk.on_learned = self._follow_up
        sign_in = SignIn(
            self.desk,
            door,
            guard or PinGuard(settings.auth_token),
            refresh_lines=self._refresh_lines,
            on_change=self._signed_somebody_out,
        )
        routes: list[Route] = [
            *Pages().routes(),
            *sign_in.routes(),
            Route("/console/events", self._streams.open, methods=["GET"]),
            *callback_routes(
                self.desk, settings.auth_token, settings.base_url, settings.account_sid, self._refresh_lines
            ),
            *announcements.routes(),
            *Conferences(self.desk, door, self._remote, self._acting).routes(),
        ]
        if phone is not None:
            routes += phone_routes(phone, phone_lines or _MenuLines(lines))
        self.app = Starlette(
            routes=routes,
            middleware=[Middleware(SafeHeaders)],
            exception_handlers={Refusal: on_refusal, HTTPException: on_http_error},
        )

    async def start(self) -> None:
        """Read what was kept, and begin to watch. The engine need not answer yet."""
        await self._archive.prepare()
        self._sessions.restore(await self._archive.kept_aside(SIGNED_OUT))
        self.desk.past.extend(await self._archive.summaries())
        for room in await self._archive.unfinished():
            self.desk.hall.adopt(room)
        await self._refresh_lines()
        self._begin(self.desk.run(), "console feed")
        self._begin(self._watch.run(), "console watch")
        self._begin(self._watch.run_levels(), "console levels")

    async def stop(self) -> None:
        """End the streams, write everything down."""
        self._streams.close()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self.desk.close()
        await self._archive.forget_old()

    async def look(self) -> None:
        """Compare what is known with what the engine lists, now. Raises `Refusal`."""
        await self._watch.look()

    async def find_names(self) -> None:
        """Find out who the nameless calls are, now. Raises `Refusal`."""
        await self._watch.find_names()

    def forget_lines(self) -> None:
        """Read the lines anew when they are needed next, however short ago that was."""
        self._lines_read_at = -LINES_EVERY_S

    def set_heartbeat(self, seconds: float) -> None:
        """How long a stream may be silent."""
        self._streams.heartbeat_s = seconds

    def _follow_up(self, room: Room, fact: Fact) -> None:
        """What a fact makes us do: mute a newcomer, record with another leg."""
        if self.desk.follow(room, fact):
            self._begin(self._mute_newcomer(room, fact.call_sid), "console mutes a newcomer")  # type: ignore[union-attr]
        if room.sid not in self._mending and self._recorder.is_lost(room, fact):
            self._mending.add(room.sid)
            self._begin(self._mend_recording(room), "console records on")

    async def _mute_newcomer(self, room: Room, call_sid: str) -> None:
        try:
            await self._acting.mute_newcomer(room, call_sid)
        except Refusal as refusal:
            log.warning(
                "console: %s came while all are muted and could not be: %s", call_sid, refusal.message
            )

    async def _mend_recording(self, room: Room) -> None:
        try:
            recording = room.recording
            if recording is not None:
                await self._recorder.go_on(room, recording)
        except Refusal as refusal:
            log.warning("console: the recording of %s could not go on: %s", room.sid, refusal.message)
        finally:
            self._mending.discard(room.sid)

    def _signed_somebody_out(self) -> None:
        self.desk.wake()
        kept = self._sessions.signed_out(self.desk.now_ms())
        self._begin(self._archive.keep_aside(SIGNED_OUT, kept), "console sign-outs")

    async def _refresh_lines(self) -> None:
        async with self._reading_lines:  # who comes meanwhile waits for what is read
            now = time.monotonic()
            if now - self._lines_read_at >= LINES_EVERY_S:
                self.desk.lines = tuple(await self._lines.list())
                self._lines_read_at = now

    def _begin(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        with contextlib.suppress(asyncio.CancelledError):
            if error := task.exception():
                log.error("%s ended by a fault of the server", task.get_name(), exc_info=error)


class _MenuLines:
    """The lines as the phone page offers them, with the menu's keys."""

    def __init__(self, lines: LineBook) -> None:
        self._lines = lines

    async def phone_lines(self) -> list[PhoneLine]:
        return [PhoneLine(line.number, line.conference_name, KEYS) for line in await self._lines.list()]


def create_console(
    settings: ConsoleSettings,
    lines: LineBook,
    rest: Client,
    *,
    guard: GuessGuard | None = None,
    phone: PhoneSettings | None = None,
    phone_lines: PhoneLines | None = None,
    clock: Callable[[], float] = time.time,
) -> Console:
    """The console, to be mounted at `/` after everything else, started and stopped.

    `rest`: see `rest_client`. `guard`: the one that the conference application has, so that guesses by phone
    and here are counted together; default: one of its own. `phone`: what the phone page's tokens are made
    with; without it there is no browser phone. `phone_lines`: default, all lines. `clock`: seconds since
    1970.
    """
    return Console(settings, lines, rest, guard=guard, phone=phone, phone_lines=phone_lines, clock=clock)
