"""Why somebody left and why the conference ended: every way out, in Twilio's spelling."""

from typing import get_args

import pytest

from townhall.conference.events import LeftBy
from townhall.conference.participant import Participant
from townhall.conference.reasons import REASON_LEFT, reason_ended

PLAIN = Participant("a", 0.0)
ENDS = Participant("a", 0.0, end_conference_on_exit=True)
FLAG = "participant-with-end-conference-on-exit"


@pytest.mark.parametrize(
    ("leaver", "by", "others", "reason"),
    [
        (PLAIN, "hung_up", 1, None),
        (PLAIN, "hung_up", 0, "last-participant-left"),
        (PLAIN, "star", 0, "last-participant-left"),
        (PLAIN, "time_limit", 0, "last-participant-left"),
        (PLAIN, "redirected", 0, "last-participant-left"),
        (PLAIN, "completed_via_api", 0, "last-participant-left"),
        (PLAIN, "kicked", 0, "last-participant-kicked"),
        (ENDS, "hung_up", 1, f"{FLAG}-left"),
        (ENDS, "hung_up", 0, f"{FLAG}-left"),
        (ENDS, "star", 1, f"{FLAG}-left"),
        (ENDS, "time_limit", 1, f"{FLAG}-left"),
        (ENDS, "redirected", 1, f"{FLAG}-left"),
        (ENDS, "kicked", 1, f"{FLAG}-kicked"),
        (ENDS, "add_failed", 1, None),
        (ENDS, "add_failed", 0, "last-participant-left"),
    ],
)
def test_conference_ends_for_the_right_reason(
    leaver: Participant, by: LeftBy, others: int, reason: str | None
) -> None:
    assert reason_ended(leaver, by, others) == reason


def test_every_way_out_has_a_reason_with_underscores() -> None:
    assert set(REASON_LEFT) == set(get_args(LeftBy))
    assert all(reason.startswith("participant_") for reason in REASON_LEFT.values())
