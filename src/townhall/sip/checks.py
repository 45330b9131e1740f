"""What a UAS looks at before it does what a request asks, in the order of RFC 3261 section 8.2."""

from dataclasses import dataclass

from townhall.sip.bodies import BODY_TYPES, INFO_TYPES, SDP_TYPE
from townhall.sip.media_type import MediaType
from townhall.sip.message import Request

METHODS = ("INVITE", "ACK", "CANCEL", "BYE", "OPTIONS", "INFO", "UPDATE", "PRACK", "REGISTER")
ALLOW = ("Allow", ", ".join(METHODS))
SUPPORTED_TAGS = ("100rel", "timer")
SUPPORTED = ("Supported", ", ".join(SUPPORTED_TAGS))
ACCEPT = ("Accept", ", ".join((SDP_TYPE, *BODY_TYPES[1:], *INFO_TYPES)))
_SCHEMES = ("sip", "sips", "tel")
_SDP = MediaType("application", "sdp")


@dataclass(frozen=True, slots=True)
class Refusal:
    """The answer to a request that fails a check."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    reason: str | None = None


def check_request(request: Request) -> Refusal | None:
    """The first check that a request fails; None when it may be handled. May raise SIPParseError: then
    answer 400.

    Max-Forwards is not looked at: zero only forbids to forward (RFC 4475 section 3.3.11), and we never do.
    """
    if request.method not in METHODS:
        return Refusal(405, (ALLOW,))
    if request.request_uri.scheme not in _SCHEMES:
        return Refusal(416)
    unknown = [tag for tag in (*request.require, *request.proxy_require) if tag not in SUPPORTED_TAGS]
    if unknown:
        return Refusal(420, (("Unsupported", ", ".join(unknown)),))
    if request.method in ("INVITE", "UPDATE", "PRACK") and (refusal := _check_body(request)) is not None:
        return refusal
    if request.method == "INVITE" and request.contact is None:
        return Refusal(400, reason="Missing Contact")
    if request.method == "INVITE" and "Accept" in request.headers and not _accepts_sdp(request):
        return Refusal(406, (ACCEPT,))
    return None


def _accepts_sdp(request: Request) -> bool:
    return any(media_range.accepts(_SDP) for media_range in request.accept)


def _check_body(request: Request) -> Refusal | None:
    """Section 8.2.3: a body we cannot read is refused, unless its handling is optional."""
    if not request.body:
        return None
    disposition = (request.headers.get("Content-Disposition") or "").lower().replace(" ", "")
    if "handling=optional" in disposition:
        return None
    encoding = (request.headers.get("Content-Encoding") or "identity").strip().lower()
    if encoding not in ("", "identity"):
        return Refusal(415, (("Accept-Encoding", "identity"),))
    media_type = request.content_type
    if media_type is not None and media_type.essence not in BODY_TYPES:
        return Refusal(415, (("Accept", ", ".join(BODY_TYPES)),))
    return None
