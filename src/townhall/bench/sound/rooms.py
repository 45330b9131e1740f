"""Conferences for pairs of phones: a webhook that knows who goes where, and tokens for browsers."""

import asyncio
from types import TracebackType
from typing import Self, cast
from urllib.parse import parse_qs

from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant

from townhall.bench.phones.calling import CALL_FAILURES, calling_agent, invite
from townhall.bench.server.api import API
from townhall.bench.server.receiver import Receiver
from townhall.bench.server.subject import ACCOUNT_SID, ADDRESS, BenchFailed, Subject
from townhall.bench.sound.wire import Wire
from townhall.bench.web.calling import WebCaller
from townhall.bench.web.crowd import WebCrowd
from townhall.bench.web.peer import WebPeer
from townhall.signalling import OutgoingSession

NUMBER = "3100"
_CALLER_ADDRESS = "127.126.0.2"
_TRIES = 5
_PATIENCE_S = 1.0
_DOCUMENT = (
    '<Response><Dial><Conference beep="false" waitUrl="" muted="{muted}">{room}'
    "</Conference></Dial></Response>"
)


class Rooms:
    """`async with Rooms() as rooms`; `rooms.put(phone, room, talks)`, then let it call `NUMBER`."""

    def __init__(self) -> None:
        self._documents: dict[str, str] = {}
        self._receiver = Receiver(ADDRESS)
        self._receiver.answer(self._document)

    @property
    def url(self) -> str:
        return f"{self._receiver.url}/voice"

    def put(self, phone: int, room: str, *, talks: bool) -> None:
        self._documents[f"phone{phone}"] = _DOCUMENT.format(muted="false" if talks else "true", room=room)

    def _document(self, form: bytes) -> str:
        user = parse_qs(form.decode()).get("From", [""])[0].partition(":")[2].partition("@")[0]
        return self._documents.get(user, "<Response><Hangup/></Response>")

    async def __aenter__(self) -> Self:
        await self._receiver.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._receiver.__aexit__(kind, error, trace)


class Telephones:
    """SIP calls for the phones of a wire. `start` before the first, `stop` hangs up all."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._agent = calling_agent(_CALLER_ADDRESS)
        self._sessions: list[OutgoingSession] = []

    async def start(self) -> None:
        await self._agent.start()

    async def stop(self) -> None:
        await asyncio.gather(*(session.hang_up() for session in self._sessions))
        await self._agent.stop()

    async def call(self, phone: int, uri: str) -> None:
        """Call from a phone, again where the server asks for patience; raises `BenchFailed`."""
        for _ in range(_TRIES - 1):
            try:
                return await self._call(phone, uri)
            except BenchFailed:
                await asyncio.sleep(_PATIENCE_S)
        await self._call(phone, uri)

    async def _call(self, phone: int, uri: str) -> None:
        wire = self._wire
        place = wire.address(phone), wire.port(phone)
        try:
            call = await invite(self._agent, f"sip:phone{phone}@{_CALLER_ADDRESS}", phone, place, uri)
        except CALL_FAILURES as error:
            raise BenchFailed(f"phone {phone} was not answered: {error}") from error
        self._sessions.append(call.session)
        wire.connect(phone, call.remote)


class Browsers(WebCaller):
    """Calls of pages with tokens for an application of ours."""

    def __init__(self, wire: Wire, subject: Subject, tokens: "Tokens") -> None:
        super().__init__(cast(WebCrowd, _Ends(wire)), ADDRESS, subject.http_port)
        self._tokens = tokens
        self._wire = wire
        self._phone_of = {wire.address(phone): phone for phone in range(wire.phones)}

    async def _token(self, address: str) -> str:
        return self._tokens.of(f"phone{self._phone_of[address]}")


class _Ends:
    """A wire as the callers of crowds see it."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self.address = wire.address
        self.failure = wire.failure

    def connect(
        self, browser: int, peer: WebPeer, remote: tuple[str, int], payload_type: int, *, talking: bool
    ) -> None:
        self._wire.secure(browser, peer, remote)

    def disconnect(self, browser: int) -> None:
        """It goes on until the wire stops."""


class Tokens:
    """Access tokens for one application, as a page's own server makes them."""

    def __init__(self, application_sid: str, key_sid: str, secret: str) -> None:
        self._application_sid, self._key_sid, self._secret = application_sid, key_sid, secret

    @classmethod
    async def for_application(cls, api: API, voice_url: str) -> "Tokens":
        """Tokens for a new application."""
        application = await api.ask("POST", "/Applications", FriendlyName="bench", VoiceUrl=voice_url)
        key = await api.ask("POST", "/Keys", FriendlyName="bench")
        return cls(application["sid"], key["sid"], key["secret"])

    def of(self, identity: str) -> str:
        token = AccessToken(ACCOUNT_SID, self._key_sid, self._secret, identity=identity)
        token.add_grant(VoiceGrant(outgoing_application_sid=self._application_sid))
        return str(token.to_jwt())
