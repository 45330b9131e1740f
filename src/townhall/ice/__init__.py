"""Interactive Connectivity Establishment for a server of one port: STUN's codec and an ICE-lite agent (RFC
8489, RFC 8445, RFC 7675).

Pure: no sockets, no clock. The media process asks it what a STUN datagram means and what to answer; where a
browser is, and that it still wants to be sent to, is known from nothing else. Left out: gathering, being a
full agent (but for single checks of our own, which the load maker and the proof of an address need), TURN,
TCP candidates, STUN's long-term credentials, and SHA-256 integrity, which ICE does not use.
"""

from townhall.ice.checks import Check
from townhall.ice.credentials import Credentials, IceError, new_credentials
from townhall.ice.lite import ConsentLost, IceEvent, IceLite, PathChosen, PathLost, PathVerified
from townhall.ice.message import Address, Message, StunError, encode, parse
from townhall.ice.peers import Path

__all__ = [
    "Address",
    "Check",
    "ConsentLost",
    "Credentials",
    "IceError",
    "IceEvent",
    "IceLite",
    "Message",
    "Path",
    "PathChosen",
    "PathLost",
    "PathVerified",
    "StunError",
    "encode",
    "new_credentials",
    "parse",
]
