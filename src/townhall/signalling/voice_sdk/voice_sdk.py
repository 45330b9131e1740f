"""What the server mounts, and what calls ask for."""

from __future__ import annotations

from collections.abc import Callable

from townhall.signalling.voice_sdk.endpoint import Endpoint
from townhall.signalling.voice_sdk.exchange import Exchange
from townhall.signalling.voice_sdk.incoming import BrowserInvite
from townhall.signalling.voice_sdk.insights import Insights
from townhall.signalling.voice_sdk.outgoing import BrowserRinging, Caller
from townhall.signalling.voice_sdk.settings import VoiceSDKSettings
from townhall.signalling.voice_sdk.tokens import AccessTokens


class VoiceSDK:
    """`endpoint` is the ASGI application for WebSockets that `is_signal`, `insights` the one for requests
    that `is_insights`. `on_invite` is told of each call from a page; it must not block.
    """

    def __init__(
        self, settings: VoiceSDKSettings, tokens: AccessTokens, on_invite: Callable[[BrowserInvite], None]
    ) -> None:
        self._exchange = Exchange(settings, tokens, on_invite)
        self.endpoint = Endpoint(self._exchange)
        self.insights = Insights()

    def devices(self, identity: str) -> int:
        """How many sockets are registered under an identity."""
        return len(self._exchange.devices_of(identity))

    def local_addresses(self, identity: str) -> list[str]:
        """Where they reached us."""
        return [device.socket.local_address for device in self._exchange.devices_of(identity)]

    def ring(
        self,
        identity: str,
        offer: bytes,
        *,
        call_sid: str,
        from_: str,
        to: str,
        parameters: tuple[tuple[str, str], ...] = (),
        account_sid: str,
        on_provisional: Callable[[], None] = lambda: None,
        timeout_s: float,
    ) -> BrowserRinging:
        """Ring all pages of an identity; `on_provisional` is called once, when the first rings.

        When there is none, the session has failed with 480 by the time that it is returned.
        """
        caller = Caller(from_, to, account_sid, parameters)
        return self._exchange.ring(identity, offer, call_sid, caller, on_provisional, timeout_s)

    async def stop(self) -> None:
        """Hang up all calls and close all sockets."""
        self._exchange.hang_up_all()
        await self.endpoint.stop()
