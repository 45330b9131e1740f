"""How calls and offers end: the errors that the INVITE usage and its users raise to each other.

TownhallError
├── SessionEnded      a call is over; also the value that says how
├── InviteFailed      a call of ours was not answered
└── OfferRejected     an offer inside a call was refused, by the peer or by us
"""

from collections.abc import Sequence
from typing import Literal

from townhall.errors import TownhallError

Cause = Literal["bye", "cancel", "timeout", "error", "local"]


class SessionEnded(TownhallError):
    """A call is over.

    `cause`: "bye" (the peer hung up), "cancel" (the caller gave up before the answer), "timeout" (no ACK, or
    no sign of life within the session interval), "error" (the peer no longer knows the call, or we refused
    it), "local" (we hung up). `status` and `reason` are of the response that ended it, or of the Reason
    header that came with BYE or CANCEL.
    """

    def __init__(self, cause: Cause, status: int | None = None, reason: str | None = None) -> None:
        super().__init__(f"the call has ended: {cause}" + (f" ({status} {reason or ''})" if status else ""))
        self.cause: Cause = cause
        self.status = status
        self.reason = reason


class InviteFailed(TownhallError):
    """A call of ours got a final response other than 2xx, or none (status 408), or could not be sent (status
    503).

    `contacts` are the URIs of a 3xx, `retry_after` what the peer said of when to call again.
    """

    def __init__(
        self, status: int, reason: str, contacts: Sequence[str] = (), retry_after: str | None = None
    ) -> None:
        later = f" (Retry-After: {retry_after[:32]})" if retry_after else ""
        super().__init__(f"the call was not answered: {status} {reason}{later}")
        self.retry_after = retry_after
        self.status = status
        self.reason = reason
        self.contacts = list(contacts)


class OfferRejected(TownhallError):
    """An offer is refused with `status`; raised by `on_offer` to refuse, and by `reinvite` when the peer
    refuses.
    """

    def __init__(self, status: int = 488, reason: str | None = None) -> None:
        super().__init__(f"the offer was refused: {status} {reason or ''}".rstrip())
        self.status = status
        self.reason = reason
