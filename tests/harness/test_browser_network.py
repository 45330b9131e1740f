"""Relays between browsers: what they lose is missing, what they pass arrives, and calls outlive it."""

import asyncio
from typing import Any

import pytest
from tests.harness.browser import Browsing, Tab
from tests.harness.browser_fixtures import *  # noqa: F403
from tests.harness.browser_network import TCPRelay, UDPRelay, Weather
from tests.harness.matrix import Seat, assert_hearing
from tests.harness.test_browser import TONES, tab

GONE = (ConnectionError, asyncio.IncompleteReadError)


async def test_tone_is_heard_through_loss_and_jitter_and_not_in_the_dark(browsing: Browsing) -> None:
    async with UDPRelay(Weather(loss=0.05, jitter_s=0.05)) as relay:
        ann, ben = await pair(browsing, relay)
        await assert_hearing(seats(ann, ben), {"ann": "ben", "ben": "ann"}, within_s=20)
        assert relay.passed > relay.lost > 0
        relay.dark = True
        await assert_hearing(seats(ann, ben), {"ann": "silence", "ben": "silence"}, within_s=20)
        relay.dark = False
        await assert_hearing(seats(ann, ben), {"ann": "ben", "ben": "ann"}, within_s=20)


async def test_browser_that_moves_is_heard_on(browsing: Browsing) -> None:
    async with UDPRelay() as relay:
        ann, ben = await pair(browsing, relay)
        await assert_hearing(seats(ann, ben), {"ann": "ben", "ben": "ann"}, within_s=20)
        relay.move_browser()
        await relay.answered()
        await assert_hearing(seats(ann, ben), {"ann": "ben", "ben": "ann"}, within_s=20)


async def test_connections_through_the_tcp_relay_are_cut_and_refused() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(100):
            writer.write(data)
        writer.close()

    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    async with server, TCPRelay(*server.sockets[0].getsockname()) as relay:
        reader, writer = await connect_to(relay)
        writer.write(b"hello")
        assert await reader.readexactly(5) == b"hello"
        assert relay.cut() == 2
        with pytest.raises(GONE):
            await reader.readexactly(1)
        writer.close()
        relay.closed = True
        reader, writer = await connect_to(relay)
        with pytest.raises(GONE):
            await reader.readexactly(1)
        writer.close()


async def connect_to(relay: TCPRelay) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, _, port = relay.url.removeprefix("http://").partition(":")
    return await asyncio.open_connection(host, int(port))


def seats(*tabs: Tab) -> list[Seat]:
    return [Seat(one.name, one.tone_hz, one.ear) for one in tabs]


async def pair(browsing: Browsing, relay: UDPRelay) -> tuple[Tab, Tab]:
    """Two tabs that meet only through the relay; ann is the browser, ben stands for the server."""
    ann = await tab(browsing, "ann", TONES[0], place=relay.place)
    ben = await tab(browsing, "ben", TONES[1])
    offer = without_candidates(await ann.page.evaluate("offer()"))
    answer = await ben.page.evaluate("(theirs) => answer(theirs)", offer)
    await ann.page.evaluate(
        "(theirs) => peer.setRemoteDescription(theirs)", without_candidates(answer, "127.0.0.1")
    )
    await asyncio.gather(ann.ear.begins(), ben.ear.begins())
    return ann, ben


def without_candidates(description: dict[str, Any], but: str | None = None) -> dict[str, Any]:
    """The description with no candidates but the UDP one of this host, if any."""
    lines = description["sdp"].split("\r\n")
    kept = [
        line
        for line in lines
        if not line.startswith("a=candidate:") or (but and f" {but} " in line and " udp " in line)
    ]
    return {**description, "sdp": "\r\n".join(kept)}
