"""Twilio's own packages moderate a live conference: who hears whom after every command.

Each story runs twice, with the package for Python and with the one for Node.
"""

import pytest
from tests.harness.documents import conference, role
from tests.harness.remotes import Remote, RemoteError
from tests.harness.sounds import WAIT_HZ, tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer


async def call_sid(story: Story, name: str) -> str:
    return (await story.requested("/voice", name)).parameters["CallSid"]


async def seats(story: Story, *names: str) -> dict[str, str]:
    """These are speakers of one conference; their Call SIDs."""
    for name in names:
        await story.call(name, conference(story.room, beep="false"))
    await story.hear({name: [other for other in names if other != name] for name in names})
    return {name: await call_sid(story, name) for name in names}


async def the_conference(remote: Remote, story: Story) -> str:
    """The SID of the story's conference."""
    (found,) = await remote.list("conferences", friendly_name=story.room, status="in-progress")
    return str(found["sid"])


async def test_mute_and_unmute(story: Story, remote: Remote) -> None:
    sids = await seats(story, "ann", "bob")
    room = await the_conference(remote, story)
    muted = await remote.update("conferences", room, "participants", sids["ann"], muted=True)
    assert muted["muted"] is True
    await story.hear({"ann": "bob", "bob": "silence"})
    (found,) = await remote.list("conferences", room, "participants", muted=True)
    assert found["call_sid"] == sids["ann"]
    again = await remote.update("conferences", room, "participants", sids["ann"], muted=False)
    assert again["muted"] is False
    await story.hear({"ann": "bob", "bob": "ann"})


async def test_hold_with_music_of_ones_own_and_unhold(story: Story, remote: Remote) -> None:
    sids = await seats(story, "ann", "bob", "eve")
    room = await the_conference(remote, story)
    await remote.update("conferences", room, "participants", sids["ann"], hold=True)
    await story.hear({"ann": "music", "bob": "eve", "eve": "bob"})
    url = story.on("/hold.wav", Answer(tone_file(WAIT_HZ, 20.0), "audio/wav"))
    held = await remote.update("conferences", room, "participants", sids["bob"], hold=True, hold_url=url)
    assert held["hold"] is True
    await story.callers["bob"].call.hears(WAIT_HZ)
    assert len(await remote.list("conferences", room, "participants", hold=True)) == 2
    for name in ("ann", "bob"):
        await remote.update("conferences", room, "participants", sids[name], hold=False)
    await story.hear({"ann": "bob eve", "bob": "ann eve", "eve": "ann bob"})


async def test_muted_participant_may_be_held_and_stays_muted(story: Story, remote: Remote) -> None:
    sids = await seats(story, "ann", "bob")
    room = await the_conference(remote, story)
    await remote.update("conferences", room, "participants", sids["ann"], muted=True, hold=True)
    await story.hear({"ann": "music", "bob": "silence"})
    back = await remote.update("conferences", room, "participants", sids["ann"], hold=False)
    assert (back["muted"], back["hold"]) == (True, False)
    await story.hear({"ann": "bob", "bob": "silence"})


async def test_whisper_retarget_and_barge_in(story: Story, remote: Remote) -> None:
    sids = await seats(story, "coach", "agent", "caller")
    room = await the_conference(remote, story)
    coach = ("conferences", room, "participants", sids["coach"])
    await remote.update(*coach, coaching=True, call_sid_to_coach=sids["agent"])
    await story.hear({"coach": "agent caller", "agent": "coach caller", "caller": "agent"})
    await remote.update(*coach, call_sid_to_coach=sids["caller"])
    await story.hear({"coach": "agent caller", "agent": "caller", "caller": "coach agent"})
    (found,) = await remote.list("conferences", room, "participants", coaching=True)
    assert found["call_sid_to_coach"] == sids["caller"]
    barged = await remote.update(*coach, coaching=False)
    assert barged["coaching"] is False
    await story.hear({"coach": "agent caller", "agent": "coach caller", "caller": "coach agent"})


async def test_kicked_participants_document_goes_on(story: Story, remote: Remote) -> None:
    story.on("/next", conference(f"{story.room} next door", wait_url=""))
    await story.call("ann", conference(story.room, then=story.url("/next"), beep="false"))
    await story.call("bob", conference(story.room, beep="false"))
    await story.call("eve", conference(story.room, beep="false"))
    await story.hear({"ann": "bob eve", "bob": "ann eve", "eve": "ann bob"})
    room = await the_conference(remote, story)
    await remote.remove("conferences", room, "participants", await call_sid(story, "ann"))
    await story.hear({"ann": "silence", "bob": "eve", "eve": "bob"})
    assert len(await remote.list("conferences", room, "participants")) == 2
    with pytest.raises(RemoteError) as gone:
        await remote.fetch("conferences", room, "participants", await call_sid(story, "ann"))
    assert (gone.value.status, gone.value.code) == (404, 20404)


async def test_call_is_redirected_into_another_conference(story: Story, remote: Remote) -> None:
    sids = await seats(story, "ann", "bob", "eve")
    await story.call("fay", conference(f"{story.room} other", beep="false"))
    twiml = conference(f"{story.room} other", beep="false")
    moved = await remote.update("calls", sids["ann"], twiml=twiml)
    assert moved["status"] == "in-progress"
    await story.hear({"ann": "fay", "fay": "ann", "bob": "eve", "eve": "bob"})
    url = story.on("/back", conference(story.room, beep="false"))
    await remote.update("calls", sids["ann"], url=url, method="GET")
    await story.hear({"ann": "bob eve", "bob": "ann eve", "eve": "ann bob", "fay": "silence"})
    assert (await story.requested("/back", "ann")).method == "GET"


async def test_announcement_to_all_and_to_one(story: Story, remote: Remote) -> None:
    sids = await seats(story, "ann", "bob")
    room = await the_conference(remote, story)
    url = story.on("/note.wav", Answer(tone_file(WAIT_HZ, 1.0), "audio/wav"))
    marks = {name: len(story.callers[name].call.received) for name in ("ann", "bob")}
    await remote.update("conferences", room, announce_url=url, announce_method="GET")
    for name, mark in marks.items():
        await story.callers[name].call.hears(WAIT_HZ, since=mark)
    await story.hear({"ann": "bob", "bob": "ann"})
    await remote.update("conferences", room, "participants", sids["ann"], announce_url=url)
    ann = story.callers["ann"].call
    await ann.hears(WAIT_HZ, since=len(ann.received))
    await story.hear({"ann": "bob", "bob": "ann"})


async def test_waiting_participant_is_changed_before_the_conference_starts(
    story: Story, remote: Remote
) -> None:
    await story.call("ann", role("speaker", story.room))
    await story.hear({"ann": "music"})
    (found,) = await remote.list("conferences", friendly_name=story.room, status="init")
    participant = ("conferences", found["sid"], "participants", await call_sid(story, "ann"))
    assert (await remote.fetch(*participant))["status"] == "connected"
    await remote.update(*participant, muted=True)
    await remote.update(*participant, wait_url="")
    await story.hear({"ann": "silence"})
    await story.call("mod", role("moderator", story.room))
    await story.hear({"ann": "mod", "mod": "silence"})


async def test_end_conference_on_exit_is_set_while_it_runs(story: Story, remote: Remote) -> None:
    sids = await seats(story, "ann", "bob")
    room = await the_conference(remote, story)
    participant = ("conferences", room, "participants", sids["ann"])
    assert (await remote.fetch(*participant))["end_conference_on_exit"] is False
    await remote.update(*participant, end_conference_on_exit=True)
    await story.callers["ann"].hang_up()
    await story.all_ended("bob")
    over = await remote.fetch("conferences", room)
    assert over["status"] == "completed"
    assert over["reason_conference_ended"] == "participant-with-end-conference-on-exit-left"
    assert over["call_sid_ending_conference"] == sids["ann"]


async def test_completing_a_call_and_a_conference(story: Story, remote: Remote) -> None:
    sids = await seats(story, "ann", "bob", "eve")
    room = await the_conference(remote, story)
    await remote.update("calls", sids["ann"], status="completed")
    await story.all_ended("ann")
    await story.hear({"bob": "eve", "eve": "bob"})
    ended = await remote.update("conferences", room, status="completed")
    assert ended["status"] == "completed"
    await story.all_ended("bob", "eve")
    assert (await remote.fetch("conferences", room))["reason_conference_ended"] == "conference-ended-via-api"
    assert (await remote.fetch("calls", sids["ann"]))["status"] == "completed"
    assert await remote.list("conferences", room, "participants") == []


async def test_participant_is_found_by_his_label(story: Story, remote: Remote) -> None:
    label = "Ann & Bob: 50 % ä"
    await story.call("ann", conference(story.room, participant_label=label, beep="false"))
    await story.call("bob", conference(story.room, beep="false"))
    await story.hear({"ann": "bob", "bob": "ann"})
    room = await the_conference(remote, story)
    found = await remote.update("conferences", room, "participants", label, muted=True)
    assert (found["label"], found["call_sid"]) == (label, await call_sid(story, "ann"))
    await story.hear({"ann": "bob", "bob": "silence"})
