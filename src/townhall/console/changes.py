"""What changed in a conference since it was last told: entries of the feed, spans of talk, people. No I/O."""

from dataclasses import dataclass, field

from townhall.console.facts import EntryKind


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the event feed."""

    id: int
    at_ms: int
    kind: EntryKind
    text: str
    by: str | None = None
    action: str | None = None
    call_sids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Span:
    """Talk, for the lanes; `to_ms` None: still talking."""

    call_sid: str
    from_ms: int
    to_ms: int | None


@dataclass(slots=True)
class Changes:
    """What has changed since they were last taken. Things that changed twice stand here once."""

    conference: bool = False
    people: dict[str, None] = field(default_factory=dict)
    left: dict[str, None] = field(default_factory=dict)
    spans: dict[tuple[str, int], Span] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    recordings: dict[str, None] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return self.conference or any((self.people, self.left, self.spans, self.entries, self.recordings))
