"""What a `<Dial>` of phones asks of its call: whom to ring, how long, and what both sides may do."""

from dataclasses import dataclass
from typing import Literal

from townhall.twiml.control import CallCallbacks, DocumentRequest, RecordingPlan

Kind = Literal["number", "client", "sip"]


@dataclass(frozen=True, slots=True)
class CallTarget:
    """One who is to be rung, with absolute URLs."""

    kind: Kind
    to: str
    """`+15551234`, `client:alice`, `sip:bob@example.com?x-room=7`."""
    screening: DocumentRequest | None = None
    """What he hears, and may hang up on, before the two are connected."""
    status_callback: CallCallbacks | None = None
    send_digits: str = ""
    auth: tuple[str, str] | None = None
    """User name and password for a SIP challenge."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What each webhook of his call says on top."""


@dataclass(frozen=True, slots=True)
class DialPlan:
    """`targets` ring at once, or one after the other when `sequential`."""

    targets: tuple[CallTarget, ...]
    timeout_s: int = 30
    caller_id: str | None = None
    answer_on_bridge: bool = False
    ring_tone: str | None = None
    hangup_on_star: bool = False
    time_limit_s: int = 14400
    sequential: bool = False
    record: RecordingPlan | None = None
    """Of the caller's own leg, from the moment when the two talk; None also when it is recorded already."""
