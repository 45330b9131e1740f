"""A call to us, before it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING

from townhall.signalling.session import Session
from townhall.sip import Request
from townhall.sip.invite_uas import ServerCall
from townhall.sip.outcome import SessionEnded

if TYPE_CHECKING:
    from townhall.signalling.user_agent import UserAgent


class IncomingInvite:
    """An INVITE that waits for `ring`, `answer` or `reject`."""

    def __init__(self, user_agent: UserAgent, call: ServerCall) -> None:
        self.request: Request = call.request
        self.source: tuple[str, int] = (call.source.host, call.source.port)
        self.transport = call.source.transport
        self.local_address = call.source.local[0] if call.source.local is not None else call.source.host
        """The address that we were reached at: it belongs into our session description."""
        self.offer = call.offer
        self.from_uri = str(call.request.from_.uri)
        self.to_uri = str(call.request.to.uri)
        self.call_id = call.request.call_id
        self.session = Session(user_agent, call, self.call_id)
        self._user_agent = user_agent
        self._call = call
        self._acknowledged: asyncio.Future[bytes | None] = asyncio.get_running_loop().create_future()

    async def ring(self, status: int = 180, sdp: bytes = b"") -> None:
        """Send a provisional response; with a body it is early media (and then part of the answer)."""
        self._user_agent.run(lambda now: self._call.ring(now, status, sdp))

    def reject(self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Send a final response from 300 to 699; the session ends with cause "local"."""
        if not 300 <= status <= 699:
            raise ValueError(f"a call is rejected with 300 to 699, not {status}")
        self._user_agent.run(lambda now: self._call.reject(status, now, reason, tuple(headers)))

    async def answer(self, sdp: bytes) -> bytes | None:
        """Send 200 and wait for the ACK; returns its body, the answer when the INVITE had no offer.

        Raises SessionEnded when the caller gave up before, hangs up first, or no ACK comes.
        """
        if self.session.ended.is_set():
            raise await self.session.wait_ended()
        self._user_agent.run(lambda now: self._call.answer(sdp, now))
        return await asyncio.shield(self._acknowledged)

    def acknowledged(self, sdp: bytes | None) -> None:
        """Told by the user agent: the ACK is here."""
        if not self._acknowledged.done():
            self._acknowledged.set_result(sdp)

    def has_ended(self, outcome: SessionEnded) -> None:
        self.session.has_ended(outcome)
        if not self._acknowledged.done():
            self._acknowledged.set_exception(outcome)
            self._acknowledged.exception()  # whoever does not wait need not be told
