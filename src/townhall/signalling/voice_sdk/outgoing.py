"""A call to an identity: every page that is registered under it rings, and the first that answers has it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from townhall.signalling.voice_sdk.frames import Answer
from townhall.signalling.voice_sdk.parameters import written
from townhall.signalling.voice_sdk.session import BrowserSession, is_answer
from townhall.sip.outcome import InviteFailed, OfferRejected, SessionEnded

if TYPE_CHECKING:
    from townhall.signalling.voice_sdk.device import Device
    from townhall.signalling.voice_sdk.exchange import Exchange

_log = logging.getLogger("townhall.signalling")
API_VERSION = "2010-04-01"


@dataclass(frozen=True, slots=True)
class Caller:
    """What the pages are told of the call."""

    from_: str
    to: str
    account_sid: str
    parameters: tuple[tuple[str, str], ...] = ()


class BrowserRinging(BrowserSession):
    """A session of our making. Before the answer, `hang_up` cancels and `answered` raises
    InviteFailed(487).
    """

    def __init__(
        self,
        exchange: Exchange,
        identity: str,
        call_sid: str,
        offer: bytes,
        caller: Caller,
        on_provisional: Callable[[], None],
        timeout_s: float,
    ) -> None:
        super().__init__(exchange, identity, call_sid, call_sid)
        self.answer_sdp = b""
        self._offer = offer.decode()
        self._caller = caller
        self._on_provisional = on_provisional
        self._ringing: list[Device] = []
        self._has_rung = False
        self._declined: set[Device] = set()
        self._answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._deadline = asyncio.get_running_loop().call_later(timeout_s, self._unanswered)

    async def answered(self) -> bytes:
        """The description in the answer; empty when the page took the call with an offer of its own, which
        `on_offer` has answered. Raises InviteFailed: 480 nobody is there, 486 all have refused, 408 nobody
        answered in time.
        """
        return await asyncio.shield(self._answered)

    # Who rings

    @property
    def rings_at(self) -> int:
        """At how many pages."""
        return len(self._ringing)

    def ring(self, device: Device) -> None:
        """Invite a page; not again one that has refused: pages register anew every half minute."""
        if device in self._ringing or device in self._declined or self._answered.done():
            return
        self._ringing.append(device)
        device.enter(self)
        self._forget_grace()
        caller = self._caller
        parameters: dict[str, object] = {
            "CallSid": self.call_sid,
            "AccountSid": caller.account_sid,
            "From": caller.from_,
            "To": caller.to,
            "ApiVersion": API_VERSION,
        }
        if caller.parameters:
            parameters["Params"] = written(caller.parameters)
        device.send(
            "invite",
            {
                "callsid": self.call_sid,
                "sdp": self._offer,
                "parameters": parameters,
                "reconnect": self.reconnect_token,
            },
        )
        if not self._has_rung:
            self._has_rung = True
            asyncio.get_running_loop().call_soon(self._ring_back)

    def _ring_back(self) -> None:
        try:
            self._on_provisional()
        except Exception:
            _log.exception("on_provisional failed in call %s", self.call_id)

    def nobody(self) -> None:
        """There is no page to ring."""
        self._fail(480, "No page is registered under this name")

    # What pages say

    def picked_up(self, device: Device, answer: Answer) -> None:
        """The first answer wins; the others are cancelled."""
        if self._answered.done():
            return
        data = answer.sdp.encode("utf-8", "replace")
        self.note_peer(data)
        self._belongs_to(device)
        self._answered.set_result(data)

    def refused(self, device: Device) -> None:
        """A page does not want the call; when no other rings any more, nobody does."""
        self._declined.add(device)
        if device in self._ringing:
            self._ringing.remove(device)
        device.leave(self)
        if not self._ringing:
            self._fail(486, "Refused")

    def lost_one(self, device: Device, grace_s: float) -> None:
        """A page's socket is gone: of the one that has the call, or of one that rings."""
        if device is self.device:
            self.lost(grace_s)
        elif device in self._ringing:
            self._ringing.remove(device)
            if not self._ringing:
                alone_s = self._exchange.settings.alone_s
                self._grace = asyncio.get_running_loop().call_later(alone_s, self.nobody)

    def taken_over(self, device: Device, sdp: str) -> None:
        """With a token handed on (`connectToken`), a page may take the call while it rings, with its own
        offer.
        """
        if self._answered.done():
            super().taken_over(device, sdp)
            return
        if is_answer(sdp):  # the page's `answer` was lost with its socket
            self.picked_up(device, Answer(self.call_sid, sdp))
            device.send("answer", self._answer_payload(None))
            return
        try:
            answer = self.answer_to(sdp)
        except OfferRejected as refused:
            error = {"code": 31400, "message": refused.reason or "The offer cannot be accepted"}
            device.send("hangup", {"callsid": self.call_sid, "error": error})
            return
        self._belongs_to(device)
        device.send("answer", self._answer_payload(answer))
        self._answered.set_result(b"")

    def hung_up_by(self, device: Device) -> None:
        """`hangup` from a page that only rings is a refusal."""
        if device is self.device:
            super().hung_up_by(device)
        else:
            self.refused(device)

    # How it ends

    def end(
        self, outcome: SessionEnded, error: dict[str, object] | None = None, is_told: bool = True
    ) -> None:
        if not self._answered.done():
            if outcome.cause == "local":
                outcome = SessionEnded("local", 487, "Cancelled")
            self._answered.set_exception(InviteFailed(outcome.status or 487, outcome.reason or "Cancelled"))
            self._answered.exception()  # whoever does not wait need not be told
        self._stop_ringing()
        super().end(outcome, error, is_told)

    def _fail(self, status: int, reason: str) -> None:
        self.end(SessionEnded("error", status, reason))

    def _unanswered(self) -> None:
        if not self._answered.done():
            self._fail(408, "Nobody answered")

    def _belongs_to(self, device: Device) -> None:
        self.device = device
        device.enter(self)
        self.is_answered = True
        self._exchange.settled(self)
        self._stop_ringing()

    def _stop_ringing(self) -> None:
        self._deadline.cancel()
        self._forget_grace()
        ringing, self._ringing = self._ringing, []
        for device in ringing:
            if device is not self.device:
                device.send("cancel", {"callsid": self.call_sid})
                device.leave(self)
