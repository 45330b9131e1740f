"""How a conference is recorded that goes on already.

Townhall records the conference itself. Twilio's API cannot begin that in the middle, so there one leg is
recorded that hears everybody: what a muted listener hears, or else both ways of an unmuted participant,
moderators first. What a muted person says at home is in neither. When that leg leaves, is muted or unmuted,
the recording goes on with another: one conference then has several recordings.
"""

import logging

from townhall.console.desk import Desk
from townhall.console.facts import Changed, Fact, Left, Recorded
from townhall.console.person import Person
from townhall.console.refusals import Refusal
from townhall.console.remote import Remote
from townhall.console.room import Room

log = logging.getLogger(__name__)


class Recorder:
    """`callback_url`: where the recording's callbacks go. `whole`: the engine records conferences."""

    def __init__(self, desk: Desk, remote: Remote, callback_url: str, *, whole: bool) -> None:
        self._desk = desk
        self._remote = remote
        self._callback_url = callback_url
        self._whole = whole

    async def start(self, room: Room) -> Recorded:
        """Begin; returns the recording as it stands. Raises `Refusal`."""
        if self._whole:
            sid, call_sid, track = await self._remote.record(room.sid, self._callback_url), "", ""
        else:
            chosen = leg_to_record(room)
            if chosen is None:
                raise Refusal("refused", "There is nobody whose call could be recorded for all.")
            call_sid = chosen.call_sid
            track = "outbound" if chosen.muted else "both"
            sid = await self._remote.record_call(call_sid, track, self._callback_url)
        now_ms = self._desk.now_ms()
        return Recorded(now_ms, sid, "in-progress", now_ms, call_sid=call_sid, track=track)

    async def stop(self, room: Room, recording: Recorded) -> None:
        if recording.call_sid:
            await self._remote.stop_call_recording(recording.call_sid, recording.sid)
        else:
            await self._remote.stop_recording(room.sid, recording.sid)

    def is_lost(self, room: Room, fact: Fact) -> bool:
        """Whether the recorded leg no longer hears, or speaks for, the conference."""
        recording = room.recording
        if recording is None or not recording.call_sid or room.state != "live":
            return False
        if not isinstance(fact, Left | Changed) or fact.call_sid != recording.call_sid:
            return False
        person = room.people[fact.call_sid]
        away = not person.present or person.hold or person.coaching
        return away or person.muted != (recording.track == "outbound")

    async def go_on(self, room: Room, recording: Recorded) -> None:
        """Record with another leg. Raises `Refusal`."""
        now_ms = self._desk.now_ms()
        if room.people[recording.call_sid].present:
            await self.stop(room, recording)
        self._desk.learn(room.sid, Recorded(now_ms, recording.sid, "processing", recording.since_ms))
        self._desk.learn(room.sid, await self.start(room))


def leg_to_record(room: Room) -> Person | None:
    """The one whose call holds what all may hear, and stays longest by its role."""
    fit = [person for person in room.roster() if person.present and not (person.hold or person.coaching)]
    return min(fit, key=_rank, default=None)


def _rank(person: Person) -> tuple[bool, bool, int]:
    return (
        not (person.muted and person.role == "listener"),
        person.role != "moderator",
        person.stays[-1].joined_at_ms,
    )
