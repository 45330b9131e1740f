"""Two who talk while something happens elsewhere, and a judge of whether they noticed."""

from tests.harness.documents import role
from tests.harness.story import Story
from tests.harness.tones import heard


async def two_who_talk(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room))
    await story.call("speaker", role("speaker", story.room))
    await story.hear({"moderator": "speaker", "speaker": "moderator"})


async def nobody_noticed(story: Story, since: dict[str, int]) -> None:
    """The two hear each other, and did since these samples."""
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    for name, other in (("moderator", "speaker"), ("speaker", "moderator")):
        samples = story.callers[name].call.received[since[name] : -1600]
        tones = {other: story.callers[other].tone_hz}
        assert heard(samples, tones, share=0.9) == {other}, f"{name} did not hear {other} all the time"


def marks(story: Story) -> dict[str, int]:
    return {name: len(caller.call.received) for name, caller in story.callers.items()}
