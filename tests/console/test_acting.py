"""What moderators do reaches the conference, stands in the model at once, and is told to all of them."""

from typing import Any

import pytest
from tests.harness.console_house import BOARD, OPEN, TOWN, Browser, ConsoleHouse

from townhall.calls import Call
from townhall.console.door import TOKEN_HEADER


async def people(house: ConsoleHouse, browser: Browser, line: Any = TOWN) -> dict[str, Any]:
    told = await browser.read(f"/console/conferences/{house.sid(line)}")
    return {one["call_sid"]: one for one in told["conference"]["participants"]}


async def last_action(house: ConsoleHouse, browser: Browser) -> tuple[str, str, str]:
    entries = (await browser.read(f"/console/conferences/{house.sid(TOWN)}/log"))["entries"]
    entry = [one for one in entries if one["kind"] == "action"][-1]
    return entry["action"], entry["by"], entry["text"]


async def begun(house: ConsoleHouse) -> tuple[Browser, Call, Call]:
    """A moderator at the console; on the phone a moderator and a speaker, whose conference is live."""
    host = await house.join(TOWN, "moderator", "+15550001")
    speaker = await house.join(TOWN, "speaker", "+15550002")
    return await house.moderator(), host, speaker


@pytest.mark.parametrize(
    ("action", "member", "state"), [("mute", "muted", "muted"), ("hold", "hold", "hold")]
)
async def test_flag_is_set_and_taken_back(house: ConsoleHouse, action: str, member: str, state: str) -> None:
    browser, _, speaker = await begun(house)
    sid = house.sid(TOWN)
    told = await browser.act(sid, action, call_sids=[speaker.sid])
    assert told == {"done": True, "failed": []}
    assert getattr(house.house.conference("Town Hall").participants[speaker.sid], member) is True
    row = (await people(house, browser))[speaker.sid]
    assert (row[member], row["state"]) == (True, state)
    assert (await last_action(house, browser))[:2] == (action, "Mia")
    await house.deliver()
    await browser.act(sid, f"un{action}", call_sids=[speaker.sid])
    assert (await people(house, browser))[speaker.sid]["state"] == "quiet"
    assert getattr(house.house.conference("Town Hall").participants[speaker.sid], member) is False


async def test_kick_takes_him_out_and_says_who_did_it(house: ConsoleHouse) -> None:
    browser, _, speaker = await begun(house)
    await browser.act(house.sid(TOWN), "kick", call_sids=[speaker.sid])
    assert speaker.sid not in house.house.conference("Town Hall").participants
    assert speaker.sid not in await people(house, browser)
    assert await last_action(house, browser) == ("kick", "Mia", "Mia took +15550002 out")


async def test_action_on_many_does_what_it_can(house: ConsoleHouse) -> None:
    browser, host, speaker = await begun(house)
    gone = "CA" + "f" * 32
    told = await browser.act(house.sid(TOWN), "mute", call_sids=[speaker.sid, gone, host.sid])
    assert [failure["call_sid"] for failure in told["failed"]] == [gone]
    assert all(one["muted"] for one in (await people(house, browser)).values())
    refused = await browser.act(house.sid(TOWN), "mute", 404, call_sids=[gone])
    assert refused["error"]["code"] == "not-found"


async def test_mute_all_spares_moderators_and_meets_late_joiners_until_released(
    house: ConsoleHouse,
) -> None:
    browser, host, speaker = await begun(house)
    listener = await house.join(TOWN, "listener", "+15550003")
    sid = house.sid(TOWN)
    await browser.act(sid, "mute-all")
    participants = house.house.conference("Town Hall").participants
    assert [participants[call.sid].muted for call in (host, speaker, listener)] == [False, True, True]
    async with house.watch(browser) as stream:
        assert (await stream.next("snapshot")).data["conferences"][0]["muted_all"] is True
        late = await house.join(TOWN, "speaker", "+15550004")
        while True:
            row = (await stream.next("participants")).data["participants"][-1]
            if row["call_sid"] == late.sid and row["muted"]:
                break
    assert participants[late.sid].muted
    await browser.act(sid, "release-all")
    muted = [participants[call.sid].muted for call in (host, speaker, listener, late)]
    assert muted == [False, False, True, False]  # the listener came muted
    another = await house.join(TOWN, "speaker", "+15550005")
    await house.deliver()
    assert not participants[another.sid].muted


async def test_release_leaves_whom_a_moderator_muted(house: ConsoleHouse) -> None:
    browser, _, speaker = await begun(house)
    sid = house.sid(TOWN)
    await browser.act(sid, "mute-all")
    await browser.act(sid, "unmute", call_sids=[speaker.sid])
    await browser.act(sid, "mute", call_sids=[speaker.sid])
    await browser.act(sid, "release-all")
    assert house.house.conference("Town Hall").participants[speaker.sid].muted


async def test_lock_keeps_others_out_until_unlocked(house: ConsoleHouse) -> None:
    browser, _, _ = await begun(house)
    sid = house.sid(TOWN)
    await browser.act(sid, "lock")
    assert house.house.conference("Town Hall").locked
    assert (await browser.read(f"/console/conferences/{sid}"))["conference"]["locked"] is True
    await browser.act(sid, "unlock")
    assert not house.house.conference("Town Hall").locked


async def test_coach_is_heard_by_his_target_alone(house: ConsoleHouse) -> None:
    browser, host, speaker = await begun(house)
    sid = house.sid(TOWN)
    await browser.act(sid, "coach", call_sid=host.sid, target=speaker.sid)
    row = (await people(house, browser))[host.sid]
    assert (row["state"], row["coaching"]) == ("coaching", speaker.sid)
    await house.deliver()
    assert (await people(house, browser))[host.sid]["coaching"] == speaker.sid
    await browser.act(sid, "coach", call_sid=host.sid, target=None)
    assert (await people(house, browser))[host.sid]["state"] == "quiet"
    refused = await browser.act(sid, "coach", 404, call_sid=host.sid, target=host.sid)
    assert refused["error"]["twilio_code"] == 16028


async def test_guest_is_dialled_in_his_role_and_shown_ringing(house: ConsoleHouse) -> None:
    browser, _, _ = await begun(house)
    await browser.act(house.sid(TOWN), "dial", to="+15559999", label="Dr. Who", role="listener")
    plan = house.house.outbound.plans[-1]
    assert (plan.to, plan.from_) == ("+15559999", "2000")
    program: Any = plan.program
    assert (program.muted, program.start_conference_on_enter, program.participant_label) == (
        True, False, "Dr. Who",
    )  # fmt: skip
    [guest] = [one for one in (await people(house, browser)).values() if one["kind"] == "guest"]
    assert (guest["name"], guest["number"], guest["role"]) == ("Dr. Who", "+15559999", "listener")
    assert (guest["state"], guest["joined_at_ms"]) == ("ringing", None)
    assert (await last_action(house, browser))[2] == "Mia is calling Dr. Who"
    await browser.act(house.sid(TOWN), "kick", call_sids=[guest["call_sid"]])
    assert guest["call_sid"] not in await people(house, browser)


async def test_number_that_a_guest_is_shown_is_the_operator_s_to_choose(house: ConsoleHouse) -> None:
    browser, _, _ = await begun(house)
    await browser.act(house.sid(TOWN), "dial", 403, **{"to": "+15559999", "from": "+15550000"})
    operator = await house.operator()
    await operator.act(house.sid(TOWN), "dial", **{"to": "+15559999", "from": "+15550000"})
    assert house.house.outbound.plans[-1].from_ == "+15550000"


async def test_announcement_is_served_as_twiml_to_the_engine_only(
    house: ConsoleHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, _, _ = await begun(house)
    asked: list[Any] = []
    moderation = type(house.house.switchboard.moderation)
    monkeypatch.setattr(moderation, "announce", lambda _, sid, request, who=None: asked.append(request))
    await browser.act(house.sid(TOWN), "announce", text="Five <minutes> left & more", language="en-GB")
    url = asked[-1].url
    assert url.startswith("https://calls.example.com/console/announcements/")
    assert (await house.browser().client.post(url, data={})).status_code == 403
    served = await house.post_callback({"CallSid": "CA1"}, url=url)
    assert served.text.endswith(
        '<Response><Say language="en-GB">Five &lt;minutes&gt; left &amp; more</Say></Response>'
    )
    assert (await last_action(house, browser))[2] == "Mia announced to all: Five <minutes> left & more"
    await browser.act(house.sid(TOWN), "announce", url="https://example.com/gong.mp3")
    assert asked[-1].url == "https://example.com/gong.mp3"
    ours = "https://calls.example.com/app/pin/moderator?To=2000"
    await browser.act(house.sid(TOWN), "announce", 400, url=ours)
    assert len(asked) == 2


async def test_recording_is_begun_shown_and_ended(house: ConsoleHouse) -> None:
    browser, _, _ = await begun(house)
    sid = house.sid(TOWN)
    await browser.act(sid, "record")
    recording = (await browser.read(f"/console/conferences/{sid}"))["conference"]["recording"]
    assert recording["sid"].startswith("RE")
    assert (await browser.act(sid, "record", 409))["error"]["code"] == "refused"
    await browser.act(sid, "stop-recording")
    assert (await browser.read(f"/console/conferences/{sid}"))["conference"]["recording"] is None
    assert (await browser.act(sid, "stop-recording", 409))["error"]["code"] == "refused"
    [listed] = (await browser.read(f"/console/conferences/{sid}/recordings"))["recordings"]
    assert listed["sid"] == recording["sid"]
    assert listed["mp3"] == f"/console/conferences/{sid}/recordings/{listed['sid']}.mp3"


async def test_end_lets_everybody_go(house: ConsoleHouse) -> None:
    browser, _, _ = await begun(house)
    sid = house.sid(TOWN)
    await browser.act(sid, "end")
    told = (await browser.read(f"/console/conferences/{sid}"))["conference"]
    assert (told["state"], told["ended_by"], told["participants"]) == (
        "ended", "conference-ended-via-api", [],
    )  # fmt: skip
    assert (await browser.act(sid, "end", 409))["error"]["code"] == "over"


BAD: list[tuple[str, dict[str, Any]]] = [
    ("mute", {}),
    ("mute", {"call_sids": []}),
    ("mute", {"call_sids": "CA1"}),
    ("mute", {"call_sids": [1]}),
    ("mute", {"call_sids": ["CA1"] * 501}),
    ("coach", {"call_sid": 5}),
    ("announce", {}),
    ("announce", {"text": " "}),
    ("announce", {"text": "x" * 1_001}),
    ("announce", {"text": "bell\x07"}),
    ("announce", {"text": "Hi", "language": "en_US<"}),
    ("announce", {"url": "file:///etc/passwd"}),
    ("announce", {"url": "javascript:alert(1)"}),
    ("dial", {}),
    ("dial", {"to": "two words"}),
    ("dial", {"to": "+1555", "role": "king"}),
    ("dial", {"to": "+1555", "role": ["speaker"]}),
    ("dial", {"to": "+1555", "label": 7}),
]


@pytest.mark.parametrize(("action", "body"), BAD)
async def test_wrong_body_is_refused_and_does_nothing(
    house: ConsoleHouse, action: str, body: dict[str, Any]
) -> None:
    browser, _, _ = await begun(house)
    told = await browser.act(house.sid(TOWN), action, 400, **body)
    assert told["error"]["code"] == "bad-request"
    assert house.house.outbound.plans == []


async def test_unknown_action_and_conference_are_not_found(house: ConsoleHouse) -> None:
    browser, _, _ = await begun(house)
    await browser.act(house.sid(TOWN), "explode", 404)
    await browser.act("CF" + "e" * 32, "end", 404)
    await browser.act("..%2f..%2fetc", "end", 404)


# ---- attacks ----


async def test_moderator_of_another_line_sees_and_does_nothing(house: ConsoleHouse) -> None:
    _, _, speaker = await begun(house)
    await house.join(BOARD, "moderator", "+15550007")
    stranger, sid = await house.moderator(BOARD, "Bob"), house.sid(TOWN)
    for path in (
        "",
        "/log",
        "/timeline",
        "/attendance",
        "/attendance.csv",
        "/recordings",
        "/recordings/RE1.mp3",
    ):
        told = await stranger.read(f"/console/conferences/{sid}{path}", 404)
        assert told["error"]["code"] == "not-found"
    for action in ("mute", "kick"):
        await stranger.act(sid, action, 404, call_sids=[speaker.sid])
    await stranger.act(sid, "end", 404)
    # Nor through a conference of his own.
    await stranger.act(house.sid(BOARD), "kick", 404, call_sids=[speaker.sid])
    await stranger.act(house.sid(BOARD), "coach", 404, call_sid=speaker.sid, target=speaker.sid)
    listed = (await stranger.read("/console/conferences"))["conferences"]
    assert [one["name"] for one in listed] == ["Board"]
    assert len(house.house.conference("Town Hall").participants) == 2


async def test_operator_moderates_every_line(house: ConsoleHouse) -> None:
    await begun(house)
    await house.join(OPEN, "speaker", "+15550008")
    operator = await house.operator()
    listed = (await operator.read("/console/conferences"))["conferences"]
    assert {one["name"] for one in listed} == {"Town Hall", "Open house"}
    await operator.act(house.sid(OPEN), "end")


@pytest.mark.parametrize(
    "spoilt",
    [{TOKEN_HEADER: ""}, {TOKEN_HEADER: "0" * 64}, {TOKEN_HEADER: "é"}, {"sec-fetch-site": "cross-site"}],
)
async def test_forged_request_of_another_sites_page_does_nothing(
    house: ConsoleHouse, spoilt: dict[str, str]
) -> None:
    browser, _, speaker = await begun(house)
    headers = {**browser.headers, TOKEN_HEADER: browser.token, **spoilt}
    answer = await browser.client.post(
        f"/console/conferences/{house.sid(TOWN)}/kick",
        json={"call_sids": [speaker.sid]},
        headers={name: value.encode() for name, value in headers.items()},  # type: ignore[misc]
    )
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "cross-site")
    assert speaker.sid in house.house.conference("Town Hall").participants


async def test_token_of_another_session_is_none(house: ConsoleHouse) -> None:
    browser, _, _ = await begun(house)
    browser.token = (await house.moderator()).token
    await browser.act(house.sid(TOWN), "end", 403)


async def test_flood_of_actions_is_cut_off(house: ConsoleHouse) -> None:
    browser, _, speaker = await begun(house)
    for turn in range(40):
        await browser.act(house.sid(TOWN), "mute" if turn % 2 else "unmute", call_sids=[speaker.sid])
    told = await browser.act(house.sid(TOWN), "mute", 429, call_sids=[speaker.sid])
    assert told["error"]["code"] == "too-many"
    house.clock.now += 1
    await browser.act(house.sid(TOWN), "mute", call_sids=[speaker.sid])
