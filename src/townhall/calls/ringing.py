"""One round of ringing: every way of a group at once, the first that answers wins, the others are cancelled.

All SIP phones of a group get the same offer, and all browsers. Early media (RFC 3960) is passed on only while
there is one way: of several nobody could say whose it is.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from townhall.calls.call import Call
from townhall.calls.destinations import BrowserWay, Group, Way
from townhall.calls.negotiation import CallAudio, LegRefusedError
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
from townhall.signalling import InviteFailed, UserAgent
from townhall.signalling.protocols import Browsers, RingingSession
from townhall.sip import SIPURI, Response


@dataclass(frozen=True, slots=True)
class Answered:
    session: RingingSession
    audio: CallAudio
    sdp: bytes


@dataclass(frozen=True, slots=True)
class _Ringing:
    session: RingingSession
    audio: CallAudio


class RingingGroup:
    """Rings the ways of a group for a call. `rang`: somebody said that it rings."""

    def __init__(
        self,
        switchboard: Switchboard,
        user_agent: UserAgent,
        browsers: Browsers,
        call: Call,
        plan: OutboundPlan,
        group: Group,
        own_host: str | None,
    ) -> None:
        self.rang = False
        self._switchboard = switchboard
        self._user_agent = user_agent
        self._browsers = browsers
        self._call = call
        self._plan = plan
        self._group = group
        self._own_host = own_host
        self._sign = asyncio.Event()
        self._ringing: list[_Ringing] = []
        self._audios: dict[type, CallAudio] = {}
        self._offers: dict[type, bytes] = {}
        self._refusal: LegRefusedError | None = None

    async def answered(self, deadline: float, no_sign_s: float | None) -> Answered:
        """Ring until somebody answers; raises `InviteFailed` with the best of the reasons.

        `deadline` (loop time) ends the ringing; `no_sign_s`: so long without any response is an end, too.
        The call's end cancels all. Raises `LegRefusedError`.
        """
        timeout_s = max(0.0, deadline - asyncio.get_running_loop().time())
        answer: Answered | None = None
        try:
            for way in self._group:
                await self._try(way, timeout_s)
            if not self._ringing:
                raise self._refusal or InviteFailed(480, "No page is registered under this name any more")
            self._call.session, self._call.audio = self._ringing[0].session, self._ringing[0].audio
            self._call.became("initiated")
            answer = await self._first(no_sign_s)
            return answer
        finally:
            for one in self._ringing:
                if answer is None or one.session is not answer.session:
                    await one.session.hang_up()
            for audio in {*self._audios.values()}:
                if answer is None or audio is not answer.audio:
                    await audio.close()

    async def _try(self, way: Way | BrowserWay, timeout_s: float) -> None:
        """Ring, unless there is no media for it: that of the other kind may have room."""
        try:
            await self._ring(way, timeout_s)
        except LegRefusedError as error:
            self._refusal = error

    async def _ring(self, way: Way | BrowserWay, timeout_s: float) -> None:
        if isinstance(way, BrowserWay) and not self._browsers.devices(way.identity):
            return  # its last page was closed meanwhile: nothing says any more where it would reach us
        audio, offer = await self._offer(way)
        session = (
            self._page(way, audio, offer, timeout_s)
            if isinstance(way, BrowserWay)
            else await self._invite(way, offer, timeout_s)
        )
        self._ringing.append(_Ringing(session, audio))

    async def _offer(self, way: Way | BrowserWay) -> tuple[CallAudio, bytes]:
        """The audio and the offer of all ways of a kind."""
        kind = type(way)
        if kind not in self._offers:
            audio = self._audio(way)
            audio.on_open = lambda leg: self._switchboard.listen(self._call, leg)
            self._audios[kind] = self._call.audio = audio
            self._offers[kind] = await audio.offer()
        return self._audios[kind], self._offers[kind]

    def _audio(self, way: Way | BrowserWay) -> CallAudio:
        if isinstance(way, BrowserWay):
            return self._switchboard.audio_for_browser(self._browsers.local_addresses(way.identity))
        local = way.hop.local[0] if way.hop.local is not None else "127.0.0.1"
        return self._switchboard.audio_toward(local, way.hop.host, by_trunk=way.trunk is not None)

    async def _invite(self, way: Way, offer: bytes, timeout_s: float) -> RingingSession:
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

    def _page(self, way: BrowserWay, audio: CallAudio, offer: bytes, timeout_s: float) -> RingingSession:
        """Invite an identity's browsers."""
        plan = self._plan
        session = self._browsers.ring(
            way.identity,
            offer,
            call_sid=self._call.sid,
            from_=plan.caller_id or plan.from_,
            to=way.target,
            parameters=(*way.parameters, *plan.parameters),
            account_sid=self._call.account_sid,
            on_provisional=self._rings,
            timeout_s=timeout_s,
        )
        session.on_offer = audio.renegotiate  # a page may take the call with an offer of its own
        return session

    async def _first(self, no_sign_s: float | None) -> Answered:
        """The first answer; raises `InviteFailed` when all have failed or the call is over."""
        waiting: dict[asyncio.Future[bytes], _Ringing] = {
            asyncio.ensure_future(one.session.answered()): one for one in self._ringing
        }
        silence: asyncio.Future[None] = asyncio.ensure_future(self._silence(no_sign_s))
        failures: list[InviteFailed] = []
        try:
            while waiting:
                racers: set[asyncio.Future[Any]] = {*waiting, self._call.over, silence}
                done, _ = await asyncio.wait(racers, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in waiting if task in done]:
                    one, error = waiting.pop(task), task.exception()
                    if error is None:
                        return Answered(one.session, one.audio, task.result())
                    if not isinstance(error, InviteFailed):
                        raise error
                    failures.append(error)
                if self._call.over in done:
                    raise InviteFailed(487, "Request Terminated")
                if silence in done and waiting:
                    raise InviteFailed(408, "No response")
        finally:
            silence.cancel()
            for task in waiting:
                task.cancel()
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
        self._rings()
        if response.body and len(self._group) == 1 and self._call.audio.preview(response.body):
            self._call.hears_early()

    def _rings(self) -> None:
        self._sign.set()
        if not self.rang and not self._call.over.done():
            self.rang = True
            self._call.became("ringing")

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


def _rank(error: InviteFailed) -> tuple[int, int]:
    """Which of several failures to tell (RFC 3261 section 16.7): a 6xx speaks for the user, then busy, then
    the lowest class.
    """
    first = 0 if error.status >= 600 else 1 if error.status == 486 else 2
    return first, error.status
