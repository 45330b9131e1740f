"""Conferences: consistent from the first join on, ended once or twice, announced to."""

import pytest
from tests.harness.api_house import House

from townhall.store import ConferenceRecord


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
