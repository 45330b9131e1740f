"""A caller who hangs up, wherever he is, is gone for everybody and from everywhere."""

from tests.harness.documents import role
from tests.harness.sounds import tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer
from twilio.twiml.voice_response import VoiceResponse


async def test_hang_up_during_the_menu_ends_the_call(story: Story) -> None:
    story.on("/prompt.wav", Answer(tone_file(1234.0, 20.0), "audio/wav"))
    menu = VoiceResponse()
    menu.gather(num_digits=1, action="/never").play(story.url("/prompt.wav"))
    menu.redirect("/never")
    caller = await story.call("caller", str(menu))
    await caller.call.hears(1234.0)
    await caller.hang_up()
    await story.server_is_empty()
    assert story.paths("caller") == ["/voice"]


async def test_hang_up_during_music_leaves_the_others_waiting(story: Story) -> None:
    await story.call("speaker", role("speaker", story.room, **story.events))
    listener = await story.call("listener", role("listener", story.room))
    await story.hear({"speaker": "music", "listener": "music"})
    await listener.hang_up()
    told = await story.told("participant-join", "participant-join", "participant-leave")
    assert told[2].parameters["ReasonParticipantLeft"] == "participant_hung_up"
    assert told[2].parameters["ParticipantCallStatus"] == "completed"
    await story.hear({"speaker": "music"})
    await story.call("moderator", role("moderator", story.room))
    await story.hear({"speaker": "moderator", "moderator": "speaker"})


async def test_last_one_to_hang_up_during_music_ends_the_conference(story: Story) -> None:
    listener = await story.call("listener", role("listener", story.room, **story.events))
    await story.hear({"listener": "music"})
    await listener.hang_up()
    told = await story.told("participant-join", "participant-leave", "conference-end")
    assert told[2].parameters["ReasonConferenceEnded"] == "last-participant-left"


async def test_hang_up_during_talk_leaves_the_others_talking(story: Story) -> None:
    await story.call("moderator", role("moderator", story.room))
    speaker = await story.call("speaker", role("speaker", story.room))
    await story.call("listener", role("listener", story.room))
    await story.hear({"moderator": "speaker", "speaker": "moderator", "listener": "moderator speaker"})
    await speaker.hang_up()
    await story.hear({"moderator": "silence", "listener": "moderator"})
