"""Offers and answers on a real media process."""

from collections.abc import AsyncIterator

import pytest

from townhall.calls.plain_audio import PlainAudio
from townhall.media import MediaProcess, MediaSettings
from townhall.sdp import LocalMedia, make_answer, parse_sdp


@pytest.fixture
async def media() -> AsyncIterator[MediaProcess]:
    media = MediaProcess(MediaSettings(rtp_ports=(0, 0), busy_share=10.0))
    await media.start()
    yield media
    await media.stop()


async def test_more_calls_ring_at_once_than_there_are_places_to_latch(media: MediaProcess) -> None:
    ringing = [PlainAudio(media, "127.0.0.1", "", 30.0) for _ in range(2 * len(media.ports))]
    offers = [parse_sdp(await audio.offer()) for audio in ringing]
    for number, (audio, offer) in enumerate(zip(ringing, offers, strict=True)):
        answer, _ = make_answer(offer, LocalMedia("127.0.0.1", 40000 + 2 * number))
        audio.accept(bytes(answer))
        assert audio.agreement is not None
        assert audio.agreement.remote == ("127.0.0.1", 40000 + 2 * number)
