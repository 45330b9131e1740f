"""A full room admits nobody more; his document says what he hears."""

from tests.harness.documents import role
from tests.harness.story import Story


async def test_full_room_sends_the_next_caller_to_his_action(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room, max_participants=2))
    await story.call("speaker", role("speaker", story.room, max_participants=2))
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    more = role("speaker", story.room, max_participants=2, dial={"action": story.url("/left")})
    await story.call("more", more)
    request = await story.requested("/left", "more")
    assert request.parameters["DialCallStatus"] == "failed"
    await story.all_ended("more")
    await story.hear({"moderator": "speaker", "speaker": "moderator"})


async def test_full_room_without_action_runs_the_next_verb(story: Story) -> None:
    await story.call("one", role("speaker", story.room, max_participants=2))
    await story.call("two", role("listener", story.room, max_participants=2))
    await story.hear({"one": "music", "two": "music"})
    await story.call("more", role("moderator", story.room, max_participants=2, then=story.url("/next")))
    await story.all_ended("more")
    assert story.paths("more") == ["/voice", "/next"]
    await story.hear({"one": "music", "two": "music"})


async def test_place_that_becomes_free_is_given_again(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room, max_participants=2))
    first = await story.call("first", role("speaker", story.room, max_participants=2))
    await story.hear({"moderator": "first", "first": "moderator"})
    await first.hang_up()
    await story.hear({"moderator": "silence"})
    await story.call("second", role("speaker", story.room, max_participants=2))
    await story.hear({"moderator": "second", "second": "moderator"})
