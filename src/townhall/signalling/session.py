"""A call as the rest of Townhall sees it, whoever made it."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from townhall.sip.invite import Call
from townhall.sip.outcome import OfferRejected, SessionEnded

if TYPE_CHECKING:
    from townhall.signalling.user_agent import UserAgent

_log = logging.getLogger("townhall.signalling")


def _refuse(offer: bytes | None) -> bytes:
    raise OfferRejected(488)


def _ignore(*values: object) -> None:
    """Nobody is interested."""


class Session:
    """An INVITE session.

    `on_offer` is asked for the answer to an offer inside the call (or for an offer, when the peer sent none)
    and may raise OfferRejected; `on_answer` gets answers that come late; `on_digit` gets the keys of SIP
    INFO, with their milliseconds; `on_ended` is told in the moment of the end, before the peer can say
    anything else. All are called while a message is handled, so they must not block.
    """

    def __init__(self, user_agent: UserAgent, call: Call, call_id: str) -> None:
        self.call_id = call_id
        self.ended = asyncio.Event()
        self.on_offer: Callable[[bytes | None], bytes] = _refuse
        self.on_answer: Callable[[bytes], None] = lambda sdp: None
        self.on_digit: Callable[[str, int], None] = lambda digit, duration_ms: None
        self.on_ended: Callable[[], None] = lambda: None
        self._user_agent = user_agent
        self._call = call
        self._outcome: SessionEnded | None = None
        self._offering = asyncio.Lock()
        self._offer: asyncio.Future[bytes] | None = None
        call.on_offer = self._answer_offer
        call.on_answer = self._take_answer
        call.on_digit = self._take_digit

    @property
    def remote_uri(self) -> str:
        """Whom we speak with, as From or To has it."""
        return str(self._call.remote_uri)

    @property
    def remote_target(self) -> str:
        """The peer's Contact."""
        dialog = self._call.dialog
        return str(dialog.remote_target) if dialog is not None else ""

    async def wait_ended(self) -> SessionEnded:
        """How the call ended, once it has."""
        await self.ended.wait()
        if self._outcome is None:
            raise RuntimeError("a session ended without an outcome")
        return self._outcome

    async def hang_up(self, reason_header: str | None = None) -> None:
        """BYE, or what the state of the call asks for; does not wait for the peer. Idempotent."""
        self._user_agent.run(lambda now: self._call.hang_up(now, reason_header))

    async def info(self, content_type: str, body: bytes) -> None:
        """Send INFO, a key press as a rule (`application/dtmf-relay`); does not wait for the peer."""
        headers = (("Content-Type", content_type),)
        self._user_agent.run(
            lambda now: self._call.send("INFO", now, user=self._call, body=body, headers=headers)
        )

    async def send_digit(self, digit: str, duration_ms: int = 160) -> None:
        """Press a key by SIP INFO (application/dtmf-relay); does not wait for the peer."""
        self._user_agent.run(lambda now: self._call.send_digit(digit, duration_ms, now))

    async def reinvite(self, sdp: bytes) -> bytes:
        """Offer something new; returns the peer's answer.

        Raises OfferRejected (nothing has changed then), or SessionEnded.
        """
        async with self._offering:
            if self._outcome is not None:
                raise self._outcome
            self._offer = asyncio.get_running_loop().create_future()
            self._user_agent.run(lambda now: self._call.offers.offer(sdp, now))
            try:
                return await self._offer
            finally:
                self._offer = None

    def offer_answered(self, sdp: bytes) -> None:
        if self._offer is not None and not self._offer.done():
            self._offer.set_result(sdp)

    def offer_failed(self, error: OfferRejected) -> None:
        if self._offer is not None and not self._offer.done():
            self._offer.set_exception(error)

    def has_ended(self, outcome: SessionEnded) -> None:
        """Told once by the user agent."""
        self._outcome = outcome
        self.ended.set()
        self.on_ended()
        if self._offer is not None and not self._offer.done():
            self._offer.set_exception(outcome)
        self._let_go()

    def _let_go(self) -> None:
        """Nothing is asked of our user any more. Who was told of each other would be kept until the garbage
        is collected, which is seldom.
        """
        self.on_offer, self.on_answer, self.on_digit, self.on_ended = _refuse, _ignore, _ignore, _ignore
        self._call.on_offer, self._call.on_answer, self._call.on_digit = _refuse, _ignore, _ignore

    # What our user gets wrong must not leave the peer without an answer.

    def _answer_offer(self, offer: bytes | None) -> bytes:
        try:
            return self.on_offer(offer)
        except OfferRejected:
            raise
        except Exception:
            _log.exception("on_offer failed in call %s", self.call_id)
            raise OfferRejected(500) from None

    def _take_answer(self, sdp: bytes) -> None:
        try:
            self.on_answer(sdp)
        except Exception:
            _log.exception("on_answer failed in call %s", self.call_id)

    def _take_digit(self, digit: str, duration_ms: int) -> None:
        try:
            self.on_digit(digit, duration_ms)
        except Exception:
            _log.exception("on_digit failed in call %s", self.call_id)
