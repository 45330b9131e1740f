"""The music stops the moment the conference starts: at no moment is there music and talk, and none comes
back.
"""

from tests.harness.documents import role
from tests.harness.sounds import WAIT_HZ, moments_of, tone_file
from tests.harness.story import Story
from tests.harness.webhook import Answer


async def test_music_and_talk_never_sound_together(story: Story) -> None:
    wait = story.on("/wait.wav", Answer(tone_file(WAIT_HZ, 2.0), "audio/wav"))
    waiting = {"wait_url": wait, "wait_method": "GET"}
    listeners = [
        await story.call(name, role("listener", story.room, **waiting)) for name in ("ann", "ben", "cat")
    ]
    for listener in listeners:
        await listener.call.hears(WAIT_HZ)
    moderator = await story.call("moderator", role("moderator", story.room))
    await story.hear(dict.fromkeys(("ann", "ben", "cat"), "moderator") | {"moderator": "silence"})
    for listener in listeners:
        music = moments_of(listener.call.received, WAIT_HZ)
        talk = moments_of(listener.call.received, moderator.tone_hz)
        # The window in which the one ends and the other begins may hold both.
        assert max(music) <= min(talk) + 400
        assert min(talk) - max(music) < 8000, "a second of nothing between music and talk"


async def test_start_in_the_middle_of_a_wait_documents_sentence_stops_it(story: Story) -> None:
    sound = story.on("/long.wav", Answer(tone_file(WAIT_HZ, 30.0), "audio/wav"))
    wait = story.on("/wait", f"<Response><Play>{sound}</Play><Redirect/></Response>")
    speaker = await story.call("speaker", role("speaker", story.room, wait_url=wait))
    await speaker.call.hears(WAIT_HZ)
    await story.call("moderator", role("moderator", story.room))
    await story.hear({"speaker": "moderator", "moderator": "speaker"})
    assert story.paths("speaker").count("/wait") == 1
