"""Asking the engine for what callbacks do not tell.

Callbacks come only for conferences whose first participant came by our application, and none come for what
was before this server started. So the lists are read: all conferences every few seconds, the participants of
those without callbacks as often, of the others once a minute, in case a callback was lost. Who a call is
comes from the list of calls, page by page, when somebody without name and number is about. Levels are asked
for while somebody watches, ten times a second and less often when there are many conferences.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from townhall.console.callbacks import NEAR_MS
from townhall.console.desk import Desk, who_calls
from townhall.console.facts import Changed, Ended, Joined, Left, Locked, Named, Rung, Started
from townhall.console.listed import ListedCall, ListedConference, ListedParticipant
from townhall.console.refusals import Refusal
from townhall.console.remote import Remote
from townhall.console.room import Room

log = logging.getLogger(__name__)

LOOK_EVERY_S = 5.0
LOOK_UNWATCHED_S = 30.0
CONFIRM_EVERY_S = 60.0
NAMES_EVERY_S = 3.0
LEVELS_EVERY_S = 0.1
LEVELS_AT_ONCE = 3
"""So many conferences are measured at the full rate; more share it."""
SPEAKING_DBOV = -90.0


class Watch:
    """`refresh_lines` reads the lines anew before conferences are matched with them."""

    def __init__(self, desk: Desk, remote: Remote, refresh_lines: Callable[[], Awaitable[None]]) -> None:
        self._desk = desk
        self._remote = remote
        self._refresh_lines = refresh_lines
        self._confirmed: dict[str, float] = {}
        self._nameless: set[str] = set()
        self._failing = False

    # ---- lists ----

    async def run(self) -> None:
        """Look again and again."""
        named_at = looked_at = 0.0
        while True:
            now = time.monotonic()
            if now - looked_at >= (LOOK_EVERY_S if self._desk.watched else LOOK_UNWATCHED_S):
                looked_at = now
                await self._guarded(self.look())
            elif now - named_at >= NAMES_EVERY_S:
                named_at = now
                await self._guarded(self.find_names())
            await asyncio.sleep(1.0)

    async def look(self) -> None:
        """Compare what is known with what the engine lists. Raises `Refusal`."""
        desk = self._desk
        await self._refresh_lines()
        asked_ms = desk.now_ms()
        listed = {one.sid: one for one in await self._remote.conferences()}
        for one in listed.values():
            room = desk.open(one.sid, one.name, one.created_at_ms)
            if room is None:
                continue
            if one.started:
                desk.learn(one.sid, Started(desk.now_ms()))
            if self._is_due(room):
                await self.look_into(room)
        for room in desk.hall.live():
            if room.sid not in listed and room.heard_of_ms < asked_ms:
                await self._is_over(room)
        self._confirmed = {sid: at for sid, at in self._confirmed.items() if sid in listed}

    async def look_into(self, room: Room) -> None:
        """Compare a conference's participants with the list of them."""
        desk, asked_ms = self._desk, self._desk.now_ms()
        listed = {one.call_sid: one for one in await self._remote.participants(room.sid)}
        self._confirmed[room.sid] = time.monotonic()
        for one in listed.values():
            self._compare(room, one, asked_ms)
        for person in room.roster():
            if person.call_sid not in listed and person.heard_of_ms < asked_ms:
                desk.learn(room.sid, Left(desk.now_ms(), person.call_sid))
        if desk.capabilities["lock"] and room.state != "ended":
            locked = await self._remote.is_locked(room.sid)
            if locked is not None:
                desk.learn(room.sid, Locked(desk.now_ms(), locked))

    def _compare(self, room: Room, one: ListedParticipant, asked_ms: int) -> None:
        desk, now_ms = self._desk, self._desk.now_ms()
        person = room.people.get(one.call_sid)
        if person is not None and person.heard_of_ms >= asked_ms:
            return  # he came or went while we asked
        if not one.connected:
            desk.learn(room.sid, Rung(now_ms, one.call_sid))
        elif person is None or not person.present:
            desk.learn(room.sid, Joined(one.joined_at_ms or now_ms, one.call_sid, one.flags))
        else:
            desk.learn(room.sid, Changed(now_ms, one.call_sid, one.flags))

    async def _is_over(self, room: Room) -> None:
        try:
            told = await self._remote.conference(room.sid)
        except Refusal as refusal:
            if refusal.code != "not-found":
                raise
            self._desk.learn(room.sid, Ended(self._desk.now_ms(), "lost"))
            return
        if told.ended_by is not None:
            reason = told.ended_by or "lost"
            at_ms = _end_of(told, room, self._desk.now_ms())
            self._desk.learn(room.sid, Ended(at_ms, reason, told.call_sid_ending))

    def _is_due(self, room: Room) -> bool:
        if not room.has_callbacks:
            return True
        return time.monotonic() - self._confirmed.get(room.sid, 0.0) >= CONFIRM_EVERY_S

    # ---- names ----

    async def find_names(self) -> None:
        """Find out who the calls are that nobody told us of. Raises `Refusal`."""
        wanted = {
            person.call_sid: room
            for room in self._desk.hall.live()
            for person in room.roster()
            if not (person.name or person.number)
        }
        self._nameless &= wanted.keys()
        if not wanted.keys() - self._nameless:
            return  # all others have been looked for: their numbers are withheld
        async for call in self._remote.calls():
            room = wanted.get(call.call_sid)
            if room is not None:
                self._desk.learn(room.sid, who_it_is(call, self._desk.now_ms()))
        self._nameless |= wanted.keys()

    # ---- levels ----

    async def run_levels(self) -> None:
        """Measure while somebody watches."""
        if not self._desk.capabilities["levels"]:
            return
        while True:
            rooms = [room for room in self._desk.hall.live() if room.state == "live" and room.present]
            if self._desk.watched and rooms:
                await self._guarded(self._measure(rooms))
            await asyncio.sleep(LEVELS_EVERY_S * max(1.0, len(rooms) / LEVELS_AT_ONCE))

    async def _measure(self, rooms: list[Room]) -> None:
        desk = self._desk
        for room in rooms:
            levels = await self._remote.levels(room.sid)
            heard = {sid: level for sid, level in levels.items() if level > SPEAKING_DBOV}
            if not heard and room.sid not in desk.feed.levels:
                continue
            data = {"now_ms": desk.now_ms(), "conference_sid": room.sid, "levels": heard}
            desk.feed.tell_levels(room.sid, data, room.lines)
        for sid in desk.feed.levels.keys() - {room.sid for room in rooms}:
            desk.feed.forget_levels(sid)
        desk.wake()

    async def _guarded(self, work: Awaitable[None]) -> None:
        """A fault of the engine's is told once, and the watch goes on."""
        try:
            await work
            self._failing = False
        except Refusal as refusal:
            if not self._failing and refusal.code not in ("not-found", "too-many"):
                log.warning("the console cannot read the engine's lists: %s", refusal.message)
                self._failing = True
        except Exception:
            log.exception("the console's watch failed by a fault of its own")
            await asyncio.sleep(LOOK_EVERY_S)


def _end_of(told: ListedConference, room: Room, now_ms: int) -> int:
    """When it ended: what the engine says where that is no moment ago, such as before a restart of ours."""
    ended_ms = told.ended_at_ms or now_ms
    return ended_ms if room.created_at_ms <= ended_ms < now_ms - NEAR_MS else now_ms


def who_it_is(call: ListedCall, at_ms: int) -> Named:
    """Of a call to us the caller, of one that we placed the called."""
    named = who_calls(at_ms, call.call_sid, call.to if call.outbound else call.from_, call.caller_name)
    return named
