"""What a caller hears and may do in a queue, and what his document is told when he is out of it."""

import pytest
from tests.harness.queueing import dial_queue, enqueue
from tests.harness.sounds import WAIT_HZ, tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer
from twilio.twiml.voice_response import VoiceResponse


async def test_wait_document_is_asked_for_again_and_told_the_place(story: Story) -> None:
    sound = story.on("/sound.wav", Answer(tone_file(WAIT_HZ, 0.3), "audio/wav"))
    document = VoiceResponse()
    document.play(sound)
    url = story.on("/wait", str(document))
    await story.call("first", enqueue(story.room))
    second = await story.call("second", enqueue(story.room, wait_url=url))
    await second.call.hears(WAIT_HZ)
    rounds = await story.webhook.wait_for(
        lambda: story.webhook.requests(story.path("/wait"))[2:], wanted="third wait"
    )
    told = rounds[0].parameters
    assert (told["QueuePosition"], told["CurrentQueueSize"], told["MaxQueueSize"]) == ("2", "2", "1000")
    assert told["QueueSid"].startswith("QU")
    assert int(told["QueueTime"]) >= 2
    assert int(told["AvgQueueTime"]) >= 2

    await story.call("agent", dial_queue(story.room))
    moved = lambda r: r.parameters["QueuePosition"] == "1"  # noqa: E731
    up = await story.webhook.next_request(story.path("/wait"), accept=moved)
    assert up.parameters["CurrentQueueSize"] == "1"


async def test_empty_wait_url_is_silence(story: Story) -> None:
    await story.call("caller", enqueue(story.room, wait_url=""))
    await story.hear({"caller": "silence"})


async def test_leave_goes_on_with_the_next_verb(story: Story) -> None:
    document = VoiceResponse()
    document.leave()
    url = story.on("/wait", str(document))
    await story.call("caller", enqueue(story.room, wait_url=url, then=story.url("/next")))
    await story.all_ended("caller")
    assert story.paths("caller") == ["/voice", "/wait", "/next"]


async def test_key_in_the_wait_document_takes_the_caller_out(story: Story) -> None:
    document = VoiceResponse()
    gather = document.gather(num_digits=1, timeout=60, action=story.url("/key"))
    gather.play(story.on("/sound.wav", Answer(tone_file(WAIT_HZ, 30.0), "audio/wav")))
    url = story.on("/wait", str(document))
    leave = VoiceResponse()
    leave.leave()
    story.on("/key", str(leave))
    caller = await story.call("caller", enqueue(story.room, wait_url=url, action=story.url("/left")))
    await caller.call.hears(WAIT_HZ)
    await caller.press("1")
    key = await story.requested("/key", "caller")
    assert (key.parameters["Digits"], key.parameters["QueuePosition"]) == ("1", "1")
    told = await story.requested("/left", "caller")
    assert told.parameters["QueueResult"] == "leave"
    assert told.parameters["QueueSid"] == key.parameters["QueueSid"]
    assert told.parameters["QueueTime"].isdigit()


async def test_wait_document_may_hang_up(story: Story) -> None:
    document = VoiceResponse()
    document.hangup()
    url = story.on("/wait", str(document))
    await story.call("caller", enqueue(story.room, wait_url=url, action=story.url("/left")))
    assert (await story.requested("/left", "caller")).parameters["QueueResult"] == "hangup"
    await story.all_ended("caller")


async def test_caller_who_hangs_up_makes_room_for_the_next(story: Story) -> None:
    first = await story.call("first", enqueue(story.room, action=story.url("/left")))
    await story.call("second", enqueue(story.room))
    await story.hear({"first": "music", "second": "music"})
    await first.hang_up()
    assert (await story.requested("/left", "first")).parameters["QueueResult"] == "hangup"
    await story.call("agent", dial_queue(story.room))
    await story.hear({"second": "agent", "agent": "second"})


@pytest.mark.parametrize(
    "answer",
    [
        Answer("no", "text/plain", 500),
        Answer("<Response><Dial>1</Dial></Response>"),
        Answer("<Response><Say>"),
        Answer("", "image/png"),
    ],
    ids=["error-500", "verb-not-allowed", "broken-xml", "no-sound"],
)
async def test_wait_url_that_fails_at_first_is_an_error(story: Story, answer: Answer) -> None:
    url = story.on("/wait", answer)
    await story.call("caller", enqueue(story.room, wait_url=url, action=story.url("/left")))
    assert (await story.requested("/left", "caller")).parameters["QueueResult"] == "error"
    await story.all_ended("caller")


async def test_wait_url_that_fails_later_costs_nobody_his_place(story: Story) -> None:
    sound = story.on("/sound.wav", Answer(tone_file(WAIT_HZ, 0.3), "audio/wav"))
    document = VoiceResponse()
    document.play(sound)
    answers = iter([str(document)])
    url = story.on("/wait", lambda request: next(answers, Answer("down", "text/plain", 503)))
    caller = await story.call("caller", enqueue(story.room, wait_url=url))
    await caller.call.hears(WAIT_HZ)
    await story.hear({"caller": "music"})
    await story.call("agent", dial_queue(story.room))
    await story.hear({"caller": "agent", "agent": "caller"})


@pytest.mark.parametrize("name", ["", "x" * 65], ids=["none", "too-long"])
async def test_queue_without_a_fitting_name_is_an_error(story: Story, name: str) -> None:
    await story.call("caller", enqueue(name, action=story.url("/left")))
    told = await story.requested("/left", "caller")
    assert told.parameters["QueueResult"] == "error"
    assert "QueueSid" not in told.parameters
