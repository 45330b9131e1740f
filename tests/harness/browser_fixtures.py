"""Fixtures of tests with browsers: one Chromium for a whole test process, a connection for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest
from playwright.async_api import expect
from tests.harness.browser import Browsing, Chromium
from tests.harness.browser_story import Browsers
from tests.harness.story import Story

__all__ = ["browsers", "browsing", "chromium"]

expect.set_options(timeout=20_000)  # a machine that does much else is slow, and no fault of the page


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("chromium")) as chromium:
        yield chromium


@pytest.fixture
async def browsing(chromium: Chromium) -> AsyncIterator[Browsing]:
    async with Browsing(chromium.endpoint) as browsing:
        yield browsing


@pytest.fixture
def browsers(story: Story, browsing: Browsing) -> Browsers:
    return Browsers(story, browsing)
