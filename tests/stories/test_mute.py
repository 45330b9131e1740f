"""The muted hear and are not heard, at any moment of the call, by anybody."""

from tests.harness.documents import MODERATOR, conference, role
from tests.harness.matrix import assert_never_heard
from tests.harness.story import Story


async def test_muted_listener_is_never_heard(story: Story) -> None:
    listener = await story.call("listener", role("listener", story.room))
    await story.call("speaker", role("speaker", story.room))
    await story.call("moderator", role("moderator", story.room))
    await story.hear({"listener": "speaker moderator", "speaker": "moderator", "moderator": "speaker"})
    await listener.press("5")
    await story.hear({"listener": "speaker moderator", "speaker": "moderator", "moderator": "speaker"})
    assert_never_heard("listener", [caller.seat for caller in story.callers.values()])


async def test_muted_moderator_starts_the_conference_unheard(story: Story) -> None:
    await story.call("speaker", role("speaker", story.room))
    await story.call("moderator", conference(story.room, **{**MODERATOR, "muted": True, "beep": "false"}))
    await story.hear({"speaker": "silence", "moderator": "speaker"})
    assert_never_heard("moderator", [caller.seat for caller in story.callers.values()])


async def test_waiting_speakers_do_not_hear_each_other(story: Story) -> None:
    await story.call("sue", role("speaker", story.room))
    await story.call("tom", role("speaker", story.room))
    await story.hear({"sue": "music", "tom": "music"})
    seats = [caller.seat for caller in story.callers.values()]
    assert_never_heard("sue", seats)
    assert_never_heard("tom", seats)
