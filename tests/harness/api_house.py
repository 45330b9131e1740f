"""The REST API over a real store and a real switchboard, with callers who have no phones: for tests of what
the API says. What is heard is for the stories to tell.
"""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx2
from starlette.applications import Starlette
from starlette.routing import Mount
from tests.harness.api_shapes import check_answer

from townhall.api import Engine, create_api
from townhall.calls import Call, Route, StoreJournal, Switchboard, SwitchboardSettings
from townhall.calls.plan import OutboundPlan
from townhall.calls.recording import RecordingDesk, RecordingSettings
from townhall.conference import Conference
from townhall.ids import new_sid
from townhall.media.protocol import Levels
from townhall.routing import CallRefused
from townhall.store import Store
from townhall.twiml.control import ConferenceDial, ConferenceOutcome, Notice

ACCOUNT_SID = "AC" + "a" * 32
AUTH_TOKEN = "a-token-of-the-tests"
BASE = f"/2010-04-01/Accounts/{ACCOUNT_SID}"
Json = dict[str, Any]


class PlayedLeg:
    """A leg that keeps what it was told."""

    _numbers = itertools.count(1)

    def __init__(self) -> None:
        self.number = next(self._numbers)
        self.mix: tuple[object, ...] = ()
        self.on_speech: object = None
        self.on_held: object = None

    def condition(self, **wishes: bool | None) -> None: ...

    def set_mix(
        self, bus: str | None, *, hears: bool = False, heard: bool = False, whisper_to: object = None
    ) -> None:
        self.mix = (bus, hears, heard, whisper_to)


class PlayedControl:
    """What the hall needs of a live call."""

    def __init__(self, call: Call) -> None:
        self.call = call
        self.leg = PlayedLeg()

    async def play_forever(self, clip: object) -> None:
        await asyncio.Event().wait()

    def silence(self) -> None: ...

    def report(self, notice: Notice) -> None: ...


class Silence:
    """Stands for every part of the server that makes sound: whatever is asked of it is done, unheard."""

    def __getattr__(self, name: str) -> Any:
        return lambda *_, **__: None


class PlayedMedia(Silence):
    """Measures what a test says; `watched` are the buses that are being measured."""

    def __init__(self) -> None:
        self.watched: set[str] = set()
        self.stats = None
        self.on_levels: Callable[[Levels], None] = lambda levels: None

    def watch_levels(self, bus: str, on: bool) -> None:
        if on:
            self.watched.add(bus)
        else:
            self.watched.discard(bus)


class PlayedCallbacks(Silence):
    """Keeps the parameters of what was to be sent."""

    def __init__(self) -> None:
        self.sent: list[tuple[tuple[str, str], ...]] = []

    def send(self, sid: str, url: str, method: str, parameters: tuple[tuple[str, str], ...]) -> None:
        self.sent.append(parameters)


class PlayedRecorder:
    """Records nothing; it ends when it is told to."""

    def __init__(self) -> None:
        self._stopped = asyncio.Event()
        self.lost = "it was only played"
        self.behaviors: list[str] = []

    @property
    def over(self) -> bool:
        return self._stopped.is_set()

    def pause(self, behavior: str) -> None:
        self.behaviors.append(behavior)

    def resume(self) -> None: ...

    def stop(self) -> None:
        self._stopped.set()

    async def ended(self) -> None:
        await self._stopped.wait()


class PlayedRecorders:
    def start_recorder(self, command: object) -> PlayedRecorder:
        return PlayedRecorder()


class PlayedOutbound:
    """Places calls that ring for ever; `refusal` has them refused."""

    def __init__(self, house: "House") -> None:
        self._house = house
        self.plans: list[OutboundPlan] = []
        self.refusal: CallRefused | None = None

    async def place(self, plan: OutboundPlan) -> Call:
        if self.refusal is not None:
            raise self.refusal
        self.plans.append(plan)
        call = self._house.new_call(plan.from_, plan.to, status="queued", direction="outbound-api")
        call.plan = plan
        self._house.begin(call)
        return call


@dataclass(eq=False)
class House:
    store: Store
    switchboard: Switchboard
    journal: StoreJournal
    client: httpx2.AsyncClient
    media: PlayedMedia
    callbacks: PlayedCallbacks
    outbound: PlayedOutbound = field(init=False)
    tasks: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.outbound = PlayedOutbound(self)
        self.switchboard.outbound = self.outbound

    # ---- calls ----

    def new_call(self, from_: str, to: str, *, status: str, direction: str) -> Call:
        return Call(
            sid=new_sid("CA"),
            account_sid=ACCOUNT_SID,
            from_=from_,
            to=to,
            audio=cast(Any, SimpleNamespace(leg=SimpleNamespace(number=1))),
            route=Route("https://example.com/voice"),
            direction=direction,
            status=status,
        )

    def begin(self, call: Call) -> None:
        """Have the switchboard know the call until it is over."""
        self.switchboard._calls[call.sid] = call
        self.journal.started(call)
        self.tasks[call.sid] = asyncio.create_task(self._live(call))

    async def _live(self, call: Call) -> None:
        await asyncio.wait({call.over})
        self.journal.ended(call, None)
        del self.switchboard._calls[call.sid]

    async def call(self, from_: str = "+14155550101", to: str = "+14155550100") -> Call:
        """A call that came in and was answered."""
        call = self.new_call(from_, to, status="in-progress", direction="inbound")
        self.begin(call)
        await self.journal.answering(call)
        call.answered_at = call.started_at
        return call

    async def end(self, call: Call) -> None:
        """The caller hangs up; returns when that is written down."""
        call.end("the caller hung up")
        await self.tasks[call.sid]

    # ---- conferences ----

    async def join(
        self, room: str, *, call: Call | None = None, dial: ConferenceDial | None = None, **attributes: Any
    ) -> Call:
        """Somebody comes into a conference."""
        call = call or await self.call()
        task = asyncio.create_task(self._attend(call, dial or ConferenceDial(room, **attributes)))
        self.tasks[f"stay of {call.sid}"] = task
        while self.switchboard.hall.attendance(call.sid) is None and not task.done():  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert not task.done(), f"{call.sid} was not let in"
        return call

    async def _attend(self, call: Call, dial: ConferenceDial) -> None:
        await self.switchboard.hall.attend(cast(Any, PlayedControl(call)), dial)

    async def attempt(self, room: str, **attributes: Any) -> ConferenceOutcome:
        """Somebody wants to come in and is refused."""
        control = cast(Any, PlayedControl(await self.call()))
        return await self.switchboard.hall.attend(control, ConferenceDial(room, **attributes))

    def conference(self, room: str) -> Conference:
        found = self.switchboard.hall.conferences.find(room)
        assert found is not None
        return found

    def is_loud(self, room: str, **dbov: int) -> None:
        """The media process tells how loud some calls are, by their SIDs."""
        legs = [self._leg_of(sid) for sid in dbov]
        self.media.on_levels(Levels(self.conference(room).sid, legs, list(dbov.values())))

    def _leg_of(self, call_sid: str) -> int:
        attendance = self.switchboard.hall.attendance(call_sid)
        assert attendance is not None
        return attendance.control.leg.number

    # ---- requests: every answer is held to the table of shapes ----

    async def get(self, path: str, status: int = 200, **parameters: Any) -> Json:
        return await self._ask("GET", path, status, params=_spelled(parameters) or None)

    async def get_whole(self, path: str) -> Json:
        """An answer with what is ours in it, which the table of shapes does not have."""
        answer = await self.client.get(BASE + path)
        assert answer.status_code == 200, answer.text
        read: Json = answer.json()
        return read

    async def post(self, path: str, status: int = 200, **parameters: Any) -> Json:
        return await self._ask("POST", path, status, data=_spelled(parameters))

    async def delete(self, path: str, status: int = 204) -> Json:
        return await self._ask("DELETE", path, status)

    async def _ask(self, method: str, path: str, status: int, **options: Any) -> Json:
        path = path if path.startswith("/2010") else BASE + path
        answer = await self.client.request(method, path, **options)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.text}"
        check_answer(method, path.partition("?")[0], answer.status_code, answer.content)
        read: Json = answer.json() if answer.content else {}
        return read


def _spelled(parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: str(value).lower() if isinstance(value, bool) else value for name, value in parameters.items()
    }


@asynccontextmanager
async def open_house(directory: Path, **engine: Any) -> AsyncIterator[House]:
    store = await Store.open(f"sqlite+aiosqlite:///{directory / 'townhall.db'}", takes_calls=True)
    journal = StoreJournal(store)
    nothing, media, callbacks = cast(Any, Silence()), PlayedMedia(), PlayedCallbacks()
    switchboard = Switchboard(
        SwitchboardSettings(account_sid=ACCOUNT_SID),
        directory=nothing,
        media=cast(Any, media),
        clips=nothing,
        webhooks=nothing,
        callbacks=cast(Any, callbacks),
        journal=journal,
        queues=store.queues,
        recordings=RecordingDesk(
            RecordingSettings(ACCOUNT_SID, directory / "recordings", "http://townhall.test"),
            media=cast(Any, PlayedRecorders()),
            records=store.recordings,
            callbacks=nothing,
            notices=journal,
        ),
    )
    settings = {"account_sid": ACCOUNT_SID, "auth_token": AUTH_TOKEN, "base_url": "http://townhall.test"}
    api = create_api(Engine(store=store, switchboard=switchboard, **{**settings, **engine}))
    transport = httpx2.ASGITransport(app=Starlette(routes=[Mount("/2010-04-01", api)]))
    async with httpx2.AsyncClient(
        transport=transport, base_url="http://townhall.test", auth=(ACCOUNT_SID, AUTH_TOKEN)
    ) as client:
        house = House(store, switchboard, journal, client, media, callbacks)
        yield house
        for call in switchboard.all_known():
            call.end("the test is over")
        await asyncio.gather(*house.tasks.values(), return_exceptions=True)
    await store.close()
