"""Who comes while it is running is in at once: no music, no wait document, not muted by force."""

from tests.harness.documents import role
from tests.harness.story import Story


async def test_late_speaker_is_in_at_once(story: Story) -> None:
    await story.call("listener", role("listener", story.room))
    await story.call("moderator", role("moderator", story.room))
    await story.hear({"listener": "moderator", "moderator": "silence"})
    late = await story.call("late", role("speaker", story.room, wait_url=story.url("/wait")))
    await story.hear({"listener": "moderator late", "moderator": "late", "late": "moderator"})
    assert story.paths("late") == ["/voice"]
    await late.hang_up()
    await story.hear({"listener": "moderator", "moderator": "silence"})


async def test_who_left_may_come_back(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room))
    listener = await story.call("listener", role("listener", story.room))
    await story.hear({"listener": "moderator", "moderator": "silence"})
    await listener.hang_up()
    await story.hear({"moderator": "silence"})
    await story.call("again", role("speaker", story.room))
    await story.hear({"again": "moderator", "moderator": "again"})
