"""The rules of a moderated conference, as Twilio's `<Conference>` has them: events in, commands out.

`Conferences` finds or makes a conference, `Conference.handle` decides what an event does, `hearing` says who
hears whom. Left out: media, timers, callbacks' delivery, TwiML and the REST API; `calls` carries the commands
out.
"""

from townhall.conference.admission import check_admission
from townhall.conference.commands import (
    Beep,
    Close,
    Command,
    Hint,
    Mix,
    Notify,
    Release,
    StartHold,
    StartRecording,
    StartWaiting,
    StopHold,
    StopRecording,
    StopWaiting,
    TrustSound,
)
from townhall.conference.conference import Conference, Transition
from townhall.conference.errors import LocalProtocolError, Refusal
from townhall.conference.events import (
    AnnouncementEnded,
    ConferenceSettings,
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
from townhall.conference.hearing import Place, hearing, pairs
from townhall.conference.participant import Participant
from townhall.conference.registry import Admission, Conferences, Reservation

__all__ = [
    "Admission",
    "AnnouncementEnded",
    "Beep",
    "Close",
    "Command",
    "Conference",
    "ConferenceSettings",
    "Conferences",
    "EndRequested",
    "Event",
    "GuestLost",
    "Hint",
    "LocalProtocolError",
    "LockChanged",
    "Mix",
    "Notify",
    "Participant",
    "ParticipantChanged",
    "ParticipantJoined",
    "ParticipantLeft",
    "ParticipantSettings",
    "Place",
    "Refusal",
    "Release",
    "Reservation",
    "SoundChanged",
    "SpeechChanged",
    "StartHold",
    "StartRecording",
    "StartWaiting",
    "StopHold",
    "StopRecording",
    "StopWaiting",
    "Transition",
    "TrustSound",
    "check_admission",
    "hearing",
    "pairs",
]
