"""Why somebody left and why the conference ended, in Twilio's spelling.

`ReasonParticipantLeft` is written with underscores, `ReasonConferenceEnded` with hyphens; both are Twilio's.
"""

from typing import Literal

from townhall.conference.events import LeftBy
from townhall.conference.participant import Participant

ReasonEnded = Literal[
    "conference-ended-via-api",
    "last-participant-left",
    "last-participant-kicked",
    "participant-with-end-conference-on-exit-left",
    "participant-with-end-conference-on-exit-kicked",
]

REASON_LEFT: dict[LeftBy, str] = {
    "hung_up": "participant_hung_up",
    "star": "participant_hung_up",  # no documented value; he did leave by himself
    "time_limit": "participant_hung_up",  # no documented value
    "kicked": "participant_updated_via_api",  # no documented value
    "redirected": "participant_updated_via_api",
    "completed_via_api": "participant_updated_via_api",
    "add_failed": "participant_add_failed",
}

REASON_LEFT_WITH_THE_REST: dict[ReasonEnded, str] = {
    "conference-ended-via-api": "conference_ended_via_api",
    "participant-with-end-conference-on-exit-left": "moderator_ended_conference",
    "participant-with-end-conference-on-exit-kicked": "moderator_ended_conference",
}
"""The reason of those who were still there when the conference ended."""


def reason_ended(leaver: Participant, by: LeftBy, others: int) -> ReasonEnded | None:
    """Why the conference ends now that `leaver` is gone and `others` remain; None: it goes on.

    His flag is named before his being the last, as it says more. One whom a dial-out never reached has not
    exited, so his flag does nothing.
    """
    if leaver.end_conference_on_exit and by != "add_failed":
        if by == "kicked":
            return "participant-with-end-conference-on-exit-kicked"
        return "participant-with-end-conference-on-exit-left"
    if others:
        return None
    return "last-participant-kicked" if by == "kicked" else "last-participant-left"
