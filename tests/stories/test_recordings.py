"""Conferences and calls that are recorded: whose tone is in the file, and where."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

from tests.harness.documents import role
from tests.harness.music import is_hold_music
from tests.harness.recordings import Sound, download, read
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN
from tests.harness.story import Story
from tests.harness.tones import first_heard_at, last_heard_at
from tests.harness.webhook import Answer, WebhookRequest
from twilio.rest import Client
from twilio.twiml.voice_response import VoiceResponse


def recorded(story: Story, **more: object) -> dict[str, object]:
    """Attributes of a `<Conference>` that is recorded and tells everything of it."""
    story.on("/recording", Answer(b"", "text/plain"))
    return {
        "record": "record-from-start",
        "recording_status_callback": story.url("/recording"),
        "recording_status_callback_event": "in-progress completed absent",
        **more,
    }


async def told(story: Story, status: str, caller: str | None = None) -> WebhookRequest:
    def wanted(request: WebhookRequest) -> bool:
        return request.parameters["RecordingStatus"] == status

    return await story.webhook.next_request(story.path("/recording"), 30.0, accept=wanted)


async def sound_of(request: WebhookRequest, suffix: str = "") -> Sound:
    return read(await asyncio.to_thread(download, request.parameters["RecordingUrl"] + suffix))


def tones(story: Story) -> dict[str, float]:
    return {name: caller.tone_hz for name, caller in story.callers.items()}


async def end(story: Story, name: str) -> None:
    await story.callers[name].hang_up()
    rest = [other for other in story.callers if other != name]
    await story.all_ended(*rest)


async def test_conference_recorded_from_start_has_who_is_heard_and_no_music(story: Story) -> None:
    more = recorded(story, trim="do-not-trim")
    await story.call("speaker", role("speaker", story.room, **more))
    await story.call("listener", role("listener", story.room, **more))
    await story.hear({"speaker": "music", "listener": "music"})
    await story.call("moderator", role("moderator", story.room, **more))
    start = await told(story, "in-progress")
    await story.hear({"speaker": "moderator", "listener": "speaker moderator", "moderator": "speaker"})
    await story.callers["listener"].call.listen(2.0)
    await end(story, "moderator")
    done = (await told(story, "completed")).parameters
    assert done["ConferenceSid"].startswith("CF")
    assert done["RecordingSid"] == start.parameters["RecordingSid"]
    assert done["RecordingSource"] == "Conference"
    assert done["RecordingChannels"] == "1"
    sound = await sound_of(await told(story, "completed"))
    assert sound.names(tones(story), share=0.8) == {"speaker", "moderator"}
    assert not is_hold_music(sound.channel(1)[:4000])
    assert abs(sound.seconds - int(done["RecordingDuration"])) <= 1.0
    mp3 = await sound_of(await told(story, "completed"), ".mp3")
    assert mp3.names(tones(story), share=0.8) == {"speaker", "moderator"}


async def test_late_talker_stands_where_he_came_in(story: Story) -> None:
    more = recorded(story, trim="do-not-trim")
    await story.call("moderator", role("moderator", story.room, **more))
    await story.call("first", role("speaker", story.room, **more))
    await told(story, "in-progress")
    await story.hear({"moderator": "first", "first": "moderator"})
    await story.call("late", role("speaker", story.room, **more))
    await story.hear({"moderator": "first late", "first": "moderator late", "late": "moderator first"})
    await end(story, "moderator")
    sound = await sound_of(await told(story, "completed"))
    first, late = (
        first_heard_at(sound.channel(1), story.callers[name].tone_hz) for name in ("first", "late")
    )
    assert first is not None
    assert late is not None
    assert first + 0.5 < late < sound.seconds - 0.4


async def test_paused_recording_is_silent_and_goes_on(story: Story) -> None:
    more = recorded(story, trim="do-not-trim")
    await story.call("moderator", role("moderator", story.room, **more))
    await story.call("speaker", role("speaker", story.room, **more))
    sid = (await told(story, "in-progress")).parameters["ConferenceSid"]
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    api = Client(ACCOUNT_SID, AUTH_TOKEN)
    api.api.base_url = story.server.url
    recording = api.conferences(sid).recordings("Twilio.CURRENT")
    assert (await asyncio.to_thread(recording.update, status="paused")).status == "paused"
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    assert (await asyncio.to_thread(recording.update, status="in-progress")).status == "in-progress"
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    await end(story, "moderator")
    samples = (await sound_of(await told(story, "completed"))).channel(1)
    quiet = abs(samples[: len(samples) // 160 * 160].reshape(-1, 160)).max(axis=1) == 0
    loud = [place for place, silent in enumerate(quiet.tolist()) if not silent]
    gap, resumed = max((after - before, after) for before, after in pairwise(loud))
    assert gap > 25, "no pause of half a second"
    assert sum(place >= resumed for place in loud) > 25, "no half a second of sound after it"


async def test_per_talker_recording_has_each_tone_in_its_own_channel(story: Story) -> None:
    more = recorded(story, townhall_recording_channels="per-talker")
    await story.call("ann", role("speaker", story.room, participant_label="Ann", **more))
    await story.call("listener", role("listener", story.room, **more))
    await story.call("moderator", role("moderator", story.room, **more))
    await story.hear({"ann": "moderator", "listener": "ann moderator", "moderator": "ann"})
    await story.call("ben", role("speaker", story.room, **more))
    everybody = {"ann": "moderator ben", "ben": "ann moderator", "moderator": "ann ben"}
    await story.hear({**everybody, "listener": "ann moderator ben"})
    await end(story, "moderator")
    done = await told(story, "completed")
    assert done.parameters["RecordingChannels"] == "3"
    sid = done.parameters["RecordingSid"]
    folder = Path(story.server.data_dir) / "recordings"
    sidecar = json.loads((folder / f"{sid}.json").read_text())
    assert sidecar["friendly_name"] == story.room
    sound = await sound_of(done)
    names = [talker["from"].removeprefix("sip:").partition("@")[0] for talker in sidecar["talkers"]]
    assert sorted(names) == ["ann", "ben", "moderator"]
    assert sidecar["talkers"][names.index("ann")]["label"] == "Ann"
    for channel, name in enumerate(names, 1):
        assert sound.names(tones(story), channel) == {name}
    ben = first_heard_at(sound.channel(names.index("ben") + 1), story.callers["ben"].tone_hz)
    assert ben is not None
    assert abs(ben - sidecar["talkers"][names.index("ben")]["first_s"]) < 0.3
    assert ben > 0.4
    mono = await sound_of(done, "?RequestedChannels=1")
    assert mono.channels == 1
    assert mono.names(tones(story)) == {"ann", "ben", "moderator"}
    assert sorted(path.name for path in folder.glob(f"{sid}*") if "part" in path.name) == []
    assert (folder / f"{sid}.wav").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


async def test_dual_recording_of_a_leg_has_what_he_says_and_what_he_hears(story: Story) -> None:
    story.on("/recording", Answer(b"", "text/plain"))
    dial = {
        "record": "record-from-answer-dual",
        "recording_status_callback": story.url("/recording"),
        "action": story.url("/left"),
    }
    await story.call("moderator", role("moderator", story.room))
    await story.call("speaker", role("speaker", story.room, dial=dial))
    await story.hear({"moderator": "speaker", "speaker": "moderator"})
    await end(story, "moderator")
    done = (await told(story, "completed")).parameters
    assert (done["RecordingSource"], done["RecordingChannels"]) == ("DialVerb", "2")
    assert "ConferenceSid" not in done
    assert (await story.requested("/left", "speaker")).parameters["RecordingUrl"] == done["RecordingUrl"]
    sound = await sound_of(await told(story, "completed"))
    assert sound.names(tones(story), 1) == {"speaker"}
    assert sound.names(tones(story), 2) == {"moderator"}


def message(story: Story, **attributes: object) -> str:
    story.on("/recording", Answer(b"", "text/plain"))
    story.on("/taken", "<Response><Hangup/></Response>")
    response = VoiceResponse()
    given = {"action": story.url("/taken"), "recording_status_callback": story.url("/recording")}
    response.record(**{**given, **attributes})
    response.redirect(story.url("/next"))
    return str(response)


async def test_message_ends_with_a_key_after_the_beep(story: Story) -> None:
    caller = await story.call("caller", message(story, finish_on_key="#"))
    await caller.call.listen(1.5)
    await caller.press("1#")
    taken = (await story.requested("/taken", "caller")).parameters
    assert taken["Digits"] == "#"
    assert taken["RecordingSid"].startswith("RE")
    assert int(taken["RecordingDuration"]) >= 1
    await story.all_ended("caller")
    sound = await sound_of(await told(story, "completed"))
    assert abs(sound.seconds - int(taken["RecordingDuration"])) <= 1.0
    assert sound.names(tones(story), share=0.5) == {"caller"}


async def test_message_ends_after_silence_and_the_silence_is_cut_off(story: Story) -> None:
    caller = await story.call("caller", message(story, timeout=2, play_beep=False))
    await caller.call.listen(1.5)
    caller.call.say_nothing()
    taken = (await story.requested("/taken", "caller")).parameters
    assert taken["Digits"] == ""
    sound = await sound_of(await told(story, "completed"))
    assert sound.seconds > 0.5
    spoken = last_heard_at(sound.channel(1), caller.tone_hz)
    assert spoken is not None
    assert sound.seconds - spoken < 0.5, "of the two seconds of silence something is left"
    await story.all_ended("caller")


async def test_message_of_who_hangs_up_is_kept_and_its_action_told(story: Story) -> None:
    caller = await story.call("caller", message(story, play_beep=False))
    await caller.call.listen(1.0)
    await caller.hang_up()
    taken = (await story.requested("/taken", "caller")).parameters
    assert (taken["Digits"], taken["CallStatus"]) == ("hangup", "completed")
    assert (await sound_of(await told(story, "completed"))).names(tones(story), share=0.5) == {"caller"}


async def test_who_says_nothing_leaves_no_message_and_goes_on(story: Story) -> None:
    events = "in-progress completed absent"
    document = message(story, timeout=1, recording_status_callback_event=events)
    caller = await story.call("caller", document)
    caller.call.say_nothing()
    absent = (await told(story, "absent")).parameters
    await story.requested("/next", "caller")
    assert story.paths("caller") == ["/voice", "/next"]
    assert not list((Path(story.server.data_dir) / "recordings").glob(f"{absent['RecordingSid']}*"))


async def test_message_ends_at_its_greatest_length(story: Story) -> None:
    await story.call("caller", message(story, max_length=1, play_beep=False))
    taken = (await story.requested("/taken", "caller")).parameters
    assert (taken["Digits"], taken["RecordingDuration"]) == ("", "1")
