"""The two requests that belong to an INVITE and share its branch: the ACK of a failure, and CANCEL."""

from townhall.sip.headers import Headers
from townhall.sip.message import Request, Response


def ack_for_failure(invite: Request, response: Response) -> Request:
    """The ACK for a 3xx to 6xx (RFC 3261 section 17.1.1.3): same branch and route as the INVITE, To of the
    response.
    """
    return _companion("ACK", invite, response.headers.get("To"))


def cancel_for(invite: Request) -> Request:
    """The CANCEL of an INVITE (section 9.1)."""
    return _companion("CANCEL", invite, invite.headers.get("To"))


def _companion(method: str, invite: Request, to: str | None) -> Request:
    headers = Headers()
    headers.add("Via", str(invite.via))
    for route in invite.headers.get_all("Route"):
        headers.add("Route", route)
    headers.add("Max-Forwards", "70")
    headers.add("From", invite.headers.get("From") or "")
    headers.add("To", to or "")
    headers.add("Call-ID", invite.headers.get("Call-ID") or "")
    headers.add("CSeq", f"{invite.cseq.number} {method}")
    return Request(method, invite.uri, headers)
