"""Several moderators: the first to leave ends the conference for all, unless he may go."""

from tests.harness.documents import MODERATOR, conference, role
from tests.harness.story import Story


async def test_two_moderators_alone_hear_each_other(story: Story) -> None:
    await story.call("first", role("moderator", story.room))
    await story.hear({"first": "music"})
    await story.call("second", role("moderator", story.room))
    await story.hear({"first": "second", "second": "first"})


async def test_first_moderator_to_leave_ends_the_conference_for_the_other(story: Story) -> None:
    first = await story.call("first", role("moderator", story.room, **story.events))
    await story.call("second", role("moderator", story.room, dial={"action": story.url("/left")}))
    await story.call("listener", role("listener", story.room, dial={"action": story.url("/left")}))
    await story.hear({"first": "second", "second": "first", "listener": "first second"})
    await first.hang_up()
    await story.all_ended("second", "listener")
    assert story.paths("second") == ["/voice", "/left"]
    assert story.paths("listener") == ["/voice", "/left"]
    last = (await story.event("conference-end")).parameters
    assert last["ReasonConferenceEnded"] == "participant-with-end-conference-on-exit-left"


async def test_moderator_who_may_leave_leaves_the_others_talking(story: Story) -> None:
    starter = {**MODERATOR, "end_conference_on_exit": False, "beep": "false"}
    first = await story.call("first", conference(story.room, **starter))
    await story.call("speaker", role("speaker", story.room))
    await story.call("listener", role("listener", story.room))
    await story.hear({"first": "speaker", "speaker": "first", "listener": "first speaker"})
    await first.hang_up()
    await story.hear({"speaker": "silence", "listener": "speaker"})


async def test_conference_once_started_stays_so_for_who_comes_after_the_starter_left(story: Story) -> None:
    starter = {**MODERATOR, "end_conference_on_exit": False, "beep": "false"}
    first = await story.call("first", conference(story.room, **starter))
    await story.call("speaker", role("speaker", story.room))
    await story.hear({"first": "speaker", "speaker": "first"})
    await first.hang_up()
    await story.call("listener", role("listener", story.room))
    await story.hear({"speaker": "silence", "listener": "speaker"})


async def test_starter_who_waited_alone_and_left_does_not_start_it_for_those_who_come_later(
    story: Story,
) -> None:
    moderator = await story.call("moderator", role("moderator", story.room, **story.events))
    await story.hear({"moderator": "music"})
    await moderator.hang_up()
    await story.told("participant-join", "participant-leave", "conference-end")
    await story.call("speaker", role("speaker", story.room))
    await story.call("listener", role("listener", story.room))
    await story.hear({"speaker": "music", "listener": "music"})
