"""A call with a page, as the rest of Townhall sees it: the same shape as a SIP session.

A call belongs to an identity, and to the socket that it is signalled on, if there is one at the moment: an
answered call lives on for a grace when its socket drops, and another socket of the identity takes it over
with the call's reconnect token (the SDK does so by itself).
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from townhall.sdp import SDPError, SessionDescription, parse_sdp
from townhall.signalling.voice_sdk.codes import BAD_REQUEST, error_in
from townhall.signalling.voice_sdk.frames import Digits
from townhall.sip.outcome import OfferRejected, SessionEnded

if TYPE_CHECKING:
    from townhall.signalling.voice_sdk.device import Device
    from townhall.signalling.voice_sdk.exchange import Exchange

_log = logging.getLogger("townhall.signalling")
_DIGITS = "0123456789*#ABCD"
_DIGIT_MS = 160


def _refuse(offer: bytes | None) -> bytes:
    raise OfferRejected(488)


class BrowserSession:
    """`on_offer` is asked for the answer to an ICE restart's offer and may raise OfferRejected; `on_digit`
    gets keys that the page signals because it cannot send them with its sound. Both must not block.
    `on_answer` is never called. `on_ended` is told in the moment of the end.
    """

    def __init__(self, exchange: Exchange, identity: str, call_id: str, call_sid: str) -> None:
        self.identity = identity
        self.call_id = call_id
        self.ended = asyncio.Event()
        self.on_offer: Callable[[bytes | None], bytes] = _refuse
        self.on_answer: Callable[[bytes], None] = lambda sdp: None
        self.on_digit: Callable[[str, int], None] = lambda digit, duration_ms: None
        self.on_ended: Callable[[], None] = lambda: None
        self.device: Device | None = None
        self.is_answered = False
        self._exchange = exchange
        self._call_sid = call_sid
        self._outcome: SessionEnded | None = None
        self._peer: tuple[str, str] | None = None
        self._grace: asyncio.TimerHandle | None = None

    @property
    def call_sid(self) -> str:
        """The CA… that the page is told."""
        return self._call_sid

    @call_sid.setter
    def call_sid(self, call_sid: str) -> None:
        self._call_sid = call_sid

    @property
    def remote_uri(self) -> str:
        return f"client:{self.identity}"

    @property
    def remote_target(self) -> str:
        return self.remote_uri

    @property
    def reconnect_token(self) -> str:
        return self._exchange.reconnecting.issue(self.call_sid, self.identity)

    async def wait_ended(self) -> SessionEnded:
        """How the call ended, once it has."""
        await self.ended.wait()
        if self._outcome is None:
            raise RuntimeError("a session ended without an outcome")
        return self._outcome

    async def hang_up(self, reason_header: str | None = None) -> None:
        """End the call; a Reason header with a SIP status becomes an error that the page sees. Idempotent."""
        self.end(SessionEnded("local"), error_in(reason_header))

    def end(
        self, outcome: SessionEnded, error: dict[str, object] | None = None, is_told: bool = True
    ) -> None:
        """The call is over, and its page is told unless it said so itself; only the first time counts."""
        if self._outcome is not None:
            return
        self._outcome = outcome
        if is_told:
            self._say_goodbye(error)
        self._forget_grace()
        if self.device is not None:
            self.device.leave(self)
            self.device = None
        self._exchange.forget(self)
        self.ended.set()
        self.on_ended()

    def _say_goodbye(self, error: dict[str, object] | None) -> None:
        if self.device is not None:
            payload: dict[str, object] = {"callsid": self.call_sid or self.call_id}
            self.device.send("hangup", payload if error is None else {**payload, "error": error})

    # What the page says

    def hung_up_by(self, device: Device) -> None:
        """The page on this socket has hung up."""
        self.end(SessionEnded("bye" if self.is_answered else "cancel"), is_told=False)

    def press(self, digits: Digits) -> None:
        for digit in digits.dtmf:
            if digit in _DIGITS:  # `w` is a pause, which has passed when its turn would come
                try:
                    self.on_digit(digit, _DIGIT_MS)
                except Exception:
                    _log.exception("on_digit failed in call %s", self.call_id)

    def restart(self, offer: str) -> None:
        """An offer inside the call: answer it, or tell the page that it cannot be."""
        if self.device is None:
            return
        try:
            answer = self.answer_to(offer)
        except OfferRejected as refused:
            error = {"code": BAD_REQUEST, "message": refused.reason or "The offer cannot be accepted"}
            self.device.send("error", {"callsid": self.call_sid, "error": error})
            return
        self.device.send("answer", self._answer_payload(answer))

    def answer(self, sdp: str) -> None:
        """Tell the page that its call is answered."""
        self.is_answered = True
        self._exchange.settled(self)
        if self.device is not None:
            self.device.send("answer", self._answer_payload(sdp))

    def answer_to(self, offer: str) -> str:
        """What our user says to an offer; raises OfferRejected."""
        data = offer.encode("utf-8", "replace")
        self.note_peer(data)
        try:
            return self.on_offer(data).decode()
        except OfferRejected:
            raise
        except Exception:
            _log.exception("on_offer failed in call %s", self.call_id)
            raise OfferRejected(500) from None

    def _answer_payload(self, sdp: str | None) -> dict[str, object]:
        payload: dict[str, object] = {"callsid": self.call_sid, "reconnect": self.reconnect_token}
        return payload if sdp is None else {**payload, "sdp": sdp}

    # The socket goes and comes

    def note_peer(self, sdp: bytes) -> None:
        """Remember whose description this is, to know it again."""
        self._peer = _peer_of(sdp)

    def lost(self, grace_s: float) -> None:
        """The socket is gone. What was answered lives on for a while; nobody could come back to anything
        else.
        """
        self.device = None
        if self._outcome is not None:
            return
        if not self.is_answered:
            self.end(SessionEnded("cancel"))
            return
        self._grace = asyncio.get_running_loop().call_later(grace_s, self._time_out)

    def _time_out(self) -> None:
        self.end(SessionEnded("timeout"))

    def taken_over(self, device: Device, sdp: str) -> None:
        """Another socket (or the same, after a renewed token) has shown the reconnect token.

        The page that comes back describes what we know, and its sound has never stopped; nothing is to be
        agreed on. A description of something else is an offer: an ICE restart that got lost, or another
        page that takes over.
        """
        self._forget_grace()
        previous, self.device = self.device, device
        if previous is not None and previous is not device:
            previous.leave(self)
            previous.send("hangup", {"callsid": self.call_sid})
        device.enter(self)
        if self._peer is None or _peer_of(sdp.encode("utf-8", "replace")) == self._peer:
            device.send("answer", self._answer_payload(None))
        else:
            self.restart(sdp)

    def _forget_grace(self) -> None:
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None


def _peer_of(sdp: bytes) -> tuple[str, str] | None:
    """The ICE user name fragment and the fingerprint, which no two descriptions share by chance."""
    try:
        description = parse_sdp(sdp)
    except SDPError:
        return None
    found = _attribute(description, "ice-ufrag"), _attribute(description, "fingerprint")
    return found if all(found) else None


def is_answer(sdp: str) -> bool:
    """Whether a page describes its end of an offer of ours: an offer of its own leaves DTLS's roles open."""
    try:
        description = parse_sdp(sdp.encode("utf-8", "replace"))
    except SDPError:
        return False
    return _attribute(description, "setup") in ("active", "passive")


def _attribute(description: SessionDescription, name: str) -> str:
    media = description.media[0].attribute(name) if description.media else None
    return media or description.attribute(name) or ""
