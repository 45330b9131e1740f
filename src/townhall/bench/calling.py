"""The phones' signalling: calls through our own user agent, one task per call."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from townhall.bench.crowd import Crowd
from townhall.sdp import LocalMedia, NothingFits, SDPError, accept_answer, make_offer, parse_sdp
from townhall.signalling import InviteFailed, OutgoingSession, UserAgent, UserAgentSettings

Key = Literal["1", "2", "3"]


@dataclass(frozen=True, slots=True)
class Answered:
    """A call that was answered, after so many milliseconds."""

    phone: int
    session: OutgoingSession
    after_ms: float


class Caller:
    """Calls for every phone of a crowd. `start` before the first call, `stop` hangs up all."""

    def __init__(self, crowd: Crowd, host: str) -> None:
        self._crowd = crowd
        self._host = host
        self.failures: Counter[str] = Counter()
        """Why calls were not answered, and how many for each reason."""
        self._agent = UserAgent(
            UserAgentSettings(
                bind_hosts=[host], port=0, user_agent="Townhall bench", max_pending_calls=10_000
            ),
            on_invite=lambda invite: invite.reject(486),
        )

    async def start(self) -> None:
        await self._agent.start()

    async def stop(self) -> None:
        await self._agent.stop()

    async def call(self, phone: int, uri: str, key: Key) -> Answered | None:
        """Call, and press the menu's key; None when it was not answered."""
        local = LocalMedia(self._crowd.address(phone), self._crowd.port, session_id=phone + 1)
        offer = make_offer(local)
        began = time.monotonic()
        try:
            session = await self._agent.invite(
                uri, f"sip:phone{phone}@{self._host}", bytes(offer), transport="udp", timeout_s=20.0
            )
            after_ms = (time.monotonic() - began) * 1000
            agreed = accept_answer(offer, parse_sdp(session.answer_sdp))
        except (InviteFailed, SDPError, NothingFits) as error:
            self.failures[str(error)] += 1
            return None
        self._crowd.connect(phone, agreed.remote, talking=key != "1")
        self._crowd.press(phone, key)
        return Answered(phone, session, after_ms)

    async def hang_up(self, answered: Answered) -> None:
        self._crowd.disconnect(answered.phone)
        await answered.session.hang_up()


async def at_pace(count: int, a_second: float) -> "asyncio.Queue[int | None]":
    """A queue that gives 0 to `count` - 1, each at its time, then None."""
    queue: asyncio.Queue[int | None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    began = loop.time()
    for number in range(count):
        loop.call_at(began + number / a_second, queue.put_nowait, number)
    loop.call_at(began + count / a_second, queue.put_nowait, None)
    return queue
