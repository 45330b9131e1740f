"""`*` takes a caller out of the conference where `hangupOnStar` says so; his call goes on."""

from tests.harness.documents import role
from tests.harness.story import Story


async def test_star_takes_the_caller_out_and_his_document_goes_on(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room, **story.events))
    leaver = await story.call(
        "leaver", role("speaker", story.room, dial={"hangup_on_star": True, "action": story.url("/left")})
    )
    await story.call("listener", role("listener", story.room))
    await story.hear({"moderator": "leaver", "leaver": "moderator", "listener": "moderator leaver"})
    await leaver.press("1")
    await story.hear({"moderator": "leaver", "leaver": "moderator", "listener": "moderator leaver"})
    await leaver.press("*")
    request = await story.requested("/left", "leaver")
    assert request.parameters["DialCallStatus"] == "answered"
    await story.all_ended("leaver")
    await story.hear({"moderator": "silence", "listener": "moderator"})
    told = await story.told(
        "participant-join", "participant-join", "conference-start", "participant-join", "participant-leave"
    )
    assert told[4].parameters["ParticipantCallStatus"] == "in-progress"


async def test_star_while_waiting_takes_the_caller_out_of_the_music(story: Story) -> None:
    leaver = await story.call(
        "leaver", role("speaker", story.room, dial={"hangup_on_star": True}, then=story.url("/next"))
    )
    await story.hear({"leaver": "music"})
    await leaver.press("*")
    await story.all_ended("leaver")
    assert story.paths("leaver") == ["/voice", "/next"]


async def test_star_without_hangup_on_star_means_nothing(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room))
    speaker = await story.call("speaker", role("speaker", story.room, dial={"action": story.url("/left")}))
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    await speaker.press("*#0")
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    assert story.paths("speaker") == ["/voice"]


async def test_moderators_star_ends_the_conference(story: Story) -> None:
    moderator = await story.call(
        "moderator",
        role("moderator", story.room, dial={"hangup_on_star": True, "action": story.url("/left")}),
    )
    await story.call("listener", role("listener", story.room, dial={"action": story.url("/left")}))
    await story.hear({"moderator": "silence", "listener": "moderator"})
    await moderator.press("*")
    await story.all_ended("moderator", "listener")
    assert story.paths("moderator") == ["/voice", "/left"]
    assert story.paths("listener") == ["/voice", "/left"]
