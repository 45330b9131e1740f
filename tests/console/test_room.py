"""The model of one conference: facts in, what the page sees out, whatever order they come in."""

import pytest
from tests.harness.console_house import CALLS, SID

from townhall.console import wire
from townhall.console.facts import (
    Changed,
    Ended,
    Fact,
    Flags,
    Joined,
    Left,
    Locked,
    MutedAll,
    MutedByRule,
    Named,
    Noted,
    Recorded,
    Rung,
    Spoke,
    Started,
    TookRole,
    read,
    written,
)
from townhall.console.room import MOST_ENTRIES, Room

ANN, BEN, EVE = CALLS[:3]
SPEAKER = Flags(muted=False, hold=False, coaching=False, starts=False, ends=False)
LISTENER = Flags(muted=True, hold=False, coaching=False, starts=False, ends=False)
MODERATOR = Flags(muted=False, hold=False, coaching=False, starts=True, ends=True)


def room_of(*facts: Fact) -> Room:
    room = Room(SID, "Town Hall", 1_000, ("1000",))
    for fact in facts:
        room.learn(fact)
    return room


def states(room: Room) -> dict[str, str]:
    return {one["call_sid"]: one["state"] for one in wire.whole_conference(room)["participants"]}


def test_speaker_waits_until_the_moderator_starts_the_conference() -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER))
    assert (room.state, room.waiting_for, states(room)) == ("waiting", "moderator", {ANN: "waiting"})
    room.learn(Joined(3_000, BEN, MODERATOR))
    assert room.waiting_for == "others"
    room.learn(Started(3_000))
    assert (room.state, room.waiting_for) == ("live", None)
    assert states(room) == {ANN: "quiet", BEN: "quiet"}


@pytest.mark.parametrize(
    ("flags", "state"),
    [
        (Flags(muted=True), "muted"),
        (Flags(hold=True), "hold"),
        (Flags(muted=True, hold=True), "hold"),
        (Flags(coaching=True, coach=BEN), "coaching"),
        (Flags(hold=True, coaching=True), "hold"),
        (Flags(), "quiet"),
    ],
)
def test_state_is_the_first_that_fits(flags: Flags, state: str) -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER), Started(3_000), Changed(4_000, ANN, flags))
    assert states(room) == {ANN: state}


def test_talk_is_counted_and_told_in_spans() -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER), Started(2_500))
    room.take_changes()
    room.learn(Spoke(3_000, ANN, began=True))
    assert states(room) == {ANN: "talking"}
    opened = list(room.take_changes().spans.values())
    room.learn(Spoke(4_500, ANN, began=False))
    closed = list(room.take_changes().spans.values())
    assert [(span.from_ms, span.to_ms) for span in (*opened, *closed)] == [(3_000, None), (3_000, 4_500)]
    assert room.people[ANN].talk_ms == 1_500


@pytest.mark.parametrize("end", [Left(4_000, ANN), Changed(4_000, ANN, Flags(muted=True)), Ended(4_000, "x")])
def test_talk_ends_with_leaving_muting_and_the_conference(end: Fact) -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER), Started(2_500), Spoke(3_000, ANN, began=True), end)
    assert room.people[ANN].spans == [(3_000, 4_000)]
    assert room.people[ANN].speaking_since_ms is None


def test_word_of_somebody_who_has_left_is_nothing() -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER), Started(2_000), Left(3_000, ANN))
    assert not room.learn(Spoke(3_100, ANN, began=True))
    assert not room.learn(Spoke(3_200, BEN, began=True))
    assert room.people[ANN].spans == []
    assert BEN not in room.people


def test_older_callback_does_not_undo_a_younger_one() -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER, seq=1))
    room.learn(Changed(2_100, ANN, Flags(muted=True), seq=5))
    assert not room.learn(Changed(2_200, ANN, Flags(muted=False), seq=4))
    assert room.people[ANN].muted


def test_join_that_comes_after_its_leave_lets_nobody_in() -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER, seq=1), Left(3_000, ANN, seq=7))
    assert not room.learn(Joined(3_100, ANN, SPEAKER, seq=2))
    assert room.roster() == []
    room.learn(Joined(4_000, ANN, SPEAKER, seq=9))
    assert [stay.left_at_ms for stay in room.people[ANN].stays] == [3_000, None]


def test_second_join_of_who_is_there_corrects_his_flags_only() -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER), Joined(5_000, ANN, LISTENER))
    person = room.people[ANN]
    assert (person.muted, len(person.stays), room.attended) == (True, 1, 1)


@pytest.mark.parametrize(
    ("flags", "role"), [(SPEAKER, "speaker"), (LISTENER, "listener"), (MODERATOR, "moderator")]
)
def test_role_of_another_applications_caller_is_what_he_came_as(flags: Flags, role: str) -> None:
    room = room_of(Joined(2_000, ANN, flags), Changed(3_000, ANN, Flags(muted=True)))
    assert room.people[ANN].role == role


def test_role_taken_in_the_menu_wins() -> None:
    room = room_of(TookRole(1_900, ANN, "listener"), Joined(2_000, ANN, MODERATOR))
    assert room.counts() == {"moderator": 0, "speaker": 0, "listener": 1, "ringing": 0, "total": 1}


def test_guest_rings_then_joins_or_does_not_come() -> None:
    room = room_of(Named(1_000, ANN, "Dr. Who", "+1555", "guest"), Rung(1_000, ANN), Rung(1_000, BEN))
    assert states(room) == {ANN: "ringing", BEN: "ringing"}
    assert room.counts()["ringing"] == 2
    room.learn(Joined(2_000, ANN, SPEAKER))
    room.learn(Left(3_000, BEN, "participant_add_failed"))
    assert states(room) == {ANN: "waiting"}
    assert room.entries[-1].text == "A caller did not come"
    assert (room.attended, room.present) == (1, 1)


def test_end_empties_the_roster_and_says_who_caused_it() -> None:
    room = room_of(
        Named(1_000, ANN, name="Ann"),
        Joined(2_000, ANN, MODERATOR),
        Joined(2_100, BEN, SPEAKER),
        Started(2_100),
        Ended(9_000, "participant-with-end-conference-on-exit-left", ANN),
    )
    assert (room.state, room.roster(), room.present, room.peak) == ("ended", [], 0, 2)
    assert room.entries[-1].text == "The conference ended when Ann left"
    assert not room.learn(Ended(9_100, "lost"))


def test_changes_stand_once_however_often_they_happened() -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER), Started(2_000))
    room.take_changes()
    for turn in range(50):
        room.learn(Changed(3_000 + turn, ANN, Flags(muted=turn % 2 == 0)))
    names = [event for event, _ in wire.feed_of(room, 4_000)]
    assert names == ["participants"]
    assert not room.changes


def test_who_joins_and_leaves_between_two_flushes_is_only_told_as_left() -> None:
    room = room_of(Joined(2_000, ANN, SPEAKER))
    room.take_changes()
    room.learn(Joined(3_000, BEN, SPEAKER))
    room.learn(Left(3_050, BEN))
    events = dict(wire.feed_of(room, 4_000))
    assert "participants" not in events
    assert events["left"]["call_sids"] == [BEN]
    assert [entry["kind"] for entry in events["entries"]["entries"]] == ["joined", "left"]


def test_event_log_is_bounded() -> None:
    room = room_of()
    for turn in range(MOST_ENTRIES + 10):
        room.learn(Noted(turn, "fault", "again"))
    assert (len(room.entries), room.entries[0].id) == (MOST_ENTRIES, 11)


def test_mute_all_remembers_whom_it_muted() -> None:
    room = room_of(Joined(1, ANN, SPEAKER), Joined(1, BEN, LISTENER), MutedAll(2, True), MutedByRule(2, ANN))
    assert [person.muted_by_rule for person in room.roster()] == [True, False]
    room.learn(Changed(3, ANN, Flags(muted=False)))
    room.learn(Changed(4, ANN, Flags(muted=True)))
    assert not room.people[ANN].muted_by_rule  # a moderator's own mute is not the rule's


def test_recordings_last_state_is_not_taken_back_by_a_late_callback() -> None:
    room = room_of(Recorded(1, "RE1", "in-progress", since_ms=1), Recorded(2, "RE1", "completed", 1, 5_000))
    assert not room.learn(Recorded(3, "RE1", "in-progress"))
    assert (room.recordings["RE1"].status, room.recordings["RE1"].duration_ms) == ("completed", 5_000)
    assert room.recording is None


FACTS: list[Fact] = [
    Joined(2, ANN, MODERATOR, seq=3),
    Named(2, ANN, "Ann", "+1555", "browser"),
    TookRole(2, ANN, "moderator"),
    Started(3),
    Spoke(4, ANN, True),
    Locked(5, True),
    MutedAll(5, True),
    MutedByRule(6, ANN),
    Recorded(6, "RE1", "in-progress", 6, None, 2, ANN, "both"),
    Noted(7, "action", "Eve muted Ann", "Eve", "mute", (ANN,)),
    Rung(8, BEN),
    Changed(8, ANN, Flags(muted=True)),
    Left(9, ANN, "participant_hung_up", seq=9),
    Ended(10, "last-participant-left", ANN),
]


@pytest.mark.parametrize("fact", FACTS)
def test_fact_is_read_back_as_it_was_written(fact: Fact) -> None:
    assert read(written(fact)) == fact


@pytest.mark.parametrize("kept", [{}, {"fact": "Nothing"}, {"fact": "Started"}, {"fact": "Started", "at": 1}])
def test_what_is_no_fact_is_refused(kept: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="no fact"):
        read(kept)
