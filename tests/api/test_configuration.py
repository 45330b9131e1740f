"""What is set up through the API: numbers, applications, queues, keys, the account."""

import pytest
from tests.harness.api_house import ACCOUNT_SID, AUTH_TOKEN, BASE, House

from townhall.store import EventRecord

NUMBERS = "/IncomingPhoneNumbers"


async def test_number_is_made_found_changed_and_removed(house: House) -> None:
    made = await house.post(
        f"{NUMBERS}.json", 201, PhoneNumber="+15550123", VoiceUrl="https://x.example/v", FriendlyName="desk"
    )
    assert (made["phone_number"], made["voice_method"], made["friendly_name"]) == (
        "+15550123",
        "POST",
        "desk",
    )
    path = f"{NUMBERS}/{made['sid']}.json"
    stored = await house.store.numbers.get("+15550123")
    assert stored is not None
    assert (stored.sid, stored.voice_url) == (made["sid"], "https://x.example/v")
    changed = await house.post(path, VoiceUrl="", VoiceFallbackUrl="https://x.example/f", PhoneNumber="1234")
    assert (changed["voice_url"], changed["voice_fallback_url"], changed["phone_number"]) == (
        "", "https://x.example/f", "1234",
    )  # fmt: skip
    assert await house.get(path) == changed
    await house.delete(path)
    assert (await house.get(path, 404))["code"] == 20404


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ({"PhoneNumber": "555"}, {"+15550123", "+15550124"}),
        ({"PhoneNumber": "+1555*123"}, {"+15550123"}),
        ({"PhoneNumber": "9"}, set()),
        ({"FriendlyName": "desk"}, {"+15550123"}),
        ({"Beta": "true"}, set()),
        ({"Origin": "hosted"}, {"+15550123", "+15550124"}),
    ],
)
async def test_numbers_are_filtered(house: House, filters: dict[str, str], expected: set[str]) -> None:
    await house.post(f"{NUMBERS}.json", 201, PhoneNumber="+15550123", FriendlyName="desk")
    await house.post(f"{NUMBERS}.json", 201, PhoneNumber="+15550124")
    found = (await house.get(f"{NUMBERS}.json", **filters))["incoming_phone_numbers"]
    assert {row["phone_number"] for row in found} == expected


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({}, 21421),
        ({"PhoneNumber": "a b"}, 21421),
        ({"PhoneNumber": "x" * 65}, 21421),
        ({"PhoneNumber": "+15550123"}, 21422),
        ({"PhoneNumber": "1", "FriendlyName": "x" * 65}, 20002),
        ({"PhoneNumber": "1", "VoiceUrl": "x"}, 21205),
        ({"PhoneNumber": "1", "VoiceMethod": "x"}, 21209),
        ({"PhoneNumber": "1", "VoiceApplicationSid": "AP" + "0" * 32}, 21218),
    ],
)
async def test_bad_number_is_refused(house: House, parameters: dict[str, str], code: int) -> None:
    await house.post(f"{NUMBERS}.json", 201, PhoneNumber="+15550123")
    assert (await house.post(f"{NUMBERS}.json", 400, **parameters))["code"] == code


async def test_application_is_made_found_changed_and_removed(house: House) -> None:
    made = await house.post("/Applications.json", 201, FriendlyName="menu", VoiceUrl="https://x.example/v")
    path = f"/Applications/{made['sid']}.json"
    changed = await house.post(path, VoiceMethod="GET", StatusCallback="https://x.example/s")
    assert (changed["voice_method"], changed["status_callback"]) == ("GET", "https://x.example/s")
    (row,) = (await house.get("/Applications.json", FriendlyName="menu"))["applications"]
    assert row == changed
    assert (await house.get("/Applications.json", FriendlyName="other"))["applications"] == []
    await house.delete(path)
    assert (await house.get(path, 404))["code"] == 20404


async def test_queue_is_made_found_changed_and_removed(house: House) -> None:
    made = await house.post("/Queues.json", 201, FriendlyName="support", MaxSize="10")
    assert (made["current_size"], made["average_wait_time"], made["max_size"]) == (0, 0, 10)
    path = f"/Queues/{made['sid']}"
    assert (await house.post(f"{path}.json", MaxSize="20"))["max_size"] == 20
    assert (await house.get(f"{path}/Members.json"))["queue_members"] == []
    assert (await house.get(f"{path}/Members/Front.json", 404))["code"] == 20404
    assert (await house.post("/Queues.json", 409, FriendlyName="support"))["code"] == 20409
    assert [row["sid"] for row in (await house.get("/Queues.json"))["queues"]] == [made["sid"]]
    await house.delete(f"{path}.json")
    assert (await house.get(f"{path}.json", 404))["code"] == 20404
    assert (await house.delete(f"{path}.json", 404))["code"] == 20404


@pytest.mark.parametrize(
    ("parameters", "code"),
    [({}, 20002), ({"FriendlyName": "x" * 65}, 20002), ({"FriendlyName": "x", "MaxSize": "5001"}, 20001)],
)
async def test_bad_queue_is_refused(house: House, parameters: dict[str, str], code: int) -> None:
    assert (await house.post("/Queues.json", 400, **parameters))["code"] == code


@pytest.mark.parametrize(("path", "name"), [("/Keys", "keys"), ("/SigningKeys", "signing_keys")])
async def test_key_lets_its_holder_in_until_it_is_deleted(house: House, path: str, name: str) -> None:
    made = await house.post(f"{path}.json", 201, FriendlyName="laptop")
    auth = (made["sid"], made["secret"])
    assert (await house.client.get(f"{BASE}/Calls.json", auth=auth)).status_code == 200
    for closed in (f"{BASE}.json", f"{BASE}/Keys.json", "/2010-04-01/Accounts.json"):
        refusal = await house.client.get(closed, auth=auth)
        assert (refusal.status_code, refusal.json()["code"]) == (403, 20006)
    (row,) = (await house.get(f"{path}.json"))[name]
    assert "secret" not in row
    assert (await house.post(f"{path}/{made['sid']}.json", FriendlyName="desk"))["friendly_name"] == "desk"
    await house.delete(f"{path}/{made['sid']}.json")
    assert (await house.client.get(f"{BASE}/Calls.json", auth=auth)).status_code == 401


async def test_account_is_told_and_renamed(house: House) -> None:
    account = await house.get(f"{BASE}.json")
    assert (account["sid"], account["auth_token"], account["status"]) == (ACCOUNT_SID, AUTH_TOKEN, "active")
    assert (await house.post(f"{BASE}.json", FriendlyName="Assembly"))["friendly_name"] == "Assembly"
    (row,) = (await house.get("/2010-04-01/Accounts.json", FriendlyName="Assembly"))["accounts"]
    assert row["friendly_name"] == "Assembly"
    assert (await house.get("/2010-04-01/Accounts.json", Status="closed"))["accounts"] == []
    assert (await house.post(f"{BASE}.json", 400, Status="suspended"))["code"] == 20001
    assert (await house.post("/2010-04-01/Accounts.json", 403, FriendlyName="sub"))["code"] == 20006


async def test_notifications_are_of_the_account_and_of_a_call(house: House) -> None:
    call = await house.call()
    await house.store.notices.add(
        resource_sid=call.sid, code=11200, level="error", message="no answer", url="https://x.example/v"
    )
    await house.store.notices.add(resource_sid="CF" + "0" * 32, code=16011, level="warning", message="x")
    rows = (await house.get("/Notifications.json"))["notifications"]
    assert {(row["error_code"], row["log"]) for row in rows} == {("11200", "0"), ("16011", "1")}
    (row,) = (await house.get(f"/Calls/{call.sid}/Notifications.json", Log="0"))["notifications"]
    assert (row["call_sid"], row["request_url"]) == (call.sid, "https://x.example/v")
    assert (await house.get("/Notifications.json", **{"MessageDate<": "2020-01-01"}))["notifications"] == []
    assert (await house.get("/Notifications.json", 400, Log="2"))["code"] == 20001
    whole = await house.get(f"/Notifications/{row['sid']}.json")
    assert whole["message_text"] == "no answer"
    assert (await house.get(f"/Calls/{call.sid}/Notifications/{row['sid']}.json"))["sid"] == row["sid"]
    assert (await house.delete(f"/Notifications/{row['sid']}.json", 405))["code"] == 20004


async def test_events_are_the_webhook_requests_of_a_call(house: House) -> None:
    call = await house.call()
    await house.store.events.add(
        EventRecord(
            call.sid, "POST", "https://x.example/v", (("CallSid", call.sid),), 200, "text/xml", "<a/>"
        )
    )
    (event,) = (await house.get(f"/Calls/{call.sid}/Events.json"))["events"]
    assert (event["request"]["url"], event["request"]["parameters"]) == (
        "https://x.example/v", {"CallSid": call.sid},
    )  # fmt: skip
    assert (event["response"]["response_code"], event["response"]["response_body"]) == (200, "<a/>")
