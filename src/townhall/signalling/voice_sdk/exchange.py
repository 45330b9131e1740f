"""Who is there, and which calls go on: all that the sockets share."""

from __future__ import annotations

import logging
from collections.abc import Callable

from townhall.signalling.voice_sdk.device import Device
from townhall.signalling.voice_sdk.incoming import BrowserInvite
from townhall.signalling.voice_sdk.outgoing import BrowserRinging, Caller
from townhall.signalling.voice_sdk.reattaching import ReconnectTokens
from townhall.signalling.voice_sdk.session import BrowserSession
from townhall.signalling.voice_sdk.settings import VoiceSDKSettings
from townhall.signalling.voice_sdk.tokens import AccessTokens
from townhall.sip.outcome import SessionEnded
from townhall.sip.shares import source_key

_log = logging.getLogger("townhall.signalling")


class Exchange:
    def __init__(
        self, settings: VoiceSDKSettings, tokens: AccessTokens, on_invite: Callable[[BrowserInvite], None]
    ) -> None:
        self.settings = settings
        self.tokens = tokens
        self.reconnecting = ReconnectTokens()
        self._on_invite = on_invite
        self._devices: dict[str, dict[Device, None]] = {}
        self._calls: dict[str, BrowserSession] = {}
        self._pending: dict[BrowserSession, str] = {}
        self._ringing: dict[str, dict[BrowserRinging, None]] = {}

    # Devices

    def online(self, device: Device) -> None:
        """A page has registered (again); what rings for its identity rings there, too."""
        if not device.can_be_rung:
            return
        self._devices.setdefault(device.identity, {})[device] = None
        for ringing in list(self._ringing.get(device.identity, ())):
            if ringing.rings_at < self.settings.limits.devices_rung:
                ringing.ring(device)

    def offline(self, device: Device) -> None:
        there = self._devices.get(device.identity)
        if there is not None:
            there.pop(device, None)
            if not there:
                del self._devices[device.identity]

    def devices_of(self, identity: str) -> list[Device]:
        """The last that have registered under this identity."""
        there = list(self._devices.get(identity, ()))
        return there[-self.settings.limits.devices_rung :]

    # Calls

    def is_full(self, source: str) -> bool:
        """Whether there are so many calls to be answered, in all or from one address, that no more are
        taken.
        """
        limits = self.settings.limits
        return (
            len(self._pending) >= limits.pending_invites
            or list(self._pending.values()).count(source_key(source)) >= limits.pending_invites_per_source
        )

    def admit(self, invite: BrowserInvite) -> bool:
        """Hand a page's call to those who run calls; False: they failed."""
        self._pending[invite.session] = source_key(invite.source[0])
        try:
            self._on_invite(invite)
        except Exception:
            _log.exception("on_invite failed in call %s", invite.call_id)
            invite.session.end(SessionEnded("error"), is_told=False)
            return False
        return True

    def ring(
        self,
        identity: str,
        offer: bytes,
        call_sid: str,
        caller: Caller,
        on_provisional: Callable[[], None],
        timeout_s: float,
    ) -> BrowserRinging:
        session = BrowserRinging(self, identity, call_sid, offer, caller, on_provisional, timeout_s)
        devices = self.devices_of(identity)
        if not devices:
            session.nobody()
            return session
        self.name(session)
        self._ringing.setdefault(identity, {})[session] = None
        for device in devices:
            session.ring(device)
        return session

    def name(self, session: BrowserSession) -> None:
        """A call has got its SID."""
        if session.call_sid and not session.ended.is_set():
            self._calls[session.call_sid] = session
            if session.device is not None:
                session.device.enter(session)

    def settled(self, session: BrowserSession) -> None:
        """A call is answered."""
        self._pending.pop(session, None)
        self._stop_ringing(session)

    def forget(self, session: BrowserSession) -> None:
        """A call is over."""
        self._pending.pop(session, None)
        self._stop_ringing(session)
        if self._calls.get(session.call_sid) is session:
            del self._calls[session.call_sid]

    def _stop_ringing(self, session: BrowserSession) -> None:
        ringing = self._ringing.get(session.identity)
        if ringing is not None and isinstance(session, BrowserRinging):
            ringing.pop(session, None)
            if not ringing:
                del self._ringing[session.identity]

    def reattached(self, call_sid: str, token: str, identity: str) -> BrowserSession | None:
        """The call that a reconnect token is for; None: it is over, or the token is of another call or
        identity.
        """
        session = self._calls.get(call_sid)
        if session is None or session.identity != identity:
            return None
        return session if self.reconnecting.fits(token, call_sid, identity) else None

    def orphan(self, call_sid: str, identity: str) -> BrowserSession | None:
        """A call of this identity that has no socket: what a page wanted to say of it when its own was gone
        comes by another, before anything else.
        """
        session = self._calls.get(call_sid)
        return (
            session
            if session is not None and session.identity == identity and session.device is None
            else None
        )

    def hang_up_all(self) -> None:
        for session in [*self._calls.values(), *self._pending]:
            session.end(SessionEnded("local"))
