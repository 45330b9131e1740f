"""A store on a fresh file, opened as the server opens it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from townhall.store import Store


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite+aiosqlite:///{tmp_path / 'townhall.db'}"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    opened = await Store.open(url, takes_calls=True)
    yield opened
    await opened.close()
