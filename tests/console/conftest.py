from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.harness.console_house import ConsoleHouse, open_console_house


@pytest.fixture
async def house(tmp_path: Path) -> AsyncIterator[ConsoleHouse]:
    async with open_console_house(tmp_path) as house:
        yield house
