"""The phone of the official Voice SDK: it finds its server, and what it tells comes through."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from tests.harness.browser import Browsing
from tests.harness.browser_fixtures import *  # noqa: F403
from tests.harness.browser_sdk import open_sdk_phone
from websockets.asyncio.server import ServerConnection, serve


class Gateway:
    """As much of a server as it takes to register, or to be refused."""

    def __init__(self) -> None:
        self.url = ""
        self.refuses = False
        self.listened: asyncio.Queue[dict[str, object]] = asyncio.Queue()

    async def handle(self, socket: ServerConnection) -> None:
        async for text in socket:
            if text == "\n":
                continue
            message = json.loads(text)
            if message["type"] == "listen":
                self.listened.put_nowait(message["payload"])
                await self._welcome(socket)
            elif message["type"] == "register":
                await say(socket, "ready", {})

    async def _welcome(self, socket: ServerConnection) -> None:
        if self.refuses:
            await say(socket, "error", {"error": {"code": 31204, "message": "no such token"}})
            await say(socket, "close", {})
        else:
            await say(socket, "connected", {"token": {"identity": "alice", "ttl": 3600}})


async def say(socket: ServerConnection, kind: str, payload: dict[str, object]) -> None:
    await socket.send(json.dumps({"type": kind, "version": "1.6", "payload": payload}))


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    gateway = Gateway()
    async with serve(gateway.handle, "127.0.0.1", 0) as server:
        gateway.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield gateway


async def test_sdk_registers_at_the_origin_of_its_page(gateway: Gateway, browsing: Browsing) -> None:
    phone = await open_sdk_phone(browsing, "alice", 0.0, gateway.url, "a token")
    await phone.register()
    await phone.told("device", "registered")
    assert (await gateway.listened.get())["token"] == "a token"
    assert (await phone.state())["identity"] == "alice"


async def test_what_the_sdk_complains_of_is_told(gateway: Gateway, browsing: Browsing) -> None:
    gateway.refuses = True
    phone = await open_sdk_phone(browsing, "alice", 0.0, gateway.url, "a token")
    phone.tab.expect_fault("AccessTokenInvalid")
    await phone.do("phone.device.register().catch(() => {})")
    told = await phone.told("device", "error")
    assert told.detail["code"] == 20101
