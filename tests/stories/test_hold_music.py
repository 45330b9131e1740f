"""A telephone that plays music or a tone into the conference is muted, until somebody speaks or decides.

The time after which it is taken for hold music is a setting; here it is short, and the callers' tones are it.
"""

from collections.abc import Iterator

import pytest
from tests.harness.documents import conference
from tests.harness.numbers import install
from tests.harness.remote_control import RemoteControl
from tests.harness.server import TownhallServer
from tests.harness.speech import speech
from tests.harness.story import Story
from tests.harness.webhook import Webhook


@pytest.fixture(scope="module")
def guarded_server(webhook: Webhook, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownhallServer]:
    directory = tmp_path_factory.mktemp("townhall")
    install(directory / "townhall.db", webhook)
    settings = {"hold_music_s": "1.5", "webhook_inner_origins": webhook.url}
    with TownhallServer(directory, **settings) as server:
        yield server


async def test_tone_is_muted_with_its_reason_and_a_voice_unmutes(
    guarded_server: TownhallServer, webhook: Webhook
) -> None:
    async with Story(guarded_server, webhook) as story:
        await story.call("ben", conference(story.room, beep="false", muted=True, **story.events))
        ann = await story.call("ann", conference(story.room, beep="false"))
        muted = await story.event("participant-mute")
        assert muted.parameters["MuteReason"] == "hold-tone"
        assert muted.parameters["Muted"] == "true"
        await story.hear({"ann": "silence", "ben": "silence"})
        ann.call.say_samples(speech(120.0))
        unmuted = await story.event("participant-unmute", within_s=30.0)
        assert unmuted.parameters["MuteReason"] == "resumed"
        assert unmuted.parameters["CallSid"] == muted.parameters["CallSid"]


async def test_who_is_unmuted_by_the_moderator_may_play_on(
    guarded_server: TownhallServer, webhook: Webhook
) -> None:
    async with Story(guarded_server, webhook) as story:
        await story.call("ben", conference(story.room, beep="false", muted=True, **story.events))
        await story.call("ann", conference(story.room, beep="false"))
        await story.event("participant-mute")
        await RemoteControl(story).update("ann", muted=False)
        unmuted = await story.event("participant-unmute")
        assert "MuteReason" not in unmuted.parameters
        # Whoever is caught after that is the clock: ann would have been, too.
        await story.call("eve", conference(story.room, beep="false"))
        await story.hear({"ben": "ann", "ann": "silence", "eve": "ann"}, within_s=20.0)


async def test_guard_is_off_where_the_document_says_so(
    guarded_server: TownhallServer, webhook: Webhook
) -> None:
    async with Story(guarded_server, webhook) as story:
        await story.call("ben", conference(story.room, beep="false", muted=True, **story.events))
        await story.call("ann", conference(story.room, beep="false", townhall_hold_guard="false"))
        await story.call("eve", conference(story.room, beep="false"))
        await story.event("participant-mute")
        await story.hear({"ben": "ann", "ann": "silence", "eve": "ann"}, within_s=20.0)
