"""The API over a real store and a real switchboard, whose callers are played: they have no phones."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.harness.api_house import House, open_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[House]:
    async with open_house(tmp_path) as opened:
        yield opened
