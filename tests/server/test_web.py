"""The web server: TLS and plain, certificates renewed under way, who is believed about the client, bounds."""

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx2
import pytest
import uvloop
import websockets
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket
from tests.harness.certificates import make_certificates

from townhall.api.connections import BoundedHTTP
from townhall.server import handshake
from townhall.server.certificate import Certificate
from townhall.server.network import QuietServer, listen, url_of
from townhall.server.web import web_server
from townhall.settings import Settings, load_settings

Test = Callable[[], Awaitable[None]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    make_certificates(directory)
    return directory


@pytest.fixture(params=["asyncio", "uvloop"])
def run(request: pytest.FixtureRequest) -> Callable[[Test], None]:
    """Runs a test on either loop: their TLS is not the same code."""
    factory = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}[request.param]

    def run_on(test: Test) -> None:
        with asyncio.Runner(loop_factory=factory) as runner:
            runner.run(test())  # type: ignore[arg-type]

    return run_on


async def _client(request: Request) -> PlainTextResponse:
    host = request.client.host if request.client else ""
    return PlainTextResponse(f"{request.url.scheme} {host} {len(await request.body())}")


async def _socket(socket: WebSocket) -> None:
    await socket.accept()
    with contextlib.suppress(Exception):
        while True:
            await socket.send_text(await socket.receive_text())


def settings(tmp_path: Path, **given: str) -> Settings:
    env = {f"TOWNHALL_{name.upper()}": value for name, value in given.items()}
    return load_settings(
        {"HOME": str(tmp_path), "TOWNHALL_DATA_DIR": str(tmp_path / "data"), **env}, tmp_path
    )


@asynccontextmanager
async def serving(
    chosen: Settings, certificate: Certificate | None = None
) -> AsyncIterator[tuple[QuietServer, str]]:
    app = Starlette(routes=[Route("/", _client, methods=["GET", "POST"]), WebSocketRoute("/socket", _socket)])
    listeners = listen(["127.0.0.1"], 0)
    server = web_server(app, chosen, certificate, ws="websockets-sansio")
    task = asyncio.create_task(server.serve(sockets=listeners))
    try:
        yield server, url_of(listeners[0], "https" if certificate else "http")
    finally:
        server.should_exit = server.force_exit = True
        await task


def trusting(made: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=made / "ca.pem")


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def test_pages_and_sockets_over_tls(run: Any, made: Path, tmp_path: Path) -> None:
    async def test() -> None:
        certificate = Certificate(made / "good.crt", made / "good.key")
        async with serving(settings(tmp_path), certificate) as (_, url):
            async with httpx2.AsyncClient(verify=trusting(made)) as client:
                for _ in range(2):
                    assert (await client.post(url, content=b"x" * 300_000)).text == "https 127.0.0.1 300000"
            wss = url.replace("https", "wss") + "/socket"
            async with websockets.connect(wss, ssl=trusting(made), proxy=None) as connection:
                await connection.send("over wss")
                assert await connection.recv() == "over wss"

    run(test)


def test_bytes_that_come_with_the_end_of_the_handshake_are_not_lost(
    run: Any, made: Path, tmp_path: Path
) -> None:
    """A client may send its request in one packet with the handshake's end."""

    async def test() -> None:
        certificate = Certificate(made / "good.crt", made / "good.key")
        async with serving(settings(tmp_path), certificate) as (_, url):
            loop = asyncio.get_running_loop()
            assert b"https 127.0.0.1 0" in await loop.run_in_executor(None, _in_one_packet, port_of(url))

    run(test)


def _in_one_packet(port: int) -> bytes:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    end = context.wrap_bio(coming, going)
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        while True:
            try:
                end.do_handshake()
                break
            except ssl.SSLWantReadError:
                connection.sendall(going.read())
                coming.write(connection.recv(65536))
        end.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        connection.sendall(going.read())
        answer = b""
        while True:
            try:
                part = end.read()
            except ssl.SSLWantReadError:
                data = connection.recv(65536)
                assert data, "the connection ended without a goodbye"
                coming.write(data)
                continue
            if not part:
                break  # the server has said goodbye
            answer += part
    return answer


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
def test_plain_http_and_old_tls_get_no_answer(run: Any, made: Path, tmp_path: Path) -> None:
    async def test() -> None:
        certificate = Certificate(made / "good.crt", made / "good.key")
        async with serving(settings(tmp_path), certificate) as (_, url):
            async with httpx2.AsyncClient() as client:
                with pytest.raises(httpx2.TransportError):
                    await client.get(url.replace("https", "http"))
            old = trusting(made)
            old.minimum_version = ssl.TLSVersion.TLSv1
            old.maximum_version = ssl.TLSVersion.TLSv1_1
            old.set_ciphers("ALL:@SECLEVEL=0")
            with pytest.raises((ssl.SSLError, ConnectionError)):
                await asyncio.open_connection("127.0.0.1", port_of(url), ssl=old)
            async with httpx2.AsyncClient(verify=trusting(made)) as client:
                assert (await client.get(url)).status_code == 200

    run(test)


def test_renewed_certificate_serves_new_connections_and_old_ones_go_on(
    run: Any, made: Path, tmp_path: Path
) -> None:
    async def test() -> None:
        for kind in ("crt", "key"):
            (tmp_path / kind).write_bytes((made / f"good.{kind}").read_bytes())
        certificate = Certificate(tmp_path / "crt", tmp_path / "key")
        async with serving(settings(tmp_path), certificate) as (_, url):
            wss = url.replace("https", "wss") + "/socket"
            async with websockets.connect(wss, ssl=trusting(made), proxy=None) as before:
                for kind in ("crt", "key"):
                    (tmp_path / kind).write_bytes((made / f"self_signed.{kind}").read_bytes())
                assert certificate.renew()
                shown = await asyncio.to_thread(ssl.get_server_certificate, ("127.0.0.1", port_of(url)))
                assert shown.strip() == (made / "self_signed.crt").read_text().strip()
                await before.send("still here")
                assert await before.recv() == "still here"

    run(test)


def test_handshake_that_does_not_come_is_ended(
    run: Any, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake.TLSListener, "within_s", 0.1)

    async def test() -> None:
        certificate = Certificate(made / "good.crt", made / "good.key")
        async with serving(settings(tmp_path), certificate) as (_, url):
            for begun in (b"", b"\x16\x03\x01", b"GET / HTTP/1.1\r\n\r\n"):
                reader, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
                writer.write(begun)
                with contextlib.suppress(ConnectionError):
                    await reader.read()
                writer.close()

    run(test)


def test_flood_of_handshakes_leaves_room_for_another_source(
    run: Any, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handshake, "MOST_HANDSHAKES", 10)

    async def test() -> None:
        certificate = Certificate(made / "good.crt", made / "good.key")
        async with serving(settings(tmp_path), certificate) as (_, url):
            flood = [await asyncio.open_connection("127.0.0.1", port_of(url)) for _ in range(12)]
            refused = [asyncio.create_task(_closed(reader)) for reader, _ in flood]
            done, _ = await asyncio.wait(refused, return_when=asyncio.FIRST_COMPLETED)
            assert done
            _, other = await asyncio.open_connection(
                "127.0.0.1",
                port_of(url),
                ssl=trusting(made),
                local_addr=("127.0.0.9", 0),
            )
            other.close()
            for _, writer in flood:
                writer.close()
            for task in refused:
                task.cancel()

    run(test)


async def _closed(reader: asyncio.StreamReader) -> None:
    with contextlib.suppress(ConnectionError):
        await reader.read()


@pytest.mark.parametrize(
    ("trusted", "forwarded", "seen"),
    [
        ("", "203.0.113.9", "http 127.0.0.1 0"),
        ("10.0.0.0/8", "203.0.113.9", "http 127.0.0.1 0"),
        ("127.0.0.1", "203.0.113.9", "https 203.0.113.9 0"),
        ("127.0.0.0/8 ::1", "198.51.100.1, 203.0.113.9", "https 203.0.113.9 0"),
        ("127.0.0.1 203.0.113.9", "198.51.100.1, 203.0.113.9", "https 198.51.100.1 0"),
    ],
)
async def test_only_a_trusted_proxy_says_who_asks(
    tmp_path: Path, trusted: str, forwarded: str, seen: str
) -> None:
    headers = {"X-Forwarded-For": forwarded, "X-Forwarded-Proto": "https"}
    chosen = settings(tmp_path, trusted_proxies=trusted)
    async with serving(chosen) as (_, url), httpx2.AsyncClient() as client:
        assert (await client.get(url, headers=headers)).text == seen


@pytest.mark.parametrize(
    ("public_url", "tls", "sent"),
    [
        ("", True, None),
        ("https://calls.example.com", True, "max-age=31536000"),
        ("https://calls.example.com", False, None),
        ("http://calls.example.com", True, None),
    ],
)
async def test_strict_transport_only_with_a_public_address(
    made: Path, tmp_path: Path, public_url: str, tls: bool, sent: str | None
) -> None:
    certificate = Certificate(made / "good.crt", made / "good.key") if tls else None
    chosen = settings(tmp_path, public_url=public_url)
    verify = trusting(made)
    async with serving(chosen, certificate) as (_, url), httpx2.AsyncClient(verify=verify) as client:
        assert (await client.get(url)).headers.get("strict-transport-security") == sent


async def test_socket_outlives_the_time_for_a_request_and_gives_its_place_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(BoundedHTTP, "request_within_s", 1.0)
    monkeypatch.setattr(BoundedHTTP, "most_sockets", 1)
    async with serving(settings(tmp_path)) as (_, url):
        address = url.replace("http", "ws") + "/socket"
        async with websockets.connect(address, proxy=None) as first:
            slow, writer = await asyncio.open_connection("127.0.0.1", port_of(url))
            await _closed(slow)  # the time for a request is over
            writer.close()
            await first.send("here")
            assert await first.recv() == "here"
            assert await sockets_up(address, 3) == 0
        for _ in range(5):
            async with websockets.connect(address, proxy=None) as again:
                await again.send("and again")
                assert await again.recv() == "and again"


async def sockets_up(address: str, wanted: int) -> int:
    """How many of so many WebSockets at once are let in."""
    up = 0
    async with contextlib.AsyncExitStack() as sockets:
        with contextlib.suppress(websockets.InvalidHandshake, ConnectionError, EOFError):
            while up < wanted:
                await sockets.enter_async_context(websockets.connect(address, proxy=None))
                up += 1
    return up


@pytest.mark.parametrize(("trusted", "up"), [("", 3), ("127.0.0.1", 4), ("10.0.0.0/8", 3)])
async def test_trusted_proxy_is_held_to_no_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, trusted: str, up: int
) -> None:
    monkeypatch.setattr(BoundedHTTP, "most_sockets", 5)
    async with serving(settings(tmp_path, trusted_proxies=trusted)) as (_, url):
        assert await sockets_up(url.replace("http", "ws") + "/socket", 4) == up
