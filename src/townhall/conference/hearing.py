"""Who hears whom: one pure function of the participants' flags and of whether the conference has started.

| State    | Hears the conference | Is heard        | Hears music    |
|----------|----------------------|-----------------|----------------|
| normal   | yes                  | yes             | no             |
| muted    | yes                  | no              | no             |
| on hold  | no                   | no              | his hold music |
| waiting  | no                   | no              | his wait music |
| coaching | yes                  | by his one only | no             |

Waiting is not a flag: everybody waits until the conference starts, and nobody does afterwards. Source:
section 5 of Twilio's participant states as kept in our conference sheet.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from townhall.conference.participant import Participant

Music = Literal["wait", "hold"]
Participants = Mapping[str, Participant]


@dataclass(frozen=True, slots=True)
class Place:
    """A participant's place in the bus. He hears the sum without himself, and whispers meant for him."""

    hears: bool = False
    heard: bool = False
    whisper_to: str | None = None


OUTSIDE = Place()
"""Neither hears nor is heard: the place of everybody who waits, is on hold, or is not there."""


def music_of(participant: Participant, started: bool) -> Music | None:
    """What he hears instead of the conference. Hold goes before waiting: it was asked for by name."""
    if participant.hold:
        return "hold"
    return None if started else "wait"


def place_of(participant: Participant, participants: Participants, started: bool) -> Place:
    if music_of(participant, started) is not None:
        return OUTSIDE
    if not participant.coaching:
        return Place(hears=True, heard=not participant.muted)
    return Place(hears=True, whisper_to=_listener(participant, participants))


def hearing(participants: Participants, started: bool) -> dict[str, Place]:
    """Everybody's place, by Call SID: all that the media process is ever told of a conference."""
    return {sid: place_of(participant, participants, started) for sid, participant in participants.items()}


def pairs(places: Mapping[str, Place]) -> set[tuple[str, str]]:
    """The matrix that places amount to: every (listener, speaker) where the first hears the second."""
    return {
        (listener, speaker)
        for listener, ear in places.items()
        for speaker, mouth in places.items()
        if listener != speaker and ear.hears and (mouth.heard or mouth.whisper_to == listener)
    }


def _listener(coach: Participant, participants: Participants) -> str | None:
    """The one who hears this coach, or None: muted, or his target has left, is on hold, or is himself."""
    target = participants.get(coach.coach or "")
    if coach.muted or target is None or target.hold or target.call_sid == coach.call_sid:
        return None
    return target.call_sid
