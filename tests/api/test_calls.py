"""Calls: told as they are at that moment, filtered, redirected, ended, deleted."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.harness.api_house import BASE, House

from townhall.store import CallRecord
from townhall.twiml import InlineDocument
from townhall.twiml.control import DocumentRequest

GHOST = "/Calls/CA" + "0" * 32 + ".json"
BODY = {"To": "+15550101", "From": "+15550100"}
TWIML = "<Response/>"


async def sids(house: House, **filters: object) -> list[str]:
    return [call["sid"] for call in (await house.get("/Calls.json", **filters))["calls"]]


async def test_call_is_told_while_it_lives_and_afterwards(house: House) -> None:
    call = await house.call("+14155550101", "sip:2000@example.com")
    told = await house.get(f"/Calls/{call.sid}.json")
    assert (told["status"], told["direction"], told["duration"], told["end_time"]) == (
        "in-progress", "inbound", None, None,
    )  # fmt: skip
    assert (told["from_formatted"], told["to_formatted"]) == ("(415) 555-0101", "sip:2000@example.com")
    await house.end(call)
    told = await house.get(f"/Calls/{call.sid}.json")
    assert (told["status"], told["duration"]) == ("completed", "0")
    assert told["end_time"] is not None


async def test_list_is_newest_first_and_filtered(house: House) -> None:
    ann = await house.call("+15550101", "+15550001")
    ben = await house.call("+15550102", "+15550002")
    await house.end(ann)
    assert await sids(house) == [ben.sid, ann.sid]
    assert await sids(house, Status="in-progress") == [ben.sid]
    assert await sids(house, Status="completed") == [ann.sid]
    assert await sids(house, Status="queued") == []
    assert await sids(house, To="+15550001") == [ann.sid]
    assert await sids(house, From="+15550102", Status="in-progress") == [ben.sid]
    assert await sids(house, From="+1999", Status="in-progress") == []
    assert await sids(house, ParentCallSid=ann.sid) == []


async def test_times_filter_inclusively(house: House) -> None:
    def record(day: int, number: int) -> CallRecord:
        at = datetime(2024, 2, day, 12, tzinfo=UTC)
        return CallRecord(
            f"CA{number:032x}", "AC" + "a" * 32, "+1", "+2", "inbound", "completed", at,
            ended_at=at + timedelta(minutes=1), updated_at=at,
        )  # fmt: skip

    first, second, third = (record(day, number) for number, day in enumerate((1, 2, 3), 1))
    for one in (first, second, third):
        await house.store.calls.started(one)
    assert await sids(house, **{"StartTime": "2024-02-02"}) == [second.sid]
    assert await sids(house, **{"StartTime>": "2024-02-02"}) == [third.sid, second.sid]
    assert await sids(house, **{"StartTime<": "2024-02-02"}) == [second.sid, first.sid]
    assert await sids(house, **{"StartTime>": "2024-02-02T12:00:00Z"}) == [third.sid, second.sid]
    assert await sids(house, **{"StartTime>": "2024-02-02T12:00:01Z"}) == [third.sid]
    assert await sids(house, **{"EndTime<": "2024-02-01"}) == [first.sid]
    assert await sids(house, **{"StartTime>": "2024-02-02", "StartTime<": "2024-02-02"}) == [second.sid]


@pytest.mark.parametrize("value", ["yesterday", "2024-13-01", "2024-02-30", "20240201", "9" * 50])
async def test_bad_date_is_refused_with_its_form(house: House, value: str) -> None:
    refusal = await house.get("/Calls.json", 400, StartTime=value)
    assert refusal["code"] == 20001
    assert "YYYY-MM-DD" in refusal["message"]


# ---- create ----


async def test_create_places_what_it_is_told(house: House) -> None:
    made = await house.post(
        "/Calls.json", 201, **BODY, Url="https://x.example/a", Method="GET", FallbackUrl="https://x.example/f",
        StatusCallback="https://x.example/s", StatusCallbackEvent=["ringing", "answered"], Timeout="30",
        SendDigits="ww12#", TimeLimit="60", CallerId="+15550199",
    )  # fmt: skip
    assert (made["status"], made["direction"], made["start_time"]) == ("queued", "outbound-api", None)
    (plan,) = house.outbound.plans
    assert plan.program == DocumentRequest("https://x.example/a", "GET")
    assert plan.fallback == DocumentRequest("https://x.example/f", "POST")
    assert (plan.timeout_s, plan.time_limit_s, plan.send_digits, plan.caller_id) == (
        30, 60, "ww12#", "+15550199",
    )  # fmt: skip
    assert plan.status_callback is not None
    assert plan.status_callback.events == {"ringing", "answered"}
    assert await sids(house, Status="queued") == [made["sid"]]


async def test_url_beats_twiml_and_an_application_beats_both(house: House) -> None:
    application = await house.post(
        "/Applications.json", 201, VoiceUrl="https://app.example/v", VoiceMethod="GET",
        StatusCallback="https://app.example/s",
    )  # fmt: skip
    both = {**BODY, "Url": "https://x.example/a", "Twiml": TWIML}
    await house.post("/Calls.json", 201, **both)
    await house.post("/Calls.json", 201, **BODY, Twiml=TWIML)
    await house.post("/Calls.json", 201, **both, ApplicationSid=application["sid"])
    assert [plan.program for plan in house.outbound.plans] == [
        DocumentRequest("https://x.example/a"),
        InlineDocument(TWIML),
        DocumentRequest("https://app.example/v", "GET"),
    ]
    callback = house.outbound.plans[2].status_callback
    assert callback is not None
    assert callback.url == "https://app.example/s"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, 21205),
        ({"Url": "nowhere"}, 21205),
        ({"Url": ""}, 21205),
        ({"Twiml": "x" * 4001}, 32018),
        ({"Twiml": "x" * 10_000}, 32018),
        ({"ApplicationSid": "AP1"}, 21218),
        ({"ApplicationSid": "AP" + "0" * 32}, 21218),
        ({"Twiml": TWIML, "Timeout": "0"}, 21208),
        ({"Twiml": TWIML, "SendDigits": "1" * 33}, 21206),
        ({"Twiml": TWIML, "Method": "DELETE"}, 21209),
        ({"Twiml": TWIML, "To": ""}, 21201),
        ({"Twiml": TWIML, "To": "x" * 10_000}, 21201),
        ({"Twiml": TWIML, "From": "a\x00b"}, 21213),
        ({"Twiml": TWIML, "StatusCallbackEvent": "never"}, 21626),
        ({"Twiml": TWIML, "Record": "perhaps"}, 20001),
        ({"Twiml": TWIML, "RecordingChannels": "seven"}, 20001),
        ({"Twiml": TWIML, "TimeLimit": "-1"}, 20001),
    ],
)
async def test_create_refuses_what_makes_no_sense(
    house: House, parameters: dict[str, str], code: int
) -> None:
    refusal = await house.post("/Calls.json", 400, **{**BODY, **parameters})
    assert refusal["code"] == code
    assert house.outbound.plans == []


# ---- update ----


async def test_redirect_is_in_effect_when_it_is_answered(house: House) -> None:
    call = await house.call()
    await house.post(f"/Calls/{call.sid}.json", Url="https://x.example/a", Method="GET")
    assert call.interruption.result().request == DocumentRequest("https://x.example/a", "GET")
    await house.post(f"/Calls/{call.sid}.json", Twiml=TWIML)
    assert call.interruption.result().inline == TWIML


async def test_completed_is_told_at_once_and_ends_the_call(house: House) -> None:
    call = await house.call()
    told = await house.post(f"/Calls/{call.sid}.json", Status="completed")
    assert told["status"] == "completed"
    assert call.over.done()
    assert call.ended_by_api


async def test_cancel_leaves_a_running_call_alone_and_ends_a_queued_one(house: House) -> None:
    call = await house.call()
    assert (await house.post(f"/Calls/{call.sid}.json", Status="canceled"))["status"] == "in-progress"
    assert not call.over.done()
    made = await house.post("/Calls.json", 201, **BODY, Twiml=TWIML)
    queued = house.switchboard.known(made["sid"])
    assert queued is not None
    told = await house.post(f"/Calls/{made['sid']}.json", Status="canceled")
    assert told["status"] == "canceled"
    assert queued.over.done()


async def test_call_that_is_not_in_progress_is_not_redirected(house: House) -> None:
    made = await house.post("/Calls.json", 201, **BODY, Twiml=TWIML)
    refusal = await house.post(f"/Calls/{made['sid']}.json", 400, Twiml=TWIML)
    assert (refusal["code"], "in progress" in refusal["message"]) == (21220, True)


@pytest.mark.parametrize("change", [{"Status": "completed"}, {"Twiml": TWIML}, {"TimeLimit": "5"}])
async def test_change_of_a_call_that_is_over_is_21220(house: House, change: dict[str, str]) -> None:
    call = await house.call()
    await house.end(call)
    assert (await house.post(f"/Calls/{call.sid}.json", 400, **change))["code"] == 21220


async def test_callback_and_fallback_of_a_live_call_are_changed(house: House) -> None:
    call = await house.call()
    change = {"StatusCallback": "https://x.example/s", "StatusCallbackMethod": "GET", "FallbackUrl": ""}
    await house.post(f"/Calls/{call.sid}.json", **change)
    assert call.route is not None
    assert (call.route.status_callback, call.route.status_callback_method) == ("https://x.example/s", "GET")
    assert call.route.fallback_url is None


async def test_time_limit_of_a_live_call_ends_it(house: House) -> None:
    call = await house.call()
    call.answered_at = datetime.now(UTC) - timedelta(seconds=10)
    await house.post(f"/Calls/{call.sid}.json", TimeLimit="5")
    async with asyncio.timeout(30):
        assert await call.over == "its time is up"


@pytest.mark.parametrize(
    ("parameters", "code"),
    [({"Status": "busy"}, 20001), ({"Url": "x"}, 21205), ({"Twiml": "x" * 4001}, 32018)],
)
async def test_bad_update_is_refused(house: House, parameters: dict[str, str], code: int) -> None:
    call = await house.call()
    assert (await house.post(f"/Calls/{call.sid}.json", 400, **parameters))["code"] == code
    assert not call.over.done()


async def test_two_commands_at_once_leave_one_call_that_is_over(house: House) -> None:
    call = await house.call()
    path = f"{BASE}/Calls/{call.sid}.json"
    ended, redirected = await asyncio.gather(
        house.client.post(path, data={"Status": "completed"}),
        house.client.post(path, data={"Twiml": TWIML}),
    )
    assert (ended.status_code, ended.json()["status"]) == (200, "completed")
    assert redirected.status_code == 200 or redirected.json()["code"] == 21220
    await house.tasks[call.sid]
    assert (await house.get(f"/Calls/{call.sid}.json"))["status"] == "completed"


# ---- delete ----


async def test_record_of_a_call_that_is_over_is_deleted(house: House) -> None:
    call = await house.call()
    assert (await house.delete(f"/Calls/{call.sid}.json", 409))["code"] == 20009
    await house.end(call)
    await house.delete(f"/Calls/{call.sid}.json")
    assert (await house.get(f"/Calls/{call.sid}.json", 404))["code"] == 20404


async def test_call_that_never_was_is_20404(house: House) -> None:
    for answer in (
        await house.get(GHOST, 404),
        await house.post(GHOST, 404, Status="completed"),
        await house.delete(GHOST, 404),
        await house.get(GHOST.replace(".json", "/Events.json"), 404),
        await house.get(GHOST.replace(".json", "/Notifications.json"), 404),
        await house.get(GHOST.replace(".json", "/Recordings.json"), 404),
    ):
        assert answer["code"] == 20404
