"""The store, opened for one command. A running server sees what is changed within a second."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from townhall.store import Store

Result = TypeVar("Result")


def with_store(work: "Callable[[Store], Awaitable[Result]]") -> Result:
    """Run `work` on the store that the settings name; raises `TownhallError`."""
    from townhall.settings import load_settings
    from townhall.store import Store

    async def run() -> Result:
        store = await Store.open(settings.database_url)
        try:
            await store.lines.ensure_default()  # whoever looks before the first start sees what it will have
            return await work(store)
        finally:
            await store.close()

    settings = load_settings()
    return asyncio.run(run())
