"""The console's middle: facts go in here, and out to the journal and to the live streams.

Everything that is learned, whoever learned it (callbacks, lists of the REST API, what a moderator did),
passes `learn`, so model, journal and pages always agree.
"""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence

from townhall.app import Line
from townhall.app.lines import dialled_number
from townhall.console import wire
from townhall.console.archive import MOST_KEPT, Archive
from townhall.console.facts import (
    Ended,
    Fact,
    Joined,
    Kind,
    Left,
    MutedAll,
    Named,
    Noted,
    Opened,
    Role,
    Rung,
    TookRole,
)
from townhall.console.feed import Feed
from townhall.console.hall import MOST_ENDED, Hall
from townhall.console.phrases import names_of, phrase_of_action
from townhall.console.room import Room
from townhall.console.sessions import Session

log = logging.getLogger(__name__)

FLUSH_EVERY_S = 0.1
WRITE_EVERY = 5
"""So many flushes between two writes of the journal."""
LONGEST_NAME = 64
LONGEST_NUMBER = 128


class Desk:
    """`clock`: seconds since 1970. `engine_has`: capabilities beyond Twilio's."""

    def __init__(
        self,
        archive: Archive,
        *,
        levels: bool,
        lock: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.hall = Hall()
        self.feed = Feed(secrets.token_hex(4))
        self.archive = archive
        self.capabilities = {"levels": levels, "lock": lock}
        self.lines: Sequence[Line] = ()
        self.past: deque[wire.Shape] = deque(maxlen=MOST_KEPT)
        """Summaries of ended conferences that are no longer in memory whole, the latest first."""
        self.on_learned: Callable[[Room, Fact], None] = lambda room, fact: None
        """Told of every fact that was news, after it was taken in."""
        self._clock = clock
        self._wakers: set[asyncio.Event] = set()
        self._dirty = asyncio.Event()

    def now_ms(self) -> int:
        return int(self._clock() * 1000)

    # ---- in ----

    def open(self, sid: str, name: str, at_ms: int | None = None) -> Room | None:
        """The conference, made known if it was not; None when there are too many."""
        lines = tuple(line.number for line in self.lines if line.conference_name == name)
        self.learn(sid, Opened(at_ms or self.now_ms(), sid, name, lines))
        return self.hall.rooms.get(sid)

    def learn(self, sid: str, fact: Fact) -> bool:
        """Take in a fact; False: it told nothing new."""
        kept = self.hall.learn(sid, fact)
        room = self.hall.rooms.get(sid)
        for one in kept:
            self.archive.keep(sid, one)
        if kept and room is not None:
            self._dirty.set()
            for one in kept:
                self._date(room, one)
                if isinstance(one, Ended):
                    self.archive.keep_summary(sid, wire.conference(room))
                self.on_learned(room, one)
        return bool(kept)

    def _date(self, room: Room, fact: Fact) -> None:
        """Write down when it was heard: the engine's clock may not be ours."""
        if isinstance(fact, Joined | Left | Rung):
            room.people[fact.call_sid].heard_of_ms = self.now_ms()
        elif isinstance(fact, Opened) and not room.heard_of_ms and not room.people:
            room.heard_of_ms = self.now_ms()

    def expect(self, fact: Named | TookRole) -> None:
        told = self.hall.expect(fact)
        if told is not None:
            self.archive.keep(*told)
            self._dirty.set()

    # ---- the application's port (`townhall.app.Attendance`) ----

    def called(self, call_sid: str, caller: str, line: str, name: str = "") -> None:
        """A call has reached a line."""
        self.expect(who_calls(self.now_ms(), call_sid, caller, name))

    def took_role(self, call_sid: str, caller: str, line: str, role: Role) -> None:
        """A caller goes into the line's conference in this role."""
        now_ms = self.now_ms()
        self.expect(who_calls(now_ms, call_sid, caller))
        self.expect(TookRole(now_ms, call_sid, role))

    # ---- out ----

    def act(
        self, room: Room, session: Session, action: str, call_sids: Sequence[str] = (), detail: str = ""
    ) -> None:
        """Tell all moderators what one of them did."""
        people = [room.people[sid].shown for sid in call_sids if sid in room.people]
        whom = names_of(people) if people else "all"
        text = phrase_of_action(session.name, action, whom, detail)
        self.learn(
            room.sid,
            Noted(self.now_ms(), "action", text, session.name, action, tuple(call_sids)),
        )

    def snapshot(self, session: Session) -> wire.Shape:
        live = [room for room in self.hall.live() if session.sees(room.lines)]
        ended = self.ended(session)[:MOST_ENDED]
        return wire.snapshot(live, ended, self.capabilities, self.now_ms())

    def ended(self, session: Session) -> list[wire.Shape]:
        """Conferences that are over, the latest first, as far as this session may see them."""
        whole = [wire.conference(room) for room in self.hall.ended()]
        known = {shape["sid"] for shape in whole}
        shapes = [*whole, *(shape for shape in self.past if shape["sid"] not in known)]
        return [shape for shape in shapes if session.sees(tuple(shape["lines"]))]

    def flush(self) -> None:
        """Tell the streams what has changed."""
        self.flush_into_feed()
        self.wake()

    def flush_into_feed(self) -> None:
        now_ms = self.now_ms()
        for room in self.hall.rooms.values():
            if room.changes:
                for event, data in wire.feed_of(room, now_ms):
                    self.feed.tell(event, data, room.lines)
        for room in self.hall.removed:
            self.past.appendleft(wire.conference(room))
            gone = {"now_ms": now_ms, "conference_sids": [room.sid]}
            self.feed.tell("removed", gone, room.lines)
        self.hall.removed.clear()

    def wake(self) -> None:
        for waker in self._wakers:
            waker.set()

    @contextlib.contextmanager
    def waking(self, waker: asyncio.Event) -> Iterator[None]:
        """Within this, `waker` is set whenever there may be something to send."""
        self._wakers.add(waker)
        try:
            yield
        finally:
            self._wakers.discard(waker)

    @property
    def watched(self) -> int:
        """How many streams are open."""
        return len(self._wakers)

    async def run(self) -> None:
        """Flush and write for as long as the console lives."""
        flushes = 0
        while True:
            await self._dirty.wait()
            self._dirty.clear()
            flushes += 1
            try:
                self.flush()
                if flushes % WRITE_EVERY == 0 or not self._dirty.is_set():
                    await self.archive.write()
            except Exception:
                log.exception("the console could not tell what has changed, by a fault of its own")
            await asyncio.sleep(FLUSH_EVERY_S)

    async def close(self) -> None:
        self.flush()
        await self.archive.write()

    def follow(self, room: Room, fact: Fact) -> bool:
        """Whether the rule "mute all" now applies to who has just come."""
        if not isinstance(fact, Joined) or not room.muted_all:
            return False
        person = room.people[fact.call_sid]
        return person.present and person.role != "moderator" and not person.muted

    def release(self, room: Room) -> list[str]:
        """Whom the rule has muted and nobody else."""
        return [person.call_sid for person in room.roster() if person.present and person.muted_by_rule]

    def rule(self, room: Room, on: bool) -> None:
        self.learn(room.sid, MutedAll(self.now_ms(), on))


def who_calls(at_ms: int, call_sid: str, caller: str, name: str = "") -> Named:
    """A caller's name and number as the roster shows them: `client:anna` has a name, `+1555…` a number."""
    scheme, separator, rest = caller.strip().partition(":")
    kind: Kind = "browser" if separator and scheme.lower() == "client" else "phone"
    number = "" if kind == "browser" else dialled_number(caller)
    identity = rest if kind == "browser" and not rest.startswith("web_") else ""
    return Named(at_ms, call_sid, clean(name or identity, LONGEST_NAME), clean(number, LONGEST_NUMBER), kind)


def clean(text: str, most: int) -> str:
    """A word from outside, on one line and not too long."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())[:most].strip()
