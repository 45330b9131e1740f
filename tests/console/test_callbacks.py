"""Callbacks are believed only when they are signed, and then also when they come late, twice or misshapen."""

from datetime import UTC, datetime
from email.utils import format_datetime

import pytest
from tests.harness.api_house import ACCOUNT_SID
from tests.harness.console_house import CALLS, SID, ConsoleHouse

from townhall.console.callbacks import fact_of, happened_ms
from townhall.console.facts import Changed, Ended, Flags, Joined, Left, Locked, Noted, Spoke, Started

COMMON = {"ConferenceSid": SID, "FriendlyName": "Town Hall", "AccountSid": ACCOUNT_SID}
JOIN = {
    **COMMON,
    "StatusCallbackEvent": "participant-join",
    "CallSid": CALLS[0],
    "SequenceNumber": "1",
    "Muted": "true",
    "Hold": "false",
    "Coaching": "false",
    "StartConferenceOnEnter": "false",
    "EndConferenceOnExit": "false",
    "ParticipantLabel": "ann",
}
FLAGS = Flags(muted=True, hold=False, coaching=False, starts=False, ends=False, label="ann")


@pytest.mark.parametrize(
    ("told", "fact"),
    [
        (JOIN, Joined(5, CALLS[0], FLAGS, 1)),
        ({**JOIN, "StatusCallbackEvent": "participant-hold"}, Changed(5, CALLS[0], FLAGS, 1)),
        ({**JOIN, "StatusCallbackEvent": "participant-leave", "ReasonParticipantLeft": "participant_hung_up"},
         Left(5, CALLS[0], "participant_hung_up", 1)),
        ({**JOIN, "StatusCallbackEvent": "participant-speech-start"}, Spoke(5, CALLS[0], True, 1)),
        ({**JOIN, "StatusCallbackEvent": "participant-speech-stop"}, Spoke(5, CALLS[0], False, 1)),
        ({"StatusCallbackEvent": "conference-start"}, Started(5)),
        ({"StatusCallbackEvent": "conference-end", "ReasonConferenceEnded": "last-participant-left",
          "CallSidEndingConference": CALLS[0]}, Ended(5, "last-participant-left", CALLS[0])),
        ({"StatusCallbackEvent": "conference-lock"}, Locked(5, True)),
        ({"StatusCallbackEvent": "announcement-fail", "ReasonAnnouncementFailed": "11200"},
         Noted(5, "fault", "The announcement failed: 11200")),
        ({"StatusCallbackEvent": "something-new"}, None),
        ({"StatusCallbackEvent": "participant-join", "CallSid": "../../x"}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_callback_tells_a_fact(told: dict[str, str], fact: object) -> None:
    assert fact_of(told, 5) == fact


def test_time_of_arrival_counts_unless_the_callback_is_late() -> None:
    now_ms = 1_790_000_000_000

    def stamp(seconds_ago: float) -> str:
        return format_datetime(datetime.fromtimestamp(now_ms / 1000 - seconds_ago, UTC))

    assert happened_ms(stamp(1), now_ms) == now_ms
    assert happened_ms(stamp(60), now_ms) == now_ms - 60_000
    assert happened_ms(stamp(-60), now_ms) == now_ms  # a clock that is ahead
    assert happened_ms(stamp(86_400 * 30), now_ms) == now_ms
    assert happened_ms("yesterday", now_ms) == now_ms


async def test_signed_callback_is_believed(house: ConsoleHouse) -> None:
    assert (await house.post_callback(JOIN)).status_code == 204
    room = house.console.desk.hall.rooms[SID]
    assert (room.name, room.lines, room.people[CALLS[0]].label) == ("Town Hall", ("2000",), "ann")


async def test_mute_for_hold_music_is_told_in_the_feed(house: ConsoleHouse) -> None:
    await house.post_callback(JOIN)
    muted = {**JOIN, "StatusCallbackEvent": "participant-mute", "SequenceNumber": "2"}
    await house.post_callback({**muted, "MuteReason": "hold-music"})
    await house.post_callback({**muted, "MuteReason": "something else", "SequenceNumber": "3"})
    last = house.console.desk.hall.rooms[SID].entries[-1]
    assert (last.kind, last.text) == ("fault", "Ann was muted: music comes from the telephone")
    assert last.call_sids == (CALLS[0],)


@pytest.mark.parametrize(("status", "known"), [("completed", 0), ("failed", 0), ("in-progress", 1)])
async def test_what_was_known_of_a_call_is_forgotten_when_it_is_over(
    house: ConsoleHouse, status: str, known: int
) -> None:
    hall = house.console.desk.hall
    leave = {**JOIN, "StatusCallbackEvent": "participant-leave", "SequenceNumber": "2"}
    house.console.desk.called(CALLS[0], "client:ann", "2000")
    await house.post_callback({**leave, "ParticipantCallStatus": status})
    assert hall.expected == 1, "its arrival is still to be told"
    await house.post_callback(JOIN)
    await house.post_callback({**leave, "ParticipantCallStatus": status})
    assert hall.expected == known
    assert hall.rooms[SID].people[CALLS[0]].shown == "ann"


@pytest.mark.parametrize("spoil", ["signature", "parameter", "url", "account", "none", "secret"])
async def test_forged_callback_changes_nothing(house: ConsoleHouse, spoil: str) -> None:
    told, url = dict(JOIN), house.console.callback_url
    status = {"secret": 404, "account": 204}.get(spoil, 403)
    match spoil:
        case "signature":
            answer = await house.post_callback(told, token="another-token-of-somebody")
        case "parameter" | "none":
            client = house.browser().client
            answer = await client.post(
                url, data=told, headers={"X-Twilio-Signature": "AAAA"} if spoil == "parameter" else {}
            )
        case "url":
            answer = await house.browser().client.post(
                f"{url}?x=1", data=told, headers={"X-Twilio-Signature": "RSOYDt4T1cUTdK1PDd93/VVr8B8="}
            )
        case "account":
            answer = await house.post_callback({**told, "AccountSid": "AC" + "9" * 32})
        case _:
            answer = await house.post_callback(told, url=url[:-4] + "0000")
    assert answer.status_code == status
    assert SID not in house.console.desk.hall.rooms


@pytest.mark.parametrize(
    "changes",
    [
        {"ConferenceSid": "../../etc/passwd"},
        {"ConferenceSid": ""},
        {"CallSid": "x" * 60_000},
        {"SequenceNumber": "9" * 40},
        {"SequenceNumber": "-1"},
        {"Timestamp": "\x00"},
        {"FriendlyName": "x" * 60_000},
        {"ParticipantLabel": "\u202e\x07<script>"},
        {"RecordingSid": "RE1", "RecordingDuration": "a lot"},
        {"StatusCallbackEvent": "conference-end", "CallSidEndingConference": "x" * 9_000},
    ],
)
async def test_misshapen_callback_does_no_harm(house: ConsoleHouse, changes: dict[str, str]) -> None:
    assert (await house.post_callback({**JOIN, **changes})).status_code == 204
    for room in house.console.desk.hall.rooms.values():
        assert len(room.name) <= 128
        assert all(len(person.label) <= 128 and "\x07" not in person.label for person in room.people.values())
    await house.console.desk.archive.write()
    assert (await (await house.operator()).read("/console/conferences"))["conferences"] is not None


async def test_callback_that_is_too_long_is_refused(house: ConsoleHouse) -> None:
    assert (await house.post_callback({**JOIN, "FriendlyName": "x" * 70_000})).status_code == 413


async def test_recording_is_told_by_its_callbacks(house: ConsoleHouse) -> None:
    await house.post_callback(JOIN)
    recording = {
        "AccountSid": ACCOUNT_SID,
        "ConferenceSid": SID,
        "RecordingSid": "RE" + "1" * 32,
        "RecordingStatus": "in-progress",
        "RecordingChannels": "1",
    }
    await house.post_callback(recording)
    room = house.console.desk.hall.rooms[SID]
    assert room.recording is not None
    await house.post_callback({**recording, "RecordingStatus": "completed", "RecordingDuration": "61"})
    assert room.recordings["RE" + "1" * 32].duration_ms == 61_000
    assert [entry.text for entry in room.entries][-2:] == [
        "Recording has started",
        "A recording can be heard",
    ]
