"""The browsers' signalling: what a page with the Voice SDK says over its WebSocket, one task per call.

docs/reference/voice-sdk.md has the messages. Left out: everything a page may do besides calling, pressing
keys and hanging up.
"""

import asyncio
import contextlib
import json
import re
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from townhall.bench.phones.calling import Key
from townhall.bench.web.crowd import WebCrowd
from townhall.bench.web.peer import WebPeer
from townhall.errors import TownhallError
from townhall.ice import Credentials, new_credentials
from townhall.media.secure import new_certificate
from townhall.media.secure.dtls import make_context

_VERSION = "1.6"
_WITHIN_S = 60.0
_MENU_WITHIN_S = 30.0
_OFFER = """\
v=0
o=- {number} 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0
m=audio 9 UDP/TLS/RTP/SAVPF 111 110
c=IN IP4 0.0.0.0
a=mid:0
a=sendrecv
a=ice-ufrag:{local.ufrag}
a=ice-pwd:{local.pwd}
a=fingerprint:{fingerprint}
a=setup:actpass
a=rtcp-mux
a=rtpmap:111 opus/48000/2
a=fmtp:111 minptime=10;useinbandfec=1
a=rtpmap:110 telephone-event/48000
"""
"""What of a browser's offer matters to who answers it (RFC 8829 section 5.2)."""
_OPUS = 111
_CANDIDATE = re.compile(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ host", re.MULTILINE)


class PageFailed(TownhallError):
    """The server refused a page's call, or said something else than was expected."""


@dataclass(frozen=True, slots=True)
class WebCall:
    """A call that was answered; `invited_at` in monotonic seconds."""

    browser: int
    call_sid: str
    socket: ClientConnection
    listener: asyncio.Task[None]
    invited_at: float


class WebCaller:
    """Calls for every browser of a crowd, to one server."""

    def __init__(self, crowd: WebCrowd, host: str, port: int) -> None:
        self._crowd = crowd
        self._host, self._port = host, port
        self._certificate = new_certificate()
        self._context = make_context(self._certificate)
        self.failures: Counter[str] = Counter()
        """Why calls were not answered, and how many for each reason."""
        self.calls: list[WebCall] = []
        """Those that were."""

    async def call(self, browser: int, number: str, *, talking: bool) -> WebCall | None:
        """Call a line; None when it was not answered."""
        try:
            async with asyncio.timeout(_WITHIN_S):
                call = await self._call(browser, number, talking)
        except (TownhallError, OSError, TimeoutError, WebSocketException) as error:
            self.failures[f"{type(error).__name__} {error}".strip()] += 1
            return None
        self.calls.append(call)
        return call

    async def _call(self, browser: int, number: str, talking: bool) -> WebCall:
        address = self._crowd.address(browser)
        token = await self._token(address)
        socket = await connect(
            f"ws://{self._host}:{self._port}/signal", local_addr=(address, 0), compression=None, proxy=None
        )
        try:
            return await self._invite(socket, browser, token, number, talking)
        except BaseException:
            await socket.close()
            raise

    async def _invite(
        self, socket: ClientConnection, browser: int, token: str, number: str, talking: bool
    ) -> WebCall:
        await _say(socket, "listen", token=token, browserinfo={"p": "browser"}, reconnectTimeout=0)
        await _expect(socket, "connected")
        local = new_credentials()
        offer = _OFFER.format(number=browser + 1, local=local, fingerprint=self._certificate.fingerprint)
        invited_at = time.monotonic()
        params = urlencode({"To": number, "Name": f"Browser {browser}"})
        call = {"callsid": f"TJS{uuid.uuid4()}", "sdp": offer.replace("\n", "\r\n")}
        await _say(socket, "invite", **call, twilio={"params": params})
        answer = await _expect(socket, "answer")
        sdp = answer["sdp"]
        remote = Credentials(_attribute(sdp, "ice-ufrag"), _attribute(sdp, "ice-pwd"))
        peer = WebPeer(self._context, local, remote, _attribute(sdp, "fingerprint"))
        candidate = _CANDIDATE.search(sdp)
        if candidate is None or f"a=rtpmap:{_OPUS} opus" not in sdp:
            raise PageFailed(f"an answer with Opus and a candidate of UDP was expected, not {sdp!r}")
        self._crowd.connect(browser, peer, (candidate[1], int(candidate[2])), _OPUS, talking=talking)
        listener = asyncio.create_task(_keep_alive(socket))
        return WebCall(browser, answer["callsid"], socket, listener, invited_at)

    async def _token(self, address: str) -> str:
        """An access token, as our own page asks for one."""
        reader, writer = await asyncio.open_connection(self._host, self._port, local_addr=(address, 0))
        try:
            site = f"{self._host}:{self._port}"
            writer.write(
                f"POST /phone/token HTTP/1.1\r\nHost: {site}\r\nOrigin: http://{site}\r\n"
                "Connection: close\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}".encode()
            )
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        if not head.startswith(b"HTTP/1.1 200"):
            raise PageFailed(f"POST /phone/token was answered with {head[:60]!r}")
        return str(json.loads(body)["token"])

    async def press(self, call: WebCall, key: Key) -> None:
        """Press a key once the menu is heard: keys before its question are no answer to it."""
        until = time.monotonic() + _MENU_WITHIN_S
        while self._crowd.heard_at[call.browser] > time.monotonic():
            if time.monotonic() > until:
                self.failures[self._crowd.failure(call.browser) or "the menu was not heard"] += 1
                return
            await asyncio.sleep(0.05)  # told in another thread
        with contextlib.suppress(WebSocketException):
            await _say(call.socket, "dtmf", callsid=call.call_sid, dtmf=key)

    async def hang_up(self, call: WebCall) -> None:
        self._crowd.disconnect(call.browser)
        call.listener.cancel()
        with contextlib.suppress(WebSocketException):
            await _say(call.socket, "hangup", callsid=call.call_sid)
        await call.socket.close()


@contextlib.asynccontextmanager
async def gather_browsers(many: int, host: str, port: int) -> AsyncIterator[tuple[WebCrowd, WebCaller]]:
    """A crowd of browsers and their signalling; in the end all hang up and are gone."""
    crowd = WebCrowd(many)
    crowd.start()
    caller = WebCaller(crowd, host, port)
    try:
        yield crowd, caller
    finally:
        await asyncio.gather(*(caller.hang_up(call) for call in caller.calls))
        crowd.stop()


def _attribute(sdp: str, name: str) -> str:
    found = re.search(rf"^a={name}:(.*?)\r?$", sdp, re.MULTILINE)
    if found is None:
        raise PageFailed(f"the answer has no a={name}")
    return found[1]


async def _say(socket: ClientConnection, kind: str, **payload: object) -> None:
    await socket.send(json.dumps({"type": kind, "version": _VERSION, "payload": payload}))


async def _expect(socket: ClientConnection, wanted: str) -> dict[str, Any]:
    """The payload of the next message of a kind; raises `PageFailed` when the server says no."""
    async for text in socket:
        if text == "\n":
            await socket.send("\n")
            continue
        message = json.loads(text)
        if message["type"] == wanted:
            return dict(message.get("payload") or {})
        if message["type"] in ("error", "hangup", "close"):
            raise PageFailed(f"{message['type']} in place of {wanted}: {message.get('payload')}")
    raise PageFailed(f"the socket was closed in place of {wanted}")


async def _keep_alive(socket: ClientConnection) -> None:
    """Answer the server's heartbeats; pass over everything else."""
    with contextlib.suppress(WebSocketException):
        async for text in socket:
            if text == "\n":
                await socket.send("\n")
