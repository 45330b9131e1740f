"""The official Python package moderates a live conference: who hears whom after every command."""

import pytest
from tests.harness.documents import MODERATOR, conference, hang_up, role
from tests.harness.matrix import assert_never_heard
from tests.harness.remote_control import RemoteControl
from tests.harness.sounds import WAIT_HZ, moments_of, tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer
from twilio.base.exceptions import TwilioRestException

TALK = {"ann": "ben eve", "ben": "ann eve", "eve": "ann ben"}


async def three(story: Story) -> RemoteControl:
    """Ann, Ben and Eve talk; nobody's leaving ends it."""
    for name in ("ann", "ben", "eve"):
        await story.call(name, conference(story.room, beep="false", participant_label=name))
    await story.hear(TALK)
    return RemoteControl(story)


async def test_mute_and_unmute_are_heard_by_all(story: Story) -> None:
    remote = await three(story)
    assert (await remote.update("ann", muted=True)).muted is True
    await story.hear({"ann": "ben eve", "ben": "eve", "eve": "ben"})
    assert (await remote.update("ann", muted=False)).muted is False
    await story.hear(TALK)


async def test_hold_is_music_and_leaves_the_mute_alone(story: Story) -> None:
    remote = await three(story)
    await remote.update("ann", muted=True)
    await remote.update("ann", hold=True)
    await story.hear({"ann": "music", "ben": "eve", "eve": "ben"})
    held = await remote.update("ann", hold=False)
    assert (held.hold, held.muted) == (False, True)
    await story.hear({"ann": "ben eve", "ben": "eve", "eve": "ben"})


async def test_hold_url_is_what_the_held_one_hears(story: Story) -> None:
    remote = await three(story)
    url = story.on("/hold", '<Response><Pause length="30"/></Response>')
    await remote.update("ann", hold=True, hold_url=url, hold_method="POST")
    await story.hear({"ann": "silence", "ben": "eve", "eve": "ben"})
    assert (await story.requested("/hold")).method == "POST"
    await remote.update("ann", hold=False)
    await story.hear(TALK)


async def test_coach_whispers_to_another_and_barges_in(story: Story) -> None:
    remote = await three(story)
    ann, ben = await remote.call_sid("ann"), await remote.call_sid("ben")
    coach = await remote.update("eve", coaching=True, call_sid_to_coach=ann)
    assert (coach.coaching, coach.call_sid_to_coach) == (True, ann)
    await story.hear({"ann": "ben eve", "ben": "ann", "eve": "ann ben"})
    await remote.update("eve", call_sid_to_coach=ben)
    await story.hear({"ann": "ben", "ben": "ann eve", "eve": "ann ben"})
    assert (await remote.update("eve", coaching=False)).coaching is False
    await story.hear(TALK)


async def test_every_flag_can_be_changed_in_every_state(story: Story) -> None:
    remote = await three(story)
    await remote.update("ann", hold=True)
    ben = await remote.call_sid("ben")
    changed = await remote.update("ann", end_conference_on_exit=True, muted=True, call_sid_to_coach=ben)
    assert (changed.hold, changed.muted, changed.end_conference_on_exit) == (True, True, True)
    await story.hear({"ann": "music", "ben": "eve", "eve": "ben"})
    await remote.update("ann", hold=False, muted=False)
    await story.hear({"ann": "ben eve", "ben": "ann eve", "eve": "ben"})


async def test_kicked_caller_goes_on_with_his_document(story: Story) -> None:
    for name in ("ann", "ben"):
        await story.call(name, conference(story.room, beep="false"))
    document = conference(story.room, beep="false", dial={"action": story.url("/kicked")})
    await story.call("eve", document)
    await story.hear(TALK)
    story.on("/kicked", '<Response><Pause length="20"/></Response>')
    remote = RemoteControl(story)
    participant = await remote.participant("eve")
    assert await remote.do(lambda _: participant.delete()) is True
    await story.hear({"ann": "ben", "ben": "ann", "eve": "silence"})
    assert (await story.requested("/kicked")).parameters["DialCallStatus"] == "answered"
    with pytest.raises(TwilioRestException) as gone:
        await remote.do(lambda _: participant.update(muted=True))
    assert (gone.value.status, gone.value.code) == (404, 16028)


async def test_participant_is_named_by_his_label(story: Story) -> None:
    await three(story)
    remote = RemoteControl(story)
    sid = (await remote.conference()).sid
    await remote.do(lambda c: c.conferences(sid).participants("eve").delete())
    await story.all_ended("eve")
    await story.hear({"ann": "ben", "ben": "ann"})
    left = await remote.do(lambda c: c.conferences(sid).participants.list())
    assert {participant.label for participant in left} == {"ann", "ben"}


async def test_leaving_of_one_who_was_given_the_flag_ends_the_conference(story: Story) -> None:
    remote = await three(story)
    await remote.update("ann", end_conference_on_exit=True)
    sid = (await remote.conference()).sid
    await story.callers["ann"].hang_up()
    await story.all_ended("ben", "eve")
    ended = await remote.do(lambda c: c.conferences(sid).fetch())
    assert ended.status == "completed"
    assert ended.reason_conference_ended == "participant-with-end-conference-on-exit-left"
    assert await remote.do(lambda c: c.conferences(sid).participants.list()) == []


async def test_conference_is_ended_twice(story: Story) -> None:
    remote = await three(story)
    sid = (await remote.conference()).sid
    for _ in range(2):
        ended = await remote.do(lambda c: c.conferences(sid).update(status="completed"))
        assert ended.status == "completed"
        assert ended.reason_conference_ended == "conference-ended-via-api"
        assert ended.call_sid_ending_conference is None
    await story.all_ended()


def tone_of(story: Story) -> str:
    return story.on("/tone", Answer(tone_file(WAIT_HZ, 3.0), "audio/wav"))


async def test_announcement_to_all_is_heard_over_the_talk(story: Story) -> None:
    remote = await three(story)
    sid, url = (await remote.conference()).sid, tone_of(story)
    marks = {name: caller.call.mark() for name, caller in story.callers.items()}
    await remote.do(lambda c: c.conferences(sid).update(announce_url=url, announce_method="GET"))
    for name, caller in story.callers.items():
        await caller.call.hears(WAIT_HZ, since=marks[name])
    await story.hear(TALK)


async def test_announcement_to_one_is_heard_by_nobody_else(story: Story) -> None:
    remote = await three(story)
    url, mark = tone_of(story), story.callers["ann"].call.mark()
    await remote.update("ann", announce_url=url, announce_method="GET")
    await story.callers["ann"].call.hears(WAIT_HZ, since=mark)
    await story.hear(TALK)
    for name in ("ben", "eve"):
        assert moments_of(story.callers[name].call.received, WAIT_HZ) == []


async def test_waiting_listener_is_muted_before_the_conference_starts(story: Story) -> None:
    await story.call("sue", role("speaker", story.room))
    remote = RemoteControl(story)
    assert (await remote.conference()).status == "init"
    await remote.update("sue", muted=True)
    await story.call("moderator", conference(story.room, **{**MODERATOR, "beep": "false"}))
    await story.hear({"sue": "moderator", "moderator": "silence"})
    assert (await remote.conference()).status == "in-progress"
    assert_never_heard("sue", [caller.seat for caller in story.callers.values()])


async def test_call_is_moved_to_another_conference_by_url_and_by_twiml(story: Story) -> None:
    remote = await three(story)
    await story.call("joe", conference(f"{story.room} b", beep="false"))
    sid = await remote.call_sid("eve")
    other = conference(f"{story.room} b", beep="false")
    await remote.do(lambda c: c.calls(sid).update(twiml=other))
    await story.hear({"ann": "ben", "ben": "ann", "eve": "joe", "joe": "eve"})
    back = story.on("/back", conference(story.room, beep="false"))
    assert (await remote.do(lambda c: c.calls(sid).update(url=back, method="POST"))).status == "in-progress"
    await story.hear({**TALK, "joe": "silence"})


async def test_completed_call_leaves_its_conference(story: Story) -> None:
    remote = await three(story)
    sid = await remote.call_sid("eve")
    ended = await remote.do(lambda c: c.calls(sid).update(status="completed"))
    assert ended.status == "completed"
    await story.all_ended("eve")
    await story.hear({"ann": "ben", "ben": "ann"})
    with pytest.raises(TwilioRestException) as over:
        await remote.do(lambda c: c.calls(sid).update(twiml=hang_up()))
    assert (over.value.status, over.value.code) == (400, 21220)
    await story.callers["ann"].hang_up()
