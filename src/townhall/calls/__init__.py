"""The joiner: a call has a leg, runs TwiML, and may be in a conference.

`Switchboard` takes incoming calls and runs each in one task; `Call` is its state; `LiveCall` is what
TwiML's verbs may do to it; `CallAudio` joins offer and answer with the media leg; `ConferenceHall` carries
out what the rules of `townhall.conference` command; `RecordingDesk` records calls and conferences;
`ClipLibrary` turns words and files into sounds. The
rules themselves live in the pure rooms: this one stays thin. It leaves out SIP, HTTP, SQL and samples.
"""

from townhall.calls.call import Call, Route
from townhall.calls.clips import ClipLibrary
from townhall.calls.hall import ConferenceHall
from townhall.calls.journal import StoreJournal
from townhall.calls.recording import RecordingDesk, RecordingError, RecordingSettings
from townhall.calls.switchboard import Switchboard, SwitchboardSettings

__all__ = [
    "Call",
    "ClipLibrary",
    "ConferenceHall",
    "RecordingDesk",
    "RecordingError",
    "RecordingSettings",
    "Route",
    "StoreJournal",
    "Switchboard",
    "SwitchboardSettings",
]
