"""What the endpoint tells the shell above it, past tense."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from townhall.sip.message import Response
from townhall.sip.outcome import InviteFailed, OfferRejected, SessionEnded
from townhall.sip.transaction import ServerTransaction

if TYPE_CHECKING:
    from townhall.sip.invite import Call
    from townhall.sip.invite_uac import ClientCall
    from townhall.sip.invite_uas import ServerCall
    from townhall.sip.outside import OutsideRequest


@dataclass(frozen=True, slots=True)
class InviteReceived:
    """Somebody calls; `call` waits for `ring`, `answer` or `reject`."""

    call: "ServerCall"


@dataclass(frozen=True, slots=True)
class AnswerAcknowledged:
    """The caller has our 2xx. `sdp` is the body of the ACK: the answer, when the offer was ours."""

    call: "ServerCall"
    sdp: bytes | None


@dataclass(frozen=True, slots=True)
class ProvisionalReceived:
    """A call of ours rings, or has early media when the response has a body."""

    call: "ClientCall"
    response: Response


@dataclass(frozen=True, slots=True)
class CallAnswered:
    """A call of ours was answered and acknowledged; `sdp` is the description in the 2xx or before it."""

    call: "ClientCall"
    sdp: bytes


@dataclass(frozen=True, slots=True)
class CallFailed:
    """A call of ours was not answered."""

    call: "ClientCall"
    error: InviteFailed


@dataclass(frozen=True, slots=True)
class CallEnded:
    """A call is over; told once for each."""

    call: "Call"
    ended: SessionEnded


@dataclass(frozen=True, slots=True)
class OfferAnswered:
    """The peer has answered our re-INVITE."""

    call: "Call"
    sdp: bytes


@dataclass(frozen=True, slots=True)
class OfferFailed:
    """The peer has refused our re-INVITE; the session is as it was."""

    call: "Call"
    error: OfferRejected


@dataclass(frozen=True, slots=True)
class RegisterReceived:
    """A REGISTER waits for an answer; the shell knows the passwords."""

    transaction: ServerTransaction


@dataclass(frozen=True, slots=True)
class RequestDone:
    """A request of ours outside dialogs has its final response; None: nobody answered."""

    request: "OutsideRequest"
    response: Response | None


EndpointEvent = (
    InviteReceived
    | AnswerAcknowledged
    | ProvisionalReceived
    | CallAnswered
    | CallFailed
    | CallEnded
    | OfferAnswered
    | OfferFailed
    | RegisterReceived
    | RequestDone
)
