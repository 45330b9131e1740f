"""What happens to a conference: the inputs of its state machine, in the past tense.

`call_sid` names a participant everywhere; a call is in at most one conference. An event about a call that is
not (or no longer) in the conference changes nothing: a hang-up and a kick may cross.
"""

from dataclasses import dataclass
from typing import Literal

LeftBy = Literal["hung_up", "star", "time_limit", "kicked", "redirected", "completed_via_api", "add_failed"]
"""How one participant left on his own account; see the table in `docs/explanation/conference.md`."""

Sound = Literal["music", "tone"]
"""What comes from somebody's telephone in place of him, when he has put the conference on hold."""

CallStatus = Literal["completed", "in-progress", "busy", "no-answer", "failed", "canceled"]
"""`ParticipantCallStatus`: `in-progress` says that his call lives on."""


@dataclass(frozen=True, slots=True)
class ParticipantSettings:
    """What one caller's `<Conference>` (or REST create) says of him; Twilio's defaults."""

    muted: bool = False
    beep_on_enter: bool = True
    beep_on_exit: bool = True
    start_conference_on_enter: bool = True
    end_conference_on_exit: bool = False
    label: str | None = None
    coach: str | None = None
    """Call SID of the one he coaches."""
    max_participants: int = 250
    invited: bool = False
    """The API called him for this conference: a lock does not keep him out."""


@dataclass(frozen=True, slots=True)
class ConferenceSettings:
    """What a document says of the conference as a whole; the first participant's counts."""

    status_callback_events: frozenset[str] = frozenset()
    """Words of `statusCallbackEvent`: start end join leave mute hold modify speaker announcement, and `lock`,
    which is ours.
    """
    status_callback: str | None = None
    """The callback's URL. The rules send nothing there; they only notice that a later participant's differs.
    """
    record: bool = False
    trim_silence: bool = True


@dataclass(frozen=True, slots=True)
class ParticipantJoined:
    """`conference` is what his document says of the conference as a whole; None when it says nothing new."""

    call_sid: str
    settings: ParticipantSettings = ParticipantSettings()
    conference: ConferenceSettings | None = None


@dataclass(frozen=True, slots=True)
class ParticipantLeft:
    call_sid: str
    by: LeftBy
    call_status: CallStatus = "completed"


@dataclass(frozen=True, slots=True)
class GuestLost:
    """Somebody whom the API called for the conference will not come: his call was never answered."""

    call_sid: str
    settings: ParticipantSettings
    call_status: CallStatus


@dataclass(frozen=True, slots=True)
class ParticipantChanged:
    """REST update of a participant: None leaves a value as it is; `coach=""` is Coaching=false."""

    call_sid: str
    muted: bool | None = None
    hold: bool | None = None
    coach: str | None = None
    end_conference_on_exit: bool | None = None
    beep_on_exit: bool | None = None
    wait_url_changed: bool = False


@dataclass(frozen=True, slots=True)
class SoundChanged:
    """His telephone plays hold music or a constant tone (`music`, `tone`) and is not let through; None: it is
    let through again.
    """

    call_sid: str
    sound: Sound | None


@dataclass(frozen=True, slots=True)
class SpeechChanged:
    call_sid: str
    speaking: bool


@dataclass(frozen=True, slots=True)
class AnnouncementEnded:
    """`call_sid`: the one who heard it; None: all. `failure` says why it could not be played."""

    url: str
    call_sid: str | None = None
    failure: str | None = None


@dataclass(frozen=True, slots=True)
class LockChanged:
    """Ours, not Twilio's: while it is locked, only those come in whom the API calls."""

    locked: bool


@dataclass(frozen=True, slots=True)
class EndRequested:
    """REST `Status=completed` on the conference."""


Event = (
    ParticipantJoined
    | ParticipantLeft
    | GuestLost
    | ParticipantChanged
    | SoundChanged
    | SpeechChanged
    | AnnouncementEnded
    | LockChanged
    | EndRequested
)
