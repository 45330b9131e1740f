"""SIP without I/O: messages, transactions, dialogs, digest (RFC 3261 and its extensions).

Bytes and the time go in, messages and decisions come out; sockets and timers are signalling's.
Left out: S/MIME, the obsolete RFC 2543 forms of authentication, PGP.
"""

from townhall.sip.address import Address
from townhall.sip.cseq import CSeq, RAck
from townhall.sip.errors import SIPError, SIPParseError
from townhall.sip.grammar import Parameters
from townhall.sip.headers import Headers
from townhall.sip.media_type import MediaType
from townhall.sip.message import Message, Request, Response
from townhall.sip.multipart import session_description, split_multipart
from townhall.sip.parser import Limits, parse_message
from townhall.sip.reasons import reason_phrase
from townhall.sip.session_timer import SessionExpires
from townhall.sip.stream import KeepAlive, StreamError, StreamParser
from townhall.sip.uri import SIPURI
from townhall.sip.via import Via

__all__ = [
    "SIPURI",
    "Address",
    "CSeq",
    "Headers",
    "KeepAlive",
    "Limits",
    "MediaType",
    "Message",
    "Parameters",
    "RAck",
    "Request",
    "Response",
    "SIPError",
    "SIPParseError",
    "SessionExpires",
    "StreamError",
    "StreamParser",
    "Via",
    "parse_message",
    "reason_phrase",
    "session_description",
    "split_multipart",
]
