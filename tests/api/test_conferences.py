"""Conferences: consistent from the first join on, ended once or twice, announced to."""

import pytest
from tests.harness.api_house import House

from townhall.store import ConferenceRecord
from townhall.twiml.control import ConferenceCallbacks
from townhall.twiml.nouns.conference import EVENTS

ALL_EVENTS = frozenset(EVENTS)


async def test_conference_is_told_from_the_first_join_to_its_end(house: House) -> None:
    ann = await house.join("room")
    (row,) = (await house.get("/Conferences.json", FriendlyName="room"))["conferences"]
    assert (row["status"], row["reason_conference_ended"]) == ("init", None)
    path = f"/Conferences/{row['sid']}.json"
    ben = await house.join("room")
    assert (await house.get(path))["status"] == "in-progress"
    await house.end(ann)
    await house.end(ben)
    ended = await house.get(path)
    assert ended["status"] == "completed"
    assert ended["reason_conference_ended"] == "last-participant-left"
    assert ended["call_sid_ending_conference"] == ben.sid


async def test_list_is_filtered_by_status_name_and_day(house: House) -> None:
    ann = await house.join("a")
    await house.join("b")
    await house.end(ann)

    async def names(**filters: object) -> list[str]:
        found = (await house.get("/Conferences.json", **filters))["conferences"]
        return [row["friendly_name"] for row in found]

    assert await names() == ["b", "a"]
    assert await names(Status="completed") == ["a"]
    assert await names(Status="init") == ["b"]
    assert await names(FriendlyName="A") == []
    assert await names(**{"DateCreated<": "2020-01-01"}) == []
    assert await names(**{"DateUpdated>": "2020-01-01"}) == ["b", "a"]
    assert (await house.get("/Conferences.json", 400, Status="over"))["code"] == 20001


async def test_ending_twice_changes_nothing_and_is_no_error(house: House) -> None:
    await house.join("room")
    path = f"/Conferences/{house.conference('room').sid}.json"
    first = await house.post(path, Status="completed")
    assert (first["status"], first["reason_conference_ended"]) == ("completed", "conference-ended-via-api")
    assert await house.post(path, Status="completed") == first


async def test_announcement_to_a_conference_that_is_over_is_16022(house: House) -> None:
    ann = await house.join("room")
    path = f"/Conferences/{house.conference('room').sid}.json"
    await house.end(ann)
    assert (await house.post(path, 404, AnnounceUrl="https://x.example/a"))["code"] == 16022


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"Status": "init"}, 20001),
        ({"Status": ""}, 20001),
        ({"AnnounceUrl": ""}, 21205),
        ({"AnnounceUrl": "ftp://x"}, 21205),
        ({"AnnounceUrl": "https://x.example/a", "AnnounceMethod": "HEAD"}, 21209),
        ({"Locked": "yes"}, 20001),
        ({"Locked": ""}, 20001),
    ],
)
async def test_bad_update_is_refused(house: House, parameters: dict[str, str], code: int) -> None:
    await house.join("room")
    path = f"/Conferences/{house.conference('room').sid}.json"
    assert (await house.post(path, 400, **parameters))["code"] == code
    assert (await house.get(path))["status"] == "init"


async def test_update_without_parameters_changes_nothing(house: House) -> None:
    await house.join("room")
    path = f"/Conferences/{house.conference('room').sid}.json"
    assert await house.post(path) == await house.get(path)


async def test_conference_that_a_crash_ended_has_no_reason(house: House) -> None:
    from datetime import UTC, datetime

    now = datetime.now(UTC)
    record = ConferenceRecord("CF" + "1" * 32, "room", now, "completed", now, now, "server stopped")
    await house.store.conferences.created(record)
    assert (await house.get(f"/Conferences/{record.sid}.json"))["reason_conference_ended"] is None


async def test_conference_cannot_be_made_or_deleted(house: House) -> None:
    await house.join("room")
    path = f"/Conferences/{house.conference('room').sid}.json"
    assert (await house.post("/Conferences.json", 405, FriendlyName="x"))["code"] == 20004
    assert (await house.delete(path, 405))["code"] == 20004


async def test_lock_is_set_told_and_taken_off(house: House) -> None:
    await house.join("room")
    sid = house.conference("room").sid
    path = f"/Conferences/{sid}.json"

    async def locked() -> list[bool]:
        (row,) = (await house.get_whole("/Conferences.json"))["conferences"]
        return [(await house.get_whole(path))["locked"], row["locked"]]

    assert await locked() == [False, False]
    await house.post(path, Locked=True)
    assert await locked() == [True, True]
    await house.post(path, Locked=False)
    assert await locked() == [False, False]


async def test_locked_conference_lets_in_only_whom_the_api_calls(house: House) -> None:
    await house.join("room")
    path = f"/Conferences/{house.conference('room').sid}"
    await house.post(f"{path}.json", Locked=True)
    outcome = await house.attempt("room")
    assert (outcome.dial_call_status, outcome.error and outcome.error.code) == ("failed", 16020)
    guest = await house.post(f"{path}/Participants.json", 201, From="+15550100", To="+15550101")
    plan = house.outbound.plans[-1]
    call = house.switchboard.live(guest["call_sid"])
    assert call is not None
    await house.join("room", call=call, dial=plan.program)
    assert call.sid in house.conference("room").participants


async def test_conference_that_is_over_cannot_be_locked_and_has_no_lock(house: House) -> None:
    ann = await house.join("room")
    path = f"/Conferences/{house.conference('room').sid}.json"
    await house.post(path, Locked=True)
    await house.end(ann)
    assert (await house.post(path, 404, Locked=False))["code"] == 16022
    assert "locked" not in await house.get_whole(path)
    await house.join("room")
    assert not house.conference("room").locked


async def test_conference_is_locked_and_ended_at_once(house: House) -> None:
    await house.join("room")
    path = f"/Conferences/{house.conference('room').sid}.json"
    assert (await house.post(path, Locked=True, Status="completed"))["status"] == "completed"


async def test_guest_who_does_not_answer_is_told_as_gone(house: House) -> None:
    await house.join("room", status_callback=ConferenceCallbacks("http://x.example", "POST", ALL_EVENTS))
    path = f"/Conferences/{house.conference('room').sid}/Participants.json"
    guest = await house.post(path, 201, From="+15550100", To="+15550101", Label="Gus")
    call = house.switchboard.live(guest["call_sid"])
    assert call is not None
    call.status = "no-answer"
    await house.end(call)
    told = [dict(parameters) for parameters in house.callbacks.sent]
    assert told[-1]["StatusCallbackEvent"] == "participant-leave"
    assert told[-1]["CallSid"] == call.sid
    assert told[-1]["ParticipantLabel"] == "Gus"
    assert told[-1]["ParticipantCallStatus"] == "no-answer"
    assert told[-1]["ReasonParticipantLeft"] == "participant_add_failed"
