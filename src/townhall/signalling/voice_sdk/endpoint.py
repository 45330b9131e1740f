"""The WebSocket endpoint `/signal`: who is let in, and the loop that takes one page's frames.

A page's `edge` option becomes part of the address, either as it is meant (`voice-js.<edge>.twilio.com`,
with a name server that leads here) or as `<host>/x?`, which makes
`wss://voice-js.<host>/x?.twilio.com/signal`. The SDK builds its address for coming back from the edge that
it is told, so it is told its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter

from starlette.types import Receive, Scope, Send

from townhall.signalling.voice_sdk.codes import MALFORMED, RATE_EXCEEDED
from townhall.signalling.voice_sdk.device import Device
from townhall.signalling.voice_sdk.exchange import Exchange
from townhall.signalling.voice_sdk.pacing import Allowance
from townhall.signalling.voice_sdk.socket import BrowserSocket, next_text
from townhall.sip.shares import source_key

_log = logging.getLogger("townhall.signalling")
_PATH = "/signal"
_TWILIO = ".twilio.com"
_SUBDOMAIN = "voice-js."


class Endpoint:
    """The ASGI application."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self._settings = exchange.settings
        self._sockets: set[BrowserSocket] = set()
        self._per_source: Counter[str] = Counter()
        self._unlistened: Counter[str] = Counter()
        self._empty = asyncio.Event()
        self._is_open = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "websocket":
            await _needs_upgrade(send)
            return
        await receive()  # websocket.connect
        source = source_key((scope.get("client") or ("", 0))[0])
        if not is_signal(scope) or not self._has_room(source):
            await send({"type": "websocket.close", "code": 1013})
            return
        self._per_source[source] += 1
        self._unlistened[source] += 1
        socket = self._socket(scope, source)
        self._sockets.add(socket)
        try:
            await send({"type": "websocket.accept"})
            await self._serve(socket, receive, send)
        finally:
            socket.is_known()
            self._sockets.discard(socket)
            _subtract(self._per_source, source)
            if not self._sockets:
                self._empty.set()

    def _has_room(self, source: str) -> bool:
        limits = self._settings.limits
        return (
            self._is_open
            and len(self._sockets) < limits.sockets
            and self._per_source[source] < limits.sockets_per_source
            and self._unlistened.total() < limits.unlistened
            and self._unlistened[source] < limits.unlistened_per_source
        )

    def _socket(self, scope: Scope, source: str) -> BrowserSocket:
        is_unknown = True

        def is_known() -> None:
            nonlocal is_unknown
            if is_unknown:
                is_unknown = False
                _subtract(self._unlistened, source)

        host = _host_of(scope)
        server = scope.get("server") or ("127.0.0.1", None)
        return BrowserSocket(
            self._settings,
            source=tuple(scope.get("client") or ("", 0)),
            local_address=server[0],
            edge=_edge_of(scope, host) or self._settings.edge,
            home=_home_of(host) if self._settings.home == "" else self._settings.home,
            is_known=is_known,
        )

    async def _serve(self, socket: BrowserSocket, receive: Receive, send: Send) -> None:
        device = Device(self._exchange, socket)
        try:
            reading = asyncio.create_task(self._read(device, receive), name="voice sdk: read")
            await socket.run(reading, send)
        finally:
            device.closed()

    async def _read(self, device: Device, receive: Receive) -> None:
        limits, loop = self._settings.limits, asyncio.get_running_loop()
        allowance = Allowance(limits.frames_per_second, limits.frame_burst)
        while not device.socket.is_closing and (frame := await next_text(receive)) is not None:
            device.socket.heard()
            if not allowance.take(loop.time()):
                _dismiss(device, RATE_EXCEEDED, f"more than {limits.frames_per_second:g} messages a second")
            elif isinstance(frame, bytes):
                _dismiss(device, MALFORMED, "text frames were expected")
            elif len(frame) > limits.frame_size:
                _dismiss(device, MALFORMED, f"a frame has {limits.frame_size} bytes at most")
            elif frame.strip():  # else a heartbeat
                try:
                    await device.take(frame)
                except Exception:
                    _log.exception(
                        "a frame of %s was too much for us", device.identity or device.socket.source[0]
                    )
                    _dismiss(device, MALFORMED, "the message could not be handled")
        if device.socket.is_closing:
            await asyncio.Event().wait()  # what is said last is still on its way; nothing more is read

    @property
    def sockets(self) -> int:
        """How many are open."""
        return len(self._sockets)

    async def stop(self) -> None:
        """Close all sockets, so that pages come back to whoever is there then."""
        self._is_open = False
        for socket in self._sockets:
            socket.close(1012)
        while self._sockets:
            self._empty.clear()
            await self._empty.wait()


def _dismiss(device: Device, code: int, text: str) -> None:
    device.send("error", {"error": {"code": code, "message": text}})
    device.dismiss(1008)


def is_signal(scope: Scope) -> bool:
    """Whether a WebSocket is for us: its address ends in `/signal`, be it in the query (see above)."""
    path: str = scope["path"]
    query: str = scope.get("query_string", b"").decode("latin-1")
    return path.endswith(_PATH) or query.endswith(_TWILIO + _PATH)


def _host_of(scope: Scope) -> str:
    """The name (and port) that the page has used, without what the SDK puts in front of it; empty: none."""
    host = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "")
    fits = 0 < len(host) <= 255 and all(c.isalnum() or c in ".-:[]_" for c in host) and host.isascii()
    return host.removeprefix(_SUBDOMAIN) if fits else ""


def _edge_of(scope: Scope, host: str) -> str | None:
    query = scope.get("query_string", b"").decode("latin-1")
    if query == _TWILIO + _PATH:
        return f"{host}{scope['path']}?"[:400]
    name = host.partition(":")[0]
    return name.removesuffix(_TWILIO) if name.endswith(_TWILIO) else None


def _home_of(host: str) -> str | None:
    """What makes the SDK send its statistics here: `https://eventgw.<home>.twilio.com/v4/…` is where they
    go.

    None where the page has come by Twilio's names: whoever leads those here does so with
    `eventgw.twilio.com`, too.
    """
    is_twilios = host.partition(":")[0].endswith(_TWILIO)
    return f"{host}/insights?" if host and not is_twilios else None


def _subtract(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]


async def _needs_upgrade(send: Send) -> None:
    headers = [(b"content-length", b"0"), (b"upgrade", b"websocket"), (b"connection", b"Upgrade")]
    await send({"type": "http.response.start", "status": 426, "headers": headers})
    await send({"type": "http.response.body", "body": b""})
