"""Fixtures of stories and interop tests: one server and one webhook for a whole test process, a story for
each test.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.harness.numbers import install
from tests.harness.server import AUTH_TOKEN, TownhallServer
from tests.harness.story import Story
from tests.harness.webhook import Webhook

__all__ = ["server", "story", "webhook"]


@pytest.fixture(scope="session")
def webhook() -> Iterator[Webhook]:
    with Webhook(AUTH_TOKEN) as webhook:
        yield webhook


@pytest.fixture(scope="session")
def server(webhook: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownhallServer]:
    directory: Path = tmp_path_factory.mktemp("townhall")
    install(directory / "townhall.db", webhook)
    with TownhallServer(directory, webhook_inner_origins=webhook.url) as server:
        yield server


@pytest.fixture
async def story(
    server: TownhallServer, webhook: Webhook, request: pytest.FixtureRequest
) -> AsyncIterator[Story]:
    began = len(server.log)
    async with Story(server, webhook) as story:
        yield story
    print(server.log[began:])  # shown when the test has failed
