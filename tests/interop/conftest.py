"""The fixtures of stories, and Twilio's own packages as remote controls."""

from collections.abc import Iterator

import pytest
from tests.harness.browser_fixtures import *  # noqa: F403
from tests.harness.fixtures import *  # noqa: F403
from tests.harness.remotes import REMOTES, Remote
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN, TownhallServer


@pytest.fixture(scope="session", params=REMOTES)
def remote(request: pytest.FixtureRequest, server: TownhallServer) -> Iterator[Remote]:
    """The package for Python and the one for Node, one after the other, with the account's credentials."""
    remote = REMOTES[request.param](server.url, ACCOUNT_SID, ACCOUNT_SID, AUTH_TOKEN)
    yield remote
    remote.close()
