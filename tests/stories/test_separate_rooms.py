"""Two conferences at the same time have nothing to do with each other."""

from tests.harness.documents import role
from tests.harness.story import Story


async def test_two_conferences_stay_separate(story: Story) -> None:
    red, blue = f"{story.room} red", f"{story.room} blue"
    await story.call("red-listener", role("listener", red))
    await story.call("blue-listener", role("listener", blue))
    await story.call("red-moderator", role("moderator", red))
    await story.hear({"red-listener": "red-moderator", "red-moderator": "silence", "blue-listener": "music"})
    await story.call("blue-moderator", role("moderator", blue))
    await story.hear(
        {
            "red-listener": "red-moderator",
            "red-moderator": "silence",
            "blue-listener": "blue-moderator",
            "blue-moderator": "silence",
        }
    )
    await story.callers["red-moderator"].hang_up()
    await story.all_ended("red-listener")
    await story.hear({"blue-listener": "blue-moderator", "blue-moderator": "silence"})
