"""What becomes known of a conference, as small facts: the input of the console's model, and its journal.

A fact says when it was so (`at_ms`: milliseconds since 1970). Those that come from status callbacks carry the
conference's `SequenceNumber` (`seq`, 0 when it has none), because callbacks may overtake each other. Facts
are written to the disk as they are and read back into the same model, so what was on the page before a
restart is there after it.
"""

from dataclasses import asdict, dataclass
from typing import Any, Literal

Role = Literal["moderator", "speaker", "listener"]
Kind = Literal["phone", "browser", "guest"]
EntryKind = Literal["joined", "left", "started", "ended", "action", "announcement", "recording", "fault"]


FINAL = frozenset({"completed", "absent", "failed", "deleted"})
"""A recording's last states."""


@dataclass(frozen=True, slots=True)
class Flags:
    """How a participant stands, as callbacks and the REST API tell it; None: not told."""

    muted: bool | None = None
    hold: bool | None = None
    coaching: bool | None = None
    coach: str | None = None
    """The call that alone hears him; empty: nobody in particular."""
    starts: bool | None = None
    """`startConferenceOnEnter`."""
    ends: bool | None = None
    """`endConferenceOnExit`."""
    label: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """The conference exists."""

    at_ms: int
    sid: str
    name: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Started:
    at_ms: int


@dataclass(frozen=True, slots=True)
class Ended:
    """`reason`: Twilio's `ReasonConferenceEnded`, or `lost`. `call_sid`: who caused it, or empty."""

    at_ms: int
    reason: str
    call_sid: str = ""


@dataclass(frozen=True, slots=True)
class Named:
    """Who a call is; empty: not known."""

    at_ms: int
    call_sid: str
    name: str = ""
    number: str = ""
    kind: Kind | None = None


@dataclass(frozen=True, slots=True)
class TookRole:
    at_ms: int
    call_sid: str
    role: Role


@dataclass(frozen=True, slots=True)
class Rung:
    """Somebody is being called for the conference."""

    at_ms: int
    call_sid: str


@dataclass(frozen=True, slots=True)
class Joined:
    at_ms: int
    call_sid: str
    flags: Flags
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Left:
    """`reason`: Twilio's `ReasonParticipantLeft`; empty when it is not known."""

    at_ms: int
    call_sid: str
    reason: str = ""
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Changed:
    at_ms: int
    call_sid: str
    flags: Flags
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Spoke:
    """He began to speak, or stopped."""

    at_ms: int
    call_sid: str
    began: bool
    seq: int = 0


@dataclass(frozen=True, slots=True)
class Locked:
    at_ms: int
    locked: bool


@dataclass(frozen=True, slots=True)
class MutedAll:
    """Everybody but moderators is muted, late joiners too; or no longer."""

    at_ms: int
    on: bool


@dataclass(frozen=True, slots=True)
class MutedByRule:
    """`MutedAll` muted this one, so releasing it unmutes him."""

    at_ms: int
    call_sid: str


@dataclass(frozen=True, slots=True)
class Recorded:
    """A recording and how it stands. `call_sid`: the leg it is made on, empty for the conference's own;
    `track`: what of the leg.
    """

    at_ms: int
    sid: str
    status: str
    since_ms: int = 0
    duration_ms: int | None = None
    channels: int = 1
    call_sid: str = ""
    track: str = ""

    def after(self, known: "Recorded") -> "Recorded":
        """What is known with this added to it: a last state is not taken back by what comes late."""
        late = known.status in FINAL and self.status not in FINAL
        return Recorded(
            self.at_ms,
            self.sid,
            known.status if late else self.status,
            known.since_ms or self.since_ms,
            known.duration_ms if self.duration_ms is None else self.duration_ms,
            max(known.channels, self.channels),
            known.call_sid or self.call_sid,
            known.track or self.track,
        )


@dataclass(frozen=True, slots=True)
class Noted:
    """A line of the event feed that nothing else implies; an action says who did it."""

    at_ms: int
    kind: EntryKind
    text: str
    by: str | None = None
    action: str | None = None
    call_sids: tuple[str, ...] = ()


Fact = (
    Opened
    | Started
    | Ended
    | Named
    | TookRole
    | Rung
    | Joined
    | Left
    | Changed
    | Spoke
    | Locked
    | MutedAll
    | MutedByRule
    | Recorded
    | Noted
)
_KINDS: dict[str, type[Any]] = {kind.__name__: kind for kind in Fact.__args__}


def written(fact: Fact) -> dict[str, Any]:
    """As JSON holds it."""
    return {"fact": type(fact).__name__, **asdict(fact)}


def read(kept: dict[str, Any]) -> Fact:
    """What `written` wrote; raises `ValueError` for anything else."""
    try:
        rest = dict(kept)
        kind = _KINDS[rest.pop("fact")]
        if "flags" in rest:
            rest["flags"] = Flags(**rest["flags"])
        for name in ("lines", "call_sids"):
            if name in rest:
                rest[name] = tuple(rest[name])
        fact: Fact = kind(**rest)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"no fact of a conference: {error}") from None
    return fact
