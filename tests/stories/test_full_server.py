"""Every place is taken: the next caller gets 503, or hears why where his line asks for it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness.attacker import Attacker, description
from tests.harness.documents import conference
from tests.harness.numbers import install
from tests.harness.server import TownhallServer
from tests.harness.story import Story
from tests.harness.webhook import Webhook


@pytest.fixture
def tiny(tmp_path: Path, webhook: Webhook) -> Iterator[TownhallServer]:
    install(tmp_path / "townhall.db", webhook)
    with TownhallServer(
        tmp_path, webhook_inner_origins=webhook.url, max_calls="1", calls_per_source="9"
    ) as server:
        yield server


async def test_caller_of_a_full_server_hears_words_where_his_line_has_them_and_503_elsewhere(
    tiny: TownhallServer, webhook: Webhook
) -> None:
    async with Story(tiny, webhook) as story:
        talkative, silent = await story.line(when_full="spoken"), await story.line()
        inside = await story.call("inside", conference(story.room))

        told = await story.dial("told", talkative)
        await told.call.hears("sound")
        await told.call.ended(within_s=40)
        # The menu would have asked on until the time of such a call is up.
        await story.logged("hung up by its document")

        for number in (silent, story.number):
            with Attacker(tiny, tiny.address) as other:
                body = description(other.host, other.rtp_port)
                other.send(other.request("INVITE", number, body=body))
                assert (await other.response(503)).headers.get("Retry-After") == "10"

        await inside.hang_up()
        menu = await story.dial("menu", silent)
        await menu.call.hears("sound")
