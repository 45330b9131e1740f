"""Calls that the API places: answered, refused, canceled, limited in time, redirected."""

import asyncio
from typing import Any

import pytest
from tests.harness.callee import Callee, callee
from tests.harness.carrier import PASSWORD, USER, carrier
from tests.harness.documents import conference
from tests.harness.remote_control import RemoteControl
from tests.harness.sounds import WAIT_HZ, moments_of, tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer
from twilio.base.exceptions import TwilioRestException

from townhall.phone import PhoneSettings

FROM = "+15550100"
STAY = '<Response><Pause length="60"/></Response>'


async def place(story: Story, to: str, **parameters: Any) -> Any:
    remote = RemoteControl(story)
    given = {"twiml": STAY, **parameters}
    return await remote.do(lambda client: client.calls.create(to=to, from_=FROM, **given))


async def becomes(story: Story, sid: str, status: str) -> Any:
    """Wait until the API says so of a call."""
    remote = RemoteControl(story)
    async with asyncio.timeout(30):
        while True:
            call = await remote.do(lambda client: client.calls(sid).fetch())
            if call.status == status:
                return call
            await asyncio.sleep(0.05)


@pytest.fixture
async def gus(story: Story) -> Callee:
    return await callee(story, "gus")


async def test_call_is_queued_then_ringing_then_in_progress_then_completed(story: Story, gus: Callee) -> None:
    url = story.on("/answered", STAY)
    call = await place(story, "client:gus", url=url, twiml=None)
    assert (call.status, call.direction) == ("queued", "outbound-api")
    incoming = await gus.rings()
    assert incoming.caller == FROM
    await becomes(story, call.sid, "ringing")
    caller = await gus.answers(incoming)
    asked = (await story.requested("/answered")).parameters
    assert (asked["CallSid"], asked["CallStatus"], asked["Direction"], asked["From"], asked["To"]) == (
        call.sid,
        "in-progress",
        "outbound-api",
        FROM,
        "client:gus",
    )
    await becomes(story, call.sid, "in-progress")
    await caller.hang_up()
    await becomes(story, call.sid, "completed")


@pytest.mark.parametrize(
    ("status", "outcome"), [(486, "busy"), (480, "no-answer"), (404, "failed"), (500, "failed")]
)
async def test_refused_call_has_its_outcome(story: Story, gus: Callee, status: int, outcome: str) -> None:
    call = await place(story, "client:gus")
    (await gus.rings()).reject(status)
    await becomes(story, call.sid, outcome)


async def test_ringing_call_is_canceled(story: Story, gus: Callee) -> None:
    call = await place(story, "client:gus")
    incoming = await gus.rings()
    await RemoteControl(story).do(lambda client: client.calls(call.sid).update(status="canceled"))
    assert (await incoming.ended()).cause == "cancel"
    await becomes(story, call.sid, "canceled")


async def test_nobody_answers_in_time(story: Story, gus: Callee) -> None:
    call = await place(story, "client:gus", timeout=1)
    incoming = await gus.rings()
    assert (await incoming.ended()).cause == "cancel"
    await becomes(story, call.sid, "no-answer")


async def test_digits_are_sent_before_the_document_runs(story: Story) -> None:
    hal = await callee(story, "hal", settings=PhoneSettings(telephone_event=False))
    sound = story.on("/sound.wav", Answer(tone_file(WAIT_HZ, 20.0), "audio/wav"))
    url = story.on("/answered", f"<Response><Play>{sound}</Play></Response>")
    await place(story, "client:hal", url=url, twiml=None, send_digits="11111w")
    caller = await hal.answers()
    document = await caller.call.hears(WAIT_HZ, since=0)
    digits = moments_of(caller.call.received, 1209.0)
    assert digits
    assert max(digits) < document


async def test_time_limit_ends_the_call(story: Story, gus: Callee) -> None:
    call = await place(story, "client:gus", time_limit=1)
    caller = await gus.answers()
    await caller.call.ended()
    assert int((await becomes(story, call.sid, "completed")).duration) >= 1


async def test_redirect_to_another_address_of_the_callee_is_followed(story: Story, gus: Callee) -> None:
    hal = await callee(story, "hal", registered=False)
    call = await place(story, "client:gus")
    (await gus.phone.rings()).reject(302, (("Contact", f"<{hal.uri}>"),))
    await hal.answers()
    await becomes(story, call.sid, "in-progress")


async def test_redirect_in_a_circle_ends(story: Story, gus: Callee) -> None:
    call = await place(story, "client:gus")
    (await gus.phone.rings()).reject(302, (("Contact", f"<{gus.uri}>"),))
    await becomes(story, call.sid, "failed")


async def test_callee_s_challenge_is_answered_with_the_call_s_own_password(story: Story) -> None:
    far, _ = await carrier(story, "far")
    await place(story, far.uri, sip_auth_username=USER, sip_auth_password=PASSWORD)
    await far.answers()


async def test_answered_call_joins_a_conference_and_is_redirected_out_of_it(
    story: Story, gus: Callee
) -> None:
    await story.call("ann", conference(story.room, beep="false"))
    call = await place(story, "client:gus", twiml=conference(story.room, beep="false"))
    await gus.answers()
    await story.hear({"ann": "gus", "gus": "ann"})
    url = story.on("/elsewhere", STAY)
    await RemoteControl(story).do(lambda client: client.calls(call.sid).update(url=url))
    await story.requested("/elsewhere")
    await story.hear({"ann": "silence", "gus": "silence"})


@pytest.mark.parametrize(
    ("to", "code"),
    [("call me", 21211), ("sip:nobody", 21211), ("sip:bob@10.1.2.3", 21215), ("+4930123456", 21215)],
)
async def test_call_to_nowhere_is_refused_with_words(story: Story, to: str, code: int) -> None:
    with pytest.raises(TwilioRestException) as refused:
        await place(story, to)
    assert refused.value.code == code


async def test_callee_of_a_dial_is_taken_out_by_the_api_and_lives_on(story: Story, gus: Callee) -> None:
    await story.call(
        "ann", f'<Response><Dial action="{story.url("/left")}"><Client>gus</Client></Dial></Response>'
    )
    await gus.answers()
    await story.hear({"ann": "gus", "gus": "ann"})
    remote = RemoteControl(story)
    parent = await remote.call_sid("ann")
    (child,) = await remote.do(lambda client: client.calls.list(parent_call_sid=parent))
    url = story.on("/elsewhere", STAY)
    await remote.do(lambda client: client.calls(child.sid).update(url=url))
    await story.requested("/elsewhere")
    left = (await story.requested("/left")).parameters
    assert (left["DialCallStatus"], left["DialCallSid"]) == ("completed", child.sid)
    await story.all_ended("ann")
    assert not story.callers["gus"].call.is_over


async def test_phone_that_has_unregistered_is_not_called(story: Story) -> None:
    ivy = await callee(story, "ivy")
    await ivy.phone.register(f"sip:{story.server.address}:{story.server.sip_port}", 0)
    call = await place(story, "client:ivy")
    await becomes(story, call.sid, "no-answer")
