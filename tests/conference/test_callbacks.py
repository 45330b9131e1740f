"""The status callbacks: which, when, with which parameters, in which order, and their numbers."""

import pytest

from townhall.conference import (
    AnnouncementEnded,
    Conference,
    ConferenceSettings,
    EndRequested,
    Event,
    GuestLost,
    LockChanged,
    Mix,
    Notify,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    SoundChanged,
    SpeechChanged,
    TrustSound,
)
from townhall.conference.callbacks import SUBSCRIPTION

ALL = frozenset(SUBSCRIPTION.values())
FLAGS = ("CallSid", "Muted", "Hold", "Coaching", "EndConferenceOnExit", "StartConferenceOnEnter")


def flags(call_sid: str, *values: str) -> tuple[tuple[str, str], ...]:
    return tuple(zip(FLAGS, (call_sid, *values), strict=True))


def told(conference: Conference, event: Event) -> list[Notify]:
    return [command for command in conference.handle(event, 1.0) if isinstance(command, Notify)]


def in_progress(subscription: frozenset[str] = ALL) -> Conference:
    conference = Conference("CF1", "room", ConferenceSettings(subscription))
    conference.handle(ParticipantJoined("ann", ParticipantSettings(label="Ann")), 0.0)
    conference.handle(ParticipantJoined("bob", ParticipantSettings(muted=True)), 0.0)
    return conference


ANN = (*flags("ann", "false", "false", "false", "false", "true"), ("ParticipantLabel", "Ann"))


def test_join_before_start_numbered_from_one() -> None:
    conference = Conference("CF1", "room", ConferenceSettings(ALL))
    settings = ParticipantSettings(label="Ann")
    assert told(conference, ParticipantJoined("ann", settings)) == [Notify("participant-join", 1, True, ANN)]
    bob = flags("bob", "true", "false", "false", "true", "false")
    settings = ParticipantSettings(muted=True, start_conference_on_enter=False, end_conference_on_exit=True)
    assert told(conference, ParticipantJoined("bob", settings)) == [
        Notify("participant-join", 2, True, bob),
        Notify("conference-start", 3, True),
    ]


@pytest.mark.parametrize(
    ("change", "events"),
    [
        (ParticipantChanged("ann", muted=True), ["participant-mute"]),
        (ParticipantChanged("bob", muted=False), ["participant-unmute"]),
        (ParticipantChanged("bob", muted=True), []),
        (ParticipantChanged("ann", hold=True), ["participant-hold"]),
        (ParticipantChanged("ann", hold=False), []),
        (ParticipantChanged("ann", beep_on_exit=False), ["participant-modify"]),
        (ParticipantChanged("ann", beep_on_exit=True), []),
        (ParticipantChanged("ann", end_conference_on_exit=True), ["participant-modify"]),
        (ParticipantChanged("ann", coach="bob"), ["participant-modify"]),
        (ParticipantChanged("ann", coach=""), []),
        (ParticipantChanged("ann", wait_url_changed=True), ["participant-modify"]),
        (
            ParticipantChanged("ann", muted=True, hold=True, coach="bob", beep_on_exit=False),
            ["participant-mute", "participant-hold", "participant-modify"],
        ),
    ],
)
def test_update_tells_what_changed(change: ParticipantChanged, events: list[str]) -> None:
    assert [notify.event for notify in told(in_progress(), change)] == events


def test_update_tells_flags_after_the_change() -> None:
    conference = in_progress()
    conference.handle(ParticipantChanged("bob", hold=True), 1.0)
    notify = told(conference, ParticipantChanged("bob", coach="ann", end_conference_on_exit=True))
    assert notify == [
        Notify("participant-modify", 5, True, flags("bob", "true", "true", "true", "true", "true"))
    ]
    unhold = told(conference, ParticipantChanged("bob", hold=False))
    assert unhold[0].event == "participant-unhold"


def test_moderator_leaves_leaves_come_before_end() -> None:
    conference = in_progress()
    conference.handle(ParticipantChanged("ann", end_conference_on_exit=True), 1.0)
    leave_ann, leave_bob, end = told(conference, ParticipantLeft("ann", "hung_up"))
    assert leave_ann.event == leave_bob.event == "participant-leave"
    assert leave_ann.parameters == (
        *flags("ann", "false", "false", "false", "true", "true"),
        ("ParticipantLabel", "Ann"),
        ("ParticipantCallStatus", "completed"),
        ("ReasonParticipantLeft", "participant_hung_up"),
    )
    assert leave_bob.parameters == (
        *flags("bob", "true", "false", "false", "false", "true"),
        ("ParticipantCallStatus", "in-progress"),
        ("ReasonParticipantLeft", "moderator_ended_conference"),
    )
    assert end == Notify(
        "conference-end",
        7,
        True,
        (
            ("CallSidEndingConference", "ann"),
            ("ParticipantLabelEndingConference", "Ann"),
            ("ReasonConferenceEnded", "participant-with-end-conference-on-exit-left"),
            ("Reason", "A participant with endConferenceOnExit left."),
        ),
    )


def test_end_by_api_names_no_call() -> None:
    *leaves, end = told(in_progress(), EndRequested())
    assert [dict(leave.parameters)["ReasonParticipantLeft"] for leave in leaves] == [
        "conference_ended_via_api",
        "conference_ended_via_api",
    ]
    assert [name for name, _ in end.parameters] == ["ReasonConferenceEnded", "Reason"]
    assert dict(end.parameters)["ReasonConferenceEnded"] == "conference-ended-via-api"


def test_announcement_to_all_and_to_one() -> None:
    conference = in_progress()
    assert told(conference, AnnouncementEnded("http://a")) == [
        Notify("announcement-end", 4, True, (("AnnounceUrl", "http://a"),))
    ]
    failed = told(conference, AnnouncementEnded("http://a", "ann", failure="404"))
    assert failed == [
        Notify(
            "announcement-fail",
            5,
            True,
            (*ANN, ("AnnounceUrl", "http://a"), ("ReasonAnnouncementFailed", "404")),
        )
    ]


def test_speech_is_told_of_those_who_are_heard() -> None:
    conference = in_progress()
    assert [n.event for n in told(conference, SpeechChanged("ann", True))] == ["participant-speech-start"]
    assert told(conference, SpeechChanged("ann", True)) == []
    assert [n.event for n in told(conference, SpeechChanged("ann", False))] == ["participant-speech-stop"]
    assert told(conference, SpeechChanged("bob", True)) == []


def test_speaker_muted_in_mid_word_has_ceased_to_speak() -> None:
    conference = in_progress()
    conference.handle(SpeechChanged("ann", True), 1.0)
    events = [notify.event for notify in told(conference, ParticipantChanged("ann", muted=True))]
    assert events == ["participant-mute", "participant-speech-stop"]
    assert told(conference, ParticipantChanged("ann", muted=False))[-1].event == "participant-unmute"


def test_whispering_coach_whose_one_leaves_has_ceased_to_speak() -> None:
    conference = in_progress()
    conference.handle(ParticipantChanged("ann", coach="bob"), 1.0)
    conference.handle(SpeechChanged("ann", True), 1.0)
    events = [notify.event for notify in told(conference, ParticipantLeft("bob", "hung_up"))]
    assert events == ["participant-leave", "participant-speech-stop"]


def test_nobody_waiting_speaks() -> None:
    conference = Conference("CF1", "room", ConferenceSettings(ALL))
    conference.handle(ParticipantJoined("ann"), 0.0)
    assert told(conference, SpeechChanged("ann", True)) == []


def test_hold_music_mutes_with_the_reason_and_a_voice_unmutes() -> None:
    conference = in_progress()
    conference.handle(SpeechChanged("ann", True), 1.0)
    commands = conference.handle(SoundChanged("ann", "music"), 2.0)
    assert Mix("ann", hears=True, heard=False) in commands
    muted, ceased = (command for command in commands if isinstance(command, Notify))
    assert (muted.event, ceased.event) == ("participant-mute", "participant-speech-stop")
    assert dict(muted.parameters)["MuteReason"] == "hold-music"
    assert dict(muted.parameters)["Muted"] == "true"
    assert conference.participants["ann"].muted
    mix, unmuted = conference.handle(SoundChanged("ann", None), 3.0)
    assert mix == Mix("ann", hears=True, heard=True)
    assert isinstance(unmuted, Notify)
    assert unmuted.event == "participant-unmute"
    assert dict(unmuted.parameters)["MuteReason"] == "resumed"


def test_who_was_muted_by_hand_meanwhile_stays_muted() -> None:
    conference = in_progress()
    conference.handle(SoundChanged("ann", "tone"), 1.0)
    assert told(conference, ParticipantChanged("ann", muted=True)) == []
    assert conference.handle(SoundChanged("ann", None), 2.0) == []
    assert conference.participants["ann"].muted


def test_who_is_unmuted_by_hand_is_trusted_from_then_on() -> None:
    conference = in_progress()
    conference.handle(SoundChanged("ann", "music"), 1.0)
    trust, mix, unmuted = conference.handle(ParticipantChanged("ann", muted=False), 2.0)
    assert trust == TrustSound("ann")
    assert mix == Mix("ann", hears=True, heard=True)
    assert isinstance(unmuted, Notify)
    assert "MuteReason" not in dict(unmuted.parameters)
    assert conference.handle(SoundChanged("ann", None), 3.0) == []


def test_music_of_somebody_who_is_muted_or_waits_changes_nothing() -> None:
    conference = in_progress()
    assert conference.handle(SoundChanged("bob", "music"), 1.0) == []
    waiting = Conference("CF1", "room", ConferenceSettings(ALL))
    waiting.handle(ParticipantJoined("ann"), 0.0)
    assert waiting.handle(SoundChanged("ann", "music"), 1.0) == []
    assert conference.handle(SoundChanged("gone", "music"), 1.0) == []


def test_lock_and_unlock_are_told_when_they_change() -> None:
    conference = in_progress()
    assert told(conference, LockChanged(False)) == []
    assert told(conference, LockChanged(True)) == [Notify("conference-lock", 4, True)]
    assert told(conference, LockChanged(True)) == []
    assert told(conference, LockChanged(False)) == [Notify("conference-unlock", 5, True)]


def test_lock_is_told_to_nobody_who_did_not_ask_for_it() -> None:
    conference = in_progress(ALL - {"lock"})
    assert told(conference, LockChanged(True)) == [Notify("conference-lock", 0, False)]


def test_guest_who_never_answers_is_told_with_the_status_of_his_call() -> None:
    settings = ParticipantSettings(label="Gus", muted=True)
    assert told(in_progress(), GuestLost("gus", settings, "no-answer")) == [
        Notify(
            "participant-leave",
            4,
            True,
            (
                *flags("gus", "true", "false", "false", "false", "true"),
                ("ParticipantLabel", "Gus"),
                ("ParticipantCallStatus", "no-answer"),
                ("ReasonParticipantLeft", "participant_add_failed"),
            ),
        )
    ]


@pytest.mark.parametrize("word", sorted(ALL))
def test_subscription_to_one_word_numbers_only_its_events(word: str) -> None:
    conference = in_progress(frozenset({word}))
    story: list[Event] = [
        ParticipantChanged("ann", muted=True, hold=True, beep_on_exit=False),
        ParticipantChanged("ann", muted=False, hold=False),
        SpeechChanged("ann", True),
        SpeechChanged("ann", False),
        AnnouncementEnded("http://a"),
        AnnouncementEnded("http://a", failure="404"),
        LockChanged(True),
        LockChanged(False),
        ParticipantLeft("ann", "hung_up"),
        EndRequested(),
    ]
    heard = [notify for event in story for notify in told(conference, event)]
    sent = [notify for notify in heard if notify.subscribed]
    first = 3 if word == "join" else 2 if word == "start" else 1
    assert [notify.sequence_number for notify in sent] == list(range(first, first + len(sent)))
    wanted = {event for event, asked in SUBSCRIPTION.items() if asked == word}
    assert {notify.event for notify in sent} == wanted - {"participant-join", "conference-start"}
    assert all(notify.sequence_number == 0 for notify in heard if not notify.subscribed)
