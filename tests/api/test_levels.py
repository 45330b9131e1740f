"""Levels: who is heard and how loud, while somebody asks; ours, so the table of shapes does not have it."""

from typing import Any

import pytest
from tests.harness.api_house import House

from townhall.conference import ParticipantChanged, SpeechChanged


async def levels(house: House, room: str = "room") -> list[dict[str, Any]]:
    sid = house.conference(room).sid
    answer = await house.get(f"/Conferences/{sid}/Levels.json")
    assert answer["conference_sid"] == sid
    found: list[dict[str, Any]] = answer["levels"]
    return found


async def test_talkers_are_told_with_level_and_speech(house: House) -> None:
    ann, ben = await house.join("room"), await house.join("room")
    assert await levels(house) == []
    house.is_loud("room", **{ann.sid: 30, ben.sid: 127})
    house.switchboard.hall.handle(house.conference("room"), SpeechChanged(ann.sid, True))
    assert await levels(house) == [
        {"call_sid": ann.sid, "dbov": 30, "speaking": True},
        {"call_sid": ben.sid, "dbov": 127, "speaking": False},
    ]


@pytest.mark.parametrize("change", [{"muted": True}, {"hold": True}])
async def test_one_who_is_not_heard_has_no_level(house: House, change: dict[str, bool]) -> None:
    ann, ben = await house.join("room"), await house.join("room")
    await levels(house)
    house.is_loud("room", **{ann.sid: 30, ben.sid: 40})
    house.switchboard.hall.handle(house.conference("room"), ParticipantChanged(ann.sid, **change))
    assert [level["call_sid"] for level in await levels(house)] == [ben.sid]


async def test_one_who_has_left_has_no_level(house: House) -> None:
    ann, ben = await house.join("room"), await house.join("room")
    await levels(house)
    house.is_loud("room", **{ann.sid: 30, ben.sid: 40})
    await house.end(ann)
    assert [level["call_sid"] for level in await levels(house)] == [ben.sid]


async def test_nobody_is_measured_before_the_start(house: House) -> None:
    await house.join("room", start_conference_on_enter=False)
    assert await levels(house) == []
    assert house.media.watched == set()


async def test_conference_that_is_over_has_no_levels_and_is_not_measured(house: House) -> None:
    ann, ben = await house.join("room"), await house.join("room")
    sid = house.conference("room").sid
    await levels(house)
    assert house.media.watched == {sid}
    await house.end(ann)
    await house.end(ben)
    assert house.media.watched == set()
    assert await house.get(f"/Conferences/{sid}/Levels.json") == {"conference_sid": sid, "levels": []}


async def test_unknown_conference_is_404(house: House) -> None:
    assert (await house.get(f"/Conferences/CF{'0' * 32}/Levels.json", 404))["code"] == 20404


async def test_levels_cannot_be_posted(house: House) -> None:
    assert (await house.post(f"/Conferences/CF{'0' * 32}/Levels.json", 405))["code"] == 20004
