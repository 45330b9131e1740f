"""One source cannot take all the calls: beyond its share it gets 503, while others come in."""

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
def small(tmp_path: Path, webhook: Webhook) -> Iterator[TownhallServer]:
    install(tmp_path / "townhall.db", webhook)
    with TownhallServer(tmp_path, webhook_inner_origins=webhook.url, calls_per_source="2") as server:
        yield server


async def test_source_beyond_its_share_is_refused_and_another_is_not(
    small: TownhallServer, webhook: Webhook
) -> None:
    async with Story(small, webhook) as story:
        for name in ("ann", "ben"):
            await story.call(name, conference(story.room, beep="false"))
        await story.hear({"ann": "ben", "ben": "ann"})
        story.answer_anybody(conference(story.room, beep="false"))
        with Attacker(small, small.address) as greedy:
            offer = description(greedy.host, greedy.rtp_port)
            greedy.send(greedy.request("INVITE", story.number, call_id="third", body=offer))
            refused = await greedy.response(503)
            assert refused.headers.get("Retry-After") == "10"
        with Attacker(small, "127.0.45.1") as other:
            offer = description(other.host, other.rtp_port)
            other.send(other.request("INVITE", story.number, call_id="other", body=offer))
            assert (await other.response(200)).status == 200
        assert "2 calls are all that one source may hold; 503" in small.log
        await story.callers["ben"].hang_up()
        await story.call("joe", conference(story.room, beep="false"))
        await story.hear({"ann": "joe", "joe": "ann"})
