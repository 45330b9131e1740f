"""Who is let into a conference: the lock, labels, capacity, coaching targets, in Twilio's error numbers.

The lock is ours; to a caller it is a full room.

A refused caller's `<Dial>` ends at once and his document goes on. The numbers are those of TwiML; the REST
API has others for the same faults.
"""

import re

from townhall.conference.conference import Conference
from townhall.conference.errors import Refusal
from townhall.conference.events import ParticipantSettings

LABEL_LENGTH = 128
"""Twilio's limit for labels and for friendly names."""

_CALL_SID = re.compile(r"CA[0-9a-f]{32}", re.IGNORECASE)
_SLASH = re.compile(r"/|%2f", re.IGNORECASE)


def check_admission(
    conference: Conference | None, call_sid: str, settings: ParticipantSettings
) -> Refusal | None:
    """Why this caller may not join, or None when he may. `conference` None: it would be made for him."""
    if conference is not None and conference.status == "completed":
        return Refusal(13236, f"Conference {conference.sid} is over.")
    return (
        _check_lock(conference, settings.invited)
        or _check_label(conference, settings.label)
        or _check_room(conference, settings.max_participants)
        or _check_coach(conference, call_sid, settings.coach)
    )


def _check_lock(conference: Conference | None, invited: bool) -> Refusal | None:
    if conference is None or not conference.locked or invited:
        return None
    return Refusal(16020, "The conference is locked: nobody comes in but those whom the API calls.")


def _check_label(conference: Conference | None, label: str | None) -> Refusal | None:
    if not label:
        return None
    if len(label) > LABEL_LENGTH:
        return Refusal(16023, f"participantLabel has {len(label)} characters; {LABEL_LENGTH} are allowed.")
    if _CALL_SID.fullmatch(label):
        return Refusal(
            16023, f"participantLabel {label!r} looks like a Call SID; give a name of another form."
        )
    if _SLASH.search(label):
        return Refusal(
            16023, f"participantLabel {label!r} has a slash, which no address of the API can carry."
        )
    present = conference.participants.values() if conference else ()
    if any(participant.label == label for participant in present):
        return Refusal(16025, f"participantLabel {label!r} is in use in this conference; labels are unique.")
    return None


def _check_room(conference: Conference | None, max_participants: int) -> Refusal | None:
    # Twilio leaves open whose maxParticipants counts when several differ: the joining caller's own asks "is
    # there room for me". Coaches, held and muted participants count like everybody else.
    present = len(conference.participants) if conference else 0
    if present < max_participants:
        return None
    return Refusal(
        16020, f"The conference is full: {present} are in it, maxParticipants is {max_participants}."
    )


def _check_coach(conference: Conference | None, call_sid: str, coach: str | None) -> Refusal | None:
    if not coach:
        return None
    if conference is None or conference.status != "in-progress":
        return Refusal(13240, f"coach {coach} names nobody: the conference has not started.")
    if coach == call_sid or coach not in conference.participants:
        return Refusal(13240, f"coach {coach} names no other participant of this conference.")
    return None
