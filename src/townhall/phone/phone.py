"""The phone: signals through our own user agent, speaks and hears through a socket per call."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

import numpy as np

from townhall.audio import ALAW_DECODE, ULAW_DECODE, encode_alaw, encode_ulaw
from townhall.phone.call import PhoneCall
from townhall.phone.hearing import Hearing, Samples
from townhall.phone.media import open_rtp
from townhall.phone.negotiation import PhoneAudio
from townhall.phone.settings import PhoneSettings
from townhall.signalling import IncomingInvite, UserAgent, UserAgentSettings

_LATE_S = 0.5
"""A phone this far behind its clock counts anew from now instead of sending a burst."""


def decode_payload(codec: str, payload: bytes) -> Samples:
    """A G.711 payload as samples at 8 kHz, shape (bytes,)."""
    table = ULAW_DECODE if codec == "PCMU" else ALAW_DECODE
    return table[np.frombuffer(payload, dtype=np.uint8)]


def encode_payload(codec: str, samples: Samples) -> bytes:
    return (encode_ulaw(samples) if codec == "PCMU" else encode_alaw(samples)).tobytes()


class Phone:
    """`async with Phone(PhoneSettings(user="alice")) as phone: call = await
    phone.call("sip:1000@127.0.0.1")`.
    """

    def __init__(self, settings: PhoneSettings | None = None) -> None:
        self.settings = settings or PhoneSettings()
        self._agent = UserAgent(
            UserAgentSettings(bind_hosts=[self.settings.host], port=0, user_agent="Townhall phone"),
            on_invite=_refuse,
        )
        self._calls: list[PhoneCall] = []
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
        socket, port = await open_rtp(self.settings.host, hearing, decode_payload, time.monotonic)
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
            )
            if not late:
                audio.accept(session.answer_sdp or b"")
        except BaseException:
            socket.close()
            raise
        call = PhoneCall(self.settings, session, audio, socket, hearing, encode_payload)
        session.on_offer = audio.renegotiate
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


def _refuse(invite: IncomingInvite) -> None:
    """Nobody calls this phone: it is always busy."""
    invite.reject(486)
