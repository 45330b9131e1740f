"""Twilio's documented `<Conference>` behaviour as tables, one per section of the conference documentation.

Each row is a row of the documentation, or, where that is silent, the choice that
`docs/explanation/conference.md` names.
"""

from dataclasses import fields

import pytest

from townhall.conference import (
    Beep,
    Close,
    Command,
    Conference,
    Conferences,
    ConferenceSettings,
    EndRequested,
    Event,
    Mix,
    Notify,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    Refusal,
    Release,
    Reservation,
    SpeechChanged,
    StartHold,
    StartWaiting,
    StopWaiting,
    check_admission,
    pairs,
)
from townhall.conference.events import CallStatus, LeftBy

ALL = frozenset(["start", "end", "join", "leave", "mute", "hold", "modify", "speaker", "announcement"])
TRUE, FALSE = ParticipantSettings(), ParticipantSettings(start_conference_on_enter=False)


def room(*settings: ParticipantSettings, subscription: frozenset[str] = ALL) -> Conference:
    """A conference that participants "a", "b", "c" … entered in this order."""
    conference = Conference("CF1", "room", ConferenceSettings(subscription))
    for sid, own in zip("abcdefgh", settings, strict=False):
        conference.handle(ParticipantJoined(sid, own), 0.0)
    return conference


def of_type(commands: list[Command], kind: type) -> list[Command]:
    return [command for command in commands if isinstance(command, kind)]


def parameters(commands: list[Command], event: str) -> list[dict[str, str]]:
    return [dict(c.parameters) for c in commands if isinstance(c, Notify) and c.event == event]


class TestSection1Attributes:
    @pytest.mark.parametrize(
        ("attribute", "default"),
        [
            ("muted", False),
            ("beep_on_enter", True),
            ("beep_on_exit", True),
            ("start_conference_on_enter", True),
            ("end_conference_on_exit", False),
            ("label", None),
            ("coach", None),
            ("max_participants", 250),
        ],
    )
    def test_participants_default(self, attribute: str, default: object) -> None:
        assert getattr(ParticipantSettings(), attribute) == default
        assert attribute in {field.name for field in fields(ParticipantSettings)}

    @pytest.mark.parametrize(
        ("attribute", "default"),
        [("record", False), ("trim_silence", True), ("status_callback_events", frozenset())],
    )
    def test_conferences_default(self, attribute: str, default: object) -> None:
        assert getattr(ConferenceSettings(), attribute) == default


class TestSection2Identity:
    @pytest.mark.parametrize(
        ("first", "second", "same"),
        [
            ("room", "room", True),
            ("room", "\n  room\t", True),
            ("room", "Room", False),
            ("Room 1234", "Room  1234", False),
            ("x" * 128, " " + "x" * 128, True),
        ],
    )
    def test_name_tells_the_room(self, first: str, second: str, same: bool) -> None:
        sids = iter(("CF" + "1" * 32, "CF" + "2" * 32))
        conferences = Conferences(lambda: next(sids))
        one, two = conferences.reserve(first, 0.0), conferences.reserve(second, 0.0)
        assert isinstance(one, Reservation)
        assert isinstance(two, Reservation)
        assert (one.conference is two.conference) == same

    def test_unknown_conference_sid_is_13236(self) -> None:
        refusal = Conferences(lambda: "CF1").reserve("CF" + "a" * 32, 0.0)
        assert isinstance(refusal, Refusal)
        assert refusal.code == 13236

    def test_same_name_after_the_end_is_another_conference(self) -> None:
        sids = iter(("CF" + "1" * 32, "CF" + "2" * 32))
        conferences = Conferences(lambda: next(sids))
        for expected in ("CF" + "1" * 32, "CF" + "2" * 32):
            reservation = conferences.reserve("room", 0.0)
            assert isinstance(reservation, Reservation)
            reservation.enter(ParticipantJoined("a"), 0.0)
            assert reservation.conference.sid == expected
            reservation.conference.handle(ParticipantLeft("a", "hung_up"), 1.0)


class TestSection3Lifecycle:
    @pytest.mark.parametrize(
        ("present", "status"),
        [
            ([], "init"),
            ([TRUE], "init"),
            ([FALSE], "init"),
            ([FALSE, FALSE, FALSE], "init"),
            ([TRUE, FALSE], "in-progress"),
            ([FALSE, TRUE], "in-progress"),
            ([TRUE, TRUE], "in-progress"),
            ([FALSE, FALSE, TRUE], "in-progress"),
            ([TRUE, FALSE, FALSE], "in-progress"),
        ],
    )
    def test_start_rule(self, present: list[ParticipantSettings], status: str) -> None:
        assert room(*present).status == status

    def test_starter_who_left_does_not_count(self) -> None:
        conference = room(FALSE, FALSE)
        for sid in ("x", "y"):
            conference.handle(ParticipantJoined(sid, FALSE), 1.0)
        assert conference.status == "init"

    def test_late_waiter_joins_at_once(self) -> None:
        conference = room(TRUE, FALSE)
        commands = conference.handle(ParticipantJoined("late", FALSE), 1.0)
        assert of_type(commands, StartWaiting) == []
        assert of_type(commands, Mix) == [Mix("late", hears=True, heard=True)]

    @pytest.mark.parametrize("leaver", ["a", "b"])
    def test_started_conference_stays_in_progress_with_one(self, leaver: str) -> None:
        conference = room(TRUE, FALSE)
        commands = conference.handle(ParticipantLeft(leaver, "hung_up"), 1.0)
        assert conference.status == "in-progress"
        assert of_type(commands, StartWaiting) == []

    def test_completed_is_final(self) -> None:
        conference = room(TRUE, FALSE)
        conference.handle(EndRequested(), 1.0)
        conference.handle(ParticipantJoined("x"), 2.0)
        conference.handle(ParticipantJoined("y"), 2.0)
        assert conference.status == "completed"


class TestSection4Waiting:
    def test_waiting_is_not_the_muted_flag(self) -> None:
        conference = room(FALSE, FALSE)
        assert not any(participant.muted for participant in conference.participants.values())
        assert pairs(conference.hearing()) == set()

    def test_start_ends_everybodys_music_and_each_gets_his_own_muted(self) -> None:
        muted = ParticipantSettings(muted=True, start_conference_on_enter=False)
        conference = room(muted, FALSE)
        commands = conference.handle(ParticipantJoined("m", TRUE), 1.0)
        assert of_type(commands, StopWaiting) == [StopWaiting("a"), StopWaiting("b")]
        assert of_type(commands, Mix) == [Mix("a", True, False), Mix("b", True, True), Mix("m", True, True)]
        stops = [i for i, command in enumerate(commands) if isinstance(command, StopWaiting)]
        mixes = [i for i, command in enumerate(commands) if isinstance(command, Mix | Beep)]
        assert max(stops) < min(mixes)


class TestSection5MutedHoldCoach:
    @pytest.mark.parametrize(
        ("change", "hears", "is_heard_by", "music"),
        [
            (ParticipantChanged("a"), {"b", "c"}, {"b", "c"}, False),
            (ParticipantChanged("a", muted=True), {"b", "c"}, set(), False),
            (ParticipantChanged("a", hold=True), set(), set(), True),
            (ParticipantChanged("a", muted=True, hold=True), set(), set(), True),
            (ParticipantChanged("a", coach="b"), {"b", "c"}, {"b"}, False),
            (ParticipantChanged("a", coach="gone"), {"b", "c"}, set(), False),
        ],
    )
    def test_state_tells_who_hears_whom(
        self, change: ParticipantChanged, hears: set[str], is_heard_by: set[str], music: bool
    ) -> None:
        conference = room(TRUE, TRUE, TRUE)
        commands = conference.handle(change, 1.0)
        matrix = pairs(conference.hearing())
        assert {speaker for listener, speaker in matrix if listener == "a"} == hears
        assert {listener for listener, speaker in matrix if speaker == "a"} == is_heard_by
        assert bool(of_type(commands, StartHold)) == music

    def test_hold_and_muted_are_independent(self) -> None:
        conference = room(TRUE, TRUE)
        conference.handle(ParticipantChanged("a", muted=True, hold=True), 1.0)
        conference.handle(ParticipantChanged("a", hold=False), 2.0)
        assert conference.participants["a"].muted

    @pytest.mark.parametrize(
        ("present", "coach", "code"),
        [
            ([TRUE, TRUE], "a", None),
            ([TRUE, TRUE], "gone", 13240),
            ([TRUE, TRUE], "new", 13240),
            ([FALSE, FALSE], "a", 13240),
            ([TRUE], "a", 13240),
            ([], "a", 13240),
        ],
    )
    def test_coach_needs_a_live_target_in_a_started_conference(
        self, present: list[ParticipantSettings], coach: str, code: int | None
    ) -> None:
        refusal = check_admission(room(*present), "new", ParticipantSettings(coach=coach))
        assert (refusal.code if refusal else None) == code

    def test_coach_whose_target_left_goes_on_coaching_nobody(self) -> None:
        conference = room(TRUE, TRUE, TRUE)
        conference.handle(ParticipantChanged("a", coach="b"), 1.0)
        conference.handle(ParticipantLeft("b", "hung_up"), 2.0)
        assert conference.participants["a"].coaching
        assert pairs(conference.hearing()) == {("a", "c")}


class TestSection6LeavingAndEnding:
    @pytest.mark.parametrize(
        ("by", "status", "reason"),
        [
            ("hung_up", "completed", "participant_hung_up"),
            ("star", "in-progress", "participant_hung_up"),
            ("time_limit", "in-progress", "participant_hung_up"),
            ("kicked", "in-progress", "participant_updated_via_api"),
            ("redirected", "in-progress", "participant_updated_via_api"),
            ("completed_via_api", "completed", "participant_updated_via_api"),
            ("add_failed", "no-answer", "participant_add_failed"),
        ],
    )
    def test_reason_participant_left(self, by: LeftBy, status: CallStatus, reason: str) -> None:
        commands = room(TRUE, TRUE).handle(ParticipantLeft("a", by, status), 1.0)
        (leave,) = parameters(commands, "participant-leave")
        assert (leave["ReasonParticipantLeft"], leave["ParticipantCallStatus"]) == (reason, status)
        assert Release("a") in commands

    ENDS = ParticipantSettings(end_conference_on_exit=True)

    @pytest.mark.parametrize(
        ("present", "event", "reason", "others"),
        [
            ([TRUE, TRUE], EndRequested(), "conference-ended-via-api", "conference_ended_via_api"),
            ([FALSE], EndRequested(), "conference-ended-via-api", "conference_ended_via_api"),
            ([TRUE], ParticipantLeft("a", "hung_up"), "last-participant-left", None),
            ([TRUE], ParticipantLeft("a", "kicked"), "last-participant-kicked", None),
            (
                [ENDS, TRUE],
                ParticipantLeft("a", "hung_up"),
                "participant-with-end-conference-on-exit-left",
                "moderator_ended_conference",
            ),
            (
                [ENDS, TRUE],
                ParticipantLeft("a", "kicked"),
                "participant-with-end-conference-on-exit-kicked",
                "moderator_ended_conference",
            ),
            (
                [ParticipantSettings(start_conference_on_enter=False, end_conference_on_exit=True), FALSE],
                ParticipantLeft("a", "hung_up"),
                "participant-with-end-conference-on-exit-left",
                "moderator_ended_conference",
            ),
        ],
    )
    def test_reason_conference_ended(
        self, present: list[ParticipantSettings], event: Event, reason: str, others: str | None
    ) -> None:
        commands = room(*present).handle(event, 1.0)
        (end,) = parameters(commands, "conference-end")
        assert end["ReasonConferenceEnded"] == reason
        reasons = {leave["ReasonParticipantLeft"] for leave in parameters(commands, "participant-leave")}
        assert others is None or others in reasons
        told = [command.event for command in commands if isinstance(command, Notify)]
        assert told == [*["participant-leave"] * (len(told) - 1), "conference-end"]
        assert isinstance(commands[-1], Close)
        assert commands[-1].reason == reason

    @pytest.mark.parametrize("flag", [True, False])
    @pytest.mark.parametrize(
        "state", [ParticipantChanged("a", hold=True), ParticipantChanged("a", muted=True)]
    )
    def test_end_on_exit_can_be_changed_in_every_state(self, state: ParticipantChanged, flag: bool) -> None:
        conference = room(ParticipantSettings(end_conference_on_exit=not flag), TRUE)
        conference.handle(state, 1.0)
        conference.handle(ParticipantChanged("a", end_conference_on_exit=flag), 2.0)
        conference.handle(ParticipantLeft("a", "hung_up"), 3.0)
        assert (conference.status == "completed") == flag


class TestSection8Beep:
    @pytest.mark.parametrize(
        ("settings", "enter", "leave"),
        [
            (ParticipantSettings(beep_on_enter=True, beep_on_exit=True), True, True),
            (ParticipantSettings(beep_on_enter=False, beep_on_exit=False), False, False),
            (ParticipantSettings(beep_on_enter=True, beep_on_exit=False), True, False),
            (ParticipantSettings(beep_on_enter=False, beep_on_exit=True), False, True),
        ],
        ids=["true", "false", "onEnter", "onExit"],
    )
    def test_beep_belongs_to_the_one_who_moves(
        self, settings: ParticipantSettings, enter: bool, leave: bool
    ) -> None:
        conference = room(TRUE, TRUE)
        entered = of_type(conference.handle(ParticipantJoined("x", settings), 1.0), Beep)
        left = of_type(conference.handle(ParticipantLeft("x", "hung_up"), 2.0), Beep)
        assert entered == ([Beep("enter", owner="x")] if enter else [])
        assert left == ([Beep("exit")] if leave else [])

    def test_no_beep_while_waiting(self) -> None:
        conference = room(FALSE)
        assert of_type(conference.handle(ParticipantJoined("x", FALSE), 1.0), Beep) == []
        assert of_type(conference.handle(ParticipantLeft("x", "hung_up"), 2.0), Beep) == []


class TestSection9CapacityAndLabels:
    @pytest.mark.parametrize(
        ("settings", "code"),
        [
            (ParticipantSettings(max_participants=3), None),
            (ParticipantSettings(max_participants=2), 16020),
            (ParticipantSettings(label="Alice"), None),
            (ParticipantSettings(label="alice"), 16025),
            (ParticipantSettings(label="x" * 128), None),
            (ParticipantSettings(label="x" * 129), 16023),
            (ParticipantSettings(label="CA" + "0" * 32), 16023),
            (ParticipantSettings(label="a/b"), 16023),
        ],
    )
    def test_admission(self, settings: ParticipantSettings, code: int | None) -> None:
        conference = room(ParticipantSettings(label="alice"), TRUE)
        refusal = check_admission(conference, "new", settings)
        assert (refusal.code if refusal else None) == code

    def test_label_is_free_again_when_its_owner_left(self) -> None:
        conference = room(ParticipantSettings(label="alice"), TRUE)
        conference.handle(ParticipantLeft("a", "hung_up"), 1.0)
        assert check_admission(conference, "new", ParticipantSettings(label="alice")) is None

    def test_coaches_held_and_muted_count(self) -> None:
        conference = room(TRUE, TRUE, TRUE)
        conference.handle(ParticipantChanged("a", hold=True), 1.0)
        conference.handle(ParticipantChanged("b", muted=True), 1.0)
        conference.handle(ParticipantChanged("c", coach="b"), 1.0)
        refusal = check_admission(conference, "new", ParticipantSettings(max_participants=3))
        assert refusal is not None


class TestSection12StatusCallbacks:
    @pytest.mark.parametrize(
        ("word", "event", "sent"),
        [
            ("start", ParticipantJoined("b"), ["conference-start"]),
            ("join", ParticipantJoined("b"), ["participant-join"]),
            ("leave", ParticipantLeft("a", "hung_up"), ["participant-leave"]),
            ("end", ParticipantLeft("a", "hung_up"), ["conference-end"]),
            ("mute", ParticipantChanged("a", muted=True), ["participant-mute"]),
            ("hold", ParticipantChanged("a", hold=True), ["participant-hold"]),
            ("modify", ParticipantChanged("a", beep_on_exit=False), ["participant-modify"]),
            ("speaker", SpeechChanged("a", True), []),
        ],
    )
    def test_only_what_is_subscribed_to_is_sent(self, word: str, event: Event, sent: list[str]) -> None:
        conference = room(TRUE, subscription=frozenset({word}))
        told = of_type(conference.handle(event, 1.0), Notify)
        assert [n.event for n in told if isinstance(n, Notify) and n.subscribed] == sent

    def test_participant_parameters(self) -> None:
        settings = ParticipantSettings(label="Al", muted=True, end_conference_on_exit=True)
        commands = room(TRUE, TRUE).handle(ParticipantJoined("x", settings), 1.0)
        (join,) = parameters(commands, "participant-join")
        assert join == {
            "CallSid": "x",
            "Muted": "true",
            "Hold": "false",
            "Coaching": "false",
            "EndConferenceOnExit": "true",
            "StartConferenceOnEnter": "true",
            "ParticipantLabel": "Al",
        }

    def test_conference_end_parameters(self) -> None:
        label = ParticipantSettings(label="Al", end_conference_on_exit=True)
        (end,) = parameters(room(label).handle(ParticipantLeft("a", "hung_up"), 1.0), "conference-end")
        assert end.pop("Reason")
        assert end == {
            "CallSidEndingConference": "a",
            "ParticipantLabelEndingConference": "Al",
            "ReasonConferenceEnded": "participant-with-end-conference-on-exit-left",
        }


class TestSection14Patterns:
    LISTENER = ParticipantSettings(muted=True, start_conference_on_enter=False)
    SPEAKER = ParticipantSettings(start_conference_on_enter=False)
    MODERATOR = ParticipantSettings(start_conference_on_enter=True, end_conference_on_exit=True)

    @pytest.mark.parametrize("order", ["lsm", "lms", "slm", "sml", "mls", "msl"])
    def test_listener_speaker_and_moderator_in_every_order(self, order: str) -> None:
        roles = {"l": self.LISTENER, "s": self.SPEAKER, "m": self.MODERATOR}
        conference = Conference("CF1", "room")
        for sid in order:
            conference.handle(ParticipantJoined(sid, roles[sid]), 0.0)
        assert pairs(conference.hearing()) == {("l", "s"), ("l", "m"), ("s", "m"), ("m", "s")}
        conference.handle(ParticipantLeft("m", "hung_up"), 1.0)
        assert conference.status == "completed"


class TestSection15OpenPoints:
    def test_starter_on_hold_still_starts(self) -> None:
        conference = room(TRUE)
        conference.handle(ParticipantChanged("a", hold=True), 1.0)
        conference.handle(ParticipantJoined("b", FALSE), 2.0)
        assert conference.status == "in-progress"

    @pytest.mark.parametrize(("present", "recorded"), [([FALSE], True), ([TRUE, TRUE], False)])
    def test_record_counts_until_the_start(self, present: list[ParticipantSettings], recorded: bool) -> None:
        conference = room(*present)
        conference.handle(ParticipantJoined("x", TRUE, ConferenceSettings(record=True)), 1.0)
        assert conference.recording == recorded
