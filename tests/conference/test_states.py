"""The documented table of states: complete, true to the code, and the same in the documentation."""

from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest

from townhall.conference import (
    AnnouncementEnded,
    Conference,
    EndRequested,
    Event,
    GuestLost,
    LockChanged,
    ParticipantChanged,
    ParticipantJoined,
    ParticipantLeft,
    ParticipantSettings,
    SoundChanged,
    SpeechChanged,
)
from townhall.conference.states import STATES, Rule, State
from townhall.conference.states.table import markdown

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "conference.md"
STARTS = ParticipantSettings()
WAITS = ParticipantSettings(start_conference_on_enter=False)
ENDS = ParticipantSettings(start_conference_on_enter=False, end_conference_on_exit=True)


def conference_in(state: str, guard: str) -> Conference:
    """A conference in this state where the guard is true of "a"; "b" and "c" are the others, if any."""
    conference = Conference("CF1", "room")
    if state == "empty":
        return conference
    alone = guard == "he was the last"
    for sid in ("a",) if alone else ("a", "b", "c"):
        settings = ENDS if sid == "a" and guard == "he has endConferenceOnExit" else WAITS
        conference.handle(ParticipantJoined(sid, settings), 0.0)
    if state in ("in-progress", "completed"):
        conference.handle(ParticipantJoined("starter"), 1.0)
    if state == "in-progress" and alone:
        conference.handle(ParticipantLeft("starter", "hung_up"), 2.0)
    if state == "completed":
        conference.handle(EndRequested(), 3.0)
    return conference


HAPPENS: dict[str, Callable[[str], Event]] = {
    "ParticipantJoined": lambda guard: ParticipantJoined(
        "new", STARTS if guard.startswith("he or") else WAITS
    ),
    "ParticipantLeft": lambda _: ParticipantLeft("a", "hung_up"),
    "GuestLost": lambda _: GuestLost("guest", WAITS, "busy"),
    "ParticipantChanged": lambda _: ParticipantChanged("a", muted=True, hold=True),
    "SoundChanged": lambda _: SoundChanged("a", "music"),
    "SpeechChanged": lambda _: SpeechChanged("a", True),
    "AnnouncementEnded": lambda _: AnnouncementEnded("http://a"),
    "LockChanged": lambda _: LockChanged(True),
    "EndRequested": lambda _: EndRequested(),
}
ROWS = [(state, rule) for state in STATES for rule in state.rules]


@pytest.mark.parametrize(("state", "rule"), ROWS, ids=lambda row: getattr(row, "event", None))
def test_rule_leads_to_its_target(state: State, rule: Rule) -> None:
    conference = conference_in(state.name, rule.guard)
    assert conference.state == state.name
    event = HAPPENS[rule.event](rule.guard)
    conference.handle(event, 9.0)
    assert conference.state == rule.target


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.name)
def test_every_event_is_decided_in_every_state(state: State) -> None:
    events = [event.__name__ for event in get_args(Event)]
    assert list(dict.fromkeys(rule.event for rule in state.rules)) == events
    assert all(rule.event in HAPPENS for rule in state.rules)


def test_states_carry_twilios_status() -> None:
    assert [(state.name, state.status, state.started) for state in STATES] == [
        ("empty", "init", False),
        ("waiting", "init", False),
        ("in-progress", "in-progress", True),
        ("completed", "completed", False),
    ]


def test_documented_tables_are_those_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    missing = [table for table in markdown() if table not in page]
    assert not missing, "\n".join(["`python -m townhall.conference.states.table` prints:", *missing])
