"""`timeLimit` counts for one caller: his time is up, the others stay."""

from tests.harness.documents import role
from tests.harness.story import Story


async def test_time_limit_takes_the_caller_out_and_his_document_goes_on(story: Story) -> None:
    moderator = await story.call("moderator", role("moderator", story.room))
    listener = await story.call("listener", role("listener", story.room))
    marks = {caller: caller.call.mark() for caller in (moderator, listener)}
    short = await story.call(
        "short", role("speaker", story.room, dial={"time_limit": 3, "action": story.url("/left")})
    )
    for caller, mark in marks.items():  # what they have heard by now counts, too: his time runs
        await caller.call.hears(short.tone_hz, since=mark)
    await short.call.hears(moderator.tone_hz, since=0)
    request = await story.requested("/left", "short")
    assert request.parameters["DialCallStatus"] == "answered"
    await story.all_ended("short")
    await story.hear({"moderator": "silence", "listener": "moderator"})


async def test_time_limit_counts_while_waiting_too(story: Story) -> None:
    await story.call("short", role("speaker", story.room, dial={"time_limit": 1}, then=story.url("/next")))
    await story.all_ended("short")
    assert story.paths("short") == ["/voice", "/next"]
