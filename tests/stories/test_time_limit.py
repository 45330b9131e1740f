"""`timeLimit` counts for one caller: his time is up, the others stay."""

from tests.harness.documents import role
from tests.harness.story import Story


async def test_time_limit_takes_the_caller_out_and_his_document_goes_on(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room))
    await story.call("listener", role("listener", story.room))
    await story.call(
        "short", role("speaker", story.room, dial={"time_limit": 3, "action": story.url("/left")})
    )
    await story.hear(
        {"moderator": "short", "listener": "moderator short", "short": "moderator"}, within_s=2.0
    )
    request = await story.requested("/left", "short")
    assert request.parameters["DialCallStatus"] == "answered"
    await story.all_ended("short")
    await story.hear({"moderator": "silence", "listener": "moderator"})


async def test_time_limit_counts_while_waiting_too(story: Story) -> None:
    await story.call("short", role("speaker", story.room, dial={"time_limit": 1}, then=story.url("/next")))
    await story.all_ended("short")
    assert story.paths("short") == ["/voice", "/next"]
