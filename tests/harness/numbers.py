"""The numbers of the test server, written straight into its database."""

import asyncio
from pathlib import Path

from tests.harness.webhook import Webhook

from townhall.store import Number, Store

NUMBERS = range(2000, 2300)
"""Number N asks the webhook's `/N/voice` and falls back to `/N/fallback`."""


def install(database: Path, webhook: Webhook) -> None:
    """Give a server, running or not yet started, its numbers."""
    asyncio.run(_install(f"sqlite+aiosqlite:///{database}", webhook.url))


async def _install(database_url: str, webhook_url: str) -> None:
    store = await Store.open(database_url)
    try:
        for number in NUMBERS:
            await store.numbers.add(
                Number(
                    number=str(number),
                    voice_url=f"{webhook_url}/{number}/voice",
                    voice_fallback_url=f"{webhook_url}/{number}/fallback",
                )
            )
    finally:
        await store.close()
