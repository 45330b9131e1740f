"""The model as JSON, in the shapes of docs/reference/console-api.md."""

from collections.abc import Iterable
from typing import Any

from townhall.console.changes import Entry, Span
from townhall.console.facts import Recorded
from townhall.console.person import Person
from townhall.console.room import MOST_ENTRIES, Room

Shape = dict[str, Any]

ENTRIES_IN_SNAPSHOT = 200
ENTRIES_OF_ONE = 1_000


def conference(room: Room) -> Shape:
    recording = room.recording
    return {
        "sid": room.sid,
        "name": room.name,
        "lines": list(room.lines),
        "state": room.state,
        "waiting_for": room.waiting_for,
        "created_at_ms": room.created_at_ms,
        "started_at_ms": room.started_at_ms,
        "ended_at_ms": room.ended_at_ms,
        "ended_by": room.ended_by,
        "locked": room.locked,
        "muted_all": room.muted_all,
        "counts": room.counts(),
        "peak": room.peak,
        "attended": room.attended,
        "recording": None if recording is None else {"sid": recording.sid, "since_ms": recording.since_ms},
    }


def whole_conference(room: Room, entries: int = ENTRIES_IN_SNAPSHOT) -> Shape:
    """With roster and feed."""
    return {
        **conference(room),
        "participants": [participant(person, room) for person in room.roster()],
        "entries": [entry(one) for one in list(room.entries)[-entries:]],
    }


def participant(person: Person, room: Room) -> Shape:
    stay = person.stays[-1] if person.stays else None
    return {
        "call_sid": person.call_sid,
        "name": person.name or None,
        "number": person.number or None,
        "label": person.label or None,
        "kind": person.kind,
        "role": person.role,
        "state": person.state(started=room.state == "live"),
        "muted": person.muted,
        "hold": person.hold,
        "coaching": (person.coach or None) if person.coaching else None,
        "speaking": person.speaking_since_ms is not None,
        "joined_at_ms": stay.joined_at_ms if stay and person.present else None,
        "talk_ms": person.talk_ms,
        "speaking_since_ms": person.speaking_since_ms,
    }


def entry(one: Entry) -> Shape:
    return {
        "id": one.id,
        "at_ms": one.at_ms,
        "kind": one.kind,
        "text": one.text,
        "by": one.by,
        "call_sids": list(one.call_sids),
        "action": one.action,
    }


def span(one: Span, room: Room) -> Shape:
    return {**_who(room.people[one.call_sid]), "from_ms": one.from_ms, "to_ms": one.to_ms}


def recording(one: Recorded, room: Room) -> Shape:
    path = f"/console/conferences/{room.sid}/recordings/{one.sid}"
    return {
        "sid": one.sid,
        "status": one.status,
        "since_ms": one.since_ms,
        "duration_ms": one.duration_ms,
        "channels": one.channels,
        "mp3": f"{path}.mp3",
        "wav": f"{path}.wav",
    }


def timeline(room: Room, now_ms: int) -> Shape:
    talkers = [person for person in room.people.values() if person.spans or person.speaking_since_ms]
    return {
        "now_ms": now_ms,
        "from_ms": room.created_at_ms,
        "to_ms": room.ended_at_ms or now_ms,
        "lanes": [_lane(person) for person in sorted(talkers, key=_first_word)],
    }


def log(room: Room) -> Shape:
    return {"entries": [entry(one) for one in list(room.entries)[-MOST_ENTRIES:]]}


def feed_of(room: Room, now_ms: int) -> Iterable[tuple[str, Shape]]:
    """What has changed, as events of the live stream: (name, data), in the order to send them."""
    changes = room.take_changes()
    about = {"now_ms": now_ms, "conference_sid": room.sid}
    if changes.conference:
        yield "conference", {"now_ms": now_ms, "conference": conference(room)}
    if changes.people:
        people = [room.people[sid] for sid in changes.people]
        yield "participants", {**about, "participants": [participant(p, room) for p in people if p.listed]}
    if changes.left:
        yield "left", {**about, "call_sids": list(changes.left)}
    if changes.spans:
        yield "speech", {**about, "spans": [span(one, room) for one in changes.spans.values()]}
    for sid in changes.recordings:
        yield "recording", {**about, "recording": recording(room.recordings[sid], room)}
    if changes.entries:
        latest = changes.entries[-ENTRIES_IN_SNAPSHOT:]
        yield "entries", {**about, "entries": [entry(one) for one in latest]}


def snapshot(live: list[Room], ended: list[Shape], capabilities: dict[str, bool], now_ms: int) -> Shape:
    return {
        "now_ms": now_ms,
        "capabilities": capabilities,
        "conferences": [whole_conference(room) for room in live],
        "ended": ended,
    }


def _lane(person: Person) -> Shape:
    spans: list[tuple[int, int | None]] = [*person.spans]
    if person.speaking_since_ms is not None:
        spans.append((person.speaking_since_ms, None))
    return {
        **_who(person),
        "talk_ms": person.talk_ms,
        "present": [(stay.joined_at_ms, stay.left_at_ms) for stay in person.stays],
        "spans": spans,
    }


def _first_word(person: Person) -> int:
    return person.spans[0][0] if person.spans else person.speaking_since_ms or 0


def _who(person: Person) -> Shape:
    return {
        "call_sid": person.call_sid,
        "name": person.name or person.label or None,
        "number": person.number or None,
        "role": person.role,
    }
