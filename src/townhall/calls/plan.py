"""What a call of ours is for: whom to call, as whom, and what runs once it is answered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from townhall.twiml import InlineDocument
from townhall.twiml.control import CallCallbacks, ConferenceDial, DocumentRequest, RecordingPlan

if TYPE_CHECKING:
    from townhall.calls.control import LiveCall

Program = DocumentRequest | InlineDocument | ConferenceDial | Callable[["LiveCall"], Awaitable[None]]
"""What an answered call runs: a document, a conference that it joins at once, or a course of our own (the
callee of a `<Dial>`). The call is hung up when it ends."""

Direction = Literal["outbound-api", "outbound-dial"]


@dataclass(frozen=True, slots=True)
class OutboundPlan:
    to: str
    """`+15551234`, `client:alice`, `sip:bob@example.com`, or a registered phone's bare name (`1001`)."""
    from_: str
    """Who calls, as the call's record says it."""
    program: Program
    caller_id: str | None = None
    """What the callee sees; None: `from_`."""
    fallback: DocumentRequest | None = None
    direction: Direction = "outbound-api"
    parent_call_sid: str | None = None
    timeout_s: float = 60.0
    """Seconds of ringing, then the call is `no-answer`."""
    time_limit_s: float | None = None
    """Seconds after the answer, then it is hung up."""
    send_digits: str = ""
    """Keys pressed after the answer, before the program runs."""
    sip_headers: tuple[tuple[str, str], ...] = ()
    sip_auth: tuple[str, str] | None = None
    """User name and password for the callee's digest challenge."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What each webhook of the call says on top (`<Client><Parameter>`)."""
    status_callback: CallCallbacks | None = None
    record: RecordingPlan | None = None
    """How the call is recorded from its answer on."""
