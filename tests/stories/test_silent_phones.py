"""A phone that sends no packet at all is taken for dead and hung up; one on hold is not.

The limit is a setting; here it is short.
"""

import sqlite3
from collections.abc import Iterator

import pytest
from tests.harness.documents import role
from tests.harness.numbers import install
from tests.harness.server import TownhallServer
from tests.harness.story import Story
from tests.harness.webhook import Webhook

LIMIT_S = 3.0
MEDIA_TIMEOUT = 'SIP;cause=408;text="Media timeout"'


@pytest.fixture(scope="module")
def impatient_server(webhook: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownhallServer]:
    directory = tmp_path_factory.mktemp("townhall")
    install(directory / "townhall.db", webhook)
    settings = {"media_silence_s": str(LIMIT_S), "webhook_inner_origins": webhook.url}
    with TownhallServer(directory, **settings) as server:
        yield server


def causes(server: TownhallServer) -> list[str]:
    with sqlite3.connect(server.data_dir / "townhall.db") as database:
        return [cause for (cause,) in database.execute("SELECT cause FROM calls ORDER BY started_at")]


async def test_phone_that_falls_silent_is_hung_up_and_the_others_talk_on(
    impatient_server: TownhallServer, webhook: Webhook
) -> None:
    async with Story(impatient_server, webhook) as story:
        await story.call("moderator", role("moderator", story.room))
        await story.call("speaker", role("speaker", story.room))
        dead = await story.call("dead", role("speaker", story.room))
        await story.hear(
            {"moderator": "speaker dead", "speaker": "moderator dead", "dead": "moderator speaker"}
        )
        dead.call.close()
        ended = await dead.call.ended(within_s=30)
        assert ended.cause == "bye"
        assert ended.reason == MEDIA_TIMEOUT
        await story.hear({"moderator": "speaker", "speaker": "moderator"})
    assert causes(impatient_server)[2] == f"nothing heard of the phone for {LIMIT_S:g} s"


async def test_phone_that_never_sends_anything_is_hung_up(
    impatient_server: TownhallServer, webhook: Webhook
) -> None:
    async with Story(impatient_server, webhook) as story:
        deaf = await story.call("deaf", role("listener", story.room))
        deaf.call.close()
        assert (await deaf.call.ended(within_s=30)).reason == MEDIA_TIMEOUT


async def test_phone_on_hold_may_be_silent_for_longer(
    impatient_server: TownhallServer, webhook: Webhook
) -> None:
    async with Story(impatient_server, webhook) as story:
        await story.call("moderator", role("moderator", story.room))
        held = await story.call("held", role("speaker", story.room))
        await story.hear({"moderator": "held", "held": "moderator"})
        await held.call.hold("inactive")
        sent = held.call.packets_sent
        # Who falls silent later than he did is the clock: when that one is cut, the limit is over for both.
        for name in ("clock", "second clock"):
            clock = await story.call(name.replace(" ", "-"), role("listener", story.room))
            clock.call.close()
            await clock.call.ended(within_s=30)
        assert held.call.packets_sent == sent
        assert not held.call.is_over
        await held.call.resume()
        await story.hear({"moderator": "held", "held": "moderator"})
        held.call.close()
        assert (await held.call.ended(within_s=30)).reason == MEDIA_TIMEOUT
