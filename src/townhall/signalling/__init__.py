"""SIP on the network: UDP and TCP, IPv4 and IPv6, and the user agent that the rest of Townhall talks to.

The decisions are `townhall.sip`'s; here are sockets, the clock, and calls as objects to await. A user agent
answers OPTIONS and REGISTER by itself and hands every INVITE to its `on_invite`.
Left out: TLS, WebSocket, finding servers by SRV and NAPTR (RFC 3263).
"""

from townhall.signalling.incoming import IncomingInvite
from townhall.signalling.outgoing import OutgoingSession
from townhall.signalling.session import Session
from townhall.signalling.settings import CredentialStore, UserAgentSettings
from townhall.signalling.user_agent import UserAgent
from townhall.sip.outcome import InviteFailed, OfferRejected, SessionEnded
from townhall.sip.transaction import TimerValues

__all__ = [
    "CredentialStore",
    "IncomingInvite",
    "InviteFailed",
    "OfferRejected",
    "OutgoingSession",
    "Session",
    "SessionEnded",
    "TimerValues",
    "UserAgent",
    "UserAgentSettings",
]
