"""TLS: certificates must verify."""

import asyncio
import ssl
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.harness.certificates import make_certificates
from tests.harness.raw_server import answer, raw_server

from townhall.twiml import FetchFailed
from townhall.webhooks import Cookies, OriginConsent, WebhookClient

ServerContext = Callable[[str], ssl.SSLContext]


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Path:
    directory = tmp_path_factory.mktemp("certificates")
    make_certificates(directory)
    return directory


@pytest.fixture
def server_context(certificates) -> ServerContext:
    """The TLS context of a server with the certificate of this name."""

    def context_of(name: str) -> ssl.SSLContext:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificates / f"{name}.pem")
        return context

    return context_of


@pytest.fixture
async def trusting(certificates):
    """A client that trusts the test authority."""
    context = ssl.create_default_context(cafile=certificates / "ca.pem")
    made = WebhookClient("12345", OriginConsent(["*"]), ssl_context=context)
    yield made
    await made.close()


async def test_verified_server_is_asked(trusting, server_context):
    async with raw_server(lambda asked: answer(), server_context("good")) as server:
        page = await trusting.fetch(server.url("/"), "POST", [("A", "1")], Cookies())
    assert page.body == b"<Response/>"


@pytest.mark.parametrize(
    ("name", "code"), [("other_name", 11235), ("expired", 11236), ("self_signed", 11237)]
)
async def test_bad_certificate_has_its_number_and_is_not_tried_again(trusting, name, code, server_context):
    async with raw_server(lambda asked: answer(), server_context(name)) as server:
        with pytest.raises(FetchFailed) as failed:
            await trusting.fetch(server.url("/#rc=3"), "POST", [], Cookies())
    assert failed.value.code == code
    assert server.asked == []


async def test_unknown_authority_is_11237(client, server_context):
    async with raw_server(lambda asked: answer(), server_context("good")) as server:
        with pytest.raises(FetchFailed, match="11237"):
            await client.fetch(server.url("/"), "POST", [], Cookies())


async def test_server_that_does_not_speak_tls_is_11220(trusting):
    async def serve(reader, writer):
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(FetchFailed, match="11220"):
            await trusting.fetch(f"https://127.0.0.1:{port}/", "POST", [], Cookies())


async def test_name_decides_about_the_certificate_not_the_address(trusting, server_context):
    async with raw_server(lambda asked: answer(), server_context("good")) as server:
        await trusting.fetch(f"https://localhost:{server.port}/", "POST", [], Cookies())
    assert server.asked[0].headers["host"] == f"localhost:{server.port}"
