"""Inner addresses are refused unless the operator consented; what was checked is what is connected to."""

import asyncio
import ipaddress
import socket

import pytest
from tests.harness.raw_server import answer, raw_server

from townhall.twiml import FetchFailed
from townhall.webhooks import AddressRefusedError, Cookies, OriginConsent, WebhookClient
from townhall.webhooks.consent import is_public


@pytest.mark.parametrize("address", [
    "127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "100.100.100.200", "168.63.129.16", "224.0.0.1", "239.1.2.3", "255.255.255.255",
    "240.0.0.1", "198.18.0.1", "192.0.2.1", "::1", "::", "fe80::1", "fd00:ec2::254", "fc00::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe", "2002:7f00:1::",
    "2001:db8::1",
])  # fmt: skip
def test_inner_address_is_not_public(address):
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "64:ff9b::808:808"])
def test_public_address_is_public(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.fixture
async def strict():
    made = WebhookClient("12345", OriginConsent())
    yield made
    await made.close()


async def test_loopback_is_refused_and_the_message_names_the_setting(strict):
    async with raw_server(lambda asked: answer()) as server:
        with pytest.raises(FetchFailed) as failed:
            await strict.fetch(server.url("/"), "POST", [], Cookies())
    assert failed.value.code == 11200
    assert f"add {server.origin} to TOWNHALL_WEBHOOK_INNER_ORIGINS" in failed.value.message
    assert server.connections == 0


@pytest.mark.parametrize("host", [
    "localhost", "127.0.0.1", "0x7f000001", "2130706433", "127.1", "0177.0.0.1", "[::1]",
    "[::ffff:127.0.0.1]", "0",
])  # fmt: skip
async def test_every_spelling_of_loopback_is_refused(strict, host):
    async with raw_server(lambda asked: answer()) as server:
        with pytest.raises(FetchFailed) as failed:
            await strict.fetch(f"http://{host}:{server.port}/", "POST", [], Cookies())
    assert failed.value.code in (11200, 11210, 11100)
    assert server.connections == 0


async def test_consent_covers_its_origin_only(strict):
    async with raw_server(lambda asked: answer()) as allowed, raw_server(lambda asked: answer()) as other:
        client = WebhookClient("12345", OriginConsent([allowed.url("/voice?x=1")]))
        await client.fetch(allowed.url("/any"), "POST", [], Cookies())
        with pytest.raises(FetchFailed, match="11200"):
            await client.fetch(other.url("/"), "POST", [], Cookies())
        await client.close()
    assert other.connections == 0


async def test_redirect_to_an_inner_address_is_refused(strict):
    async with raw_server(lambda asked: answer()) as inner:
        target = inner.url("/secret")
        async with raw_server(lambda asked: answer("", 302, "text/plain", f"Location: {target}")) as outer:
            client = WebhookClient("12345", OriginConsent([outer.origin]))
            with pytest.raises(FetchFailed, match="11200"):
                await client.fetch(outer.url("/"), "POST", [], Cookies())
            await client.close()
    assert inner.connections == 0


async def test_consent_withdrawn_is_refused_again():
    consent = OriginConsent(["http://127.0.0.1:8000"])
    assert await consent.addresses("127.0.0.1", 8000) == ["127.0.0.1"]
    consent.withdraw("http://127.0.0.1:8000/voice")
    with pytest.raises(AddressRefusedError):
        await consent.addresses("127.0.0.1", 8000)


def _resolving(monkeypatch, *answers):
    """Let the running loop's resolver give these answers, one after the other."""
    remaining = list(answers)

    async def getaddrinfo(host, port, **kwargs):
        addresses = remaining.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)
    return remaining


async def test_name_with_one_inner_address_is_refused(monkeypatch):
    _resolving(monkeypatch, ["8.8.8.8", "10.0.0.1"])
    with pytest.raises(AddressRefusedError, match=r"10\.0\.0\.1"):
        await OriginConsent().addresses("mixed.example", 80)


async def test_name_is_resolved_once_and_the_checked_address_is_connected_to(monkeypatch):
    async with raw_server(lambda asked: answer()) as server:
        client = WebhookClient("12345", OriginConsent([f"http://rebinding.example:{server.port}"]))
        remaining = _resolving(monkeypatch, ["127.0.0.1"], ["127.0.0.9"])
        await client.fetch(f"http://rebinding.example:{server.port}/", "POST", [], Cookies())
        await client.close()
    assert server.asked[0].headers["host"] == f"rebinding.example:{server.port}"
    assert remaining == [["127.0.0.9"]]


async def test_second_address_is_tried_when_the_first_refuses(monkeypatch):
    async with raw_server(lambda asked: answer()) as server:
        client = WebhookClient("12345", OriginConsent(["*"]))
        _resolving(monkeypatch, ["127.0.0.77", "127.0.0.1"])
        await client.fetch(f"http://two.example:{server.port}/", "POST", [], Cookies())
        await client.close()
    assert len(server.asked) == 1


@pytest.mark.parametrize("origin", ["", "10.0.0.1", "ftp://10.0.0.1", "http://"])
def test_bad_origin_is_refused(origin):
    with pytest.raises(ValueError, match="expected an origin"):
        OriginConsent([origin])
