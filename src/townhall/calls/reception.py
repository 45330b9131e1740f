"""The reception: what comes in, from a phone or a browser, becomes a call, if it leads anywhere.

A phone's number leads to a voice URL; a browser's access token names the TwiML application that its
calls run. Whose audio fits nothing of ours is refused before anything is opened for it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from typing import Protocol

from townhall.calls.call import Call, Route
from townhall.calls.negotiation import CallAudio
from townhall.calls.parameters import browser_parameters, party, sip_parameters
from townhall.ids import new_sid
from townhall.signalling import IncomingInvite, OfferRejected
from townhall.signalling.complaints import Complaints
from townhall.signalling.protocols import BrowserCall, CallInvite
from townhall.sip import SIPURI, SIPParseError

log = logging.getLogger(__name__)


class Directory(Protocol):
    """Where calls lead."""

    async def route_of(self, user: str) -> Route | None:
        """Of a dialled user part (`1000`, `+15551234`, `alice`)."""

    async def route_of_application(self, sid: str) -> Route | None:
        """Of a browser, whose token names an application."""


class AudioSource(Protocol):
    """Who makes the audio of a call (the switchboard)."""

    def audio_toward(self, local_address: str, peer_address: str, is_direct: bool = False) -> CallAudio: ...

    def audio_for_browser(self, local_addresses: Sequence[str]) -> CallAudio: ...


class Reception:
    """Admits calls for a switchboard."""

    def __init__(self, account_sid: str, directory: Directory, audio: AudioSource) -> None:
        self._account_sid = account_sid
        self._directory = directory
        self._audio = audio
        self._complaints = Complaints()

    async def admit_phone(self, invite: IncomingInvite) -> Call | None:
        """The call of an INVITE that leads somewhere and whose audio fits; else it is refused."""
        return await self._admit(invite, self._admit_phone(invite))

    async def admit_browser(self, invite: BrowserCall) -> Call | None:
        """The same of a browser's call."""
        return await self._admit(invite, self._admit_browser(invite))

    async def _admit(self, invite: CallInvite, admission: Awaitable[Call | None]) -> Call | None:
        try:
            return await admission
        except OfferRejected as error:
            self.turn_away(invite, str(error), error.status)
        except SIPParseError as error:
            self.turn_away(invite, str(error), 400)
        return None

    async def _admit_phone(self, invite: IncomingInvite) -> Call | None:
        is_direct = len(invite.request.vias) == 1
        audio = self._audio.audio_toward(invite.local_address, invite.source[0], is_direct)
        user = SIPURI.parse(invite.request.uri).user or ""
        route = await self._directory.route_of(user)
        if route is None:
            self.turn_away(invite, f"no number or line {user[:64]!r}", 404)
            return None
        if invite.offer is not None:
            audio.check(invite.offer)
        return self._new_call(
            invite,
            route,
            audio,
            from_=party(invite.request.from_.uri),
            to=party(SIPURI.parse(invite.request.uri)),
            own_parameters=sip_parameters(invite.request, invite.source[0]),
        )

    async def _admit_browser(self, invite: BrowserCall) -> Call | None:
        route = await self._directory.route_of_application(invite.application_sid)
        if route is None:
            self.turn_away(invite, f"no application {invite.application_sid} with a voice URL", 404)
            return None
        audio = self._audio.audio_for_browser([invite.local_address])
        audio.check(invite.offer)
        call = self._new_call(
            invite,
            route,
            audio,
            from_=f"client:{invite.identity}",
            to=_dialled(invite.parameters),
            own_parameters=browser_parameters(invite.application_sid, invite.source[0], invite.parameters),
        )
        invite.call_sid = call.sid
        return call

    def _new_call(
        self,
        invite: CallInvite,
        route: Route,
        audio: CallAudio,
        *,
        from_: str,
        to: str,
        own_parameters: list[tuple[str, str]],
    ) -> Call:
        call = Call(
            sid=new_sid("CA"),
            account_sid=self._account_sid,
            from_=from_,
            to=to,
            route=route,
            invite=invite,
            session=invite.session,
            audio=audio,
            own_parameters=own_parameters,
        )
        call.take_session(invite.session)
        return call

    def turn_away(
        self, invite: CallInvite, why: str, status: int, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        """Refuse and log it, unless somebody tries one number after the other: that would fill the disk."""
        invite.reject(status, headers=headers)
        source = f"{invite.source[0]} {why}"
        unsaid = self._complaints.unsaid_before(source, asyncio.get_running_loop().time())
        if unsaid is not None:
            more = f" ({unsaid} refusals before were not logged)" if unsaid else ""
            log.info("%s from %s: %s; %d%s", invite.call_id, invite.source[0], why, status, more)


def _dialled(parameters: Sequence[tuple[str, str]]) -> str:
    """What a page calls: any text, so it must not make lines of its own in the log."""
    dialled = next((value for name, value in parameters if name == "To"), "")
    return "".join(character for character in dialled if character.isprintable())
