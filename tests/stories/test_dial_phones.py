"""`<Dial>` with `<Client>`, `<Sip>` and plain numbers: who is rung, who talks to whom, and what `action` is
told.
"""

import asyncio

import pytest
from tests.harness.callee import callee
from tests.harness.story import Story
from twilio.twiml.voice_response import Dial, VoiceResponse

from townhall.phone import PhoneSettings


def dial(story: Story, *nouns: tuple[str, str], **attributes: object) -> str:
    """`<Dial>` with these nouns (kind, body); the action is the story's `/left`."""
    response = VoiceResponse()
    verb = Dial(**{"action": story.url("/left"), **attributes})
    for kind, body in nouns:
        getattr(verb, kind)(body)
    response.append(verb)
    return str(response)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
async def test_registered_client_is_rung_and_talks_to_the_caller(story: Story, transport) -> None:
    gus = await callee(story, "gus", settings=PhoneSettings(transport=transport))
    ann = await story.call("ann", dial(story, ("client", "gus")))
    incoming = await gus.rings()
    assert (incoming.caller, incoming.transport) == ("ann", transport)
    await gus.answers(incoming)
    await story.hear({"ann": "gus", "gus": "ann"})
    await story.callers["gus"].hang_up()
    left = (await story.requested("/left")).parameters
    assert left["DialCallStatus"] == "completed"
    assert left["DialBridged"] == "true"
    assert left["DialCallSid"].startswith("CA")
    assert left["DialCallSid"] != left["CallSid"]
    assert int(left["DialCallDuration"]) >= 0
    await ann.call.ended()


async def test_extension_of_a_phone_is_a_number_to_dial(story: Story) -> None:
    phone = await callee(story, "1001")
    await story.call("ann", f'<Response><Dial action="{story.url("/left")}">1001</Dial></Response>')
    await phone.answers()
    await story.hear({"ann": "1001", "1001": "ann"})


async def test_caller_hears_ringing_until_the_answer(story: Story) -> None:
    gus = await callee(story, "gus")
    ann = await story.call("ann", dial(story, ("client", "gus"), ring_tone="de"))
    incoming = await gus.rings()
    await ann.call.hears(425)
    await gus.answers(incoming)
    await story.hear({"ann": "gus", "gus": "ann"})


async def test_early_media_is_heard_instead_of_ringing(story: Story) -> None:
    gus = await callee(story, "gus")
    ann = await story.call("ann", dial(story, ("client", "gus")))
    incoming = await gus.phone.rings()
    early = await incoming.early_media()
    await ann.call.hears(gus.tone_hz)
    await gus.answers(incoming)
    await story.hear({"ann": "gus", "gus": "ann"})
    assert early is story.callers["gus"].call


@pytest.mark.parametrize(
    ("status", "outcome"),
    [(486, "busy"), (600, "busy"), (480, "no-answer"), (404, "failed"), (503, "failed")],
)
async def test_refusal_becomes_a_dial_call_status(story: Story, status: int, outcome: str) -> None:
    gus = await callee(story, "gus")
    await story.call("ann", dial(story, ("client", "gus")))
    (await gus.phone.rings()).reject(status)
    left = (await story.requested("/left")).parameters
    assert (left["DialCallStatus"], left["DialBridged"]) == (outcome, "false")
    await story.all_ended("ann")


async def test_nobody_answers_within_the_timeout(story: Story) -> None:
    gus = await callee(story, "gus")
    await story.call("ann", dial(story, ("client", "gus"), timeout=5))
    incoming = await gus.rings()
    assert (await incoming.ended()).cause == "cancel"
    assert (await story.requested("/left")).parameters["DialCallStatus"] == "no-answer"


async def test_client_who_is_not_registered_does_not_answer(story: Story) -> None:
    await story.call("ann", dial(story, ("client", "nobody")))
    assert (await story.requested("/left")).parameters["DialCallStatus"] == "no-answer"


async def test_caller_who_gives_up_has_the_callee_cancelled(story: Story) -> None:
    gus = await callee(story, "gus")
    ann = await story.call("ann", dial(story, ("client", "gus")))
    incoming = await gus.rings()
    await ann.hang_up()
    assert (await incoming.ended()).cause == "cancel"
    assert (await story.requested("/left")).parameters["DialCallStatus"] == "canceled"


async def test_caller_who_hangs_up_ends_the_callee_s_call_too(story: Story) -> None:
    gus = await callee(story, "gus")
    ann = await story.call("ann", dial(story, ("client", "gus")))
    caller = await gus.answers()
    await story.hear({"ann": "gus", "gus": "ann"})
    await ann.hang_up()
    await caller.call.ended()
    assert (await story.requested("/left")).parameters["DialCallStatus"] == "completed"


async def test_sip_address_is_rung_with_its_headers_and_the_action_told_of_it(story: Story) -> None:
    bob = await callee(story, "bob", registered=False)
    await story.call("ann", dial(story, ("sip", f"{bob.uri}?x-room=7")))
    incoming = await bob.rings()
    assert incoming.request.headers.get("x-room") == "7"
    await bob.answers(incoming)
    await story.hear({"ann": "bob", "bob": "ann"})
    await story.callers["bob"].hang_up()
    left = (await story.requested("/left")).parameters
    assert left["DialSipResponseCode"] == "200"
    assert left["DialSipCallId"] == incoming.request.call_id


async def test_first_of_several_to_answer_wins_and_the_others_are_cancelled(story: Story) -> None:
    gus, hal = await callee(story, "gus"), await callee(story, "hal")
    await story.call("ann", dial(story, ("client", "gus"), ("client", "hal")))
    at_gus, at_hal = await gus.rings(), await hal.rings()
    await hal.answers(at_hal)
    assert (await at_gus.ended()).cause == "cancel"
    await story.hear({"ann": "hal", "hal": "ann"})


async def test_sequential_targets_ring_one_after_the_other(story: Story) -> None:
    gus, hal = await callee(story, "gus"), await callee(story, "hal")
    await story.call("ann", dial(story, ("client", "gus"), ("client", "hal"), sequential=True))
    (await gus.rings()).reject(486)
    await hal.answers()
    await story.hear({"ann": "hal", "hal": "ann"})


async def test_both_phones_of_one_user_ring(story: Story) -> None:
    desk, cell = await callee(story, "gus"), await callee(story, "gus")
    await story.call("ann", dial(story, ("client", "gus")))
    at_desk, at_cell = await desk.rings(), await cell.rings()
    await cell.answers(at_cell)
    assert (await at_desk.ended()).cause == "cancel"
    await story.hear({"ann": "gus", "gus": "ann"})


async def test_answer_on_bridge_lets_the_caller_ring_until_somebody_is_there(story: Story) -> None:
    gus = await callee(story, "gus")
    calling = asyncio.create_task(story.call("ann", dial(story, ("client", "gus"), answer_on_bridge=True)))
    incoming = await gus.rings()
    assert not calling.done()
    await gus.answers(incoming)
    await calling
    await story.hear({"ann": "gus", "gus": "ann"})


async def test_star_parts_the_two_and_the_document_goes_on(story: Story) -> None:
    gus = await callee(story, "gus")
    ann = await story.call("ann", dial(story, ("client", "gus"), hangup_on_star=True))
    caller = await gus.answers()
    await story.hear({"ann": "gus", "gus": "ann"})
    await ann.press("*")
    await caller.call.ended()
    left = (await story.requested("/left")).parameters
    assert (left["DialCallStatus"], left["DialBridged"]) == ("completed", "true")


async def test_time_limit_parts_the_two(story: Story) -> None:
    gus = await callee(story, "gus")
    await story.call("ann", dial(story, ("client", "gus"), time_limit=2))
    caller = await gus.answers()
    await caller.call.ended()
    left = (await story.requested("/left")).parameters
    assert left["DialCallStatus"] == "completed"
    assert int(left["DialCallDuration"]) >= 2


async def test_without_an_action_the_next_verb_runs(story: Story) -> None:
    gus = await callee(story, "gus")
    response = VoiceResponse()
    response.dial().client("gus")
    response.redirect(story.url("/next"))
    await story.call("ann", str(response))
    (await gus.phone.rings()).reject(486)
    await story.requested("/next")


async def test_caller_id_of_somebody_else_fails_the_dial(story: Story) -> None:
    gus = await callee(story, "gus")
    await story.call("ann", dial(story, ("client", "gus"), caller_id="+4930123456"))
    assert (await story.requested("/left")).parameters["DialCallStatus"] == "failed"
    await story.call("ben", dial(story, ("client", "gus"), caller_id=story.number))
    assert (await gus.rings()).caller == story.number
