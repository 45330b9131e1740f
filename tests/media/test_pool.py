"""Two real media processes behind one face: calls of one conference in both of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from tests.harness.media_phone import PATIENCE_S, Phone
from tests.harness.media_rig import heard_in

from townhall.media import (
    Leg,
    MediaPool,
    MediaSettings,
)


@pytest.fixture
async def pool() -> AsyncIterator[MediaPool]:
    pool = MediaPool(MediaSettings(rtp_ports=(0, 0), busy_share=10.0), 2)
    await pool.start()
    yield pool
    await pool.stop()


@contextlib.asynccontextmanager
async def talking(pool: MediaPool, *levels: int) -> AsyncIterator[list[tuple[Phone, Leg]]]:
    """Phones that say a level each, one after the other in another process, all of them in one bus."""
    opened = [await Phone.open(pool) for _ in levels]
    talks = [asyncio.create_task(phone.talk(level)) for (phone, _), level in zip(opened, levels, strict=True)]
    for _, leg in opened:
        leg.set_mix("bus", hears=True, heard=True)
    try:
        yield opened
    finally:
        for talk in talks:
            talk.cancel()
        for phone, _ in opened:
            phone.transport.close()


def mix_of(*levels: int) -> int:
    """What a phone hears of those who say these levels."""
    return heard_in("PCMU", sum(heard_in("PCMU", level) for level in levels))


async def test_four_phones_in_two_processes_hear_each_other_and_not_themselves(pool: MediaPool) -> None:
    async with talking(pool, 1000, 2000, 4000, 8000) as phones, asyncio.timeout(PATIENCE_S):
        (a, leg_a), (b, leg_b), (c, _), (d, _) = phones
        await a.hear(mix_of(2000, 4000, 8000))
        await b.hear(mix_of(1000, 4000, 8000))
        await c.hear(mix_of(1000, 2000, 8000))
        await d.hear(mix_of(1000, 2000, 4000))
        leg_b.set_mix("bus", hears=True)  # muted
        await a.hear(mix_of(4000, 8000))
        await d.hear(mix_of(1000, 4000))
        leg_a.close()
        await b.hear(mix_of(4000, 8000))
        await c.hear(mix_of(8000))
