"""A participant as the API writes him: one who is in the conference, or one who is being called for it."""

import time
from datetime import UTC, datetime

from townhall.api.asking import Ask
from townhall.api.render import Resource, account_uri, date_of
from townhall.calls.guests import Guest
from townhall.conference import Conference, Participant

STATUS_OF_CALL = {
    "queued": "queued",
    "ringing": "ringing",
    "in-progress": "connected",
    "completed": "complete",
    "busy": "failed",
    "failed": "failed",
    "no-answer": "failed",
    "canceled": "failed",
}
"""A call's status → its participant's."""
_ZERO = time.time() - time.monotonic()
"""What a monotonic time lacks to be one of the clock; fixed, so that a date never reads differently twice."""


def render(participant: Participant, conference: Conference, ask: Ask) -> Resource:
    joined_at = datetime.fromtimestamp(_ZERO + participant.joined_at, UTC)
    attendance = ask.engine.switchboard.hall.attendance(participant.call_sid)
    return {
        **_common(ask, conference.sid, participant.call_sid),
        "label": participant.label,
        "call_sid_to_coach": participant.coach,
        "coaching": participant.coaching,
        "date_created": date_of(joined_at),
        "date_updated": date_of(attendance.changed_at if attendance and attendance.changed_at else joined_at),
        "end_conference_on_exit": participant.end_conference_on_exit,
        "muted": participant.muted,
        "hold": participant.hold,
        "start_conference_on_enter": participant.start_conference_on_enter,
        "status": "connected",
        "queue_time": None,
    }


def render_guest(guest: Guest, ask: Ask) -> Resource:
    dial = guest.dial
    return {
        **_common(ask, guest.conference.sid, guest.call.sid),
        "label": dial.participant_label,
        "call_sid_to_coach": dial.coach,
        "coaching": dial.coach is not None,
        "date_created": date_of(guest.invited_at),
        "date_updated": date_of(guest.invited_at),
        "end_conference_on_exit": dial.end_conference_on_exit,
        "muted": dial.muted,
        "hold": False,
        "start_conference_on_enter": dial.start_conference_on_enter,
        "status": STATUS_OF_CALL[guest.call.status],
        "queue_time": None,
    }


def _common(ask: Ask, conference_sid: str, call_sid: str) -> Resource:
    account = ask.engine.account_sid
    return {
        "account_sid": account,
        "call_sid": call_sid,
        "conference_sid": conference_sid,
        "uri": account_uri(account, "Conferences", conference_sid, "Participants", call_sid),
    }
