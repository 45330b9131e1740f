"""STUN messages as ICE uses them: bytes to fields and back (RFC 8489 sections 5 and 14, RFC 8445 section 16).

Only the method Binding. Attributes behind MESSAGE-INTEGRITY count for nothing, but for FINGERPRINT; unknown
ones that may be left unread are; those that may not are listed in `unknown`.
"""

import hmac
import struct
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal

from townhall.errors import TownhallError

Address = tuple[bytes, int]
"""A packed IP address of 4 or 16 bytes, and a port."""

Kind = Literal["request", "indication", "success", "error"]

HEADER_LENGTH = 20
MOST_BYTES = 1280
"""More than any check of ICE; RFC 8489 section 6.1 keeps messages within the path's MTU."""

COOKIE = b"\x21\x12\xa4\x42"
_XOR_PORT = 0x2112
_FINGERPRINT_MASK = 0x5354554E

MAPPED_ADDRESS = 0x0001
USERNAME = 0x0006
MESSAGE_INTEGRITY = 0x0008
ERROR_CODE = 0x0009
UNKNOWN_ATTRIBUTES = 0x000A
REALM = 0x0014
NONCE = 0x0015
MESSAGE_INTEGRITY_SHA256 = 0x001C
XOR_MAPPED_ADDRESS = 0x0020
PRIORITY = 0x0024
USE_CANDIDATE = 0x0025
FINGERPRINT = 0x8028
ICE_CONTROLLED = 0x8029
ICE_CONTROLLING = 0x802A

_OPTIONAL_FROM = 0x8000
_READ = frozenset(
    (
        MAPPED_ADDRESS,
        USERNAME,
        MESSAGE_INTEGRITY,
        ERROR_CODE,
        UNKNOWN_ATTRIBUTES,
        REALM,
        NONCE,
        MESSAGE_INTEGRITY_SHA256,
        XOR_MAPPED_ADDRESS,
        PRIORITY,
        USE_CANDIDATE,
    )
)
MOST_UNKNOWN = 16
"""Listed in an answer 420."""

_TYPES: dict[Kind, int] = {"request": 0x0001, "indication": 0x0011, "success": 0x0101, "error": 0x0111}
_KINDS = {number: kind for kind, number in _TYPES.items()}

_FIXED_LENGTHS = {
    MESSAGE_INTEGRITY: 20,
    PRIORITY: 4,
    USE_CANDIDATE: 0,
    FINGERPRINT: 4,
    ICE_CONTROLLED: 8,
    ICE_CONTROLLING: 8,
}


class StunError(TownhallError):
    """The bytes are no STUN Binding message that may be answered."""


@dataclass(slots=True)
class Message:
    """What was read; `integrity_at` and `data` are for `has_integrity`."""

    kind: Kind
    transaction: bytes
    """12 bytes."""
    data: bytes
    username: bytes | None = None
    priority: int | None = None
    use_candidate: bool = False
    controlling: int | None = None
    """The tie-breaker of ICE-CONTROLLING."""
    controlled: int | None = None
    mapped: Address | None = None
    """XOR-MAPPED-ADDRESS."""
    error: int | None = None
    unknown: list[int] = field(default_factory=list)
    """Attributes that had to be understood and were not."""
    integrity_at: int = -1
    """Where MESSAGE-INTEGRITY begins; -1: there is none."""

    def has_integrity(self, key: bytes) -> bool:
        """Whether MESSAGE-INTEGRITY is there and was made with `key`, a password of ICE (RFC 8489 section
        14.5).
        """
        at = self.integrity_at
        if at < 0:
            return False
        found = self.data[at + 4 : at + 24]
        return hmac.compare_digest(found, _integrity(self.data[:at], key))


def parse(data: bytes) -> Message:
    """Read one datagram. Raises `StunError` for everything that is to be dropped without an answer."""
    if not HEADER_LENGTH <= len(data) <= MOST_BYTES:
        raise StunError(f"{len(data)} bytes; a STUN message of ours has {HEADER_LENGTH} to {MOST_BYTES}")
    number, length = struct.unpack_from("!HH", data)
    kind = _KINDS.get(number)
    if kind is None or data[4:8] != COOKIE:
        raise StunError(f"type {number:#06x} with cookie {data[4:8].hex()} is no Binding of RFC 8489")
    if length != len(data) - HEADER_LENGTH or length & 3:
        raise StunError(f"a length of {length} in {len(data)} bytes")
    message = Message(kind, data[8:20], data)
    at = HEADER_LENGTH
    while at < len(data):
        attribute, size = struct.unpack_from("!HH", data, at)
        begin, end = at + 4, at + 4 + size
        if end > len(data):
            raise StunError(f"attribute {attribute:#06x} of {size} bytes goes beyond the message's end")
        if _FIXED_LENGTHS.get(attribute, size) != size:
            raise StunError(f"attribute {attribute:#06x} of {size} bytes")
        if attribute == FINGERPRINT:
            _check_fingerprint(data, at)
        elif message.integrity_at < 0:
            _take(message, attribute, at, data[begin:end])
        at = end + (-size & 3)
    return message


def _take(message: Message, attribute: int, at: int, value: bytes) -> None:
    """Note one attribute; the first of its kind counts (RFC 8489 section 14)."""
    match attribute:
        case 0x0006:
            message.username = message.username or value
        case 0x0008:
            message.integrity_at = at
        case 0x0009:
            message.error = _error_code(value)
        case 0x0020:
            message.mapped = _unxored(value, message.transaction)
        case 0x0024:
            message.priority = int.from_bytes(value, "big")
        case 0x0025:
            message.use_candidate = True
        case 0x8029:
            message.controlled = int.from_bytes(value, "big")
        case 0x802A:
            message.controlling = int.from_bytes(value, "big")
        case _ if (
            attribute < _OPTIONAL_FROM and attribute not in _READ and len(message.unknown) < MOST_UNKNOWN
        ):
            message.unknown.append(attribute)


def _check_fingerprint(data: bytes, at: int) -> None:
    (found,) = struct.unpack_from("!I", data, at + 4)
    if at + 8 != len(data) or found != zlib.crc32(data[:at]) ^ _FINGERPRINT_MASK:
        raise StunError("FINGERPRINT is wrong or not the last attribute")


def _error_code(value: bytes) -> int:
    if len(value) < 4:
        raise StunError(f"an ERROR-CODE of {len(value)} bytes")
    return (value[2] & 7) * 100 + value[3]


def _unxored(value: bytes, transaction: bytes) -> Address:
    if len(value) != {1: 8, 2: 20}.get(value[1] if len(value) > 1 else 0):
        raise StunError(f"a XOR-MAPPED-ADDRESS of {len(value)} bytes")
    return _xor(value[4:], transaction), int.from_bytes(value[2:4], "big") ^ _XOR_PORT


def _xor(packed: bytes, transaction: bytes) -> bytes:
    mask = (COOKIE + transaction)[: len(packed)]
    return (int.from_bytes(packed, "big") ^ int.from_bytes(mask, "big")).to_bytes(len(packed), "big")


def xor_mapped_address(address: Address, transaction: bytes) -> tuple[int, bytes]:
    """The attribute that tells a peer where its request came from (RFC 8489 section 14.2)."""
    packed, port = address
    family = 1 if len(packed) == 4 else 2
    return XOR_MAPPED_ADDRESS, struct.pack("!xBH", family, port ^ _XOR_PORT) + _xor(packed, transaction)


def error_code(code: int, reason: str) -> tuple[int, bytes]:
    """ERROR-CODE (RFC 8489 section 14.8)."""
    return ERROR_CODE, struct.pack("!xxBB", code // 100, code % 100) + reason.encode()


def unknown_attributes(attributes: Iterable[int]) -> tuple[int, bytes]:
    """UNKNOWN-ATTRIBUTES of an answer 420."""
    return UNKNOWN_ATTRIBUTES, b"".join(struct.pack("!H", attribute) for attribute in attributes)


def encode(
    kind: Kind, transaction: bytes, attributes: Iterable[tuple[int, bytes]], key: bytes | None = None
) -> bytes:
    """One message. With a `key` it has MESSAGE-INTEGRITY; FINGERPRINT it always has."""
    body = b"".join(
        struct.pack("!HH", attribute, len(value)) + value + bytes(-len(value) & 3)
        for attribute, value in attributes
    )
    message = struct.pack("!HH", _TYPES[kind], len(body)) + COOKIE + transaction + body
    if key is not None:
        message = message + struct.pack("!HH", MESSAGE_INTEGRITY, 20) + _integrity(message, key)
    message = _with_length(message, len(message) - HEADER_LENGTH + 8)
    return message + struct.pack("!HHI", FINGERPRINT, 4, zlib.crc32(message) ^ _FINGERPRINT_MASK)


def _integrity(before: bytes, key: bytes) -> bytes:
    """HMAC-SHA1 over everything before the attribute, the length being as if it were the last one."""
    return hmac.digest(key, _with_length(before, len(before) - HEADER_LENGTH + 24), "sha1")


def _with_length(message: bytes, length: int) -> bytes:
    return message[:2] + struct.pack("!H", length) + message[4:]
