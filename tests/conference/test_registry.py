"""Conferences found or made by name, and nothing left behind."""

from itertools import count

import pytest

from townhall.conference import (
    Admission,
    Conferences,
    ConferenceSettings,
    EndRequested,
    LocalProtocolError,
    LockChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    Refusal,
    Reservation,
    Transition,
)


@pytest.fixture
def conferences() -> Conferences:
    numbers = count(1)
    return Conferences(lambda: f"CF{next(numbers):032x}")


def reserve(conferences: Conferences, text: str) -> Reservation:
    reservation = conferences.reserve(text, 0.0)
    assert isinstance(reservation, Reservation)
    return reservation


def join(conferences: Conferences, text: str, call_sid: str) -> Admission:
    admission = reserve(conferences, text).enter(ParticipantJoined(call_sid), 0.0)
    assert isinstance(admission, Admission)
    return admission


def refused(conferences: Conferences, text: str) -> int:
    refusal = conferences.reserve(text, 0.0)
    assert isinstance(refusal, Refusal)
    return refusal.code


def test_name_is_trimmed_and_case_sensitive(conferences: Conferences) -> None:
    first = join(conferences, "\n   Room 1234\n  ", "a")
    assert first.created
    assert first.conference.name == "Room 1234"
    second = join(conferences, "Room 1234", "b")
    assert second.conference is first.conference
    assert not second.created
    assert join(conferences, "room 1234", "c").conference is not first.conference
    assert conferences.find(" Room 1234 ") is first.conference


def test_live_conference_is_joined_by_its_sid(conferences: Conferences) -> None:
    first = join(conferences, "room", "a")
    assert join(conferences, f" {first.conference.sid} ", "b").conference is first.conference
    assert conferences.get(first.conference.sid) is first.conference


@pytest.mark.parametrize(
    ("text", "code"),
    [("", 13237), (" \n ", 13237), ("x" * 129, 13237), ("CF" + "0" * 32, 13236), ("CF" + "AB" * 16, 13236)],
)
def test_text_that_names_no_conference_is_refused(conferences: Conferences, text: str, code: int) -> None:
    assert refused(conferences, text) == code
    assert len(conferences) == 0


def test_longest_name_is_taken(conferences: Conferences) -> None:
    assert join(conferences, "x" * 128, "a").created


def test_completed_conference_is_gone_at_once_and_its_name_free(conferences: Conferences) -> None:
    old = join(conferences, "room", "a").conference
    old.handle(ParticipantLeft("a", "hung_up"), 1.0)
    assert len(conferences) == 0
    assert conferences.get(old.sid) is None
    assert refused(conferences, old.sid) == 13236
    new = join(conferences, "room", "a").conference
    assert new.sid != old.sid


def test_reserved_conference_is_not_seen_until_somebody_is_in(conferences: Conferences) -> None:
    reservation = reserve(conferences, "room")
    assert list(conferences) == []
    assert conferences.find("room") is None
    assert conferences.get(reservation.conference.sid) is None
    reservation.enter(ParticipantJoined("a"), 0.0)
    assert list(conferences) == [reservation.conference]


def test_cancelled_reservation_leaves_nothing_behind(conferences: Conferences) -> None:
    with reserve(conferences, "room") as first, reserve(conferences, "room") as second:
        assert first.conference is second.conference
        first.cancel()
        first.cancel()
        assert len(conferences) == 1
    assert len(conferences) == 0


def test_cancelled_reservation_keeps_a_conference_with_people(conferences: Conferences) -> None:
    with reserve(conferences, "room") as reservation:
        admission = join(conferences, "room", "a")
        assert admission.created
        assert admission.conference is reservation.conference
    assert len(conferences) == 1


def test_refused_caller_leaves_no_conference_behind(conferences: Conferences) -> None:
    event = ParticipantJoined("a", ParticipantSettings(label="a/b"))
    refusal = reserve(conferences, "room").enter(event, 0.0)
    assert isinstance(refusal, Refusal)
    assert refusal.code == 16023
    assert len(conferences) == 0


def test_settings_come_from_the_first_who_gets_in(conferences: Conferences) -> None:
    slow = reserve(conferences, "room")
    fast = reserve(conferences, "room")
    mine = ConferenceSettings(frozenset({"join"}), "http://fast")
    fast.enter(ParticipantJoined("b", conference=mine), 0.0)
    slow.enter(ParticipantJoined("a", conference=ConferenceSettings(status_callback="http://slow")), 0.0)
    assert fast.conference.settings == mine


def test_conference_ended_during_reservation_is_made_anew(conferences: Conferences) -> None:
    old = join(conferences, "room", "a").conference
    reservation = reserve(conferences, "room")
    old.handle(EndRequested(), 1.0)
    admission = reservation.enter(ParticipantJoined("b"), 2.0)
    assert isinstance(admission, Admission)
    assert admission.created
    assert admission.conference.sid != old.sid
    admission.conference.handle(EndRequested(), 3.0)
    assert len(conferences) == 0


def test_conference_named_by_sid_ended_during_reservation_refuses(conferences: Conferences) -> None:
    old = join(conferences, "room", "a").conference
    reservation = reserve(conferences, old.sid)
    old.handle(EndRequested(), 1.0)
    refusal = reservation.enter(ParticipantJoined("b"), 2.0)
    assert isinstance(refusal, Refusal)
    assert refusal.code == 13236
    assert len(conferences) == 0


def test_reserved_empty_conference_can_be_ended(conferences: Conferences) -> None:
    with reserve(conferences, "room") as reservation:
        reservation.conference.handle(EndRequested(), 1.0)
        assert len(conferences) == 0
    assert len(conferences) == 0


def test_reservation_serves_once(conferences: Conferences) -> None:
    reservation = reserve(conferences, "room")
    reservation.enter(ParticipantJoined("a"), 0.0)
    with pytest.raises(LocalProtocolError, match="used up"):
        reservation.enter(ParticipantJoined("b"), 0.0)


def test_transitions_of_all_conferences_are_observable() -> None:
    seen: list[Transition] = []
    conferences = Conferences(lambda: "CF1", seen.append)
    conference = join(conferences, "room", "a").conference
    conference.handle(EndRequested(), 1.0)
    assert [(t.sid, t.before, t.after) for t in seen] == [
        ("CF1", "empty", "waiting"),
        ("CF1", "waiting", "completed"),
    ]


def test_caller_on_his_way_when_it_is_locked_stays_outside(conferences: Conferences) -> None:
    conference = join(conferences, "room", "a").conference
    reservation = reserve(conferences, "room")
    conference.handle(LockChanged(True), 1.0)
    refusal = reservation.enter(ParticipantJoined("b"), 2.0)
    assert isinstance(refusal, Refusal)
    assert refusal.code == 16020
    assert list(conference.participants) == ["a"]


def test_lock_ends_with_its_conference(conferences: Conferences) -> None:
    locked = join(conferences, "room", "a").conference
    locked.handle(LockChanged(True), 1.0)
    locked.handle(ParticipantLeft("a", "hung_up"), 2.0)
    again = join(conferences, "room", "b")
    assert again.created
    assert not again.conference.locked
