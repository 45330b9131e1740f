"""What calls need of a session and of somebody who calls, whether SIP or a browser brings them."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from townhall.sip.outcome import SessionEnded


class CallSession(Protocol):
    """An established call, or one that is about to be; see `Session`."""

    call_id: str
    ended: asyncio.Event
    on_offer: Callable[[bytes | None], bytes]
    on_answer: Callable[[bytes], None]
    on_digit: Callable[[str, int], None]
    on_ended: Callable[[], None]
    """Told in the moment of the end, before the peer can say anything else; must not block."""

    async def wait_ended(self) -> SessionEnded:
        """How the call ended, once it has."""

    async def hang_up(self, reason_header: str | None = None) -> None:
        """Hang up, or what the state of the call asks for; does not wait for the peer. Idempotent."""


class RingingSession(CallSession, Protocol):
    """A call of ours that rings."""

    async def answered(self) -> bytes:
        """The description in the answer; empty when there was an offer instead, which `on_offer` has
        answered. Raises `InviteFailed`.
        """


class CallInvite(Protocol):
    """Somebody calls: waits for `ring`, `answer` or `reject`."""

    call_id: str
    source: tuple[str, int]
    local_address: str
    """The address that we were reached at: it belongs into our session description."""

    @property
    def offer(self) -> bytes | None:
        """None when the caller wants an offer of ours."""

    @property
    def session(self) -> CallSession:
        """What the call becomes."""

    async def ring(self, status: int = 180, sdp: bytes = b"") -> None:
        """Tell the caller that it rings."""

    def reject(self, status: int, reason: str | None = None, headers: Sequence[tuple[str, str]] = ()) -> None:
        """Refuse with a SIP status from 300 to 699."""

    async def answer(self, sdp: bytes) -> bytes | None:
        """Answer; returns the caller's answer to an offer of ours. Raises `SessionEnded`."""


class Browsers(Protocol):
    """Those that are registered, by identity."""

    def devices(self, identity: str) -> int:
        """How many are registered under it."""

    def local_addresses(self, identity: str) -> list[str]:
        """Where they reached us."""

    def ring(
        self,
        identity: str,
        offer: bytes,
        *,
        call_sid: str,
        from_: str,
        to: str,
        parameters: tuple[tuple[str, str], ...],
        account_sid: str,
        on_provisional: Callable[[], None],
        timeout_s: float,
    ) -> RingingSession:
        """Invite all of an identity's browsers; the first that answers is connected."""


class BrowserCall(CallInvite, Protocol):
    """A browser calls the TwiML application that its access token names."""

    application_sid: str
    parameters: list[tuple[str, str]]
    """What its page gave to the call, and its token."""
    call_sid: str
    """The SID that the browser is told; to be set before `ring` or `answer`."""

    @property
    def identity(self) -> str:
        """Who the access token says he is."""

    @property
    def offer(self) -> bytes:
        """A browser always makes one."""
