"""A label names one participant of a conference: the second who brings it is not admitted."""

from tests.harness.documents import role
from tests.harness.story import Story


async def test_label_in_use_refuses_the_second_and_his_next_verb_runs(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room, participant_label="chair", **story.events))
    first = await story.call("first", role("speaker", story.room, participant_label="alice"))
    await story.hear({"moderator": "first", "first": "moderator"})
    second = role("speaker", story.room, participant_label="alice", then=story.url("/next"))
    await story.call("second", second)
    await story.all_ended("second")
    assert story.paths("second") == ["/voice", "/next"]
    await story.hear({"moderator": "first", "first": "moderator"})
    told = await story.told("participant-join", "participant-join", "conference-start")
    assert [r.parameters.get("ParticipantLabel") for r in told] == ["chair", "alice", None]
    await first.hang_up()
    await story.hear({"moderator": "silence"})
    await story.call("third", role("speaker", story.room, participant_label="alice"))
    await story.hear({"moderator": "third", "third": "moderator"})
