"""A queue at work: callers hear music until an agent takes them, one after the other."""

from tests.harness.queueing import dial_queue, enqueue
from tests.harness.sounds import WAIT_HZ, tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer
from twilio.twiml.voice_response import VoiceResponse


async def test_agent_talks_to_the_head_and_then_to_the_next(story: Story) -> None:
    left = {"action": story.url("/left")}
    waiting = enqueue(story.room, **left)
    first = await story.call("first", waiting)
    await story.hear({"first": "music"})
    await story.call("second", waiting)
    await story.call("third", waiting)
    await story.hear({"first": "music", "second": "music", "third": "music"})

    one = await story.call("one", dial_queue(story.room, dial=left))
    await story.hear({"first": "one", "one": "first", "second": "music", "third": "music"})
    await story.call("two", dial_queue(story.room))
    await story.hear({"first": "one", "one": "first", "second": "two", "two": "second", "third": "music"})

    await first.hang_up()
    told = await story.requested("/left", "first")
    assert told.parameters["QueueResult"] == "bridged"
    told = await story.requested("/left", "one")
    assert told.parameters["DialCallStatus"] == "completed"
    assert told.parameters["DialBridged"] == "true"
    assert told.parameters["DialCallSid"] == (await story.requested("/voice", "first")).parameters["CallSid"]
    assert int(told.parameters["DialCallDuration"]) >= 1
    await one.call.ended()
    await story.hear({"second": "two", "two": "second", "third": "music"})


async def test_agent_who_hangs_up_lets_the_callers_document_go_on(story: Story) -> None:
    story.on("/next", enqueue(f"{story.room} again"))
    await story.call("caller", enqueue(story.room, then=story.url("/next")))
    agent = await story.call("agent", dial_queue(story.room))
    await story.hear({"caller": "agent", "agent": "caller"})
    await agent.hang_up()
    await story.hear({"caller": "music"})
    assert story.paths("caller") == ["/voice", "/next"]


async def test_agent_who_comes_first_hears_music_until_somebody_calls(story: Story) -> None:
    opened = await story.call("opener", enqueue(story.room))
    await story.hear({"opener": "music"})
    await opened.hang_up()
    await story.call("agent", dial_queue(story.room))
    await story.hear({"agent": "music"})
    await story.call("caller", enqueue(story.room))
    await story.hear({"agent": "caller", "caller": "agent"})


async def test_agent_of_an_empty_queue_gives_up_in_time(story: Story) -> None:
    opened = await story.call("opener", enqueue(story.room))
    await story.hear({"opener": "music"})
    await opened.hang_up()
    dial = {"timeout": 5, "action": story.url("/left")}
    await story.call("agent", dial_queue(story.room, dial=dial))
    told = await story.requested("/left", "agent")
    assert told.parameters["DialCallStatus"] == "no-answer"
    assert told.parameters["DialBridged"] == "false"
    assert "DialCallSid" not in told.parameters


async def test_dialling_a_queue_that_nobody_made_fails_at_once(story: Story) -> None:
    await story.call("agent", dial_queue("nobody made it", dial={"action": story.url("/left")}))
    told = await story.requested("/left", "agent")
    assert told.parameters["DialCallStatus"] == "failed"
    await story.all_ended("agent")


async def test_star_takes_the_agent_out_of_the_talk(story: Story) -> None:
    left = {"action": story.url("/left")}
    await story.call("caller", enqueue(story.room, **left))
    dial = {"hangup_on_star": True, **left}
    agent = await story.call("agent", dial_queue(story.room, dial=dial))
    await story.hear({"caller": "agent", "agent": "caller"})
    await agent.press("*")
    assert (await story.requested("/left", "caller")).parameters["QueueResult"] == "bridged"
    assert (await story.requested("/left", "agent")).parameters["DialCallStatus"] == "completed"


async def test_caller_hears_the_agents_words_before_they_talk(story: Story) -> None:
    sound = story.on("/sound.wav", Answer(tone_file(WAIT_HZ, 1.0), "audio/wav"))
    whisper = VoiceResponse()
    whisper.play(sound)
    url = story.on("/whisper", str(whisper))
    caller = await story.call("caller", enqueue(story.room))
    agent = await story.call("agent", dial_queue(story.room, url=url))
    await caller.call.hears(WAIT_HZ)
    await story.hear({"caller": "agent", "agent": "caller"})
    asked = await story.requested("/whisper", "caller")
    own = await story.requested("/voice", "agent")
    assert asked.parameters["DequeingCallSid"] == own.parameters["CallSid"]
    assert asked.parameters["QueueSid"].startswith("QU")
    assert asked.parameters["QueueTime"].isdigit()
    assert agent.call.is_over is False


async def test_agent_who_goes_during_the_words_leaves_the_caller_at_the_head(story: Story) -> None:
    sound = story.on("/sound.wav", Answer(tone_file(WAIT_HZ, 20.0), "audio/wav"))
    whisper = VoiceResponse()
    whisper.play(sound)
    url = story.on("/whisper", str(whisper))
    first = await story.call("first", enqueue(story.room))
    await story.call("second", enqueue(story.room))
    agent = await story.call("agent", dial_queue(story.room, url=url))
    await first.call.hears(WAIT_HZ)
    await agent.hang_up()
    await story.hear({"first": "music", "second": "music"})
    await story.call("other", dial_queue(story.room))
    await story.hear({"first": "other", "other": "first", "second": "music"})
