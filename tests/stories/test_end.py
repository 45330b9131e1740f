"""The end: what each caller's document does next when the conference is over."""

from tests.harness.documents import role
from tests.harness.story import Story


async def test_end_with_action_requests_it_with_what_a_conference_gives(story: Story) -> None:
    await story.call(
        "listener", role("listener", story.room, dial={"action": story.url("/left")}, then="/never")
    )
    moderator = await story.call("moderator", role("moderator", story.room))
    await story.hear({"listener": "moderator", "moderator": "silence"})
    await moderator.hang_up()
    request = await story.requested("/left", "listener")
    assert request.parameters["DialCallStatus"] == "answered"
    assert request.parameters["CallStatus"] == "in-progress"
    assert "DialCallSid" not in request.parameters
    assert "DialCallDuration" not in request.parameters
    await story.all_ended("listener")
    assert story.paths("listener") == ["/voice", "/left"]


async def test_end_without_action_runs_the_next_verb(story: Story) -> None:
    await story.call("listener", role("listener", story.room, then=story.url("/next")))
    moderator = await story.call("moderator", role("moderator", story.room))
    await story.hear({"listener": "moderator", "moderator": "silence"})
    await moderator.hang_up()
    await story.all_ended("listener")
    assert story.paths("listener") == ["/voice", "/next"]


async def test_end_with_nothing_after_hangs_up(story: Story) -> None:
    await story.call("listener", role("listener", story.room))
    moderator = await story.call("moderator", role("moderator", story.room))
    await story.hear({"listener": "moderator", "moderator": "silence"})
    await moderator.hang_up()
    await story.all_ended("listener")
    assert story.paths("listener") == ["/voice"]


async def test_end_by_action_into_another_conference_goes_on_there(story: Story) -> None:
    story.on("/left", role("moderator", f"{story.room} after"))
    for name in ("ann", "ben"):
        await story.call(name, role("listener", story.room, dial={"action": story.url("/left")}))
    moderator = await story.call("moderator", role("moderator", story.room))
    await story.hear({"ann": "moderator", "ben": "moderator", "moderator": "silence"})
    await moderator.hang_up()
    await story.hear({"ann": "ben", "ben": "ann"})


async def test_moderator_who_hangs_up_still_has_his_action_requested(story: Story) -> None:
    await story.call("listener", role("listener", story.room))
    moderator = await story.call(
        "moderator", role("moderator", story.room, dial={"action": story.url("/left")})
    )
    await story.hear({"listener": "moderator", "moderator": "silence"})
    await moderator.hang_up()
    request = await story.requested("/left", "moderator")
    assert request.parameters["CallStatus"] == "completed"


async def test_same_name_after_the_end_is_a_new_conference(story: Story) -> None:
    await story.call("listener", role("listener", story.room, **story.events))
    moderator = await story.call("moderator", role("moderator", story.room))
    await story.hear({"listener": "moderator", "moderator": "silence"})
    await moderator.hang_up()
    await story.all_ended("listener")
    await story.call("late", role("listener", story.room, **story.events))
    await story.hear({"late": "music"})
    first = (await story.event("conference-end")).parameters["ConferenceSid"]
    another = lambda r: r.parameters["ConferenceSid"] != first  # noqa: E731
    begun = await story.webhook.next_request(story.path("/events"), accept=another)
    assert begun.parameters["StatusCallbackEvent"] == "participant-join"
