"""Fixtures of stories and interop tests: one server and one webhook for a whole test process, a story for
each test.
"""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.harness.callee import PASSWORD, USERS
from tests.harness.matrix import WINDOW_S
from tests.harness.music import learn_music
from tests.harness.numbers import install
from tests.harness.server import AUTH_TOKEN, TownhallServer
from tests.harness.story import Story
from tests.harness.webhook import Webhook

__all__ = ["server", "story", "webhook"]

PHONES = {"sip_users": " ".join(f"{name}={PASSWORD}" for name in USERS), "sip_inner_hosts": "127.0.0.0/8"}
"""Phones that may register, and calls to SIP addresses of this machine."""


@pytest.fixture(scope="session")
def webhook() -> Iterator[Webhook]:
    with Webhook(AUTH_TOKEN) as webhook:
        yield webhook


@pytest.fixture(scope="session")
def server(webhook: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownhallServer]:
    directory: Path = tmp_path_factory.mktemp("townhall")
    install(directory / "townhall.db", webhook)
    learn_music(WINDOW_S / 2, WINDOW_S)
    with TownhallServer(directory, webhook_inner_origins=webhook.url, **PHONES) as server:
        yield server


@pytest.fixture
async def story(
    server: TownhallServer, webhook: Webhook, request: pytest.FixtureRequest
) -> AsyncIterator[Story]:
    began = len(server.log)
    async with Story(server, webhook) as story:
        yield story
    print(server.log[began:])  # shown when the test has failed
