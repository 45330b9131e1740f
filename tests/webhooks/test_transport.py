"""Connections: bounded per origin, and one server that hangs does not starve the others."""

import asyncio
from contextlib import AsyncExitStack

import pytest
from tests.harness.raw_server import answer, raw_server

from townhall.twiml import FetchFailed
from townhall.webhooks import Cookies, transport


async def test_server_that_hangs_does_not_starve_another(client, monkeypatch):
    monkeypatch.setattr(transport, "MOST_CONNECTIONS", 3)
    release = asyncio.Event()

    async def hangs(asked):
        await release.wait()
        return answer()

    async with raw_server(hangs) as slow, raw_server(lambda asked: answer()) as quick:
        waiting = [asyncio.create_task(client.fetch(slow.url("/"), "POST", [], Cookies())) for _ in range(6)]
        page = await client.fetch(quick.url("/"), "POST", [], Cookies())
        release.set()
        await asyncio.gather(*waiting)
        assert slow.connections == 3
    assert page.body == b"<Response/>"


async def test_idle_origins_make_room_for_new_ones(client, monkeypatch):
    monkeypatch.setattr(transport, "MOST_ORIGINS", 2)
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(raw_server(lambda asked: answer())) for _ in range(4)]
        for server in servers * 2:
            await client.fetch(server.url("/"), "POST", [], Cookies())
        assert [len(server.asked) for server in servers] == [2, 2, 2, 2]


async def test_too_many_busy_origins_are_refused(client, monkeypatch):
    monkeypatch.setattr(transport, "MOST_ORIGINS", 1)
    arrived, release = asyncio.Event(), asyncio.Event()

    async def hangs(asked):
        arrived.set()
        await release.wait()
        return answer()

    async with raw_server(hangs) as busy, raw_server(lambda asked: answer()) as other:
        waiting = asyncio.create_task(client.fetch(busy.url("/"), "POST", [], Cookies()))
        await arrived.wait()
        with pytest.raises(FetchFailed, match="11200"):
            await client.fetch(other.url("/"), "POST", [], Cookies())
        release.set()
        await waiting
