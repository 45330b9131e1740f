"""A request outside any dialog, of ours: OPTIONS to see who is there, REGISTER to be called (RFC 3261
sections 10.2, 11.1 and 22).

A challenge is answered, once for each of 401 and 407. Left out: following a 3xx.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from townhall.sip.dialog import Dialog
from townhall.sip.errors import SIPParseError
from townhall.sip.events import RequestDone
from townhall.sip.headers import Headers
from townhall.sip.hop import Hop
from townhall.sip.message import Request, Response
from townhall.sip.transaction import ClientTransaction

if TYPE_CHECKING:
    from townhall.sip.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class RequestPlan:
    """What to ask and whom. `target` is the request URI; To is `to_uri`, else the target.

    Registrations keep `call_id` and count `cseq` up (section 10.2); None: new ones.
    """

    method: str
    target: str
    from_uri: str
    hop: Hop
    to_uri: str | None = None
    headers: tuple[tuple[str, str], ...] = ()
    routes: tuple[str, ...] = ()
    credentials: tuple[str, str] | None = None
    call_id: str | None = None
    cseq: int | None = None
    contact_user: str | None = None


class OutsideRequest:
    """One request and what comes of it; `RequestDone` tells."""

    def __init__(self, endpoint: Endpoint, plan: RequestPlan, now: float) -> None:
        self.endpoint = endpoint
        self.plan = plan
        self.credentials = plan.credentials
        self.dialog: Dialog | None = None
        self.call_id = plan.call_id or f"{endpoint.new_token()}{endpoint.new_token()}"
        self.request = self._create()
        self._challenges = 0
        self._transaction = endpoint.layer.send_request(self.request, plan.hop, self, now)

    def _create(self) -> Request:
        plan, endpoint = self.plan, self.endpoint
        headers = Headers()
        for route in plan.routes:
            headers.add("Route", route)
        headers.add("Max-Forwards", "70")
        headers.add("From", f"<{plan.from_uri}>;tag={endpoint.new_token()}")
        headers.add("To", f"<{plan.to_uri or plan.target}>")
        headers.add("Call-ID", self.call_id)
        headers.add("CSeq", f"{plan.cseq or endpoint.chance(1, 10_000)} {plan.method}")
        headers.add("Contact", endpoint.contact(plan.hop, plan.contact_user))
        for name, value in (*endpoint.identity, *plan.headers):
            headers.add(name, value)
        return Request(plan.method, plan.target, headers)

    @property
    def last_cseq(self) -> int:
        """The number of the last request sent: the next one's is higher."""
        return self.request.cseq.number

    def response_received(self, transaction: ClientTransaction, response: Response, now: float) -> None:
        if response.status < 200:
            return
        if response.status in (401, 407) and self._challenges < 2:
            try:
                again = self.endpoint.authorise(self, self.request, response)
            except SIPParseError:
                again = None
            if again is not None:
                self._challenges += 1
                self.request = again
                self._transaction = self.endpoint.layer.send_request(again, transaction.hop, self, now)
                return
        self.endpoint.emit(RequestDone(self, response))

    def request_failed(self, transaction: ClientTransaction, failure: str, now: float) -> None:
        self.endpoint.emit(RequestDone(self, None))
