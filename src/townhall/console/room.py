"""The live model of one conference: facts in, changes out. No I/O and no clock.

Facts may come late, twice or not at all (callbacks overtake each other, get lost with a crash, are mixed with
what a list of participants says), so each is taken for what it adds: a participant's flags change only by a
callback younger than the last one heeded, a second `Joined` of somebody who is there corrects his flags, a
`Left` of somebody who is not there is nothing.
"""

from collections import deque
from dataclasses import dataclass, field

from townhall.console.changes import Changes, Entry, Span
from townhall.console.facts import (
    Changed,
    Ended,
    EntryKind,
    Fact,
    Flags,
    Joined,
    Left,
    Locked,
    MutedAll,
    MutedByRule,
    Named,
    Noted,
    Opened,
    Recorded,
    Role,
    Rung,
    Spoke,
    Started,
    TookRole,
)
from townhall.console.person import Person, Stay
from townhall.console.phrases import phrase_of_end, phrase_of_join, phrase_of_leave, phrase_of_recording

MOST_ENTRIES = 5_000
MOST_PEOPLE = 20_000
"""Calls in one conference over its whole life; who comes after that is not listed."""
MOST_RECORDINGS = 200
RECORDING = frozenset({"in-progress", "paused"})


@dataclass(slots=True)
class Room:
    """A conference as the console knows it."""

    sid: str
    name: str
    created_at_ms: int
    lines: tuple[str, ...] = ()
    started_at_ms: int | None = None
    ended_at_ms: int | None = None
    ended_by: str | None = None
    locked: bool = False
    muted_all: bool = False
    people: dict[str, Person] = field(default_factory=dict)
    recordings: dict[str, Recorded] = field(default_factory=dict)
    entries: deque[Entry] = field(default_factory=lambda: deque(maxlen=MOST_ENTRIES))
    peak: int = 0
    attended: int = 0
    changes: Changes = field(default_factory=Changes)
    has_callbacks: bool = False
    """Whether status callbacks tell of it; otherwise it must be asked for."""
    heard_of_ms: int = 0
    """When it was first heard of, by our own clock; 0: before this server started."""
    _entries_made: int = 0
    _present: int = 0

    # ---- what it says ----

    @property
    def state(self) -> str:
        if self.ended_at_ms is not None:
            return "ended"
        return "waiting" if self.started_at_ms is None else "live"

    @property
    def waiting_for(self) -> str | None:
        """`others` when a starter is there alone (Twilio starts with two), else `moderator`."""
        if self.state != "waiting":
            return None
        return "others" if any(p.present and p.starts for p in self.people.values()) else "moderator"

    @property
    def present(self) -> int:
        return self._present

    def counts(self) -> dict[str, int]:
        found = {"moderator": 0, "speaker": 0, "listener": 0, "ringing": 0}
        for person in self.people.values():
            if person.present:
                found[person.role] += 1
            elif person.ringing:
                found["ringing"] += 1
        return {**found, "total": self._present}

    @property
    def recording(self) -> Recorded | None:
        return next((kept for kept in self.recordings.values() if kept.status in RECORDING), None)

    def roster(self) -> list[Person]:
        return [person for person in self.people.values() if person.listed]

    def take_changes(self) -> Changes:
        taken, self.changes = self.changes, Changes()
        return taken

    # ---- what it learns ----

    def learn(self, fact: Fact) -> bool:
        """Take a fact in; False: it told nothing new, and need not be kept."""
        match fact:
            case Opened():
                return self._opened(fact)
            case Started():
                return self._started(fact)
            case Ended():
                return self._ended(fact)
            case Noted():
                self._note(fact.at_ms, fact.kind, fact.text, fact.by, fact.action, fact.call_sids)
                return True
            case Locked() | MutedAll():
                return self._ruled(fact)
            case Recorded():
                return self._recorded(fact)
            case _:
                return self._of_person(fact)

    def _of_person(
        self, fact: Named | TookRole | Rung | Joined | Left | Changed | Spoke | MutedByRule
    ) -> bool:
        person = self.people.get(fact.call_sid)
        if person is not None:
            return self._learn_of(person, fact)
        if len(self.people) >= MOST_PEOPLE or isinstance(fact, Left | Changed | Spoke | MutedByRule):
            return False
        person = self.people[fact.call_sid] = Person(fact.call_sid)
        news = self._learn_of(person, fact)
        if not news:
            del self.people[fact.call_sid]  # the journal has nothing of him, so neither must we
        return news

    def _learn_of(
        self,
        person: Person,
        fact: Named | TookRole | Rung | Joined | Left | Changed | Spoke | MutedByRule,
    ) -> bool:
        match fact:
            case Named():
                return self._named(person, fact)
            case TookRole():
                return self._took_role(person, fact.role)
            case Rung():
                return self._rung(person, fact)
            case Joined():
                return self._joined(person, fact)
            case Left():
                return self._left(person, fact)
            case Changed():
                return self._changed(person, fact)
            case Spoke():
                return self._spoke(person, fact)
            case MutedByRule():
                person.muted_by_rule = person.muted = True
                self._show(person)
                return True

    def _opened(self, fact: Opened) -> bool:
        lines = tuple(dict.fromkeys((*self.lines, *fact.lines)))
        news = lines != self.lines or (bool(fact.name) and fact.name != self.name)
        self.lines, self.name = lines, fact.name or self.name
        self.changes.conference = self.changes.conference or news
        return news

    def _started(self, fact: Started) -> bool:
        if self.state != "waiting":
            return False
        self.started_at_ms = fact.at_ms
        self.changes.conference = True
        for person in self.roster():
            self._show(person)
        self._note(fact.at_ms, "started", "The conference has started")
        return True

    def _ended(self, fact: Ended) -> bool:
        if self.state == "ended":
            return False
        for person in self.roster():
            self._out(person, fact.at_ms, "")
        self.ended_at_ms, self.ended_by = fact.at_ms, fact.reason
        self.muted_all = False
        self.changes.conference = True
        caller = self.people.get(fact.call_sid)
        self._note(fact.at_ms, "ended", phrase_of_end(fact.reason, caller.shown if caller else ""))
        return True

    def _ruled(self, fact: Locked | MutedAll) -> bool:
        if isinstance(fact, Locked):
            news, self.locked = self.locked != fact.locked, fact.locked
        else:
            news, self.muted_all = self.muted_all != fact.on, fact.on
        self.changes.conference = self.changes.conference or news
        return news

    def _recorded(self, fact: Recorded) -> bool:
        known = self.recordings.get(fact.sid)
        if known is None and len(self.recordings) >= MOST_RECORDINGS:
            return False
        if known is not None:
            fact = fact.after(known)
            if (known.status, known.duration_ms) == (fact.status, fact.duration_ms):
                return False
        self.recordings[fact.sid] = fact
        self.changes.recordings[fact.sid] = None
        self.changes.conference = True
        if text := phrase_of_recording(known.status if known else None, fact.status):
            self._note(fact.at_ms, "recording", text)
        return True

    # ---- people ----

    def _named(self, person: Person, fact: Named) -> bool:
        before = (person.name, person.number, person.kind)
        person.name = fact.name or person.name
        person.number = fact.number or person.number
        person.kind = fact.kind or person.kind
        return self._show_if(person, (person.name, person.number, person.kind) != before)

    def _took_role(self, person: Person, role: Role) -> bool:
        news, person.role_taken = person.role_taken != role, role
        self.changes.conference = self.changes.conference or (news and person.listed)
        return self._show_if(person, news)

    def _rung(self, person: Person, fact: Rung) -> bool:
        if person.listed:
            return False
        person.ringing, person.kind = True, "guest"
        self.changes.conference = True
        return self._show_if(person, True)

    def _joined(self, person: Person, fact: Joined) -> bool:
        if person.present:
            return self._changed(person, Changed(fact.at_ms, fact.call_sid, fact.flags, fact.seq))
        if fact.seq and fact.seq < person.seq:
            return False  # overtaken by his leaving
        first = not person.stays
        person.seq = max(person.seq, fact.seq)
        person.take(fact.flags)
        if first:
            person.guess_role()
        person.ringing = False
        person.stays.append(Stay(fact.at_ms))
        self._present += 1
        self.attended += 1
        self.peak = max(self.peak, self._present)
        self.changes.conference = True
        self._show(person)
        text = phrase_of_join(person.shown, person.role, self.state)
        self._note(fact.at_ms, "joined", text, call_sids=(person.call_sid,))
        return True

    def _left(self, person: Person, fact: Left) -> bool:
        if not person.listed or (fact.seq and fact.seq < person.seq):
            return False
        person.seq = max(person.seq, fact.seq)
        was_present = person.present
        self._out(person, fact.at_ms, fact.reason)
        text = phrase_of_leave(person.shown, fact.reason, was_present)
        self._note(fact.at_ms, "left", text, call_sids=(person.call_sid,))
        return True

    def _out(self, person: Person, at_ms: int, reason: str) -> None:
        self._quiet(person, at_ms)
        if person.present:
            person.stays[-1].left_at_ms = at_ms
            person.stays[-1].left_by = reason
            self._present -= 1
        person.ringing = False
        person.muted_by_rule = person.coaching = person.hold = False
        person.coach = ""
        self.changes.conference = True
        self.changes.people.pop(person.call_sid, None)
        self.changes.left[person.call_sid] = None

    def _changed(self, person: Person, fact: Changed) -> bool:
        if fact.seq and fact.seq < person.seq:
            return False
        person.seq = max(person.seq, fact.seq)
        before = _flags_of(person)
        person.take(fact.flags)
        stopped = (person.muted or person.hold) and self._quiet(person, fact.at_ms)
        if person.starts != before.starts:
            self.changes.conference = True  # it may no longer wait for a moderator
        return self._show_if(person, stopped or _flags_of(person) != before)

    def _spoke(self, person: Person, fact: Spoke) -> bool:
        if fact.seq and fact.seq < person.seq:
            return False
        person.seq = max(person.seq, fact.seq)
        if not fact.began:
            return self._quiet(person, fact.at_ms)
        if person.speaking_since_ms is not None or not person.present:
            return False
        person.begin_talking(fact.at_ms)
        self._span(Span(person.call_sid, fact.at_ms, None))
        self._show(person)
        return True

    def _quiet(self, person: Person, at_ms: int) -> bool:
        span = person.stop_talking(at_ms)
        if span is None:
            return False
        self._span(Span(person.call_sid, *span))
        self._show(person)
        return True

    def _span(self, span: Span) -> None:
        self.changes.spans[span.call_sid, span.from_ms] = span

    def _show(self, person: Person) -> None:
        if person.listed:
            self.changes.left.pop(person.call_sid, None)
            self.changes.people[person.call_sid] = None

    def _show_if(self, person: Person, news: bool) -> bool:
        if news:
            self._show(person)
        return news

    def _note(
        self,
        at_ms: int,
        kind: EntryKind,
        text: str,
        by: str | None = None,
        action: str | None = None,
        call_sids: tuple[str, ...] = (),
    ) -> None:
        self._entries_made += 1
        entry = Entry(self._entries_made, at_ms, kind, text, by, action, call_sids)
        self.entries.append(entry)
        self.changes.entries.append(entry)


def _flags_of(person: Person) -> Flags:
    return Flags(
        person.muted,
        person.hold,
        person.coaching,
        person.coach,
        person.starts,
        person.ends,
        person.label,
    )
