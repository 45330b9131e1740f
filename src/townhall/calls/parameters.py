"""The parameters that every voice webhook carries (Twilio's "TwiML voice request parameters", and those of
SIP callers and browsers).
"""

import re
from collections.abc import Iterable

from townhall.sip import SIPURI, Request

API_VERSION = "2010-04-01"

_E164 = re.compile(r"\+[1-9][0-9]{4,14}")
_CUSTOM_HEADER = re.compile(r"(?i)x-|user-to-user$|remote-party-id$|p-preferred-identity$|p-called-party-id$")
_MAX_CUSTOM_HEADERS = 32
_NOBODY = dict.fromkeys(("call_sid", "account_sid", "from_", "to", "status", "direction"), "")


def party(uri: SIPURI) -> str:
    """A caller or callee as Twilio writes him: an E.164 number where the user part is one, else
    `sip:user@host`.
    """
    if uri.user and _E164.fullmatch(uri.user):
        return uri.user
    return str(SIPURI(user=uri.user, host=uri.host))


def voice_parameters(
    *, call_sid: str, account_sid: str, from_: str, to: str, status: str, direction: str
) -> list[tuple[str, str]]:
    """What each request of a call says of it; `Called` and `Caller` are the old names of `To` and `From`."""
    return [
        ("CallSid", call_sid),
        ("AccountSid", account_sid),
        ("From", from_),
        ("To", to),
        ("Caller", from_),
        ("Called", to),
        ("CallStatus", status),
        ("Direction", direction),
        ("ApiVersion", API_VERSION),
    ]


def sip_parameters(request: Request, source_ip: str) -> list[tuple[str, str]]:
    """What a SIP caller's requests say on top: his domain, Call-ID, address and custom headers."""
    parameters = [
        ("SipDomain", SIPURI.parse(request.uri).host),
        ("SipCallId", request.call_id),
        ("SipSourceIp", source_ip),
    ]
    return parameters + list(_custom_headers(request.headers.items()))


def browser_parameters(
    application_sid: str, source_ip: str, parameters: Iterable[tuple[str, str]]
) -> list[tuple[str, str]]:
    """What a browser's requests say on top: its application, its address, and what its page gave to the call.

    `ClientSourceIp` is ours; it is to browsers what `SipSourceIp` is to phones.
    """
    own = [("ApplicationSid", application_sid), ("ClientSourceIp", source_ip)]
    seen = {name for name, _ in (*voice_parameters(**_NOBODY), *own)} | {"ParentCallSid"}
    for name, value in parameters:
        # A name twice would be signed in a way that validators disagree on; ours can't be overridden.
        if name and name not in seen:
            seen.add(name)
            own.append((name, value))
    return own


def _custom_headers(items: Iterable[tuple[str, str]]) -> Iterable[tuple[str, str]]:
    seen: set[str] = set()
    for name, value in items:
        # A name twice would be signed in a way that validators disagree on: the first one counts.
        if _CUSTOM_HEADER.match(name) and name.lower() not in seen and len(seen) < _MAX_CUSTOM_HEADERS:
            seen.add(name.lower())
            yield f"SipHeader_{name}", value
