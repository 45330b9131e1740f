"""Browsers' legs in the real process, with aiortc as the browser."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from tests.harness.server import own_address
from tests.harness.web_phone import WebPhone, hears, share_of

from townhall.audio import encode_ulaw, sine
from townhall.audio.g711 import ULAW_DECODE
from townhall.media import LegRefusedError, MediaProcess, MediaSettings
from townhall.media.secure import new_certificate
from townhall.rtp import RTPPacket, build_packet


@pytest.fixture
async def media() -> AsyncIterator[MediaProcess]:
    process = MediaProcess(MediaSettings(rtp_ports=(0, 0), busy_share=10.0))
    await process.start()
    yield process
    await process.stop()


async def test_two_browsers_in_one_bus_hear_each_other(media: MediaProcess) -> None:
    alice, bob = await WebPhone.call(media, 440), await WebPhone.call(media, 1000)
    for phone in (alice, bob):
        await phone.wait_secured()
        phone.leg.set_mix("room", hears=True, heard=True)
    await hears(alice, 1000)
    await hears(bob, 440)
    await alice.close()
    await bob.close()


async def test_browser_and_phone_in_one_bus_hear_each_other(media: MediaProcess) -> None:
    browser = await WebPhone.call(media, 440)
    await browser.wait_secured()
    received: asyncio.Queue[bytes] = asyncio.Queue()

    class Phone(asyncio.DatagramProtocol):
        def datagram_received(self, data: bytes, addr: tuple) -> None:
            received.put_nowait(data)

    loop = asyncio.get_running_loop()
    transport, _ = await loop.create_datagram_endpoint(Phone, local_addr=("127.0.0.1", 0))
    address = transport.get_extra_info("sockname")[:2]
    leg = await media.open_leg(address)
    leg.connect(codec="PCMU", payload_type=0, remote=address)
    for each in (browser.leg, leg):
        each.set_mix("room", hears=True, heard=True)
    wave = encode_ulaw(sine(1000.0, 0.2, 8000)).tobytes()

    async def talk() -> None:
        began = loop.time()
        for number in range(10_000):
            at = number * 160 % len(wave)
            packet = RTPPacket(0, number & 0xFFFF, number * 160, 7, wave[at : at + 160])
            transport.sendto(build_packet(packet), ("127.0.0.1", leg.rtp_port))
            await asyncio.sleep(max(0.0, began + 0.02 * (number + 1) - loop.time()))

    talking = asyncio.create_task(talk())
    await hears(browser, 1000)
    async with asyncio.timeout(60):
        heard = 0.0
        while heard < 0.9:
            codes = b"".join([(await received.get())[12:] for _ in range(20)])
            heard = share_of(440, ULAW_DECODE[np.frombuffer(codes, np.uint8)])
    talking.cancel()
    transport.close()
    await browser.close()


async def test_lie_about_the_certificate_is_told_and_the_browser_learns_of_it(media: MediaProcess) -> None:
    browser = await WebPhone.call(media, 440, fingerprint=new_certificate().fingerprint)
    async with asyncio.timeout(60):
        assert "fingerprint" in await browser.insecure
        await browser.wait_state("failed", "closed")
    assert not browser.secured.is_set()
    await browser.close()


async def test_browser_that_goes_is_silent_at_once(media: MediaProcess) -> None:
    browser = await WebPhone.call(media, 440)
    await browser.wait_secured()
    await browser.wait_frames(5)
    await browser.close()
    async with asyncio.timeout(60):
        await browser.silent.wait()


async def test_closed_leg_ends_the_browsers_connection(media: MediaProcess) -> None:
    browser = await WebPhone.call(media, 440)
    await browser.wait_secured()
    await browser.wait_frames(5)
    browser.leg.close()
    figures = await browser.leg.wait_closed()
    async with asyncio.timeout(60):
        await browser.wait_state("failed", "closed")
    assert figures is not None
    assert figures.packets_received > 0
    await browser.close()


async def test_process_that_dies_comes_back_on_the_same_port_with_the_same_certificate(
    tmp_path: Path,
) -> None:
    file = tmp_path / "dtls.pem"
    settings = MediaSettings(
        bind_hosts=(own_address(),), rtp_ports=(0, 0), busy_share=10.0, certificate=str(file)
    )
    media = MediaProcess(settings)
    await media.start()
    before = (media.ice_port, media.fingerprint, media.pid)
    assert file.stat().st_mode & 0o777 == 0o600
    assert media.pid is not None
    doomed = await media.open_leg(secure=True)
    lost = asyncio.Event()
    doomed.on_lost = lambda reason: lost.set()
    os.kill(media.pid, signal.SIGKILL)
    async with asyncio.timeout(60):
        await lost.wait()
    leg = await media.open_leg(secure=True)
    assert (media.ice_port, media.fingerprint) == before[:2]
    assert media.pid != before[2]
    assert leg.rtp_port == before[0]
    await media.stop()


async def test_browsers_port_that_is_taken_leaves_the_phones_theirs(media: MediaProcess) -> None:
    other = MediaProcess(MediaSettings(rtp_ports=(0, 0), busy_share=10.0, ice_port=media.ice_port))
    await other.start()
    assert other.ice_port == 0
    with pytest.raises(LegRefusedError, match="TOWNHALL_ICE_PORT"):
        await other.open_leg(secure=True)
    leg = await other.open_leg()
    leg.close()
    await other.stop()
