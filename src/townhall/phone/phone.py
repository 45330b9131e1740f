"""The phone: signals through our own user agent, speaks and hears through a socket per call."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from townhall.phone.call import PhoneCall
from townhall.phone.hearing import Hearing
from townhall.phone.incoming import IncomingCall
from townhall.phone.media import open_rtp
from townhall.phone.negotiation import PhoneAudio
from townhall.phone.payload import PayloadCoder
from townhall.phone.settings import PhoneError, PhoneSettings
from townhall.signalling import IncomingInvite, UserAgent, UserAgentSettings
from townhall.sip.outside import RequestPlan

_LATE_S = 0.5
"""A phone this far behind its clock counts anew from now instead of sending a burst."""


class Phone:
    """`async with Phone(PhoneSettings(user="alice")) as phone: call = await
    phone.call("sip:1000@127.0.0.1")`.
    """

    def __init__(self, settings: PhoneSettings | None = None) -> None:
        self.settings = settings or PhoneSettings()
        self._agent = UserAgent(
            UserAgentSettings(bind_hosts=[self.settings.host], port=0, user_agent="Townhall phone"),
            on_invite=self._invited,
        )
        self._calls: list[PhoneCall] = []
        self._ringing: asyncio.Queue[IncomingCall] = asyncio.Queue()
        self._speaking: asyncio.Task[None] | None = None

    async def call(
        self,
        target: str,
        *,
        headers: Sequence[tuple[str, str]] = (),
        on_provisional: Callable[[int, str], None] = lambda status, reason: None,
    ) -> PhoneCall:
        """Call a SIP URI; returns once it is answered. Cancelling it gives up ringing.

        Raises `InviteFailed`, and `SDPError` or `NothingFits` for an answer that makes no sense.
        """
        hearing = Hearing(time.monotonic())
        coder = PayloadCoder()
        socket, port = await open_rtp(self.settings.host, hearing, coder.decode, time.monotonic)
        audio = PhoneAudio(self.settings, port)
        try:
            late = self.settings.late_offer
            session = await self._agent.invite(
                target,
                self.address,
                None if late else audio.offer(),
                headers=headers,
                transport=self.settings.transport,
                on_provisional=lambda response: on_provisional(response.status, response.reason),
                timeout_s=self.settings.ring_timeout_s,
                make_answer=audio.answer if late else None,
                credentials=self._credentials,
            )
            if not late:
                audio.accept(session.answer_sdp or b"")
        except BaseException:
            socket.close()
            raise
        return self._took(PhoneCall(self.settings, session, audio, socket, hearing, coder.encode))

    async def register(self, registrar: str, expires_s: int = 300) -> None:
        """Register at a server (`sip:host:port`), so that it can call this phone; raises `PhoneError`.

        The registration is not renewed. Over TCP the connection stays, and calls come in by it.
        """
        uri = f"{registrar};transport={self.settings.transport}"
        host = registrar.removeprefix("sip:")
        own = f"sip:{self.settings.user}@{host}"
        plan = RequestPlan(
            method="REGISTER",
            target=registrar,
            from_uri=own,
            to_uri=own,
            hop=await self._agent.first_hop(uri),
            headers=(("Expires", str(expires_s)),),
            credentials=self._credentials,
            contact_user=self.settings.user,
        )
        response, _ = await self._agent.ask(plan)
        if response is None or response.status >= 300:
            said = f"{response.status} {response.reason}" if response is not None else "nothing"
            raise PhoneError(f"{self.settings.user} could not register at {registrar}: it said {said}")

    async def rings(self, within_s: float = 10.0) -> IncomingCall:
        """The next call that comes in, to be answered or refused; raises `TimeoutError`."""
        async with asyncio.timeout(within_s):
            return await self._ringing.get()

    @property
    def uri(self) -> str:
        """Where this phone can be called directly."""
        _, host, port = self._agent.addresses[0]
        return f"sip:{self.settings.user}@{host}:{port}"

    @property
    def _credentials(self) -> tuple[str, str] | None:
        return (self.settings.user, self.settings.password) if self.settings.password else None

    def _invited(self, invite: IncomingInvite) -> None:
        if self.settings.takes_calls:
            self._ringing.put_nowait(IncomingCall(self.settings, invite, self._took))
        else:
            invite.reject(486)

    def _took(self, call: PhoneCall) -> PhoneCall:
        self._calls.append(call)
        return call

    @property
    def address(self) -> str:
        """The phone's own SIP address, which goes into `From`."""
        return f"sip:{self.settings.user}@{self.settings.host}"

    async def _speak(self) -> None:
        """Every call's packets, in one task, each packet time by absolute deadline."""
        step = self.settings.ptime_ms / 1000
        deadline = time.monotonic()
        while True:
            now = time.monotonic()
            if now - deadline > _LATE_S:
                deadline = now
            for call in list(self._calls):
                call.tick(now)
                if call.is_over:
                    call.close()
                    self._calls.remove(call)
            deadline += step
            await asyncio.sleep(max(0.0, deadline - time.monotonic()))

    async def __aenter__(self) -> Self:
        await self._agent.start()
        self._speaking = asyncio.create_task(self._speak(), name=f"voice of {self.settings.user}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._agent.stop()
        if self._speaking is not None:
            self._speaking.cancel()
            with suppress(asyncio.CancelledError):
                await self._speaking
        for call in self._calls:
            call.close()
