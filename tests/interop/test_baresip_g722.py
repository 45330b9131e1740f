"""Phones that nobody here wrote, in wideband: two of Debian's baresip with its G.722, and one of ours beside
them.
"""

import asyncio
from pathlib import Path

import numpy as np
from tests.harness.baresip import Baresip
from tests.harness.matrix import Ear
from tests.harness.story import Story
from tests.harness.tones import tone_for

ADDRESS = "127.0.0.1"
"""baresip speaks only from an address that an interface has."""

SPEAKER_HIGH_HZ, MODERATOR_HIGH_HZ = 5200.0, 6100.0
"""No telephone band has room for these."""


async def test_baresips_hear_each_other_above_4_khz_and_a_g711_phone_loses_nothing(
    story: Story, tmp_path: Path
) -> None:
    line = await story.line()
    uri = story.server.sip_uri(line)
    listener = await story.dial("listener", line)
    await listener.call.hears("sound")
    await listener.press("1")
    speaker = Baresip("speaker", ADDRESS, tmp_path / "speaker", tone_for(20), "G722", SPEAKER_HIGH_HZ)
    moderator = Baresip("moderator", ADDRESS, tmp_path / "moderator", tone_for(21), "G722", MODERATOR_HIGH_HZ)
    async with speaker, moderator:
        for phone, key in ((speaker, "2"), (moderator, "3")):
            await phone.dial(uri)
            while not (await phone.listen(0.2)).any():  # the menu begins to speak
                pass
            await phone.press(key)
        await hears(speaker, speaker.rate, tone_for(21), MODERATOR_HIGH_HZ)
        await hears(moderator, moderator.rate, tone_for(20), SPEAKER_HIGH_HZ)
        await hears(listener.call, 8000, tone_for(20), tone_for(21))
        await moderator.hang_up()
        await story.all_ended("listener", within_s=20)
        await story.server_is_empty(within_s=20)


async def hears(phone: Ear, rate: int, *wanted_hz: float) -> None:
    """Wait until all of these tones stand out at once."""
    async with asyncio.timeout(20):
        while True:
            samples = await phone.listen(0.5)
            spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), rate))
            floor = np.median(spectrum[200:])
            if all(spectrum[round(hz)] > 50 * floor + 1000 for hz in wanted_hz):
                return
