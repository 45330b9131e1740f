"""Recordings of calls and conferences: begun, paused, stopped, told, heard, deleted."""

import asyncio
from pathlib import Path

import pytest
from tests.harness.api_house import BASE, House, Json

from townhall.audio import sine
from townhall.calls.archive import RecordingError
from townhall.store import RecordingRecord

ACCOUNT = "AC" + "a" * 32


async def test_recording_of_a_call_is_begun_paused_resumed_and_stopped(house: House) -> None:
    call = await house.call()
    path = f"/Calls/{call.sid}/Recordings"
    made = await house.post(f"{path}.json", 201, RecordingChannels="dual")
    assert (made["status"], made["channels"], made["source"]) == ("in-progress", 2, "StartCallRecordingAPI")
    current = f"{path}/Twilio.CURRENT.json"
    assert (await house.post(current, Status="paused", PauseBehavior="skip"))["status"] == "paused"
    assert (await house.post(f"{path}/{made['sid']}.json", Status="in-progress"))["status"] == "in-progress"
    assert (await house.post(current, Status="in-progress"))["status"] == "in-progress"
    assert (await house.post(current, Status="stopped"))["status"] == "stopped"
    assert (await house.post(current, 404, Status="paused"))["code"] == 20404
    (row,) = (await house.get(f"{path}.json"))["recordings"]
    assert row["sid"] == made["sid"]


async def test_second_recording_of_a_call_is_16108(house: House) -> None:
    call = await house.call()
    path = f"/Calls/{call.sid}/Recordings.json"
    await house.post(path, 201)
    assert (await house.post(path, 400))["code"] == 16108


async def test_call_that_is_over_is_not_recorded(house: House) -> None:
    call = await house.call()
    await house.end(call)
    assert (await house.post(f"/Calls/{call.sid}/Recordings.json", 400))["code"] == 21220


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, 20001),
        ({"Status": "over"}, 20001),
        ({"Status": "paused", "PauseBehavior": "beep"}, 20001),
    ],
)
async def test_bad_update_is_refused(house: House, parameters: dict[str, str], code: int) -> None:
    call = await house.call()
    await house.post(f"/Calls/{call.sid}/Recordings.json", 201)
    path = f"/Calls/{call.sid}/Recordings/Twilio.CURRENT.json"
    assert (await house.post(path, 400, **parameters))["code"] == code


async def kept(house: House, directory: Path, **facts: object) -> RecordingRecord:
    """A finished recording with a second of a tone."""
    record = RecordingRecord(ACCOUNT, "Conference", status="completed", duration_s=1, **facts)  # type: ignore[arg-type]
    await house.store.recordings.add(record)
    folder = directory / "recordings"
    folder.mkdir(exist_ok=True)
    from townhall.recordings import RecordingFiles

    files = RecordingFiles(folder, record.sid)
    files.wav.parent.mkdir(parents=True, exist_ok=True)
    from townhall.recordings.wave import WaveWriter

    with WaveWriter(files.wav, record.channels) as out:
        tone = sine(440.0, 1.0)
        out.write(tone.reshape(-1, 1).repeat(record.channels, axis=1))
    return record


@pytest.mark.parametrize(
    ("suffix", "kind", "begins"),
    [("", "audio/x-wav", b"RIFF"), (".wav", "audio/x-wav", b"RIFF"), (".mp3", "audio/mpeg", b"")],
)
async def test_sound_is_had_by_its_suffix(
    house: House, tmp_path: Path, suffix: str, kind: str, begins: bytes
) -> None:
    record = await kept(house, tmp_path)
    answer = await house.client.get(f"{BASE}/Recordings/{record.sid}{suffix}")
    assert (answer.status_code, answer.headers["content-type"]) == (200, kind)
    assert answer.content.startswith(begins)
    assert len(answer.content) > 2000


async def test_dual_channels_of_a_mono_recording_are_16113(house: House, tmp_path: Path) -> None:
    record = await kept(house, tmp_path)
    answer = await house.client.get(f"{BASE}/Recordings/{record.sid}.wav?RequestedChannels=2")
    assert (answer.status_code, answer.json()["code"]) == (400, 16113)
    answer = await house.client.get(f"{BASE}/Recordings/{record.sid}.wav?RequestedChannels=1")
    assert answer.status_code == 200


async def test_recording_of_a_conference_is_told_in_three_places(house: House, tmp_path: Path) -> None:
    await house.join("room")
    sid = house.conference("room").sid
    record = await kept(house, tmp_path, conference_sid=sid)
    for place in ("/Recordings", f"/Conferences/{sid}/Recordings"):
        (row,) = (await house.get(f"{place}.json"))["recordings"]
        assert (row["sid"], row["duration"]) == (record.sid, "1")
        assert await house.get(f"{place}/{record.sid}.json") == row
    (row,) = (await house.get("/Recordings.json", ConferenceSid=sid))["recordings"]
    assert row["media_url"] == f"http://townhall.test{BASE}/Recordings/{record.sid}"
    assert (await house.get("/Recordings.json", CallSid="CA" + "0" * 32))["recordings"] == []


async def record_from_outside(house: House, conference_sid: str) -> Json:
    """The table of shapes has no such request; what it makes is fetched, which the table has."""
    made = await house.client.post(f"{BASE}/Conferences/{conference_sid}/Recordings.json")
    assert made.status_code == 201, made.text
    fetched = await house.get(f"/Conferences/{conference_sid}/Recordings/{made.json()['sid']}.json")
    assert fetched.keys() == made.json().keys()
    return fetched


async def test_live_conference_is_recorded_and_stopped_from_outside(house: House) -> None:
    await house.join("room")
    sid = house.conference("room").sid
    assert (await house.post(f"/Conferences/{sid}/Recordings.json", 400))["code"] == 16001
    await house.join("room")
    made = await record_from_outside(house, sid)
    told = (made["status"], made["channels"], made["source"], made["conference_sid"])
    assert told == ("in-progress", 1, "StartConferenceRecordingAPI", sid)
    assert (await house.post(f"/Conferences/{sid}/Recordings.json", 400))["code"] == 16108
    path = f"/Conferences/{sid}/Recordings/{made['sid']}.json"
    assert (await house.post(path, Status="stopped"))["status"] == "stopped"
    again = await record_from_outside(house, sid)
    house.switchboard.moderation.end(sid)
    recordings = house.switchboard.recordings
    with pytest.raises(RecordingError):
        recordings.live(again["sid"])
    assert (await house.post(f"/Conferences/{sid}/Recordings.json", 404))["code"] == 16022


async def test_recording_that_a_document_began_is_not_stopped_from_outside(house: House) -> None:
    await house.join("room", record=True)
    await house.join("room", record=True)
    sid = house.conference("room").sid
    recording = house.switchboard.recordings.current(sid)
    told = await house.post(f"/Conferences/{sid}/Recordings/{recording}.json", 400, Status="stopped")
    assert told["code"] == 20001


async def test_deleted_recording_is_told_only_to_who_asks_for_it(house: House, tmp_path: Path) -> None:
    record = await kept(house, tmp_path)
    path = f"/Recordings/{record.sid}.json"
    await house.delete(path)
    assert (await house.get(path, 404))["code"] == 20404
    assert (await house.get(path, IncludeSoftDeleted=True))["status"] == "deleted"
    assert (await house.get("/Recordings.json"))["recordings"] == []
    assert len((await house.get("/Recordings.json", IncludeSoftDeleted=True))["recordings"]) == 1
    answer = await house.client.get(f"{BASE}/Recordings/{record.sid}.wav")
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert (await house.delete(path, 404))["code"] == 20404


async def test_running_recording_is_not_deleted_and_has_no_sound(house: House) -> None:
    call = await house.call()
    made = await house.post(f"/Calls/{call.sid}/Recordings.json", 201)
    assert (await house.delete(f"/Recordings/{made['sid']}.json", 400))["code"] == 16114
    answer = await house.client.get(f"{BASE}/Recordings/{made['sid']}.wav")
    assert answer.status_code == 404
    await asyncio.sleep(0)


async def test_recording_below_another_call_is_20404(house: House) -> None:
    one, other = await house.call(), await house.call()
    made = await house.post(f"/Calls/{one.sid}/Recordings.json", 201)
    assert (await house.get(f"/Calls/{other.sid}/Recordings/{made['sid']}.json", 404))["code"] == 20404
