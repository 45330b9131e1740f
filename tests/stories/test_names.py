"""Which conference a name means: one per name at a time, exact but for white space at its ends; or a live
SID.
"""

import asyncio

from tests.harness.documents import role
from tests.harness.story import Story


async def test_name_is_the_same_with_white_space_around_it(story: Story) -> None:
    await story.call("listener", role("listener", story.room))
    await story.call("moderator", role("moderator", f"\n    {story.room}\n  "))
    await story.hear({"listener": "moderator", "moderator": "silence"})


async def test_name_in_other_case_is_another_conference(story: Story) -> None:
    await story.call("listener", role("listener", story.room))
    await story.call("moderator", role("moderator", story.room.upper()))
    await story.hear({"listener": "music", "moderator": "music"})


async def test_conference_sid_as_name_joins_the_live_conference(story: Story) -> None:
    await story.call("listener", role("listener", story.room, **story.events))
    told = await story.told("participant-join")
    await story.call("moderator", role("moderator", told[0].parameters["ConferenceSid"]))
    await story.hear({"listener": "moderator", "moderator": "silence"})


async def test_unknown_conference_sid_is_not_joined(story: Story) -> None:
    await story.call("lost", role("moderator", "CF" + "0" * 32, dial={"action": story.url("/left")}))
    request = await story.requested("/left", "lost")
    assert request.parameters["DialCallStatus"] == "failed"
    await story.all_ended("lost")


async def test_callers_who_arrive_at_once_meet_in_one_conference(story: Story) -> None:
    names = ("ann", "ben", "cat", "dan")
    await asyncio.gather(*(story.call(name, role("speaker", story.room, **story.events)) for name in names))
    await story.call("moderator", role("moderator", story.room))
    everybody = {*names, "moderator"}
    await story.hear({name: sorted(everybody - {name}) for name in everybody})
    told = await story.told(*["participant-join"] * 5, "conference-start")
    assert len({request.parameters["ConferenceSid"] for request in told}) == 1
