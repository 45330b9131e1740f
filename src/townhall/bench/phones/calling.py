"""The phones' signalling: calls through our own user agent, one task per call."""

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from townhall.bench.phones.apart import CrowdApart
from townhall.media.shapes import Bytes, Int64s
from townhall.sdp import LocalMedia, NothingFits, SDPError, accept_answer, make_offer, parse_sdp
from townhall.signalling import InviteFailed, OutgoingSession, UserAgent, UserAgentSettings

Key = Literal["1", "2", "3"]
CALLER_ADDRESS = "127.126.0.1"
_MENU_WITHIN_S = 30.0


@dataclass(slots=True)
class Answered:
    """A call that was answered, after so many milliseconds."""

    phone: int
    session: OutgoingSession
    after_ms: float
    ended_at: float | None = None
    """In monotonic seconds."""


@dataclass(frozen=True, slots=True)
class Invited:
    """A call that was answered: where its sound goes, and after how many milliseconds the answer came."""

    session: OutgoingSession
    remote: tuple[str, int]
    after_ms: float


CALL_FAILURES = (InviteFailed, SDPError, NothingFits)
"""What `invite` raises."""


def calling_agent(host: str) -> UserAgent:
    """One that calls from this address, as often as asked, and takes no calls."""
    return UserAgent(
        UserAgentSettings(bind_hosts=[host], port=0, user_agent="Townhall bench", max_pending_calls=10_000),
        on_invite=lambda invite: invite.reject(486),
    )


async def invite(agent: UserAgent, sender: str, phone: int, place: tuple[str, int], uri: str) -> Invited:
    """Call with an offer of sound at `place`; raises one of `CALL_FAILURES`."""
    offer = make_offer(LocalMedia(*place, session_id=phone + 1))
    began = time.monotonic()
    session = await agent.invite(uri, sender, bytes(offer), transport="udp", timeout_s=20.0)
    after_ms = (time.monotonic() - began) * 1000
    agreed = accept_answer(offer, parse_sdp(session.answer_sdp))
    return Invited(session, agreed.remote, after_ms)


class Caller:
    """Calls for every phone of a crowd. `start` before the first call, `stop` hangs up all."""

    def __init__(self, crowd: CrowdApart, host: str = CALLER_ADDRESS) -> None:
        self._crowd = crowd
        self._host = host
        self.failures: Counter[str] = Counter()
        """Why calls were not answered, and how many for each reason."""
        self._agent = calling_agent(host)

    async def start(self) -> None:
        await self._agent.start()

    async def stop(self) -> None:
        await self._agent.stop()

    async def call(self, phone: int, uri: str) -> Answered | None:
        """Call; None when it was not answered."""
        place = self._crowd.address(phone), self._crowd.port(phone)
        try:
            call = await invite(self._agent, f"sip:phone{phone}@{self._host}", phone, place, uri)
        except CALL_FAILURES as error:
            self.failures[str(error)] += 1
            return None
        self._crowd.connect(phone, call.remote)
        answered = Answered(phone, call.session, call.after_ms)
        call.session.on_ended = lambda: self._has_ended(answered)
        return answered

    def _has_ended(self, answered: Answered) -> None:
        answered.ended_at = time.monotonic()
        self._crowd.disconnect(answered.phone)

    async def press(self, answered: Answered, key: Key) -> None:
        """Press a key once the menu is heard: keys before its question are no answer to it."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_MENU_WITHIN_S):
                while not self._crowd.has_heard(answered.phone):  # noqa: ASYNC110  (told in another thread)
                    await asyncio.sleep(0.05)
                self._crowd.press(answered.phone, key)

    async def hang_up(self, answered: Answered) -> None:
        self._crowd.disconnect(answered.phone)
        await answered.session.hang_up()


async def call_all(
    count: int,
    a_second: float,
    call: Callable[[int], Awaitable[Answered | None]],
    tell: Callable[[float], None],
    first: int = 0,
) -> list[Answered]:
    """`call` for `first` to `first + count - 1`, each at its time; those that were answered."""
    queue = await at_pace(count, a_second)
    tasks: list[asyncio.Future[Answered | None]] = []
    while (number := await queue.get()) is not None:
        tasks.append(asyncio.ensure_future(call(first + number)))
        tell(number / count)
    return [answered for answered in await asyncio.gather(*tasks) if answered is not None]


def phones_of(calls: Sequence[Answered]) -> Int64s:
    """The phones of these calls, ascending."""
    return np.array(sorted(call.phone for call in calls), np.int64)


@contextlib.asynccontextmanager
async def gather_crowd(
    phones: int, said: Mapping[int, Bytes] | None = None
) -> AsyncIterator[tuple[CrowdApart, Caller]]:
    """A crowd and its signalling; in the end all are hung up and gone."""
    crowd = await asyncio.to_thread(CrowdApart, phones, said)
    caller = Caller(crowd)
    try:
        await caller.start()
        yield crowd, caller
    finally:
        await caller.stop()
        crowd.stop()


async def at_pace(count: int, a_second: float) -> "asyncio.Queue[int | None]":
    """A queue that gives 0 to `count` - 1, each at its time, then None."""
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(count):
        loop.call_at(began + number / a_second, queue.put_nowait, number)
    loop.call_at(began + count / a_second, queue.put_nowait, None)
    return queue
