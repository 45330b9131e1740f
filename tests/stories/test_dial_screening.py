"""The `url` of a noun: who has answered is asked before he is connected."""

from tests.harness.callee import callee
from tests.harness.sounds import WAIT_HZ, tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer
from twilio.twiml.voice_response import Dial, VoiceResponse


def dial(story: Story, *names: str, url: str, **attributes: object) -> str:
    response = VoiceResponse()
    verb = Dial(action=story.url("/left"), **attributes)
    for name in names:
        verb.client(name, url=url)
    response.append(verb)
    return str(response)


def question(story: Story, action: str) -> str:
    """A sound that nobody else makes, until a key is pressed; none pressed declines."""
    sound = story.on("/question.wav", Answer(tone_file(WAIT_HZ, 20.0), "audio/wav"))
    response = VoiceResponse()
    response.gather(num_digits=1, timeout=5, action=action).play(sound)
    response.hangup()
    return str(response)


async def test_callee_who_presses_a_key_is_connected_and_the_caller_hears_ringing_until_then(
    story: Story,
) -> None:
    gus = await callee(story, "gus")
    accepted = story.on("/accepted", "<Response/>")
    url = story.on("/screen", question(story, accepted))
    ann = await story.call("ann", dial(story, "gus", url=url, ring_tone="de"))
    caller = await gus.answers()
    await caller.call.hears(WAIT_HZ)
    await ann.call.hears(425)
    asked = (await story.requested("/screen")).parameters
    assert (asked["Direction"], asked["CallStatus"]) == ("outbound-dial", "in-progress")
    assert asked["ParentCallSid"].startswith("CA")
    await caller.press("1")
    assert (await story.requested("/accepted")).parameters["Digits"] == "1"
    await story.hear({"ann": "gus", "gus": "ann"})


async def test_callee_who_declines_is_hung_up_and_the_caller_goes_on(story: Story) -> None:
    gus = await callee(story, "gus")
    url = story.on("/screen", "<Response><Hangup/></Response>")
    await story.call("ann", dial(story, "gus", url=url))
    caller = await gus.answers()
    await caller.call.ended()
    left = (await story.requested("/left")).parameters
    assert (left["DialCallStatus"], left["DialBridged"]) == ("completed", "false")


async def test_screening_that_fails_is_a_no(story: Story) -> None:
    gus = await callee(story, "gus")
    url = story.on("/screen", "<Response><Dial>1001</Dial></Response>")
    await story.call("ann", dial(story, "gus", url=url))
    caller = await gus.answers()
    await caller.call.ended()
    assert (await story.requested("/left")).parameters["DialBridged"] == "false"


async def test_first_of_several_to_say_yes_is_connected(story: Story) -> None:
    gus, hal = await callee(story, "gus"), await callee(story, "hal")
    accepted = story.on("/accepted", "<Response/>")
    url = story.on("/screen", question(story, accepted))
    await story.call("ann", dial(story, "gus", "hal", url=url))
    first, second = await gus.answers(), await hal.answers()
    await first.call.hears(WAIT_HZ)
    await second.call.hears(WAIT_HZ)
    await second.press("1")
    await first.call.ended()
    await story.hear({"ann": "hal", "hal": "ann"})


async def test_caller_who_gives_up_ends_the_screening(story: Story) -> None:
    gus = await callee(story, "gus")
    url = story.on("/screen", question(story, story.url("/accepted")))
    ann = await story.call("ann", dial(story, "gus", url=url))
    caller = await gus.answers()
    await caller.call.hears(WAIT_HZ)
    await ann.hang_up()
    await caller.call.ended()
    assert (await story.requested("/left")).parameters["DialCallStatus"] == "canceled"
