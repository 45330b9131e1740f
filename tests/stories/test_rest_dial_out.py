"""Twilio's Python package dials guests into conferences: known while they ring, heard once they are in."""

import pytest
from tests.harness.callee import callee
from tests.harness.documents import conference
from tests.harness.remote_control import RemoteControl
from tests.harness.story import Story
from twilio.base.exceptions import TwilioRestException


async def test_guest_is_dialled_into_a_conference_that_does_not_exist_yet(story: Story) -> None:
    gus, remote = await callee(story, "gus"), RemoteControl(story)
    made = await remote.do(
        lambda c: c.conferences(story.room).participants.create(
            from_="sip:desk@example.com", to="client:gus", label="gus", beep="false"
        )
    )
    assert made.status == "queued"
    sid = made.conference_sid
    incoming = await gus.rings()
    ringing = await remote.do(lambda c: c.conferences(sid).participants("gus").fetch())
    assert (ringing.call_sid, ringing.status) == (made.call_sid, "ringing")
    await gus.answers(incoming)
    await story.hear({"gus": "music"})
    await story.call("ann", conference(story.room, beep="false"))
    await story.hear({"gus": "ann", "ann": "gus"})
    joined = await remote.do(lambda c: c.conferences(sid).participants("gus").fetch())
    assert (joined.call_sid, joined.status, joined.label) == (made.call_sid, "connected", "gus")


async def test_warm_transfer_from_one_agent_to_another(story: Story) -> None:
    first, second, remote = await callee(story, "gus"), await callee(story, "hal"), RemoteControl(story)
    await story.call("caller", conference(story.room, beep="false", end_conference_on_exit=True))
    sid = (await remote.conference()).sid

    async def dial(name: str) -> str:
        made = await remote.do(
            lambda c: c.conferences(sid).participants.create(
                from_="+15550100", to=f"client:{name}", beep="false"
            )
        )
        return str(made.call_sid)

    agent = await dial("gus")
    await first.answers()
    await story.hear({"caller": "gus", "gus": "caller"})
    await remote.update("caller", hold=True)
    await dial("hal")
    await second.answers()
    await story.hear({"caller": "music", "gus": "hal", "hal": "gus"})
    await remote.update("caller", hold=False)
    await story.hear({"caller": "gus hal", "gus": "caller hal", "hal": "caller gus"})
    await remote.do(lambda c: c.conferences(sid).participants(agent).delete())
    await story.all_ended("gus")
    await story.hear({"caller": "hal", "hal": "caller"})
    await story.callers["caller"].hang_up()
    await story.all_ended("hal")


async def test_guest_who_still_rings_is_called_no_further(story: Story) -> None:
    gus, hal, remote = await callee(story, "gus"), await callee(story, "hal"), RemoteControl(story)
    await story.call("ann", conference(story.room, beep="false"))
    sid = (await remote.conference()).sid
    made = await remote.do(
        lambda c: c.conferences(sid).participants.create(from_="+15550100", to="client:gus")
    )
    incoming = await gus.rings()
    await remote.do(lambda c: c.conferences(sid).participants(made.call_sid).delete())
    assert (await incoming.ended()).cause == "cancel"
    await remote.do(lambda c: c.conferences(sid).participants.create(from_="+15550100", to="client:hal"))
    ringing = await hal.rings()
    await remote.do(lambda c: c.conferences(sid).update(status="completed"))
    assert (await ringing.ended()).cause == "cancel"
    await story.all_ended("ann")


async def test_call_is_placed_redirected_and_completed(story: Story) -> None:
    gus, remote = await callee(story, "gus"), RemoteControl(story)
    await story.call("ann", conference(story.room, beep="false"))
    document = '<Response><Pause length="60"/></Response>'
    made = await remote.do(lambda c: c.calls.create(to="client:gus", from_="+15550100", twiml=document))
    assert (made.status, made.direction) == ("queued", "outbound-api")
    await gus.answers()
    await story.hear({"ann": "music", "gus": "silence"})
    into = conference(story.room, beep="false")
    await remote.do(lambda c: c.calls(made.sid).update(twiml=into))
    await story.hear({"ann": "gus", "gus": "ann"})
    await remote.do(lambda c: c.calls(made.sid).update(status="completed"))
    await story.all_ended("gus")
    told = await remote.do(lambda c: c.calls(made.sid).fetch())
    assert (told.status, told.to) == ("completed", "client:gus")


async def test_number_without_a_trunk_is_refused_with_what_to_do(story: Story) -> None:
    remote = RemoteControl(story)
    with pytest.raises(TwilioRestException) as refused:
        await remote.do(lambda c: c.calls.create(to="+436601234567", from_="+15550100", twiml="<Response/>"))
    assert (refused.value.status, refused.value.code) == (400, 21215)
    assert "trunk" in refused.value.msg


async def test_recording_of_a_call_is_started_paused_and_had(story: Story) -> None:
    for name in ("ann", "ben"):
        await story.call(name, conference(story.room, beep="false"))
    await story.hear({"ann": "ben", "ben": "ann"})
    remote = RemoteControl(story)
    sid = await remote.call_sid("ann")
    made = await remote.do(lambda c: c.calls(sid).recordings.create())
    paused = await remote.do(lambda c: c.calls(sid).recordings("Twilio.CURRENT").update(status="paused"))
    assert (paused.sid, paused.status) == (made.sid, "paused")
    await remote.do(lambda c: c.calls(sid).recordings("Twilio.CURRENT").update(status="in-progress"))
    await story.callers["ann"].call.listen(0.5)
    await remote.do(lambda c: c.calls(sid).recordings("Twilio.CURRENT").update(status="stopped"))
    found = await remote.do(lambda c: c.recordings.list(call_sid=sid))
    assert [recording.sid for recording in found] == [made.sid]
