"""Whatever facts come, in whatever order: counts are true, and the journal gives the same picture again."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.harness.console_house import CALLS, SID

from townhall.console import attendance, wire
from townhall.console.facts import (
    Changed,
    Ended,
    Fact,
    Flags,
    Joined,
    Left,
    MutedByRule,
    Named,
    Noted,
    Opened,
    Recorded,
    Rung,
    Spoke,
    Started,
    TookRole,
    read,
    written,
)
from townhall.console.hall import Hall
from townhall.console.room import Room

TIMES = st.integers(0, 10_000)
PEOPLE = st.sampled_from(CALLS[:4])
SEQ = st.integers(0, 12)
FLAG = st.sampled_from([None, True, False])
FLAGS = st.builds(Flags, FLAG, FLAG, FLAG, st.sampled_from([None, "", CALLS[0]]), FLAG, FLAG, st.just("x"))
FACTS: st.SearchStrategy[Fact] = st.one_of(
    st.builds(Started, TIMES),
    st.builds(Named, TIMES, PEOPLE, st.sampled_from(["", "Ann"]), st.sampled_from(["", "+1555"])),
    st.builds(TookRole, TIMES, PEOPLE, st.sampled_from(["moderator", "speaker", "listener"])),
    st.builds(Rung, TIMES, PEOPLE),
    st.builds(Joined, TIMES, PEOPLE, FLAGS, SEQ),
    st.builds(Left, TIMES, PEOPLE, st.just("participant_hung_up"), SEQ),
    st.builds(Changed, TIMES, PEOPLE, FLAGS, SEQ),
    st.builds(Spoke, TIMES, PEOPLE, st.booleans(), SEQ),
    st.builds(MutedByRule, TIMES, PEOPLE),
    st.builds(Recorded, TIMES, st.just("RE1"), st.sampled_from(["in-progress", "completed", "processing"])),
    st.builds(Noted, TIMES, st.just("action"), st.just("x")),
)
STORY = st.lists(FACTS, max_size=40)


def check(room: Room) -> None:
    present = [person for person in room.people.values() if person.present]
    counts = room.counts()
    assert counts["total"] == room.present == len(present)
    assert counts["moderator"] + counts["speaker"] + counts["listener"] == counts["total"]
    assert room.peak >= len(present)
    assert room.attended == sum(len(person.stays) for person in room.people.values())
    for person in room.people.values():
        assert person.speaking_since_ms is None or person.present
        assert person.talk_ms == sum(stay.talk_ms for stay in person.stays)
        assert all(begin <= end for begin, end in person.spans)
        assert all(stay.left_at_ms is not None for stay in person.stays[:-1])
    json.dumps(wire.whole_conference(room))
    json.dumps(wire.timeline(room, 20_000))
    assert attendance.table(room, 20_000)


def picture(room: Room) -> str:
    shapes = (wire.whole_conference(room), wire.timeline(room, 20_000), attendance.rows(room, 20_000))
    return json.dumps(shapes)


@settings(deadline=None, max_examples=300)
@given(STORY, st.booleans())
def test_any_facts_leave_true_counts_and_a_journal_that_gives_them_again(
    story: list[Fact], ends: bool
) -> None:
    hall, journal = Hall(), []
    for fact in (Opened(0, SID, "Town Hall"), *story, *([Ended(10_000, "x")] if ends else [])):
        journal += hall.learn(SID, fact)
        check(hall.rooms[SID])
    again = Hall()
    for fact in journal:
        again.learn(SID, read(json.loads(json.dumps(written(fact)))))
    assert picture(again.rooms[SID]) == picture(hall.rooms[SID])


@settings(deadline=None, max_examples=300)
@given(STORY, st.sets(st.integers(0, 40)))
def test_deltas_add_up_to_the_snapshot(story: list[Fact], flushes: set[int]) -> None:
    """What a page that applies every delta shows is what a fresh snapshot would."""
    hall, people, conference = Hall(), {}, {}
    hall.learn(SID, Opened(0, SID, "Town Hall"))
    for turn, fact in enumerate((*story, None)):
        if fact is not None:
            hall.learn(SID, fact)
        if fact is not None and turn not in flushes:
            continue
        for event, data in wire.feed_of(hall.rooms[SID], 20_000):
            if event == "participants":
                people.update({row["call_sid"]: row for row in data["participants"]})
            elif event == "left":
                for call_sid in data["call_sids"]:
                    people.pop(call_sid, None)
            elif event == "conference":
                conference = data["conference"]
    whole = wire.whole_conference(hall.rooms[SID])
    assert people == {row["call_sid"]: row for row in whole["participants"]}
    assert conference == {name: whole[name] for name in conference}
