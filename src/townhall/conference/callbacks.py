"""The status callbacks' own parameters, event by event, and which word of `statusCallbackEvent` asks for
which.

Follows Twilio's "Conference statusCallback" parameter tables; `lock` and its two events are ours. Left out:
what every callback has in common (`ConferenceSid`, `Timestamp` …), which the sender adds, and the sending.
"""

from townhall.conference.commands import Notify
from townhall.conference.events import AnnouncementEnded, Sound
from townhall.conference.participant import Participant

Parameters = tuple[tuple[str, str], ...]

SUBSCRIPTION = {
    "conference-start": "start",
    "conference-end": "end",
    "participant-join": "join",
    "participant-leave": "leave",
    "participant-mute": "mute",
    "participant-unmute": "mute",
    "participant-hold": "hold",
    "participant-unhold": "hold",
    "participant-modify": "modify",
    "participant-speech-start": "speaker",
    "participant-speech-stop": "speaker",
    "announcement-end": "announcement",
    "announcement-fail": "announcement",
    "conference-lock": "lock",
    "conference-unlock": "lock",
}
"""`StatusCallbackEvent` value → the word that subscribes to it."""


class Numbering:
    """The conference's `SequenceNumber`, from 1 (Twilio leaves the start open; its example shows 1)."""

    def __init__(self) -> None:
        self._last = 0

    def notify(self, event: str, subscription: frozenset[str], parameters: Parameters = ()) -> Notify:
        if SUBSCRIPTION[event] not in subscription:
            return Notify(event, 0, False, parameters)
        self._last += 1
        return Notify(event, self._last, True, parameters)


def participant_parameters(participant: Participant) -> Parameters:
    """Who it is about, with his flags after the change."""
    flags = (
        ("CallSid", participant.call_sid),
        ("Muted", _boolean(participant.muted)),
        ("Hold", _boolean(participant.hold)),
        ("Coaching", _boolean(participant.coaching)),
        ("EndConferenceOnExit", _boolean(participant.end_conference_on_exit)),
        ("StartConferenceOnEnter", _boolean(participant.start_conference_on_enter)),
    )
    return flags + ((("ParticipantLabel", participant.label),) if participant.label else ())


def mute_reason(sound: Sound | None) -> Parameters:
    """Ours: why somebody was muted or unmuted whom nobody muted or unmuted."""
    return (("MuteReason", {"music": "hold-music", "tone": "hold-tone", None: "resumed"}[sound]),)


def leave_parameters(participant: Participant, call_status: str, reason: str) -> Parameters:
    return (
        *participant_parameters(participant),
        ("ParticipantCallStatus", call_status),
        ("ReasonParticipantLeft", reason),
    )


def end_parameters(reason: str, ended_by: Participant | None) -> Parameters:
    """`ended_by` is None when the API ended it: then no call is named."""
    named: Parameters = ()
    if ended_by is not None:
        named = (("CallSidEndingConference", ended_by.call_sid),)
        if ended_by.label:
            named += (("ParticipantLabelEndingConference", ended_by.label),)
    return (*named, ("ReasonConferenceEnded", reason), ("Reason", _SENTENCE[reason]))


def announcement_parameters(event: AnnouncementEnded, participant: Participant | None) -> Parameters:
    about = participant_parameters(participant) if participant else ()
    failure = (("ReasonAnnouncementFailed", event.failure),) if event.failure is not None else ()
    return (*about, ("AnnounceUrl", event.url), *failure)


_SENTENCE = {
    "conference-ended-via-api": "The conference was ended through the API.",
    "last-participant-left": "The last participant left.",
    "last-participant-kicked": "The last participant was removed through the API.",
    "participant-with-end-conference-on-exit-left": "A participant with endConferenceOnExit left.",
    "participant-with-end-conference-on-exit-kicked": (
        "A participant with endConferenceOnExit was removed through the API."
    ),
}


def _boolean(value: bool) -> str:
    return "true" if value else "false"
