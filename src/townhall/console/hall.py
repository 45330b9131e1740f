"""All conferences that the console knows, and what it knows of calls that are in none yet. No I/O."""

from collections import OrderedDict
from dataclasses import dataclass, field, replace

from townhall.console.facts import Fact, Joined, Named, Opened, Rung, TookRole
from townhall.console.room import Room

MOST_ROOMS = 500
"""Live ones; an account that has more is not moderated by hand."""
MOST_ENDED = 20
"""Ended ones that stay in memory whole; of older ones a summary, the rest is read when somebody asks."""
MOST_EXPECTED = 10_000
"""Calls of which something is known; one whose end a conference tells is forgotten before."""


@dataclass(slots=True)
class Hall:
    rooms: dict[str, Room] = field(default_factory=dict)
    removed: list[Room] = field(default_factory=list)
    """Ended ones that were let go and nobody was told of yet."""
    _expected: OrderedDict[str, dict[str, Named | TookRole]] = field(default_factory=OrderedDict)

    def live(self) -> list[Room]:
        return [room for room in self.rooms.values() if room.state != "ended"]

    def ended(self) -> list[Room]:
        """The latest first."""
        found = [room for room in self.rooms.values() if room.state == "ended"]
        return sorted(reversed(found), key=lambda room: room.ended_at_ms or 0, reverse=True)

    def room_with(self, call_sid: str) -> Room | None:
        """The live conference that this call is in, or is called for."""
        for room in self.live():
            person = room.people.get(call_sid)
            if person is not None and person.listed:
                return room
        return None

    def expect(self, fact: Named | TookRole) -> tuple[str, Fact] | None:
        """Keep what is known of a call until it is in a conference; one that is in is told at once.

        Returns the conference's SID and the fact, if it was news there.
        """
        room = self.room_with(fact.call_sid)
        if room is not None and room.learn(fact):
            return room.sid, fact
        known = self._expected.setdefault(fact.call_sid, {})
        before = known.get(type(fact).__name__)
        if isinstance(fact, Named) and isinstance(before, Named):
            fact = replace(
                fact,
                name=fact.name or before.name,
                number=fact.number or before.number,
                kind=fact.kind or before.kind,
            )
        known[type(fact).__name__] = fact
        self._expected.move_to_end(fact.call_sid)
        if len(self._expected) > MOST_EXPECTED:
            self._expected.popitem(last=False)
        return None

    def forget(self, call_sid: str) -> None:
        """A call is over, and comes into no conference any more."""
        self._expected.pop(call_sid, None)

    @property
    def expected(self) -> int:
        """Of how many calls something is known that may be news to a conference."""
        return len(self._expected)

    def learn(self, sid: str, fact: Fact) -> list[Fact]:
        """Take in a fact of a conference; returns what is to be kept of it, which may be more or nothing.

        A conference that is not known is opened by `Opened` only.
        """
        room = self.rooms.get(sid)
        if room is None:
            return self._open(fact) if isinstance(fact, Opened) else []
        kept: list[Fact] = []
        if isinstance(fact, Joined | Rung) and room.state != "ended":
            known = self._expected.get(fact.call_sid, {})
            kept += [replace(told, at_ms=fact.at_ms) for told in known.values() if room.learn(told)]
        if room.state == "ended" and isinstance(fact, Joined | Rung):
            return []  # overtaken by the end
        if room.learn(fact):
            kept.append(fact)
        if room.state == "ended":
            self._let_go()
        return kept

    def adopt(self, room: Room) -> None:
        """Take in a conference that was read from the disk."""
        self.rooms[room.sid] = room
        self._let_go()

    def _open(self, fact: Opened) -> list[Fact]:
        if len(self.live()) >= MOST_ROOMS:
            return []
        room = Room(fact.sid, fact.name, fact.at_ms, fact.lines)
        room.changes.conference = True
        self.rooms[fact.sid] = room
        return [fact]

    def _let_go(self) -> None:
        for room in self.ended()[MOST_ENDED:]:
            del self.rooms[room.sid]
            self.removed.append(room)
