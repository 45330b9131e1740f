"""Browsers' legs in the real process, with aiortc as the browser."""

import asyncio
from collections.abc import AsyncIterator

import numpy as np
import pytest
from tests.harness.web_phone import WebPhone

from townhall.media import MediaProcess, MediaSettings


@pytest.fixture
async def media() -> AsyncIterator[MediaProcess]:
    process = MediaProcess(MediaSettings(rtp_ports=(0, 0), busy_share=10.0))
    await process.start()
    yield process
    await process.stop()


def share_of(hz: float, samples: np.ndarray) -> float:
    """How much of the sound's energy is within 20 Hz of a frequency."""
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    at = np.fft.rfftfreq(len(samples), 1 / 8000)
    return float(spectrum[np.abs(at - hz) <= 20].sum() / max(spectrum.sum(), 1.0))


async def hears(phone: WebPhone, hz: float) -> None:
    """Wait until what the phone hears is a tone."""
    async with asyncio.timeout(30):
        while share_of(hz, await phone.wait_frames(20)) < 0.9:
            pass


async def test_two_browsers_in_one_bus_hear_each_other(media: MediaProcess) -> None:
    alice, bob = await WebPhone.call(media, 440), await WebPhone.call(media, 1000)
    for phone in (alice, bob):
        await phone.wait_secured()
        phone.leg.set_mix("room", hears=True, heard=True)
    await hears(alice, 1000)
    await hears(bob, 440)
    await alice.close()
    await bob.close()
