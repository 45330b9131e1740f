"""A call from a page, before it is answered: the shape of `townhall.signalling.IncomingInvite`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from townhall.signalling.voice_sdk.codes import error_of
from townhall.signalling.voice_sdk.session import BrowserSession
from townhall.sip.outcome import SessionEnded

if TYPE_CHECKING:
    from townhall.signalling.voice_sdk.device import Device
    from townhall.signalling.voice_sdk.exchange import Exchange


class CallingSession(BrowserSession):
    """The session of a call that a page makes."""

    @property
    def call_sid(self) -> str:
        return self._call_sid

    @call_sid.setter
    def call_sid(self, call_sid: str) -> None:
        self._call_sid = call_sid
        self._exchange.name(self)


class BrowserInvite:
    """A page's `invite`, which waits for `ring`, `answer` or `reject`.

    `parameters` are the page's with those of its token. `local_address` is the address that the socket came
    in on. Set `call_sid` before anything is said to the page.
    """

    def __init__(
        self,
        exchange: Exchange,
        device: Device,
        application_sid: str,
        parameters: list[tuple[str, str]],
        offer: bytes,
        call_id: str,
    ) -> None:
        self.application_sid = application_sid
        self.parameters = parameters
        self.offer = offer
        self.call_id = call_id
        self.source = device.socket.source
        self.local_address = device.socket.local_address
        self.session: BrowserSession = CallingSession(exchange, device.identity, call_id, "")
        self.session.note_peer(offer)

    @property
    def identity(self) -> str:
        return self.session.identity

    @property
    def call_sid(self) -> str:
        """The CA… that the page is told."""
        return self.session.call_sid

    @call_sid.setter
    def call_sid(self, call_sid: str) -> None:
        self.session.call_sid = call_sid

    async def ring(self, status: int = 180, sdp: bytes = b"") -> None:
        """Tell the page that it rings; with a description it hears early media."""
        device = self.session.device
        if device is None or self.session.is_answered:
            return
        payload: dict[str, object] = {"callsid": self.call_sid or self.call_id}
        device.send("ringing", {**payload, "sdp": sdp.decode()} if sdp else payload)

    def reject(self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        """End the call with the error that belongs to a SIP status from 300 to 699; headers mean nothing
        here.
        """
        if not 300 <= status <= 699:
            raise ValueError(f"a call is rejected with 300 to 699, not {status}")
        self.session.end(SessionEnded("local", status, reason), error_of(status, reason))

    async def answer(self, sdp: bytes) -> None:
        """Answer the call. Raises SessionEnded when the page gave up before."""
        if self.session.ended.is_set():
            raise await self.session.wait_ended()
        self.session.answer(sdp.decode())
