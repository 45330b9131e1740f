"""One server for all tests with browsers; it gives up sooner than usual on those of whom nothing is heard."""

from collections.abc import Iterator

import pytest
from tests.harness.browser_fixtures import *  # noqa: F403
from tests.harness.fixtures import *  # noqa: F403
from tests.harness.fixtures import PHONES
from tests.harness.matrix import WINDOW_S
from tests.harness.music import learn_music
from tests.harness.numbers import install
from tests.harness.server import TownhallServer
from tests.harness.webhook import Webhook

SILENCE_S = 12


@pytest.fixture(scope="session")
def server(webhook: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownhallServer]:
    directory = tmp_path_factory.mktemp("townhall")
    install(directory / "townhall.db", webhook)
    learn_music(WINDOW_S / 2, WINDOW_S)
    settings = {"webhook_inner_origins": webhook.url, "media_silence_s": str(SILENCE_S), **PHONES}
    with TownhallServer(directory, **settings) as server:
        yield server
