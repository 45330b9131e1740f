"""One round of ringing: an INVITE to each way of a group, the first that answers wins, the others are
cancelled.

All INVITEs of a group carry the same offer. Early media (RFC 3960) is passed on only while there is one way:
of several nobody could say whose it is.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from townhall.calls.call import Call
from townhall.calls.destinations import Group, Way
from townhall.calls.plan import OutboundPlan
from townhall.calls.switchboard import Switchboard
from townhall.routing import (
    CallRefused,
    ClientDestination,
    NumberDestination,
    PhoneDestination,
    SipDestination,
    read_destination,
)  # fmt: skip
from townhall.signalling import InviteFailed, OutgoingSession, UserAgent
from townhall.sip import SIPURI, Response


@dataclass(frozen=True, slots=True)
class Answered:
    session: OutgoingSession
    sdp: bytes


class RingingGroup:
    """Rings the ways of a group for a call. `rang`: somebody sent an 18x."""

    def __init__(
        self,
        switchboard: Switchboard,
        user_agent: UserAgent,
        call: Call,
        plan: OutboundPlan,
        group: Group,
        own_host: str | None,
    ) -> None:
        self.rang = False
        self._switchboard = switchboard
        self._user_agent = user_agent
        self._call = call
        self._plan = plan
        self._group = group
        self._own_host = own_host
        self._sign = asyncio.Event()
        self._sessions: list[OutgoingSession] = []

    async def answered(self, deadline: float, no_sign_s: float | None) -> Answered:
        """Ring until somebody answers; raises `InviteFailed` with the best of the reasons.

        `deadline` (loop time) ends the ringing; `no_sign_s`: so long without any response is an end, too.
        The call's end cancels all. Raises `LegRefusedError`.
        """
        call, first = self._call, self._group[0]
        local = first.hop.local[0] if first.hop.local is not None else "127.0.0.1"
        call.audio = self._switchboard.audio_toward(local, first.hop.host)
        call.audio.on_open = lambda leg: self._switchboard.listen(call, leg)
        offer = await call.audio.offer()
        timeout_s = max(0.0, deadline - asyncio.get_running_loop().time())
        for way in self._group:
            self._sessions.append(await self._invite(way, offer, timeout_s))
        call.session = self._sessions[0]
        call.became("initiated")
        waiting: dict[asyncio.Future[bytes], OutgoingSession] = {
            asyncio.ensure_future(session.answered()): session for session in self._sessions
        }
        try:
            return await self._first(waiting, no_sign_s)
        finally:
            winner = next((s for task, s in waiting.items() if _has_answer(task)), None)
            for task, session in waiting.items():
                task.cancel()
                if session is not winner:
                    await session.hang_up()

    async def _invite(self, way: Way, offer: bytes, timeout_s: float) -> OutgoingSession:
        return await self._user_agent.start_invite(
            way.target,
            self._from_uri(way),
            offer,
            headers=way.headers,
            hop=way.hop,
            credentials=way.credentials,
            on_provisional=self._provisional,
            timeout_s=timeout_s,
        )

    async def _first(
        self, waiting: dict[asyncio.Future[bytes], OutgoingSession], no_sign_s: float | None
    ) -> Answered:
        """The first answer; raises `InviteFailed` when all have failed or the call is over."""
        failures: list[InviteFailed] = []
        pending = set(waiting)
        silence = asyncio.ensure_future(self._silence(no_sign_s))
        try:
            while pending:
                racers: set[asyncio.Future[Any]] = {*pending, self._call.over, silence}
                done, _ = await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in pending if task in done]:
                    pending.discard(task)
                    error = task.exception()
                    if error is None:
                        return Answered(waiting[task], task.result())
                    if not isinstance(error, InviteFailed):
                        raise error
                    failures.append(error)
                if self._call.over in done:
                    raise InviteFailed(487, "Request Terminated")
                if silence in done and pending:
                    raise InviteFailed(408, "No response")
        finally:
            silence.cancel()
        raise min(failures, key=_rank)

    async def _silence(self, seconds: float | None) -> None:
        """Ends when nobody has given a sign of life for so long."""
        try:
            async with asyncio.timeout(seconds):
                await self._sign.wait()
        except TimeoutError:
            return
        await asyncio.get_running_loop().create_future()

    def _provisional(self, response: Response) -> None:
        self._sign.set()
        if response.status <= 100 or self._call.over.done():
            return
        if not self.rang:
            self.rang = True
            self._call.became("ringing")
        if response.body and len(self._group) == 1 and self._call.audio.preview(response.body):
            self._call.hears_early()

    def _from_uri(self, way: Way) -> str:
        plan = self._plan
        shown = plan.caller_id or plan.from_
        host = self._own_host or (way.hop.local[0] if way.hop.local else "localhost")
        if way.trunk is not None:
            host = way.trunk.host
        elif shown.lower().startswith("sip:"):
            return shown
        return str(SIPURI(user=_user_of(shown), host=host))


def _user_of(shown: str) -> str:
    """The user part for a caller's name in any of its forms."""
    try:
        match read_destination(shown):
            case NumberDestination(number):
                return number
            case ClientDestination(name) | PhoneDestination(name):
                return name
            case SipDestination(uri):
                return SIPURI.parse(uri).user or "anonymous"
    except CallRefused:
        return "anonymous"


def _has_answer(task: asyncio.Future[bytes]) -> bool:
    return task.done() and not task.cancelled() and task.exception() is None


def _rank(error: InviteFailed) -> tuple[int, int]:
    """Which of several failures to tell (RFC 3261 section 16.7): a 6xx speaks for the user, then busy, then
    the lowest class.
    """
    first = 0 if error.status >= 600 else 1 if error.status == 486 else 2
    return first, error.status
