"""One call in a conference: who it is, how he stands, when he was there and when he talked.

A person stays known after he has left; the same call may come back (a document that dials twice).
"""

from dataclasses import dataclass, field
from typing import Literal

from townhall.console.facts import Flags, Kind, Role

State = Literal["ringing", "waiting", "hold", "coaching", "muted", "talking", "quiet"]
MOST_SPANS = 20_000
"""Of one person: 11 hours of a word every two seconds; what is beyond is counted, not kept."""


@dataclass(slots=True)
class Stay:
    joined_at_ms: int
    left_at_ms: int | None = None
    left_by: str = ""
    talk_ms: int = 0


@dataclass(slots=True)
class Person:
    call_sid: str
    name: str = ""
    number: str = ""
    label: str = ""
    kind: Kind = "phone"
    role_taken: Role | None = None
    role_guessed: Role = "speaker"
    ringing: bool = False
    muted: bool = False
    hold: bool = False
    coaching: bool = False
    coach: str = ""
    starts: bool = True
    ends: bool = False
    muted_by_rule: bool = False
    stays: list[Stay] = field(default_factory=list)
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Finished spans of talk: (from, to) in milliseconds since 1970."""
    speaking_since_ms: int | None = None
    talk_ms: int = 0
    seq: int = 0
    """The latest callback that was heeded."""
    heard_of_ms: int = 0
    """When it was last heard that he is there or not, by our own clock, not the engine's."""

    @property
    def present(self) -> bool:
        return bool(self.stays) and self.stays[-1].left_at_ms is None

    @property
    def listed(self) -> bool:
        """Whether he stands in the roster: he is there, or is being called."""
        return self.present or self.ringing

    @property
    def role(self) -> Role:
        """What he chose in the menu; of another application's caller what he came in as."""
        return self.role_taken or self.role_guessed

    def state(self, started: bool) -> State:
        if not self.present:
            return "ringing"
        if not started:
            return "waiting"
        if self.hold:
            return "hold"
        if self.coaching:
            return "coaching"
        if self.muted:
            return "muted"
        return "talking" if self.speaking_since_ms is not None else "quiet"

    @property
    def shown(self) -> str:
        """How a sentence calls him."""
        return self.name or self.label or self.number or "a caller"

    def take(self, flags: Flags) -> None:
        for flag in ("muted", "hold", "coaching", "coach", "starts", "ends", "label"):
            value = getattr(flags, flag)
            if value is not None:
                setattr(self, flag, value)
        if not self.coaching:
            self.coach = ""
        if not self.muted:
            self.muted_by_rule = False

    def guess_role(self) -> None:
        """What the flags that he comes with amount to; Twilio knows no roles."""
        if self.starts and self.ends:
            self.role_guessed = "moderator"
        else:
            self.role_guessed = "listener" if self.muted else "speaker"

    def begin_talking(self, at_ms: int) -> None:
        if self.present and self.speaking_since_ms is None:
            self.speaking_since_ms = at_ms

    def stop_talking(self, at_ms: int) -> tuple[int, int] | None:
        """The span that ends now, if one does."""
        if self.speaking_since_ms is None:
            return None
        span = (self.speaking_since_ms, max(at_ms, self.speaking_since_ms))
        self.speaking_since_ms = None
        self.talk_ms += span[1] - span[0]
        self.stays[-1].talk_ms += span[1] - span[0]
        if len(self.spans) < MOST_SPANS:
            self.spans.append(span)
        return span
