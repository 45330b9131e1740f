"""The trunks while the server runs: registered where they ask for it, and asked for signs of life by OPTIONS.

What is stored is read anew every few seconds, so that `townhall trunk add` needs no restart. A trunk that is
down is tried last, not never: its next call may find it up.
"""

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from townhall.signalling import InviteFailed, UserAgent
from townhall.signalling.registration import Registration, RegistrationSettings
from townhall.sip.outside import RequestPlan
from townhall.store import Trunk

log = logging.getLogger(__name__)

STATES_FILE = "trunk-states.json"
"""In the data directory while the server runs, for `townhall trunk status`."""
LOOK_S = 2.0
"""Between two looks at what is stored."""
ASK_S = 30.0
ASK_WHEN_DOWN_S = 10.0
ANSWER_WITHIN_S = 5.0


@dataclass(slots=True)
class TrunkState:
    name: str
    answers: bool | None = None
    """Whether the last OPTIONS was answered; None: not asked yet."""
    registered: bool | None = None
    """None: it needs no registration."""
    detail: str = ""

    @property
    def is_up(self) -> bool:
        return self.answers is not False and self.registered is not False


class TrunkKeeper:
    def __init__(
        self, trunks: Callable[[], Awaitable[Sequence[Trunk]]], user_agent: UserAgent, data_dir: Path
    ) -> None:
        self._file = data_dir / STATES_FILE
        self._written: list[dict[str, object]] | None = None
        self._trunks = trunks
        self._user_agent = user_agent
        self._kept: dict[str, tuple[Trunk, asyncio.Task[None]]] = {}
        self._states: dict[str, TrunkState] = {}
        self._task: asyncio.Task[None] | None = None
        self.down = _Down(self._states)
        self.hosts: set[str] = set()
        """The addresses that the trunks' names have led to."""

    @property
    def states(self) -> list[TrunkState]:
        return list(self._states.values())

    def start(self) -> None:
        self._task = asyncio.create_task(self._keep(), name="trunks")

    async def stop(self) -> None:
        tasks = [task for _, task in self._kept.values()]
        if self._task is not None:
            tasks.append(self._task)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._file.unlink(missing_ok=True)

    def _write(self) -> None:
        """Leave what `townhall trunk status` shows, when it is news."""
        now = [asdict(state) for state in self._states.values()]
        if now != self._written:
            draft = self._file.with_suffix(".new")
            draft.write_text(json.dumps(now), "utf-8")
            draft.replace(self._file)
            self._written = now

    async def _keep(self) -> None:
        while True:
            try:
                self._compare({trunk.sid: trunk for trunk in await self._trunks() if trunk.enabled})
                self._write()
            except Exception:
                log.exception("the trunks could not be looked at")
            await asyncio.sleep(LOOK_S)

    def _compare(self, stored: dict[str, Trunk]) -> None:
        for sid, (trunk, task) in list(self._kept.items()):
            if stored.get(sid) != trunk:
                task.cancel()
                del self._kept[sid], self._states[sid]
        for sid, trunk in stored.items():
            if sid not in self._kept:
                self._states[sid] = TrunkState(trunk.name, registered=False if _registers(trunk) else None)
                work = self._care(trunk, self._states[sid])
                self._kept[sid] = trunk, asyncio.create_task(work, name=f"trunk {trunk.name}")

    async def _care(self, trunk: Trunk, state: TrunkState) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ask(trunk, state))
            if _registers(trunk):
                group.create_task(self._register(trunk, state))

    async def _register(self, trunk: Trunk, state: TrunkState) -> None:
        settings = RegistrationSettings(_uri(trunk), trunk.username or "", trunk.password or "", trunk.host)

        def tell(registered: bool, detail: str) -> None:
            if registered != state.registered or detail != state.detail:
                log.log(logging.INFO if registered else logging.WARNING, "trunk %s: %s", trunk.name, detail)
            state.registered, state.detail = registered, detail

        registration = Registration(self._user_agent, settings, tell)
        try:
            await registration.run()
        finally:
            if state.registered:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(1.0):
                        await registration.leave()

    async def _ask(self, trunk: Trunk, state: TrunkState) -> None:
        while True:
            answers = await self._answers(trunk)
            if answers != state.answers:
                log.log(
                    logging.INFO if answers else logging.WARNING,
                    "trunk %s %s",
                    trunk.name,
                    "answers" if answers else "does not answer OPTIONS",
                )
            state.answers = answers
            await asyncio.sleep(ASK_S if answers else ASK_WHEN_DOWN_S)

    async def _answers(self, trunk: Trunk) -> bool:
        """Any answer is a sign of life, but for one that says that the server is out of service."""
        uri = _uri(trunk)
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                hop = await self._user_agent.first_hop(uri)
                self.hosts.add(hop.host)
                host = hop.local[0] if hop.local is not None else "localhost"
                from_uri = f"sip:{trunk.username or 'townhall'}@{f'[{host}]' if ':' in host else host}"
                response, _ = await self._user_agent.ask(
                    RequestPlan("OPTIONS", uri.partition(";")[0], from_uri, hop)
                )
        except (TimeoutError, InviteFailed):
            return False
        return response is not None and response.status != 503


class _Down:
    """The SIDs of the trunks that are down, as a container."""

    def __init__(self, states: dict[str, TrunkState]) -> None:
        self._states = states

    def __contains__(self, sid: object) -> bool:
        state = self._states.get(str(sid))
        return state is not None and not state.is_up


def _registers(trunk: Trunk) -> bool:
    return trunk.register and bool(trunk.username and trunk.password)


def _uri(trunk: Trunk) -> str:
    host = f"[{trunk.host}]" if ":" in trunk.host else trunk.host
    return f"sip:{host}:{trunk.port};transport={trunk.transport}"
