"""One page's socket in our language: what it has shown (a token), what it wants (to be called), and its
calls.

Every message of the page is answered here or handed to the call it is about. See
docs/reference/voice-sdk.md.
"""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from townhall.signalling.voice_sdk.codes import (
    BAD_REQUEST,
    CANCELLED,
    DECLINED,
    INVALID_TOKEN,
    MALFORMED,
    NOT_FOUND,
    RATE_EXCEEDED,
    REATTACH_REFUSED,
    TOKEN_EXPIRED,
    TOKEN_MISSING,
    UNAVAILABLE,
    UNKNOWN_ERROR,
)
from townhall.signalling.voice_sdk.frames import (
    Answer,
    Digits,
    FrameError,
    Hangup,
    Invite,
    Listen,
    Payload,
    Register,
    Reinvite,
    Reject,
    UserMessage,
    read_frame,
)
from townhall.signalling.voice_sdk.incoming import BrowserInvite
from townhall.signalling.voice_sdk.outgoing import BrowserRinging
from townhall.signalling.voice_sdk.pacing import Allowance
from townhall.signalling.voice_sdk.parameters import merged
from townhall.signalling.voice_sdk.session import BrowserSession
from townhall.signalling.voice_sdk.tokens import Grant, TokenError

if TYPE_CHECKING:
    from townhall.signalling.voice_sdk.exchange import Exchange
    from townhall.signalling.voice_sdk.socket import BrowserSocket

_LONGEST_GRACE_S = 30.0
"""The most that the SDK asks for in `reconnectTimeout` (its option `maxCallSignalingTimeoutMs`)."""


class Device:
    """What the SDK calls a Device: a page that speaks for an identity as long as its token is good."""

    def __init__(self, exchange: Exchange, socket: BrowserSocket) -> None:
        self.socket = socket
        self.is_registered = False
        self._exchange = exchange
        self._limits = exchange.settings.limits
        self._grant: Grant | None = None
        self._expiry: asyncio.TimerHandle | None = None
        self._calls: dict[str, BrowserSession] = {}
        self._complaints = 0
        self._grace_s = exchange.settings.grace_s
        per_second = self._limits.invites_per_minute / 60
        self._invites = Allowance(per_second, self._limits.invites_per_minute)
        loop = asyncio.get_running_loop()
        self._patience = loop.call_later(self._limits.listen_within_s, self._never_listened)

    @property
    def identity(self) -> str:
        return self._grant.identity if self._grant is not None else ""

    @property
    def is_trusted(self) -> bool:
        """A token has been shown that is good still."""
        return self._grant is not None and self._grant.expires_at > time.time()

    @property
    def can_be_rung(self) -> bool:
        return self.is_registered and self.is_trusted and self._grant is not None and self._grant.incoming

    def send(self, kind: str, payload: dict[str, object]) -> None:
        self.socket.send(kind, payload)

    # Calls come and go

    def enter(self, session: BrowserSession) -> None:
        """A call is signalled here from now on, under both its names."""
        for name in (session.call_id, session.call_sid):
            if name:
                self._calls[name] = session

    def leave(self, session: BrowserSession) -> None:
        self._calls = {name: other for name, other in self._calls.items() if other is not session}

    def closed(self) -> None:
        """The socket is gone."""
        self._patience.cancel()
        if self._expiry is not None:
            self._expiry.cancel()
        self._exchange.offline(self)
        for session in {*self._calls.values()}:
            if isinstance(session, BrowserRinging):
                session.lost_one(self, self._grace_s)
            else:
                session.lost(self._grace_s)

    # Messages

    async def take(self, text: str) -> None:
        """Do what a frame asks for."""
        try:
            message = read_frame(text)
        except FrameError as error:
            self._complain(MALFORMED, str(error), is_last=error.is_rubbish)
            return
        if isinstance(message, Listen):
            await self._listen(message)
        elif self._grant is None:
            self._complain(TOKEN_MISSING, "listen with an access token comes first")
        else:
            self._obey(message)

    def _obey(self, message: Payload) -> None:
        match message:
            case Register():
                self._register(message.media.audio)
            case Invite(reconnect=str()):
                self._reattach(message)
            case Invite():
                self._invite(message)
            case UserMessage():
                self._refuse_message(message)
            case Answer() | Reject() | Hangup() | Digits() | Reinvite():
                self._about_a_call(message)

    def _complain(self, code: int, text: str, is_last: bool = False) -> None:
        """Say what was wrong; rubbish, or too much of it, ends the socket, and the SDK does not come back."""
        self._complaints += 1
        self._say_error(code, text)
        if is_last or self._complaints >= self._limits.complaints:
            self.dismiss(1008)

    def _say_error(self, code: int, text: str, **more: object) -> None:
        self.send("error", {"error": {"code": code, "message": text}, **more})

    def dismiss(self, code: int) -> None:
        """Close the socket for good: after `close` the SDK does not try again by itself."""
        self.send("close", {})
        self.socket.close(code)

    # Tokens

    async def _listen(self, message: Listen) -> None:
        try:
            if not message.token:
                raise TokenError(INVALID_TOKEN, "listen came without an access token")
            grant = await self._exchange.tokens.check(message.token)
            if self._calls and grant.identity != self.identity:
                raise TokenError(
                    INVALID_TOKEN, "a token for another identity cannot take over calls that go on"
                )
        except TokenError as error:
            self._say_error(error.code, error.message)
            if not self.is_trusted:
                self.dismiss(1008)
            return
        if grant.identity != self.identity:
            self._exchange.offline(self)
            self.is_registered = False
        self._grant = grant
        self._grace_s = max(self._exchange.settings.grace_s, min(message.reconnect_timeout, _LONGEST_GRACE_S))
        self._patience.cancel()
        self.socket.is_known()
        if self._expiry is not None:
            self._expiry.cancel()
        left_s = grant.expires_at - time.time()
        self._expiry = asyncio.get_running_loop().call_later(max(0.0, left_s), self._expired)
        self.send("connected", self._welcome(grant, left_s))
        if self.is_registered:
            self._exchange.online(self)

    def _welcome(self, grant: Grant, left_s: float) -> dict[str, object]:
        payload: dict[str, object] = {
            "edge": self.socket.edge,
            "region": self._exchange.settings.region,
            "token": {"identity": grant.identity, "ttl": max(0, int(left_s))},
        }
        return payload if self.socket.home is None else {**payload, "home": self.socket.home}

    def _expired(self) -> None:
        """Calls go on; there are no new ones until the page shows another token, and not for ever."""
        self._say_error(TOKEN_EXPIRED, "the access token has expired")
        self._exchange.offline(self)
        self._expiry = asyncio.get_running_loop().call_later(
            self._exchange.settings.renewal_s, self._never_renewed
        )

    def _never_renewed(self) -> None:
        if self._calls:
            self._expiry = asyncio.get_running_loop().call_later(
                self._exchange.settings.renewal_s, self._never_renewed
            )
        else:
            self.dismiss(1008)

    def _never_listened(self) -> None:
        self._say_error(TOKEN_MISSING, f"listen was expected within {self._limits.listen_within_s:g} s")
        self.dismiss(1008)

    def _register(self, is_wanted: bool) -> None:
        if not is_wanted:
            self.is_registered = False
            self._exchange.offline(self)
            self.send("offline", {})
        elif self.is_trusted:
            self.is_registered = True
            self.send("ready", {})
            self._exchange.online(self)
        else:
            self._say_error(TOKEN_EXPIRED, "the access token has expired")

    # Calls of the page

    def _invite(self, message: Invite) -> None:
        grant, now = self._grant, asyncio.get_running_loop().time()
        assert grant is not None
        if not self.is_trusted:
            self._decline(message.callsid, TOKEN_EXPIRED, "the access token has expired")
        elif grant.application_sid is None:
            self._decline(
                message.callsid, DECLINED, "the token allows no outgoing calls (outgoing.application_sid)"
            )
        elif message.callsid in self._calls or not message.callsid.startswith("TJS"):
            self._complain(BAD_REQUEST, "a call of a page's own has a new callsid, TJS…")
        elif not self._invites.take(now) or len({*self._calls.values()}) >= self._limits.calls_per_socket:
            self._decline(message.callsid, RATE_EXCEEDED, "too many calls; try again in a minute")
        elif self._exchange.is_full(self.socket.source[0]):
            self._decline(
                message.callsid, UNAVAILABLE, "too many calls are waiting to be answered; try again"
            )
        else:
            self._start_call(message, grant, grant.application_sid)

    def _start_call(self, message: Invite, grant: Grant, application_sid: str) -> None:
        try:
            parameters = merged(message.twilio.params, grant.parameters)
        except TokenError as error:
            self._decline(message.callsid, error.code, error.message)
            return
        offer = message.sdp.encode("utf-8", "replace")
        invite = BrowserInvite(self._exchange, self, application_sid, parameters, offer, message.callsid)
        invite.session.device = self
        self.enter(invite.session)
        if not self._exchange.admit(invite):
            self._decline(message.callsid, UNKNOWN_ERROR, "the server failed")

    def _decline(self, callsid: str, code: int, text: str) -> None:
        self.send("hangup", {"callsid": callsid, "error": {"code": code, "message": text}})

    def _reattach(self, message: Invite) -> None:
        session = self._exchange.reattached(message.callsid, message.reconnect or "", self.identity)
        if session is None:
            self._decline(message.callsid, REATTACH_REFUSED, "there is no such call any more")
        elif not self.is_trusted:
            self._decline(message.callsid, TOKEN_EXPIRED, "the access token has expired")
        elif self._may_describe(message.callsid):
            session.taken_over(self, message.sdp)

    def _may_describe(self, callsid: str) -> bool:
        """Descriptions are dear to read: there may be as many in a minute as calls."""
        is_allowed = self._invites.take(asyncio.get_running_loop().time())
        if not is_allowed:
            self._say_error(RATE_EXCEEDED, "too many descriptions; try again in a minute", callsid=callsid)
        return is_allowed

    # Messages about a call

    def _about_a_call(self, message: Answer | Reject | Hangup | Digits | Reinvite) -> None:
        session = self._calls.get(message.callsid) or self._exchange.orphan(message.callsid, self.identity)
        if session is None:
            if isinstance(message, Answer):
                self._decline(message.callsid, CANCELLED, "the call is over, or was answered elsewhere")
            return  # a message that crossed our goodbye
        match message:
            case Answer() if isinstance(session, BrowserRinging):
                session.picked_up(self, message)
            case Reject() if isinstance(session, BrowserRinging):
                session.refused(self)
            case Hangup():
                session.hung_up_by(self)
            case Digits() if session.device is self:
                session.press(message)
            case Reinvite() if session.device is self and self._may_describe(message.callsid):
                session.restart(message.sdp)

    def _refuse_message(self, message: UserMessage) -> None:
        self._say_error(
            NOT_FOUND,
            "nobody has subscribed to the messages of this call",
            callsid=message.callsid,
            voiceeventsid=message.voiceeventsid,
        )
