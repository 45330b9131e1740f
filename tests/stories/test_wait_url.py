"""What those who wait hear: the default music, a document, a file, nothing; and what a failing `waitUrl`
does.
"""

import pytest
from tests.harness.documents import role
from tests.harness.sounds import WAIT_HZ, tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer
from twilio.twiml.voice_response import VoiceResponse


def wav(seconds: float) -> Answer:
    return Answer(tone_file(WAIT_HZ, seconds), "audio/wav")


async def test_wait_url_absent_plays_the_default_music(story: Story) -> None:
    await story.call("speaker", role("speaker", story.room))
    await story.hear({"speaker": "music"})


async def test_wait_url_empty_is_silence(story: Story) -> None:
    speaker = await story.call("speaker", role("speaker", story.room, wait_url="", **story.events))
    await story.told("participant-join")
    await story.hear({"speaker": "silence"})
    assert not speaker.call.received.any()


async def test_wait_url_with_a_sound_file_plays_it_over_and_over(story: Story) -> None:
    url = story.on("/wait.wav", wav(0.4))
    speaker = await story.call("speaker", role("speaker", story.room, wait_url=url, wait_method="GET"))
    mark = await speaker.call.hears(WAIT_HZ)
    for _ in range(3):
        mark = await speaker.call.hears(WAIT_HZ, since=mark + 4000)
    assert [r.method for r in story.webhook.requests(story.path("/wait.wav"))] == ["GET"]


async def test_wait_url_with_a_document_runs_it_and_is_told_of_the_conference(story: Story) -> None:
    sound = story.on("/sound.wav", wav(0.5))
    document = VoiceResponse()
    document.play(sound)
    document.redirect(story.url("/wait"))
    story.on("/wait", str(document))
    speaker = await story.call(
        "speaker", role("speaker", story.room, wait_url=story.url("/wait"), **story.events)
    )
    await speaker.call.hears(WAIT_HZ)
    asked = await story.requested("/wait", "speaker")
    joined = (await story.told("participant-join"))[0]
    assert asked.method == "POST"
    assert asked.parameters["ConferenceSid"] == joined.parameters["ConferenceSid"]
    assert asked.parameters["CallSid"] == joined.parameters["CallSid"]
    await story.webhook.wait_for(lambda: story.webhook.requests(story.path("/wait"))[2:], wanted="third wait")
    await story.call("moderator", role("moderator", story.room))
    await story.hear({"speaker": "moderator", "moderator": "speaker"})


async def test_wait_document_that_ends_leaves_silence_and_is_not_asked_again(story: Story) -> None:
    sound = story.on("/sound.wav", wav(0.5))
    document = VoiceResponse()
    document.play(sound)
    story.on("/wait", str(document))
    speaker = await story.call("speaker", role("speaker", story.room, wait_url=story.url("/wait")))
    mark = await speaker.call.hears(WAIT_HZ)
    await speaker.call.hears("silence", since=mark)
    await story.hear({"speaker": "silence"})
    assert story.paths("speaker").count("/wait") == 1


@pytest.mark.parametrize(
    "answer",
    [Answer("no", "text/plain", 500), Answer("<Response><Say>", "text/xml"), Answer("", "image/png")],
    ids=["error-500", "broken-xml", "no-sound"],
)
async def test_wait_url_that_fails_does_not_admit_the_caller(story: Story, answer: Answer) -> None:
    wait = story.on("/wait", answer)
    left = {"action": story.url("/left")}
    await story.call("speaker", role("speaker", story.room, wait_url=wait, dial=left, **story.events))
    request = await story.requested("/left", "speaker")
    assert request.parameters["DialCallStatus"] == "failed"
    await story.all_ended("speaker")
    assert story.webhook.requests(story.path("/events")) == []


async def test_wait_url_is_each_callers_own(story: Story) -> None:
    sound = story.on("/wait.wav", wav(0.5))
    first = await story.call("first", role("speaker", story.room, wait_url=sound, wait_method="GET"))
    await story.call("second", role("speaker", story.room, wait_url=""))
    await story.call("third", role("speaker", story.room))
    await first.call.hears(WAIT_HZ)
    story.callers.pop("first")
    await story.hear({"second": "silence", "third": "music"})
