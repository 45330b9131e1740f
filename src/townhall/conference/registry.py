"""The live conferences: found or made by name, found by SID, gone the moment they are completed.

Names are trimmed and case-sensitive, at most 128 characters; at most one live conference has a name. A caller
first reserves his place, because his wait document is asked for in the conference's name before he is let in;
if he never gets in, a conference made for him alone disappears again. Nothing here awaits, so create-or-get
is atomic.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from townhall.conference.admission import LABEL_LENGTH, check_admission
from townhall.conference.commands import Command
from townhall.conference.conference import Conference, Transition
from townhall.conference.errors import LocalProtocolError, Refusal
from townhall.conference.events import ParticipantJoined

_CONFERENCE_SID = re.compile(r"CF[0-9a-f]{32}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Admission:
    """He is in. `created`: he is the conference's first participant. `commands` are to be carried out now."""

    conference: Conference
    created: bool
    commands: list[Command]


class Conferences:
    """`new_sid` makes a Conference SID; `observe` is told of every transition of every conference."""

    def __init__(
        self, new_sid: Callable[[], str], observe: Callable[[Transition], None] | None = None
    ) -> None:
        self._new_sid = new_sid
        self._observe = observe
        self._by_sid: dict[str, Conference] = {}
        self._by_name: dict[str, Conference] = {}
        self._reserved: dict[str, int] = {}

    def __len__(self) -> int:
        """How many conferences are kept, those reserved and still empty included."""
        return len(self._by_sid)

    def __iter__(self) -> Iterator[Conference]:
        """The conferences that somebody is in."""
        return (conference for conference in list(self._by_sid.values()) if conference.participants)

    def get(self, sid: str) -> Conference | None:
        """The live conference of this SID that somebody is in."""
        return self._seen(self._by_sid.get(sid))

    def find(self, name: str) -> Conference | None:
        """The live conference of this name that somebody is in."""
        return self._seen(self._by_name.get(name.strip()))

    def reserve(self, text: str, now: float) -> "Reservation | Refusal":
        """A place in the conference that `<Conference>`'s text names. The caller must `enter` it or `cancel`
        it.
        """
        conference = self._get_or_create(text, now)
        if isinstance(conference, Refusal):
            return conference
        self._reserved[conference.sid] = self._reserved.get(conference.sid, 0) + 1
        return Reservation(self, text, conference)

    def _get_or_create(self, text: str, now: float) -> Conference | Refusal:
        name = text.strip()
        if _CONFERENCE_SID.fullmatch(name):
            return self._by_sid.get(name) or Refusal(13236, f"No live conference has the SID {name}.")
        if not name:
            return Refusal(13237, "<Conference> has no text; it must name a conference.")
        if len(name) > LABEL_LENGTH:
            return Refusal(
                13237, f"The conference's name has {len(name)} characters; {LABEL_LENGTH} are allowed."
            )
        return self._by_name.get(name) or self._create(name, now)

    def _create(self, name: str, now: float) -> Conference:
        conference = Conference(self._new_sid(), name, now=now, observe=self._transition)
        self._by_sid[conference.sid] = conference
        self._by_name[name] = conference
        return conference

    def _transition(self, transition: Transition) -> None:
        if transition.after == "completed":
            self._drop(self._by_sid[transition.sid])
        if self._observe:
            self._observe(transition)

    def _drop(self, conference: Conference) -> None:
        del self._by_sid[conference.sid]
        del self._by_name[conference.name]

    def _give_back(self, conference: Conference) -> None:
        left = self._reserved.pop(conference.sid) - 1
        if left:
            self._reserved[conference.sid] = left
        elif conference.state == "empty":
            self._drop(conference)

    def _seen(self, conference: Conference | None) -> Conference | None:
        return conference if conference is not None and conference.participants else None


class Reservation:
    """A caller's place until he is let in or has given up; `with` gives it back in any case."""

    def __init__(self, conferences: Conferences, text: str, conference: Conference) -> None:
        self._conferences = conferences
        self._text = text
        self._open = True
        self.conference = conference

    def enter(self, event: ParticipantJoined, now: float) -> Admission | Refusal:
        """Let the caller in, or say why not. Ends the reservation.

        A conference that ended meanwhile is looked up again: under its name there may be, or is made,
        another.
        """
        if not self._open:
            raise LocalProtocolError(
                f"the reservation of {event.call_sid} in {self.conference.sid} is used up"
            )
        if self.conference.status == "completed":
            renewed = self._conferences.reserve(self._text, now)
            self.cancel()
            return renewed if isinstance(renewed, Refusal) else renewed.enter(event, now)
        refusal = check_admission(self.conference, event.call_sid, event.settings)
        if refusal is not None:
            self.cancel()
            return refusal
        created = self.conference.state == "empty"
        commands = self.conference.handle(event, now)
        self.cancel()
        return Admission(self.conference, created, commands)

    def cancel(self) -> None:
        """Give the place back; does nothing once it is used or given back."""
        if self._open:
            self._open = False
            self._conferences._give_back(self.conference)

    def __enter__(self) -> "Reservation":
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()
