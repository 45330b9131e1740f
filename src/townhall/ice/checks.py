"""A connectivity check of our own: one Binding request and what its answer proves (RFC 8445 section 7.2)."""

import struct
from dataclasses import dataclass

from townhall.ice.credentials import Credentials
from townhall.ice.message import (
    ICE_CONTROLLED,
    ICE_CONTROLLING,
    PRIORITY,
    USE_CANDIDATE,
    USERNAME,
    Address,
    Message,
    StunError,
    encode,
)

PEER_REFLEXIVE_PRIORITY = 110 << 24 | 0xFFFF << 8 | 0xFF
"""Of the candidate that the check would make known (RFC 8445 section 7.1.1): type preference 110, one
interface, one component.
"""


@dataclass(frozen=True, slots=True)
class Check:
    """A request from us to a peer, whose credentials are `remote`."""

    local: Credentials
    remote: Credentials
    transaction: bytes
    """12 random bytes: who answers with them has read the request."""
    tie_breaker: int
    controlling: bool = True
    nominate: bool = False

    def request(self) -> bytes:
        """The datagram; the same one again is a retransmission."""
        role = ICE_CONTROLLING if self.controlling else ICE_CONTROLLED
        attributes = [
            (USERNAME, f"{self.remote.ufrag}:{self.local.ufrag}".encode()),
            (role, struct.pack("!Q", self.tie_breaker)),
            (PRIORITY, struct.pack("!I", PEER_REFLEXIVE_PRIORITY)),
        ]
        if self.nominate:
            attributes.append((USE_CANDIDATE, b""))
        return encode("request", self.transaction, attributes, self.remote.pwd.encode())

    def answered(self, message: Message) -> Address:
        """Where the peer saw the request come from. Raises `StunError` when the message is no good answer
        to it.
        """
        if message.transaction != self.transaction:
            raise StunError("an answer to another check")
        if message.kind == "error":
            raise StunError(f"the check was answered with error {message.error}")
        if message.kind != "success" or message.mapped is None:
            raise StunError(f"a {message.kind} without a mapped address is no answer to a check")
        if not message.has_integrity(self.remote.pwd.encode()):
            raise StunError("an answer that was not made with the peer's password")
        return message.mapped
