"""Who is refused, with which number and in which words."""

import pytest

from townhall.conference import (
    Conference,
    EndRequested,
    LockChanged,
    ParticipantJoined,
    ParticipantSettings,
    check_admission,
)

CALL = "CA" + "0a" * 16


def conference_of(*sids: str) -> Conference:
    conference = Conference("CF1", "room")
    for sid in sids:
        conference.handle(ParticipantJoined(sid, ParticipantSettings(label=f"label of {sid}")), 0.0)
    return conference


@pytest.mark.parametrize(
    ("settings", "code", "words"),
    [
        (ParticipantSettings(), None, ""),
        (ParticipantSettings(label="x" * 128), None, ""),
        (ParticipantSettings(label=""), None, ""),
        (ParticipantSettings(label="CA is my state"), None, ""),
        (ParticipantSettings(label="x" * 129), 16023, "129 characters; 128"),
        (ParticipantSettings(label=CALL), 16023, "looks like a Call SID"),
        (ParticipantSettings(label=CALL.upper()), 16023, "looks like a Call SID"),
        (ParticipantSettings(label="a/b"), 16023, "slash"),
        (ParticipantSettings(label="a%2Fb"), 16023, "slash"),
        (ParticipantSettings(label="label of a"), 16025, "in use"),
        (ParticipantSettings(label="Label of a"), None, ""),
        (ParticipantSettings(max_participants=3), None, ""),
        (ParticipantSettings(max_participants=2), 16020, "2 are in it, maxParticipants is 2"),
        (ParticipantSettings(coach="a"), None, ""),
        (ParticipantSettings(coach="gone"), 13240, "no other participant"),
        (ParticipantSettings(coach="new"), 13240, "no other participant"),
    ],
)
def test_admission_to_a_started_conference_of_two(
    settings: ParticipantSettings, code: int | None, words: str
) -> None:
    refusal = check_admission(conference_of("a", "b"), "new", settings)
    assert (refusal.code if refusal else None) == code
    assert words in (refusal.message if refusal else "")


@pytest.mark.parametrize("conference", [None, conference_of("a")])
def test_coach_before_the_start_is_refused(conference: Conference | None) -> None:
    refusal = check_admission(conference, "new", ParticipantSettings(coach="a"))
    assert refusal is not None
    assert refusal.code == 13240


def test_full_room_asks_the_joining_callers_own_limit() -> None:
    conference = Conference("CF1", "room")
    conference.handle(ParticipantJoined("a", ParticipantSettings(max_participants=1)), 0.0)
    assert check_admission(conference, "b", ParticipantSettings(max_participants=2)) is None


def test_completed_conference_takes_nobody() -> None:
    conference = conference_of("a")
    conference.handle(EndRequested(), 1.0)
    refusal = check_admission(conference, "b", ParticipantSettings())
    assert refusal is not None
    assert refusal.code == 13236


@pytest.mark.parametrize(
    ("locks", "settings", "code"),
    [
        ((True,), ParticipantSettings(), 16020),
        ((True,), ParticipantSettings(start_conference_on_enter=True, end_conference_on_exit=True), 16020),
        ((True,), ParticipantSettings(coach="gone"), 16020),
        ((True,), ParticipantSettings(invited=True), None),
        ((True,), ParticipantSettings(invited=True, max_participants=2), 16020),
        ((True, True), ParticipantSettings(), 16020),
        ((True, False), ParticipantSettings(), None),
        ((False,), ParticipantSettings(), None),
    ],
)
def test_locked_conference_admits_only_those_whom_the_api_calls(
    locks: tuple[bool, ...], settings: ParticipantSettings, code: int | None
) -> None:
    conference = conference_of("a", "b")
    for locked in locks:
        conference.handle(LockChanged(locked), 1.0)
    refusal = check_admission(conference, "new", settings)
    assert (refusal.code if refusal else None) == code


def test_locked_conference_says_so() -> None:
    conference = conference_of("a", "b")
    conference.handle(LockChanged(True), 1.0)
    refusal = check_admission(conference, "new", ParticipantSettings())
    assert refusal is not None
    assert "locked" in refusal.message
