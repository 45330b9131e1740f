"""Fixtures of the console page's tests: a scripted server that outlives the browser's connection to it."""

from collections.abc import AsyncIterator

import pytest
from playwright.async_api import expect
from tests.harness.browser import Browsing, Chromium
from tests.harness.console_fake import ConsoleFake

__all__ = ["browsing", "fake"]

expect.set_options(timeout=20_000)  # a machine that does much else is slow, and no fault of the page


@pytest.fixture
async def fake() -> AsyncIterator[ConsoleFake]:
    async with ConsoleFake() as fake:
        yield fake


@pytest.fixture
async def browsing(fake: ConsoleFake, chromium: Chromium) -> AsyncIterator[Browsing]:
    """As everywhere, but closed before the server: a page whose server vanishes complains, and rightly."""
    async with Browsing(chromium.endpoint) as browsing:
        yield browsing
