"""What a Binding request is answered with (RFC 8489 sections 6.3 and 9.1.3, RFC 8445 section 7.3)."""

from typing import NamedTuple

from townhall.ice.message import Address, Message, encode, error_code, unknown_attributes, xor_mapped_address


class Refusal(NamedTuple):
    """An error response's code and reason."""

    code: int
    reason: str


BAD_REQUEST = Refusal(400, "Bad Request")
UNAUTHENTICATED = Refusal(401, "Unauthenticated")
UNKNOWN_ATTRIBUTE = Refusal(420, "Unknown Attribute")
ROLE_CONFLICT = Refusal(487, "Role Conflict")


def fault_of(request: Message, key: bytes | None) -> Refusal | None:
    """What is wrong with a request to a lite agent, whose password is `key`; None for nobody's and for
    nothing.

    Credentials come first: who does not know the password learns only that.
    """
    if request.username is None or request.integrity_at < 0:
        return BAD_REQUEST
    if key is None or not request.has_integrity(key):
        return UNAUTHENTICATED
    if request.unknown:
        return UNKNOWN_ATTRIBUTE
    if request.controlled is not None:
        # A lite agent never controls (RFC 8445 section 6.1.1), whatever the tie-breakers say.
        return ROLE_CONFLICT
    return None


def success(request: Message, source: Address, key: bytes) -> bytes:
    """The datagram that tells a peer its check has come, and from where."""
    return encode("success", request.transaction, [xor_mapped_address(source, request.transaction)], key)


def refusal(request: Message, fault: Refusal, key: bytes | None) -> bytes:
    """The datagram of an error; authenticated when the request was."""
    attributes = [error_code(*fault)]
    if fault is UNKNOWN_ATTRIBUTE:
        attributes.append(unknown_attributes(request.unknown))
    authenticated = fault not in (BAD_REQUEST, UNAUTHENTICATED)
    return encode("error", request.transaction, attributes, key if authenticated else None)
