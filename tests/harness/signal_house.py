"""The Voice SDK's endpoint on a web server of its own, and pages that speak to it line by line."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, Self

import uvicorn
from twilio.jwt.access_token import AccessToken
from twilio.jwt.access_token.grants import VoiceGrant
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from townhall.signalling.voice_sdk import AccessTokens, BrowserInvite, VoiceSDK, VoiceSDKSettings

ACCOUNT_SID = "AC" + "a1" * 16
KEY_SID = "SK" + "b2" * 16
SECRET = "c3" * 16
APPLICATION_SID = "AP" + "d4" * 16
CALL_SID = "CA" + "e5" * 16
WITHIN_S = 30.0

CREDENTIALS = "a=ice-ufrag:{}\r\na=ice-pwd:abcdefghijklmnopqrstuv\r\na=fingerprint:sha-256 {}\r\n"
CERTIFICATE = ":".join(["AB"] * 32)
OTHER_CERTIFICATE = ":".join(["CD"] * 32)


def page_sdp(ufrag: str = "page", certificate: str = CERTIFICATE) -> str:
    """As much of a page's description as signalling looks at."""
    return (
        "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 0\r\n"
        + CREDENTIALS.format(ufrag, certificate)
    )


def make_token(
    identity: str = "alice",
    *,
    account_sid: str = ACCOUNT_SID,
    key_sid: str = KEY_SID,
    secret: str = SECRET,
    ttl_s: int = 3600,
    application_sid: str | None = APPLICATION_SID,
    parameters: dict[str, Any] | None = None,
    incoming: bool = True,
) -> str:
    """An access token by Twilio's package for Python."""
    token = AccessToken(account_sid, key_sid, secret, identity=identity, ttl=ttl_s)
    token.add_grant(
        VoiceGrant(
            outgoing_application_sid=application_sid,
            outgoing_application_params=parameters,
            incoming_allow=incoming,
        )
    )
    made = token.to_jwt()
    return made if isinstance(made, str) else made.decode()


async def secret_of(key_sid: str) -> str | None:
    return SECRET if key_sid == KEY_SID else None


class Page:
    """`async with Page(url) as page: await page.say("listen", token=…); await page.hear("connected")`."""

    def __init__(self, url: str, answers_heartbeats: bool = True, **options: Any) -> None:
        self._connecting = connect(url, ping_interval=None, close_timeout=1, **options)
        self._answers_heartbeats = answers_heartbeats
        self.heartbeats = 0

    async def __aenter__(self) -> Self:
        self.socket: ClientConnection = await self._connecting
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.socket.close()

    def drop(self) -> None:
        """Lose the connection without a word."""
        self.socket.transport.abort()

    async def say(self, kind: str, **payload: Any) -> None:
        await self.socket.send(json.dumps({"type": kind, "version": "1.6", "payload": payload}))

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next message that is no heartbeat."""
        async with asyncio.timeout(WITHIN_S):
            while (text := await self.socket.recv()) == "\n":
                self.heartbeats += 1
                if self._answers_heartbeats:
                    with suppress(ConnectionClosed):  # what was said last is still to be heard
                        await self.socket.send("\n")
        message = json.loads(text)
        assert set(message) == {"type", "version", "payload"}
        return message["type"], message["payload"]

    async def hear(self, kind: str) -> dict[str, Any]:
        """The payload of the next message, which is of this type."""
        heard, payload = await self.next()
        assert heard == kind, f"{kind} was expected, not {heard} {payload}"
        return payload

    async def hear_error(self) -> int:
        """The code of the next message, an error."""
        code: int = (await self.hear("error"))["error"]["code"]
        return code

    async def closed(self) -> int:
        """The code with which the server closes, after nothing more than heartbeats."""
        try:
            async with asyncio.timeout(WITHIN_S):
                while (text := await self.socket.recv()) == "\n":
                    self.heartbeats += 1
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd is not None else 1006
        raise AssertionError(f"the end was expected, not {text!r}")

    async def dismissed(self) -> None:
        """The server says that the SDK need not come back, and closes."""
        await self.hear("close")
        assert await self.closed() == 1008

    async def listen(self, token: str | None = None, **payload: Any) -> dict[str, Any]:
        await self.say("listen", token=token or make_token(), **payload)
        return await self.hear("connected")

    async def register(self) -> None:
        await self.say("register", media={"audio": True})
        await self.hear("ready")

    async def silent(self) -> None:
        """Nothing has been said to this page: a message that is answered at once brings that answer first."""
        await self.say("message", callsid=CALL_SID, voiceeventsid="KX-nothing")
        payload = await self.hear("error")
        assert payload["voiceeventsid"] == "KX-nothing"


@dataclass
class SignalHouse:
    """A server with pages. `invites` are the calls from pages, in order."""

    sdk: VoiceSDK
    url: str = ""
    invites: asyncio.Queue[BrowserInvite] = field(default_factory=asyncio.Queue)

    def page(self, **options: Any) -> Page:
        return Page(self.url, **options)

    @asynccontextmanager
    async def registered(self, identity: str = "alice") -> AsyncIterator[Page]:
        """A page that has shown its token and wants to be called."""
        async with self.page() as page:
            await page.listen(make_token(identity))
            await page.register()
            yield page

    def expire(self, identity: str) -> None:
        """Have the tokens of an identity's pages expire now."""
        for device in self.sdk._exchange.devices_of(identity):
            assert device._grant is not None
            device._grant = replace(device._grant, expires_at=0.0)
            device._expired()

    async def left(self, identity: str) -> None:
        """Wait until nobody is registered under this name."""
        async with asyncio.timeout(WITHIN_S):
            while self.sdk.devices(identity):  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def empty(self) -> None:
        """Wait until no socket is counted any more."""
        async with asyncio.timeout(WITHIN_S):
            while self.sdk.endpoint.sockets:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    async def invite(self) -> BrowserInvite:
        async with asyncio.timeout(WITHIN_S):
            return await self.invites.get()


@asynccontextmanager
async def open_house(settings: VoiceSDKSettings | None = None) -> AsyncIterator[SignalHouse]:
    """Serve on a free port of 127.0.0.1 until the end of the block."""
    invites: asyncio.Queue[BrowserInvite] = asyncio.Queue()
    tokens = AccessTokens(ACCOUNT_SID, secret_of)
    house = SignalHouse(VoiceSDK(settings or VoiceSDKSettings(), tokens, invites.put_nowait), invites=invites)
    config = uvicorn.Config(
        house.sdk.endpoint,
        port=0,
        log_config=None,
        lifespan="off",
        ws="websockets-sansio",
        ws_per_message_deflate=False,
    )
    config.load()
    server = uvicorn.Server(config)
    server.lifespan = config.lifespan_class(config)
    await server.startup()
    house.url = f"ws://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/signal"
    try:
        yield house
    finally:
        await house.sdk.stop()
        await server.shutdown()
