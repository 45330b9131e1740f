"""Browsers and phones in one conference: who hears whom, whatever each of them speaks."""

import pytest
from tests.harness.browser_story import Browsers
from tests.harness.documents import role
from tests.harness.story import Story

from townhall.phone import PhoneSettings

PCMA = PhoneSettings(codecs=("PCMA",))


async def test_browsers_and_phones_hear_each_other_across_codecs(story: Story, browsers: Browsers) -> None:
    left = {"action": story.url("/left")}
    await browsers.call("listener", role("listener", story.room, dial=left))
    await story.call("old", role("listener", story.room, dial=left))
    await browsers.call("speaker", role("speaker", story.room, dial=left), codec="pcmu")
    await story.call("caller", role("speaker", story.room, dial=left), PCMA)
    everybody = ("listener", "old", "speaker", "caller")
    await story.hear({name: "music" for name in everybody}, within_s=15)

    moderator = await browsers.call("moderator", role("moderator", story.room))
    talk = {
        "listener": "speaker caller moderator",
        "old": "speaker caller moderator",
        "speaker": "caller moderator",
        "caller": "speaker moderator",
        "moderator": "speaker caller",
    }
    await story.hear(talk, within_s=15)
    spoken = {name: await story.callers[name].tab.codec() for name in ("listener", "speaker", "moderator")}
    assert spoken == {"listener": "audio/opus", "speaker": "audio/PCMU", "moderator": "audio/opus"}

    await moderator.hang_up()
    await story.all_ended(*everybody)
    for name in everybody:
        assert story.paths(name) == ["/voice", "/left"]


@pytest.mark.parametrize("codec", ["opus", "pcmu"])
async def test_browser_on_hold_hears_music_and_is_not_heard(
    story: Story, browsers: Browsers, codec: str
) -> None:
    await browsers.call("speaker", role("speaker", story.room), codec=codec)
    await story.call("moderator", role("moderator", story.room))
    await story.hear({"speaker": "moderator", "moderator": "speaker"}, within_s=15)
    await browsers.update("speaker", hold=True)
    await story.hear({"speaker": "music", "moderator": "silence"})
    await browsers.update("speaker", hold=False, muted=True)
    await story.hear({"speaker": "moderator", "moderator": "silence"})
    await browsers.update("speaker", muted=False)
    await story.hear({"speaker": "moderator", "moderator": "speaker"})


async def test_browser_that_mutes_itself_hears_on(story: Story, browsers: Browsers) -> None:
    speaker = await browsers.call("speaker", role("speaker", story.room))
    await story.call("moderator", role("moderator", story.room))
    await story.hear({"speaker": "moderator", "moderator": "speaker"}, within_s=15)
    await speaker.mute()
    await story.hear({"speaker": "moderator", "moderator": "silence"})
    await speaker.mute(False)
    await story.hear({"speaker": "moderator", "moderator": "speaker"})
