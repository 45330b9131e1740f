"""What callbacks do not tell is asked for: conferences of other applications, names, what was before us."""

import time
from pathlib import Path

import httpx2
import pytest
from tests.harness.console_house import TOWN, Book, ConsoleHouse, settings_for

from townhall.console import create_console, rest_client
from townhall.console.facts import Flags, Joined
from townhall.console.refusals import Refusal
from townhall.console.remote import Remote


async def test_conference_of_another_application_is_found(house: ConsoleHouse) -> None:
    host = await house.enter("Somebody's", None, "moderator", callbacks=False)
    await house.enter("Somebody's", None, "listener", callbacks=False)
    await house.look()
    [room] = house.console.desk.hall.live()
    assert (room.name, room.state, room.lines) == ("Somebody's", "live", ())
    assert [person.role for person in room.roster()] == ["listener", "moderator"]
    await house.house.end(host)
    await house.look()
    assert (room.state, room.ended_by) == ("ended", "participant-with-end-conference-on-exit-left")


async def test_conference_that_ended_unseen_has_ended_when_it_did(house: ConsoleHouse) -> None:
    house.clock.now = time.time()
    host = await house.enter("Somebody's", None, "moderator", callbacks=False)
    await house.look()
    await house.house.end(host)
    house.clock.now += 3600
    await house.look()
    [room] = house.console.desk.hall.rooms.values()
    assert room.state == "ended"
    assert room.ended_at_ms is not None
    assert room.ended_at_ms < (house.clock.now - 1800) * 1000


async def test_conference_of_no_line_is_the_operators_alone(house: ConsoleHouse) -> None:
    await house.enter("Somebody's", None, "moderator", callbacks=False)
    await house.look()
    assert (await (await house.moderator()).read("/console/conferences"))["conferences"] == []
    assert len((await (await house.operator()).read("/console/conferences"))["conferences"]) == 1


async def test_line_is_known_by_its_conferences_name(house: ConsoleHouse) -> None:
    await house.enter("Town Hall", None, "moderator", callbacks=False)
    await house.look()
    [seen] = (await (await house.moderator()).read("/console/conferences"))["conferences"]
    assert seen["lines"] == ["2000"]


async def test_changes_that_nobody_told_of_are_seen(house: ConsoleHouse) -> None:
    call = await house.enter("Somebody's", None, "speaker", callbacks=False)
    other = await house.enter("Somebody's", None, "moderator", callbacks=False)
    await house.look()
    sid = house.house.conference("Somebody's").sid
    await house.house.post(f"/Conferences/{sid}/Participants/{call.sid}.json", Muted=True)
    await house.house.client.post(
        f"/2010-04-01/Accounts/{call.account_sid}/Conferences/{sid}.json", data={"Locked": "true"}
    )
    await house.look()
    [room] = house.console.desk.hall.live()
    assert room.people[call.sid].muted
    assert room.locked
    await house.house.delete(f"/Conferences/{sid}/Participants/{call.sid}.json")
    await house.look()
    assert [person.call_sid for person in room.roster()] == [other.sid]


async def test_names_come_from_the_list_of_calls(house: ConsoleHouse) -> None:
    call = await house.house.call(from_="sip:anna@192.0.2.1")
    await house.enter("Somebody's", call, "moderator", callbacks=False)
    await house.look()
    await house.console.find_names()
    person = house.console.desk.hall.live()[0].people[call.sid]
    assert (person.number, person.kind) == ("anna", "phone")


async def test_who_withholds_his_number_is_asked_for_once(
    house: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = 0
    calls = Remote.calls

    def counting(self: Remote, status: str = "in-progress") -> object:
        nonlocal asked
        asked += 1
        return calls(self, status)

    monkeypatch.setattr(Remote, "calls", counting)
    call = await house.house.call(from_="")
    await house.enter("Somebody's", call, "moderator", callbacks=False)
    await house.look()
    for _ in range(3):
        await house.console.find_names()
    assert asked == 1


async def test_list_that_is_older_than_a_callback_changes_nothing(
    house: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.join(TOWN, "moderator")
    desk, sid, late = house.console.desk, house.sid(TOWN), "CA" + "d" * 32
    participants = Remote.participants

    async def slow(self: Remote, sid: str) -> object:
        listed = await participants(self, sid)
        house.clock.now += 0.5
        desk.learn(sid, Joined(desk.now_ms(), late, Flags()))  # his callback comes meanwhile
        return listed

    monkeypatch.setattr(Remote, "participants", slow)
    desk.hall.rooms[sid].has_callbacks = False
    await house.look()
    assert desk.hall.rooms[sid].people[late].present


async def test_engine_that_does_not_answer_is_waited_for(tmp_path: Path) -> None:
    def refuse(request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ConnectError("nobody there")

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(refuse))
    rest = rest_client(http, account_sid="AC" + "a" * 32, user="u", password="p")
    console = create_console(settings_for(tmp_path), Book(TOWN), rest)
    await console.start()
    with pytest.raises(Refusal) as refused:
        await console.look()
    assert refused.value.code == "engine"
    await console.stop()


async def test_twilio_is_asked_at_its_address_and_has_neither_levels_nor_lock(tmp_path: Path) -> None:
    asked: list[str] = []

    def answer(request: httpx2.Request) -> httpx2.Response:
        asked.append(f"{request.method} {request.url.host}{request.url.path}")
        if len(asked) == 1:
            return httpx2.Response(429, headers={"retry-after": "0"}, json={"code": 20429})
        return httpx2.Response(200, json={"conferences": [], "uri": "", "next_page_uri": None})

    http = httpx2.AsyncClient(transport=httpx2.MockTransport(answer))
    rest = rest_client(http, account_sid="AC" + "a" * 32, user="SK" + "b" * 32, password="p")
    settings = settings_for(tmp_path)
    console = create_console(
        type(settings)(
            settings.account_sid, settings.auth_token, settings.operator_password, settings.base_url,
            settings.data_dir, engine="twilio",
        ),
        Book(TOWN), rest,
    )  # fmt: skip
    assert console.desk.capabilities == {"levels": False, "lock": False}
    await console.look()
    assert asked == [f"GET api.twilio.com/2010-04-01/Accounts/AC{'a' * 32}/Conferences.json"] * 3


async def test_names_of_browsers_and_phones() -> None:
    from townhall.console.desk import who_calls

    def shown(caller: str, name: str = "") -> tuple[str, str, str | None]:
        named = who_calls(0, "CA1", caller, name)
        return named.name, named.number, named.kind

    assert shown("client:anna") == ("anna", "", "browser")
    assert shown("client:web_0123456789abcdef", " Anna\x00\n B ") == ("Anna B", "", "browser")
    assert shown("client:web_0123456789abcdef") == ("", "", "browser")
    assert shown("+15550100", "ANNA") == ("ANNA", "+15550100", "phone")
    assert shown("sip:ben@example.com;x=1") == ("", "ben", "phone")
    assert shown("+1" + "5" * 500)[1] == "+1" + "5" * 126
