"""A call to a phone, before it is answered: it may ring, play early media, be refused or be answered."""

import asyncio
import time
from collections.abc import Callable

from townhall.phone.call import PhoneCall
from townhall.phone.hearing import Hearing
from townhall.phone.media import open_rtp
from townhall.phone.negotiation import PhoneAudio
from townhall.phone.payload import PayloadCoder
from townhall.phone.settings import PhoneError, PhoneSettings
from townhall.signalling import IncomingInvite, SessionEnded
from townhall.sip import Request


class IncomingCall:
    """Made by `Phone.rings`."""

    def __init__(
        self, settings: PhoneSettings, invite: IncomingInvite, took: Callable[[PhoneCall], PhoneCall]
    ) -> None:
        self._settings = settings
        self._invite = invite
        self._took = took
        self._call: PhoneCall | None = None
        self._sdp = b""

    @property
    def request(self) -> Request:
        """The INVITE."""
        return self._invite.request

    @property
    def caller(self) -> str:
        """The user part of From."""
        return self._invite.request.from_.uri.user or ""

    @property
    def transport(self) -> str:
        return self._invite.transport

    async def ring(self, status: int = 180) -> None:
        await self._invite.ring(status)

    async def early_media(self) -> PhoneCall:
        """183 with a session description: from now on the phone is heard, though it has not answered."""
        call = await self._open()
        await self._invite.ring(183, self._sdp)
        return call

    async def answer(self) -> PhoneCall:
        """Answer; raises `SessionEnded` when the caller has given up."""
        call = self._call or await self._open()
        try:
            await self._invite.answer(self._sdp)
        except SessionEnded:
            call.close()
            raise
        return call

    def reject(self, status: int = 486, headers: tuple[tuple[str, str], ...] = ()) -> None:
        self._invite.reject(status, headers=headers)

    async def ended(self, within_s: float = 10.0) -> SessionEnded:
        """Wait until the caller gives up, or the call ends otherwise."""
        async with asyncio.timeout(within_s):
            return await self._invite.session.wait_ended()

    async def _open(self) -> PhoneCall:
        if self._invite.offer is None:
            raise PhoneError("this phone answers offers only")
        hearing = Hearing(time.monotonic())
        coder = PayloadCoder()
        socket, port = await open_rtp(self._settings.host, hearing, coder.decode, time.monotonic)
        audio = PhoneAudio(self._settings, port)
        self._sdp = audio.answer(self._invite.offer)
        self._call = self._took(
            PhoneCall(self._settings, self._invite.session, audio, socket, hearing, coder.encode)
        )
        return self._call
