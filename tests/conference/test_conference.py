"""The rules as scripts: what happens, what must come out, and nothing else."""

import pytest
from tests.harness.playbook import Playbook

from townhall.conference import (
    AnnouncementEnded,
    Beep,
    Close,
    Conference,
    ConferenceSettings,
    EndRequested,
    GuestLost,
    Hint,
    LocalProtocolError,
    LockChanged,
    Mix,
    Notify,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    Release,
    SpeechChanged,
    StartHold,
    StartRecording,
    StartWaiting,
    StopHold,
    StopRecording,
    StopWaiting,
    Transition,
)

LISTENER = ParticipantSettings(muted=True, start_conference_on_enter=False)
SPEAKER = ParticipantSettings(start_conference_on_enter=False)
MODERATOR = ParticipantSettings(end_conference_on_exit=True)


def script(settings: ConferenceSettings | None = None) -> Playbook:
    """A new conference without the callbacks, which `test_callbacks` scripts."""
    return Playbook(Conference("CF1", "room", settings), leave_out=(Notify,))


def moderated() -> Playbook:
    """Lis listens, Sam speaks, Mod moderates; the conference has started."""
    play = script()
    for sid, settings in (("lis", LISTENER), ("sam", SPEAKER), ("mod", MODERATOR)):
        play.conference.handle(ParticipantJoined(sid, settings), 0.0)
    return play


def test_lone_starter_arrives_hears_wait_music() -> None:
    with script() as play:
        play >> ParticipantJoined("ann") << StartWaiting("ann")
    assert play.conference.status == "init"


def test_listener_waiting_hears_music_until_moderator_joins() -> None:
    with script() as play:
        play >> ParticipantJoined("lis", LISTENER) << StartWaiting("lis")
        play >> ParticipantJoined("mod", MODERATOR)
        play << StopWaiting("lis")
        play << Mix("lis", hears=True, heard=False) << Mix("mod", hears=True, heard=True)
        play << Beep("enter", owner="mod")
    assert play.conference.status == "in-progress"


def test_starter_waiting_alone_starts_when_listener_arrives() -> None:
    with script() as play:
        play >> ParticipantJoined("mod", MODERATOR) << StartWaiting("mod")
        play >> ParticipantJoined("lis", LISTENER)
        play << StopWaiting("mod")
        play << Mix("mod", hears=True, heard=True) << Mix("lis", hears=True, heard=False)
        play << Beep("enter", owner="lis")


def test_starter_left_before_others_came_they_wait() -> None:
    with script() as play:
        play >> ParticipantJoined("mod", ParticipantSettings()) << StartWaiting("mod")
        play >> ParticipantLeft("mod", "hung_up")
        play << StopWaiting("mod") << Release("mod") << Close("last-participant-left", "mod")
    with script() as play:
        play >> ParticipantJoined("a", SPEAKER) << StartWaiting("a")
        play >> ParticipantJoined("b", SPEAKER) << StartWaiting("b")
    assert play.conference.status == "init"


def test_starter_leaves_waiting_conference_keeps_no_memory_of_him() -> None:
    conference = Conference("CF1", "room")
    conference.handle(ParticipantJoined("a", SPEAKER), 0.0)
    assert conference.starts_now(MODERATOR)
    assert not conference.starts_now(SPEAKER)


def test_late_listener_joins_is_mixed_at_once_with_beep() -> None:
    with moderated() as play:
        play >> ParticipantJoined("late", LISTENER)
        play << Mix("late", hears=True, heard=False) << Beep("enter", owner="late")


def test_newcomer_without_entry_beep_is_silent() -> None:
    with moderated() as play:
        play >> ParticipantJoined("q", ParticipantSettings(beep_on_enter=False)) << Mix("q", True, True)


def test_participant_leaves_others_hear_exit_beep_unless_he_wants_none() -> None:
    with moderated() as play:
        play >> ParticipantLeft("sam", "hung_up") << Release("sam") << Beep("exit")
        play >> ParticipantChanged("lis", beep_on_exit=False)
        play >> ParticipantLeft("lis", "star", "in-progress") << Release("lis")


def test_last_one_left_hears_no_music_again() -> None:
    with script() as play:
        play >> ParticipantJoined("a") << StartWaiting("a")
        play >> ParticipantJoined("b")
        play << StopWaiting("a") << Mix("a", True, True) << Mix("b", True, True) << Beep("enter", "b")
        play >> ParticipantLeft("b", "hung_up") << Release("b") << Beep("exit")
    assert play.conference.status == "in-progress"


def test_moderator_leaves_everybody_is_released_in_order_of_arrival() -> None:
    with moderated() as play:
        play >> ParticipantLeft("mod", "hung_up") << Release("mod")
        play << Release("lis") << Release("sam")
        play << Close("participant-with-end-conference-on-exit-left", "mod")
    assert play.conference.status == "completed"
    assert not play.conference.participants


def test_moderator_leaves_while_others_wait_ends_too() -> None:
    alone = ParticipantSettings(start_conference_on_enter=False, end_conference_on_exit=True)
    with script() as play:
        play >> ParticipantJoined("a", alone) << StartWaiting("a")
        play >> ParticipantJoined("b", SPEAKER) << StartWaiting("b")
        play >> ParticipantLeft("a", "kicked", "in-progress") << StopWaiting("a") << Release("a")
        play << StopWaiting("b") << Release("b")
        play << Close("participant-with-end-conference-on-exit-kicked", "a")


def test_end_requested_stops_music_and_releases_all() -> None:
    with moderated() as play:
        play >> ParticipantChanged("sam", hold=True) << Mix("sam", False, False) << StartHold("sam")
        play >> EndRequested()
        play << Release("lis") << StopHold("sam") << Release("sam") << Release("mod")
        play << Close("conference-ended-via-api")


def test_end_on_exit_set_while_on_hold_counts() -> None:
    with moderated() as play:
        play >> ParticipantChanged("sam", hold=True) << Mix("sam", False, False) << StartHold("sam")
        play >> ParticipantChanged("sam", end_conference_on_exit=True)
        play >> ParticipantLeft("sam", "hung_up") << StopHold("sam") << Release("sam")
        play << Release("lis") << Release("mod")
        play << Close("participant-with-end-conference-on-exit-left", "sam")


def test_end_on_exit_taken_away_conference_goes_on() -> None:
    with moderated() as play:
        play >> ParticipantChanged("mod", end_conference_on_exit=False)
        play >> ParticipantLeft("mod", "hung_up") << Release("mod") << Beep("exit")


def test_dial_out_that_never_connected_ends_nothing_and_does_not_beep() -> None:
    with moderated() as play:
        play >> ParticipantLeft("mod", "add_failed", "no-answer") << Release("mod")
    assert play.conference.status == "in-progress"


def test_mute_and_unmute_change_only_his_place() -> None:
    with moderated() as play:
        play >> ParticipantChanged("sam", muted=True) << Mix("sam", hears=True, heard=False)
        play >> ParticipantChanged("sam", muted=True)
        play >> ParticipantChanged("sam", muted=False) << Mix("sam", hears=True, heard=True)


def test_muted_participant_off_hold_stays_muted() -> None:
    with moderated() as play:
        play >> ParticipantChanged("lis", hold=True) << Mix("lis", False, False) << StartHold("lis")
        play >> ParticipantChanged("lis", hold=False) << StopHold("lis") << Mix("lis", True, False)


def test_mute_while_waiting_counts_at_start() -> None:
    with script() as play:
        play >> ParticipantJoined("sam", SPEAKER) << StartWaiting("sam")
        play >> ParticipantChanged("sam", muted=True)
        play >> ParticipantJoined("mod", MODERATOR) << StopWaiting("sam")
        play << Mix("sam", hears=True, heard=False) << Mix("mod", hears=True, heard=True)
        play << Beep("enter", owner="mod")


def test_hold_while_waiting_changes_music_and_outlives_the_start() -> None:
    with script() as play:
        play >> ParticipantJoined("sam", SPEAKER) << StartWaiting("sam")
        play >> ParticipantChanged("sam", hold=True) << StopWaiting("sam") << StartHold("sam")
        play >> ParticipantChanged("sam", hold=False) << StopHold("sam") << StartWaiting("sam")
        play >> ParticipantChanged("sam", hold=True) << StopWaiting("sam") << StartHold("sam")
        play >> ParticipantJoined("mod", MODERATOR) << Mix("mod", True, True) << Beep("enter", "mod")
        play >> ParticipantChanged("sam", hold=False) << StopHold("sam") << Mix("sam", True, True)


def test_starter_on_hold_still_counts() -> None:
    with script() as play:
        play >> ParticipantJoined("mod", MODERATOR) << StartWaiting("mod")
        play >> ParticipantChanged("mod", hold=True) << StopWaiting("mod") << StartHold("mod")
        play >> ParticipantJoined("sam", SPEAKER) << Mix("sam", True, True) << Beep("enter", "sam")


def test_wait_url_changed_restarts_the_music_of_one_who_waits() -> None:
    with script() as play:
        play >> ParticipantJoined("sam", SPEAKER) << StartWaiting("sam")
        play >> ParticipantChanged("sam", wait_url_changed=True) << StopWaiting("sam") << StartWaiting("sam")
        play >> ParticipantChanged("sam", hold=True) << StopWaiting("sam") << StartHold("sam")
        play >> ParticipantChanged("sam", wait_url_changed=True)
    with moderated() as play:
        play >> ParticipantChanged("sam", wait_url_changed=True)


def test_coach_is_heard_by_his_one_only() -> None:
    with moderated() as play:
        coach = ParticipantSettings(coach="sam", beep_on_enter=False)
        play >> ParticipantJoined("cat", coach) << Mix("cat", True, False, whisper_to="sam")
        play >> ParticipantChanged("cat", coach="lis") << Mix("cat", True, False, whisper_to="lis")
        play >> ParticipantChanged("cat", muted=True) << Mix("cat", True, False)
        play >> ParticipantChanged("cat", muted=False) << Mix("cat", True, False, whisper_to="lis")
        play >> ParticipantChanged("cat", coach="") << Mix("cat", True, True)


def test_coach_whose_one_leaves_or_is_on_hold_is_heard_by_nobody() -> None:
    with moderated() as play:
        play >> ParticipantChanged("mod", coach="sam") << Mix("mod", True, False, whisper_to="sam")
        play >> ParticipantChanged("sam", hold=True)
        play << Mix("sam", False, False) << Mix("mod", True, False) << StartHold("sam")
        play >> ParticipantChanged("sam", hold=False) << StopHold("sam")
        play << Mix("sam", True, True) << Mix("mod", True, False, whisper_to="sam")
        play >> ParticipantLeft("sam", "hung_up") << Release("sam") << Mix("mod", True, False) << Beep("exit")
    assert play.conference.participants["mod"].coaching
    assert play.conference.participants["mod"].coach == "sam"


def test_coach_is_heard_again_when_his_one_comes_back() -> None:
    with moderated() as play:
        play >> ParticipantChanged("mod", coach="sam") << Mix("mod", True, False, whisper_to="sam")
        play >> ParticipantLeft("sam", "redirected", "in-progress") << Release("sam")
        play << Mix("mod", True, False) << Beep("exit")
        play >> ParticipantJoined("sam") << Mix("sam", True, True)
        play << Mix("mod", True, False, whisper_to="sam") << Beep("enter", "sam")


def test_coach_of_himself_is_heard_by_nobody() -> None:
    with moderated() as play:
        play >> ParticipantChanged("mod", coach="mod") << Mix("mod", True, False)


def test_recording_runs_from_start_to_end() -> None:
    with script(ConferenceSettings(record=True)) as play:
        play >> ParticipantJoined("a") << StartWaiting("a")
        play >> ParticipantJoined("b")
        play << StopWaiting("a") << Mix("a", True, True) << Mix("b", True, True) << Beep("enter", "b")
        play << StartRecording()
        play >> EndRequested() << Release("a") << Release("b") << StopRecording()
        play << Close("conference-ended-via-api")


def test_record_of_a_later_participant_counts_only_until_the_start() -> None:
    record = ConferenceSettings(record=True, trim_silence=False)
    with script() as play:
        play >> ParticipantJoined("a", SPEAKER) << StartWaiting("a")
        play >> ParticipantJoined("b", MODERATOR, record)
        play << StopWaiting("a") << Mix("a", True, True) << Mix("b", True, True) << Beep("enter", "b")
        play << StartRecording()
    assert not play.conference.settings.trim_silence
    with moderated() as play:
        play >> ParticipantJoined("late", LISTENER, record) << Mix("late", True, False)
        play << Beep("enter", "late")
    assert not play.conference.recording


def test_conference_settings_are_the_first_participants() -> None:
    first = ConferenceSettings(frozenset({"join"}), "http://first")
    conference = Conference("CF1", "room")
    conference.handle(ParticipantJoined("a", SPEAKER, first), 0.0)
    conference.handle(ParticipantJoined("b", SPEAKER, ConferenceSettings(frozenset({"end"}))), 0.0)
    assert conference.settings == first


def test_later_status_callback_gets_one_hint() -> None:
    later = ConferenceSettings(frozenset({"join"}), "http://later")
    with script() as play:
        play >> ParticipantJoined("a", SPEAKER) << StartWaiting("a")
        play >> ParticipantJoined("b", SPEAKER, later) << StartWaiting("b")
        play << Hint(
            "b",
            "statusCallback http://later is not used: conference 'room' takes it from its first participant, "
            "who gave none. Give every participant's <Conference> the same one.",
        )
        play >> ParticipantJoined("c", SPEAKER, later) << StartWaiting("c")


def test_same_status_callback_from_all_gets_no_hint() -> None:
    same = ConferenceSettings(frozenset({"join"}), "http://same")
    with script() as play:
        play >> ParticipantJoined("a", SPEAKER, same) << StartWaiting("a")
        play >> ParticipantJoined("b", SPEAKER, same) << StartWaiting("b")


@pytest.mark.parametrize(
    "event",
    [
        ParticipantLeft("gone", "hung_up"),
        ParticipantChanged("gone", muted=True),
        SpeechChanged("gone", True),
        AnnouncementEnded("http://a", "gone"),
    ],
)
def test_event_about_one_who_is_not_there_changes_nothing(event: ParticipantLeft) -> None:
    for conference in (Conference("CF1", "room"), moderated().conference):
        assert conference.handle(event, 1.0) == []


def test_completed_conference_lets_a_latecomer_go_and_ignores_the_rest() -> None:
    with moderated() as play:
        play.conference.handle(EndRequested(), 5.0)
        play >> EndRequested()
        play >> ParticipantLeft("sam", "hung_up")
        play >> ParticipantJoined("late") << Release("late")
    assert not play.conference.participants
    assert (play.conference.ended_at, play.conference.reason_ended) == (5.0, "conference-ended-via-api")


def test_second_arrival_of_a_participant_is_our_own_mistake() -> None:
    play = moderated()
    with pytest.raises(LocalProtocolError, match="sam is in conference CF1 already"):
        play >> ParticipantJoined("sam")


def test_transitions_are_observable() -> None:
    seen: list[Transition] = []
    conference = Conference("CF1", "room", observe=seen.append)
    for now, sid in enumerate("abc"):
        conference.handle(ParticipantJoined(sid), float(now))
    conference.handle(EndRequested(), 9.0)
    assert seen == [
        Transition("CF1", "empty", "waiting", 0.0),
        Transition("CF1", "waiting", "in-progress", 1.0),
        Transition("CF1", "in-progress", "completed", 9.0),
    ]
    assert (conference.started_at, conference.ended_at) == (1.0, 9.0)


def test_lock_moves_nobody() -> None:
    with moderated() as play:
        play >> LockChanged(True)
        play >> ParticipantChanged("sam", muted=True) << Mix("sam", hears=True, heard=False)
    assert play.conference.locked
    assert list(play.conference.participants) == ["lis", "sam", "mod"]


def test_guest_who_is_lost_changes_nothing() -> None:
    settings = ParticipantSettings(end_conference_on_exit=True)
    with moderated() as play:
        play >> GuestLost("gus", settings, "busy")
    assert play.conference.status == "in-progress"


def test_lock_that_crosses_the_end_changes_nothing() -> None:
    play = moderated()
    play.conference.handle(EndRequested(), 1.0)
    with play:
        play >> LockChanged(True)
    assert not play.conference.locked
