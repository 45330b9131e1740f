"""What is asked of a conference, live or over, and what is done to it."""

import re

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from townhall.console import attendance, wire
from townhall.console.acting import Acting, Order
from townhall.console.desk import Desk
from townhall.console.door import Door, json_body
from townhall.console.facts import Recorded
from townhall.console.limits import Bucket
from townhall.console.refusals import PRIVATE, Refusal
from townhall.console.remote import Remote
from townhall.console.room import Room
from townhall.console.sessions import Session
from townhall.console.sound import sound

MOST_LISTED = 200
ACTIONS = (10.0, 40.0)
"""Of one session: a second in the long run, and at once."""
REQUESTS = (20.0, 200.0)
"""The same of everything that is asked; an attendance of 2,000 costs some milliseconds."""
PATH = "/console/conferences"
_RECORDING = re.compile(r"(RE[0-9a-f]{32})\.(mp3|wav)")


class Conferences:
    def __init__(self, desk: Desk, door: Door, remote: Remote, acting: Acting) -> None:
        self._desk = desk
        self._door = door
        self._remote = remote
        self._acting = acting
        self._actions = Bucket(*ACTIONS)
        self._requests = Bucket(*REQUESTS)

    def routes(self) -> list[Route]:
        one = PATH + "/{sid}"
        return [
            Route(PATH, self.list_, methods=["GET"]),
            Route(one, self.fetch, methods=["GET"]),
            Route(f"{one}/timeline", self.timeline, methods=["GET"]),
            Route(f"{one}/attendance", self.attendance, methods=["GET"]),
            Route(f"{one}/attendance.csv", self.attendance_table, methods=["GET"]),
            Route(f"{one}/log", self.log, methods=["GET"]),
            Route(f"{one}/recordings", self.recordings, methods=["GET"]),
            Route(one + "/recordings/{file}", self.hear, methods=["GET"]),
            Route(one + "/{action}", self.act, methods=["POST"]),
        ]

    # ---- asking ----

    async def list_(self, request: Request) -> Response:
        session = await self._session(request)
        live = [wire.conference(room) for room in self._desk.hall.live() if session.sees(room.lines)]
        shapes = [*live, *self._desk.ended(session)]
        return JSONResponse({"conferences": shapes[:MOST_LISTED]}, headers=PRIVATE)

    async def fetch(self, request: Request) -> Response:
        room = await self._room(request, await self._session(request))
        shape = wire.whole_conference(room, wire.ENTRIES_OF_ONE)
        return JSONResponse({"now_ms": self._desk.now_ms(), "conference": shape}, headers=PRIVATE)

    async def timeline(self, request: Request) -> Response:
        room = await self._room(request, await self._session(request))
        return JSONResponse(wire.timeline(room, self._desk.now_ms()), headers=PRIVATE)

    async def attendance(self, request: Request) -> Response:
        room = await self._room(request, await self._session(request))
        return JSONResponse({"rows": attendance.rows(room, self._desk.now_ms())}, headers=PRIVATE)

    async def attendance_table(self, request: Request) -> Response:
        room = await self._room(request, await self._session(request))
        day = attendance.iso(room.created_at_ms)[:10]
        disposition = f'attachment; filename="attendance-{day}-{room.sid[-6:]}.csv"'
        return Response(
            attendance.table(room, self._desk.now_ms()).encode("utf-8", "replace"),
            media_type="text/csv; charset=utf-8",
            headers={**PRIVATE, "Content-Disposition": disposition},
        )

    async def log(self, request: Request) -> Response:
        return JSONResponse(
            wire.log(await self._room(request, await self._session(request))), headers=PRIVATE
        )

    async def recordings(self, request: Request) -> Response:
        room = await self._room(request, await self._session(request))
        listed = await self._listed(room)
        for known in room.recordings.values():
            if known.sid not in listed:
                listed[known.sid] = await self._as_it_stands(known)
        self._learn_of(room, listed)
        shapes = [wire.recording(one, room) for one in sorted(listed.values(), key=lambda r: r.since_ms)]
        return JSONResponse({"recordings": shapes}, headers=PRIVATE)

    async def hear(self, request: Request) -> Response:
        room = await self._room(request, await self._session(request))
        named = _RECORDING.fullmatch(request.path_params["file"])
        if named is None:
            raise Refusal("not-found", "There is no such recording.")
        sid, suffix = named.groups()
        if sid not in room.recordings:
            self._learn_of(room, await self._listed(room))
        if sid not in room.recordings:
            raise Refusal("not-found", "There is no such recording of this conference.")
        return await sound(request, self._remote, sid, suffix)

    async def _listed(self, room: Room) -> dict[str, Recorded]:
        """The conference's own recordings; none of one that the engine has forgotten."""
        try:
            return {one.sid: one for one in await self._remote.recordings(room.sid)}
        except Refusal as refusal:
            if refusal.code != "not-found":
                raise
            return {}

    async def _as_it_stands(self, known: Recorded) -> Recorded:
        """A leg's recording, which is not among the conference's own."""
        try:
            return await self._remote.recording(known.sid)
        except Refusal:
            return known

    def _learn_of(self, room: Room, listed: dict[str, Recorded]) -> None:
        for one in listed.values():
            if room.sid in self._desk.hall.rooms:
                self._desk.learn(room.sid, one)
            else:
                room.learn(one)

    # ---- acting ----

    async def act(self, request: Request) -> Response:
        session = await self._session(request)
        self._door.check_origin(request)
        self._door.check_token(request, session)
        wait_s = self._actions.take(session.id, self._desk.now_ms() / 1000)
        if wait_s:
            raise Refusal("too-many", "That was very much at once. Wait a moment.", wait_s=wait_s)
        room = await self._room(request, session)
        order = Order(room, session, await json_body(request))
        failed = await self._acting.do(request.path_params["action"], order)
        return JSONResponse({"done": True, "failed": failed}, headers=PRIVATE)

    # ---- in common ----

    async def _session(self, request: Request) -> Session:
        session = await self._door.session(request, self._desk.now_ms())
        wait_s = self._requests.take(session.id, self._desk.now_ms() / 1000)
        if wait_s:
            raise Refusal("too-many", "These are too many questions. Wait a moment.", wait_s=wait_s)
        return session

    async def _room(self, request: Request, session: Session) -> Room:
        """The conference in the path, if this session may see it; another line's is as good as none."""
        sid = request.path_params["sid"]
        room = self._desk.hall.rooms.get(sid) or await self._desk.archive.find(sid)
        if room is None or not session.sees(room.lines):
            raise Refusal("not-found", "There is no such conference.")
        return room
