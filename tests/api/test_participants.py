"""Participants: told as they are, changed at once, named by Call SID or label."""

import pytest
from tests.harness.api_house import BASE, House

from townhall.routing import CallRefused
from townhall.twiml.control import ConferenceDial

GHOST = "CA" + "0" * 32


async def of(house: House, room: str) -> str:
    return f"/Conferences/{house.conference(room).sid}/Participants"


async def test_participants_are_listed_newest_first_from_the_first_join_on(house: House) -> None:
    ann = await house.join("room")
    ben = await house.join("room", muted=True, participant_label="ben", end_conference_on_exit=True)
    rows = (await house.get(f"{await of(house, 'room')}.json"))["participants"]
    assert [(row["call_sid"], row["label"], row["muted"], row["status"]) for row in rows] == [
        (ben.sid, "ben", True, "connected"),
        (ann.sid, None, False, "connected"),
    ]
    assert rows[0]["end_conference_on_exit"] is True


async def test_filters_leave_who_fits(house: House) -> None:
    ann, ben = await house.join("room"), await house.join("room", muted=True)
    path = f"{await of(house, 'room')}.json"

    async def found(**filters: object) -> set[str]:
        return {row["call_sid"] for row in (await house.get(path, **filters))["participants"]}

    assert await found(Muted=True) == {ben.sid}
    assert await found(Muted=False) == {ann.sid}
    assert await found(Hold=False) == {ann.sid, ben.sid}
    assert await found(Coaching=True) == set()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"Muted": "true"}, {"muted": True}),
        ({"Muted": "TRUE"}, {"muted": True}),
        ({"Hold": "true"}, {"hold": True}),
        ({"EndConferenceOnExit": "true"}, {"end_conference_on_exit": True}),
        ({"BeepOnExit": "false"}, {}),
        ({"WaitUrl": ""}, {}),
        ({"Unknown": "x"}, {}),
    ],
)
async def test_update_shows_in_its_answer_and_afterwards(
    house: House, parameters: dict[str, str], expected: dict[str, object]
) -> None:
    await house.join("room")
    ann = await house.join("room")
    path = f"{await of(house, 'room')}/{ann.sid}.json"
    before = await house.get(path)
    after = await house.post(path, **parameters)
    assert after == {**before, **expected, "date_updated": after["date_updated"]}
    assert await house.get(path) == after


async def test_mute_is_in_the_mix_before_the_answer(house: House) -> None:
    await house.join("room")
    ann = await house.join("room")
    attendance = house.switchboard.hall.attendance(ann.sid)
    assert attendance is not None
    assert attendance.control.leg.mix[2] is True  # type: ignore[attr-defined]
    await house.post(f"{await of(house, 'room')}/{ann.sid}.json", Muted=True)
    assert attendance.control.leg.mix[2] is False  # type: ignore[attr-defined]


async def test_coaching_is_begun_retargeted_and_ended(house: House) -> None:
    ann, ben, eve = [await house.join("room") for _ in range(3)]
    path = f"{await of(house, 'room')}/{eve.sid}.json"

    async def told(**change: object) -> tuple[object, object]:
        found = await house.post(path, **change)
        return found["coaching"], found["call_sid_to_coach"]

    assert await told(Coaching=True, CallSidToCoach=ann.sid) == (True, ann.sid)
    assert await told(CallSidToCoach=ben.sid) == (True, ben.sid)
    assert await told(Muted=False) == (True, ben.sid)
    assert await told(Coaching=False) == (False, None)


@pytest.mark.parametrize("label", ["front desk", "ä/ö".replace("/", "-"), "50%25", "a.json", "a+b&c=d?e#f"])
async def test_label_names_a_participant_decoded_once(house: House, label: str) -> None:
    from urllib.parse import quote

    ann = await house.join("room", participant_label=label)
    found = await house.get(f"{await of(house, 'room')}/{quote(label, safe='')}.json")
    assert (found["label"], found["call_sid"]) == (label, ann.sid)
    await house.delete(f"{await of(house, 'room')}/{quote(label, safe='')}.json")
    assert house.switchboard.hall.conferences.find("room") is None


async def test_kicked_participant_is_gone_and_his_call_is_not(house: House) -> None:
    ann, ben = await house.join("room"), await house.join("room")
    path = await of(house, "room")
    await house.delete(f"{path}/{ann.sid}.json")
    assert [row["call_sid"] for row in (await house.get(f"{path}.json"))["participants"]] == [ben.sid]
    assert (await house.get(f"/Calls/{ann.sid}.json"))["status"] == "in-progress"


async def test_command_on_one_who_has_just_left_is_16028(house: House) -> None:
    await house.join("room")
    ann = await house.join("room")
    path = f"{await of(house, 'room')}/{ann.sid}.json"
    await house.delete(path)
    assert (await house.post(path, 404, Muted=True))["code"] == 16028
    assert (await house.delete(path, 404))["code"] == 16028
    assert (await house.get(path, 404))["code"] == 20404


async def test_command_in_a_conference_that_is_over_is_16022(house: House) -> None:
    ann = await house.join("room")
    path = await of(house, "room")
    await house.end(ann)
    assert (await house.post(f"{path}/{ann.sid}.json", 404, Muted=True))["code"] == 16022
    assert (await house.get(f"{path}.json"))["participants"] == []


async def test_conference_that_never_was_has_no_participants(house: House) -> None:
    assert (await house.get(f"/Conferences/CF{'0' * 32}/Participants.json", 404))["code"] == 20404
    await house.join("room")
    assert (await house.get("/Conferences/room/Participants.json", 404))["code"] == 20404


@pytest.mark.parametrize(
    ("parameters", "code", "word"),
    [
        ({"Muted": "yes"}, 20001, "true or false"),
        ({"Hold": ""}, 20001, "true or false"),
        ({"Hold": "true", "HoldUrl": "music.mp3"}, 21205, "absolute http"),
        ({"HoldUrl": "https://[broken"}, 21205, "absolute http"),
        ({"HoldMethod": "PUT"}, 21209, "GET or POST"),
        ({"Coaching": "true"}, 20001, "CallSidToCoach"),
        ({"CallSidToCoach": "ann"}, 20001, "32 hexadecimal digits"),
        ({"AnnounceUrl": ""}, 21205, "empty"),
        ({"AnnounceUrl": "https://x.example/" + "a" * 10_000}, 21205, "at most"),
    ],
)
async def test_bad_value_is_refused_with_what_to_send(
    house: House, parameters: dict[str, str], code: int, word: str
) -> None:
    ann = await house.join("room")
    path = f"{await of(house, 'room')}/{ann.sid}.json"
    refusal = await house.post(path, 400, **parameters)
    assert refusal["code"] == code
    assert word in refusal["message"]
    assert len(refusal["message"]) < 300


async def test_coach_of_nobody_is_refused(house: House) -> None:
    await house.join("room")
    ann = await house.join("room")
    path = f"{await of(house, 'room')}/{ann.sid}.json"
    assert (await house.post(path, 404, CallSidToCoach=GHOST))["code"] == 16028
    assert (await house.post(path, 404, CallSidToCoach=ann.sid))["code"] == 16028


# ---- create ----


async def test_created_participant_is_known_at_once_with_his_conference(house: House) -> None:
    made = await house.post(
        "/Conferences/new%20room/Participants.json", 201, From="+15550100", To="client:ann", Label="ann",
        Muted=True, EndConferenceOnExit=True,
    )  # fmt: skip
    assert (made["status"], made["label"], made["queue_time"]) == ("queued", "ann", "0")
    assert (made["muted"], made["end_conference_on_exit"], made["hold"]) == (True, True, False)
    conference = await house.get(f"/Conferences/{made['conference_sid']}.json")
    assert (conference["friendly_name"], conference["status"]) == ("new room", "init")
    path = f"/Conferences/{made['conference_sid']}/Participants"
    found = await house.get(f"{path}/ann.json")
    assert found == {**made, "queue_time": None}
    assert (await house.get(f"{path}.json"))["participants"] == [found]
    call = await house.get(f"/Calls/{made['call_sid']}.json")
    assert (call["status"], call["direction"], call["to"]) == ("queued", "outbound-api", "client:ann")
    (plan,) = house.outbound.plans
    assert plan.to == "client:ann"


async def test_created_participant_is_called_by_the_name_or_the_sid_of_the_conference(house: House) -> None:
    await house.join("room")
    sid = house.conference("room").sid
    for name in ("room", sid):
        made = await house.post(
            f"/Conferences/{name}/Participants.json", 201, From="+15550100", To="+15550101"
        )
        assert made["conference_sid"] == sid


async def test_guest_comes_into_a_conference_that_is_larger_than_twilios(house: House) -> None:
    for wanted, most in (({}, 2000), ({"MaxParticipants": "251"}, 251)):
        await house.post(
            "/Conferences/room/Participants.json", 201, From="+15550100", To="+15550101", **wanted
        )
        program = house.outbound.plans[-1].program
        assert isinstance(program, ConferenceDial)
        assert program.max_participants == most


async def test_conference_made_for_a_guest_who_does_not_come_is_gone(house: House) -> None:
    made = await house.post("/Conferences/room/Participants.json", 201, From="+15550100", To="+15550101")
    path = f"/Conferences/{made['conference_sid']}"
    await house.delete(f"{path}/Participants/{made['call_sid']}.json")
    await house.tasks[made["call_sid"]]
    assert (await house.get(f"{path}.json", 404))["code"] == 20404
    assert len(house.switchboard.hall.conferences) == 0
    again = await house.post("/Conferences/room/Participants.json", 201, From="+15550100", To="+15550101")
    assert again["conference_sid"] != made["conference_sid"]


async def test_guests_are_called_no_further_when_their_conference_ends(house: House) -> None:
    ann = await house.join("room", end_conference_on_exit=True)
    made = await house.post("/Conferences/room/Participants.json", 201, From="+15550100", To="+15550101")
    await house.end(ann)
    await house.tasks[made["call_sid"]]
    assert house.switchboard.known(made["call_sid"]) is None


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, 21201),
        ({"To": "+15550101"}, 21213),
        ({"To": "a b", "From": "+15550100"}, 21211),
        ({"Label": "x" * 129}, 16024),
        ({"Label": "CA" + "0" * 32}, 16024),
        ({"Label": "a/b"}, 16024),
        ({"Timeout": "soon"}, 21208),
        ({"Timeout": "601"}, 21208),
        ({"MaxParticipants": "1"}, 20001),
        ({"MaxParticipants": "2001"}, 20001),
        ({"Beep": "loud"}, 20001),
        ({"ConferenceStatusCallbackEvent": "start finish"}, 21626),
        ({"StatusCallbackEvent": "gone"}, 21626),
        ({"StatusCallback": "nowhere"}, 21205),
        ({"SendDigits": "x"}, 21206),
        ({"Coaching": "true"}, 20001),
        ({"WaitUrl": "x"}, 21205),
    ],
)
async def test_create_refuses_what_makes_no_sense(
    house: House, parameters: dict[str, str], code: int
) -> None:
    valid = (
        {"From": "+15550100", "To": "+15550101"}
        if not {"From", "To"} & set(parameters) and parameters
        else {}
    )
    refusal = await house.post("/Conferences/room/Participants.json", 400, **{**valid, **parameters})
    assert refusal["code"] == code
    assert len(house.switchboard.hall.conferences) == 0


async def test_create_with_a_label_that_is_taken_is_16026(house: House) -> None:
    await house.join("room", participant_label="ann")
    body = {"From": "+15550100", "To": "+15550101"}
    path = "/Conferences/room/Participants.json"
    assert (await house.post(path, 400, **body, Label="ann"))["code"] == 16026
    await house.post(path, 201, **body, Label="ben")
    assert (await house.post(path, 400, **body, Label="ben"))["code"] == 16026


async def test_create_in_a_conference_that_is_over_is_16022(house: House) -> None:
    refusal = await house.post(
        f"/Conferences/CF{'0' * 32}/Participants.json", 404, From="+15550100", To="+15550101"
    )
    assert refusal["code"] == 16022


async def test_refused_call_answers_with_its_number_and_leaves_nothing(house: House) -> None:
    house.outbound.refusal = CallRefused(21215, "no trunk takes +15550101")
    refusal = await house.post("/Conferences/room/Participants.json", 400, From="+1", To="+15550101")
    assert (refusal["code"], refusal["message"]) == (21215, "No trunk takes +15550101")
    assert len(house.switchboard.hall.conferences) == 0


async def test_too_many_calls_a_minute_say_when_to_try_again(house: House) -> None:
    house.outbound.refusal = CallRefused(20429, "60 calls were placed within a minute")
    body = {"From": "+15550100", "To": "+15550101"}
    for path, more in (("Conferences/room/Participants.json", {}), ("Calls.json", {"Twiml": "<Response/>"})):
        answer = await house.client.post(f"{BASE}/{path}", data={**body, **more})
        assert (answer.status_code, answer.json()["code"]) == (429, 20429)
        assert int(answer.headers["retry-after"]) > 0
