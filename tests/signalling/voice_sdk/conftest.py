from collections.abc import AsyncIterator

import pytest
from tests.harness.signal_house import SignalHouse, open_house


@pytest.fixture
async def house() -> AsyncIterator[SignalHouse]:
    async with open_house() as house:
        yield house
