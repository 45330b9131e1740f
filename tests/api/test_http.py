"""The door and the corridor: who is let in, how fast, and what is answered to requests that make no sense."""

import base64
from pathlib import Path

import pytest
from tests.harness.api_house import ACCOUNT_SID, AUTH_TOKEN, BASE, House, open_house

from townhall.api.limits import RateLimit

CALLS = f"{BASE}/Calls.json"


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"\xff\xfe").decode(),
        "Basic " + base64.b64encode(f"{ACCOUNT_SID}:wrong".encode()).decode(),
        "Basic " + base64.b64encode(f"{ACCOUNT_SID}:".encode()).decode(),
        "Basic " + base64.b64encode(f"AC{'0' * 32}:{AUTH_TOKEN}".encode()).decode(),
        "Basic " + base64.b64encode(f"SK{'0' * 32}:{AUTH_TOKEN}".encode()).decode(),
        "Basic " + "A" * 100_000,
        f"Bearer {AUTH_TOKEN}",
    ],
)
async def test_wrong_credentials_are_20003_with_a_challenge(house: House, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    house.client.auth = None
    answer = await house.client.get(CALLS, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, 20003)
    assert answer.json()["message"] == "Authenticate"
    assert answer.headers["www-authenticate"] == 'Basic realm="Twilio API"'


async def test_guessing_is_slowed_down_before_credentials_are_looked_at(house: House) -> None:
    wrong = (ACCOUNT_SID, "wrong")
    answers = [(await house.client.get(CALLS, auth=wrong)).status_code for _ in range(10)]
    assert answers == [401] * 10
    late = await house.client.get(CALLS, auth=wrong)
    assert (late.status_code, late.json()["code"]) == (429, 20429)
    assert int(late.headers["retry-after"]) >= 1
    assert (await house.client.get(CALLS)).status_code == 429


async def test_wrong_name_does_not_lock_the_right_one_out(house: House) -> None:
    for _ in range(20):
        await house.client.get(CALLS, auth=("AC" + "0" * 32, "wrong"))
    assert (await house.client.get(CALLS)).status_code == 200


async def test_too_many_requests_are_429_with_retry_after(tmp_path: Path) -> None:
    async with open_house(tmp_path, requests_per_s=0.02) as house:
        statuses = [(await house.client.get(CALLS)).status_code for _ in range(4)]
        assert statuses == [200, 429, 429, 429]
        late = await house.client.get(CALLS)
        assert late.json()["code"] == 20429
        assert 1 <= int(late.headers["retry-after"]) <= 50


def test_rate_limit_refills_and_forgets_who_was_not_seen_for_longest() -> None:
    limit = RateLimit(rate=2.0, burst=2, most_clients=2)
    assert [limit.take("a", 0.0) for _ in range(3)] == [0.0, 0.0, 0.5]
    assert limit.take("a", 0.5) == 0.0
    limit.take("b", 0.5)
    limit.take("c", 0.5)
    assert limit.wait_s("a", 0.5) == 0.0
    assert RateLimit(rate=0, burst=1).take("a", 0.0) == 0.0


async def test_another_account_is_20404(house: House) -> None:
    other = CALLS.replace(ACCOUNT_SID, "AC" + "0" * 32)
    answer = await house.client.get(other)
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)
    assert other in answer.json()["message"]


@pytest.mark.parametrize("path", ["/Messages.json", "/Calls/x/y/z.json", "/Calls.csv", "/", "//Calls.json"])
async def test_unknown_resource_is_20404(house: House, path: str) -> None:
    answer = await house.client.get(BASE + path)
    assert (answer.status_code, answer.json()["code"]) == (404, 20404)


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_method_that_is_not_allowed_is_20004_and_says_which_are(house: House, method: str) -> None:
    answer = await house.client.request(method, CALLS)
    assert (answer.status_code, answer.json()["code"]) == (405, 20004)
    assert {name.strip() for name in answer.headers["allow"].split(",")} >= {"GET", "POST"}


async def test_path_without_suffix_means_json(house: House) -> None:
    answer = await house.client.get(CALLS.removesuffix(".json"))
    assert answer.headers["content-type"] == "application/json"
    assert answer.json() == (await house.client.get(CALLS)).json()


@pytest.mark.parametrize(
    ("content", "kind", "status"),
    [
        (b"Status=\xff", "application/x-www-form-urlencoded", 400),
        (b"Status=%ff", "application/x-www-form-urlencoded", 400),
        (b"&".join(b"a=1" for _ in range(400)), "application/x-www-form-urlencoded", 400),
        (b"Twiml=" + b"x" * 300_000, "application/x-www-form-urlencoded", 413),
        (b'{"Status": "completed"}', "application/json", 415),
        (b"<Status/>", "text/xml", 415),
    ],
)
async def test_body_that_is_no_form_is_refused(house: House, content: bytes, kind: str, status: int) -> None:
    call = await house.call()
    path = f"{BASE}/Calls/{call.sid}.json"
    answer = await house.client.post(path, content=content, headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["code"]) == (status, 20001)
    assert not call.over.done()


async def test_fault_of_ours_is_20500_and_tells_no_secrets(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a secret of the house")

    monkeypatch.setattr(house.store.calls, "page", broken)
    answer = await house.client.get(CALLS)
    assert (answer.status_code, answer.json()["code"]) == (500, 20500)
    assert "secret" not in answer.text


# ---- pages ----


async def test_pages_are_walked_forwards_and_backwards(house: House) -> None:
    made = [(await house.call(f"+1555000{n}", "+15550199")).sid for n in range(5)][::-1]
    page = await house.get("/Calls.json", PageSize="2", To="+15550199")
    assert (page["page"], page["page_size"], page["start"], page["end"]) == (0, 2, 0, 1)
    assert page["uri"] == page["first_page_uri"] == f"{BASE}/Calls.json?To=%2B15550199&PageSize=2&Page=0"
    assert page["previous_page_uri"] is None
    walked = [call["sid"] for call in page["calls"]]
    while page["next_page_uri"]:
        page = await house.get(page["next_page_uri"])
        walked += [call["sid"] for call in page["calls"]]
    assert walked == made
    assert (page["page"], page["start"], page["end"]) == (2, 4, 4)
    back = await house.get(page["previous_page_uri"])
    assert ([call["sid"] for call in back["calls"]], back["page"]) == (made[2:4], 1)


async def test_participants_are_walked_in_pages_though_some_leave(house: House) -> None:
    calls = [await house.join("room") for _ in range(5)]
    path = f"/Conferences/{house.conference('room').sid}/Participants.json"
    page = await house.get(path, PageSize="2")
    assert [row["call_sid"] for row in page["participants"]] == [calls[4].sid, calls[3].sid]
    page = await house.get(page["next_page_uri"])
    assert [row["call_sid"] for row in page["participants"]] == [calls[2].sid, calls[1].sid]
    await house.end(calls[4])
    page = await house.get(page["next_page_uri"])
    assert [row["call_sid"] for row in page["participants"]] == [calls[0].sid]
    assert page["next_page_uri"] is None


@pytest.mark.parametrize("path", ["/Calls.json", "/Conferences.json", "/Applications.json", "/Keys.json"])
@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"PageSize": "1001"}, 20007),
        ({"PageSize": "9" * 30}, 20007),
        ({"PageSize": "0"}, 20001),
        ({"PageSize": "many"}, 20001),
        ({"Page": "-1"}, 20001),
        ({"Page": "1"}, 21481),
        ({"Page": "1", "PageToken": "PA"}, 21481),
        ({"Page": "1", "PageToken": "PACA" + "g" * 32}, 21481),
        ({"PageToken": "x" * 10_000}, 21481),
    ],
)
async def test_bad_page_is_refused(house: House, path: str, parameters: dict[str, str], code: int) -> None:
    assert (await house.get(path, 400, **parameters))["code"] == code


async def test_empty_list_has_zeros_and_no_neighbours(house: House) -> None:
    page = await house.get("/Conferences.json", Status="init")
    assert page == {
        "conferences": [],
        "page": 0, "page_size": 50, "start": 0, "end": 0,
        "uri": f"{BASE}/Conferences.json?Status=init&PageSize=50&Page=0",
        "first_page_uri": f"{BASE}/Conferences.json?Status=init&PageSize=50&Page=0",
        "next_page_uri": None, "previous_page_uri": None,
    }  # fmt: skip
