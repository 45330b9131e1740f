"""A call that we make."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from townhall.signalling.session import Session
from townhall.sip import Response
from townhall.sip.invite_uac import ClientCall
from townhall.sip.outcome import InviteFailed, SessionEnded

if TYPE_CHECKING:
    from townhall.signalling.user_agent import UserAgent

_log = logging.getLogger("townhall.signalling")


class OutgoingSession(Session):
    """A session of our making. Before the answer, `hang_up` sends CANCEL and `answered` raises
    InviteFailed(487).
    """

    def __init__(
        self, user_agent: UserAgent, call: ClientCall, on_provisional: Callable[[Response], None] | None
    ) -> None:
        super().__init__(user_agent, call, call.call_id)
        self.answer_sdp = b""
        self._on_provisional = on_provisional
        self._answered: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def answered(self) -> bytes:
        """The description in the answer. Raises InviteFailed."""
        return await asyncio.shield(self._answered)

    def provisional(self, response: Response) -> None:
        if self._on_provisional is not None:
            try:
                self._on_provisional(response)
            except Exception:
                _log.exception("on_provisional failed in call %s", self.call_id)

    def was_answered(self, sdp: bytes) -> None:
        self.answer_sdp = sdp
        if not self._answered.done():
            self._answered.set_result(sdp)

    def has_failed(self, error: InviteFailed) -> None:
        if not self._answered.done():
            self._answered.set_exception(error)
            self._answered.exception()  # whoever does not wait need not be told
        self.has_ended(SessionEnded("error", error.status, error.reason))
