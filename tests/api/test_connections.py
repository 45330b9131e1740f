"""HTTP connections: slow and many ones."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from townhall.api.connections import BoundedHTTP

Serve = Callable[..., AbstractAsyncContextManager[tuple[str, int]]]
REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


async def _echo(request: Request) -> PlainTextResponse:
    return PlainTextResponse(f"read {len(await request.body())}")


@pytest.fixture
def serve() -> Serve:
    @asynccontextmanager
    async def start(**limits: float) -> AsyncIterator[tuple[str, int]]:
        protocol = type("Bounded", (BoundedHTTP,), limits)
        app = Starlette(routes=[Route("/", _echo, methods=["GET", "POST"])])
        config = uvicorn.Config(app, http=protocol, log_config=None, lifespan="off", ws="none")
        config.load()
        server = uvicorn.Server(config)
        loop = asyncio.get_running_loop()
        listener = await loop.create_server(
            lambda: protocol(config=config, server_state=server.server_state, app_state={}), "127.0.0.1", 0
        )
        try:
            yield listener.sockets[0].getsockname()
        finally:
            listener.close()
            for connection in list(server.server_state.connections):
                connection.transport.abort()
            await asyncio.sleep(0)

    return start


async def is_closed(reader: asyncio.StreamReader) -> bool:
    with contextlib.suppress(ConnectionResetError):
        await reader.read()
    return True


@pytest.mark.parametrize(
    "begun",
    [b"", b"G", b"GET / HTTP/1.1\r\nX: y\r\n", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc"],
)
async def test_request_that_does_not_come_whole_loses_its_connection(serve: Serve, begun: bytes) -> None:
    async with serve(request_within_s=0.1) as at:
        reader, writer = await asyncio.open_connection(*at)
        writer.write(begun)
        assert await is_closed(reader)
        writer.close()


async def test_second_request_has_its_own_time(serve: Serve) -> None:
    async with serve(request_within_s=1.0) as at:
        reader, writer = await asyncio.open_connection(*at)
        slow, slow_writer = await asyncio.open_connection(*at)
        writer.write(REQUEST)
        assert await reader.readuntil(b"read 0")
        assert await is_closed(slow)  # so the first request's time is over
        writer.write(REQUEST)
        assert await reader.readuntil(b"read 0")
        writer.write(b"GET")
        assert await is_closed(reader)
        writer.close()
        slow_writer.close()


async def test_one_source_leaves_connections_for_the_others(serve: Serve) -> None:
    async with serve(most_connections=4) as at:
        writers = []
        for expected in (True, True, True, False):
            reader, writer = await asyncio.open_connection(*at)
            writers.append(writer)
            writer.write(REQUEST)
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                assert bool(await reader.read(4)) == expected
        reader, writer = await asyncio.open_connection(*at, local_addr=("127.0.0.8", 0))
        writers.append(writer)
        writer.write(REQUEST)
        assert await reader.read(4) == b"HTTP"
        for writer in writers:
            writer.close()


async def test_closed_connections_make_room(serve: Serve) -> None:
    async with serve(most_connections=2) as at:
        for _ in range(5):
            reader, writer = await asyncio.open_connection(*at)
            writer.write(REQUEST.replace(b"Host", b"Connection: close\r\nHost"))
            assert (await reader.read()).endswith(b"read 0")
            writer.close()
