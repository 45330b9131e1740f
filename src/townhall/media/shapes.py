"""The array types that cross between the files of this room, and the shape of an address.

A *name* is a socket address as the kernel writes it (`sockaddr_in`, `sockaddr_in6`), padded to four
64-bit words: word 0 of an IPv4 name is family, port and address, word 0 of an IPv6 name family, port and
flow label, words 1 and 2 its address. Systems without batched calls get the same words, so that nothing
above the sockets knows the difference.
"""

import ipaddress
import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from townhall.media.protocol import Address

Bytes = npt.NDArray[np.uint8]
Bools = npt.NDArray[np.bool_]
Int16s = npt.NDArray[np.int16]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Words = npt.NDArray[np.uint64]
Words32 = npt.NDArray[np.uint32]
Slots = npt.NDArray[np.integer]
Rows = Int64s | slice
"""Which rows of an array; a slice where they follow one another, so that nothing is copied to get at them."""

TICK_S = 0.02
TICK_SAMPLES = 160
WIDE_BYTES = 160
"""The longest packet that we send to a wide leg: 20 ms at 64 kbit/s, exactly what G.722 takes, and twice of
what our Opus encoders are set to.
"""
OPUS_TICK_UNITS = 960
"""RTP timestamp units of a tick of Opus, whose clock is always 48 kHz (RFC 7587 section 4.1)."""
NAME_WORDS = 4
FAMILY_V4, FAMILY_V6 = 2, 10
FAMILY_VIRTUAL = 0xFFFF
"""Of a secure leg's name: no network address has it, see `virtual_name`."""


@dataclass(slots=True)
class Received:
    """A batch of `n` datagrams, in order of arrival on each socket."""

    data: Bytes
    """`(n, stride)`; what stands behind a datagram's length is old."""
    lengths: Int64s
    names: Words
    """`(n, NAME_WORDS)`."""
    sockets: Int32s
    """Index of the socket: RTP sockets first, then as many RTCP sockets in the same order."""
    arrived: Floats
    """Seconds of a steady clock."""


@dataclass(slots=True)
class Outgoing:
    """A batch of `n` datagrams to send, sorted by socket."""

    data: Bytes
    """`(n, stride)`, each datagram at the beginning of its row; rows may lie apart."""
    lengths: Int64s
    names: Words
    sockets: Int32s


def rows_of(places: Int64s) -> Rows:
    """The same rows, as a slice if they can be one."""
    count = len(places)
    if not count:
        return slice(0, 0)
    first = int(places[0])
    if int(places[-1]) - first == count - 1 and bool((np.diff(places) == 1).all()):
        return slice(first, first + count)
    return places


def name_of(address: Address) -> Words:
    """The name `(NAME_WORDS,)` of a numeric address. Raises ValueError for anything else."""
    host, port = address
    if not 0 < port < 65536:
        raise ValueError(f"port {port} of {host} is not between 1 and 65535")
    ip = ipaddress.ip_address(host)
    if isinstance(ip, ipaddress.IPv4Address):
        packed = struct.pack("=H", FAMILY_V4) + struct.pack("!H", port) + ip.packed
    else:
        zone = ip.scope_id or ""
        scope = int(zone) if zone.isdecimal() else 0
        packed = struct.pack("=H", FAMILY_V6) + struct.pack("!HI", port, 0) + ip.packed
        packed += struct.pack("=I", scope)
    return np.frombuffer(packed.ljust(8 * NAME_WORDS, b"\0"), np.uint64)


def address_of(name: Words) -> Address:
    """The numeric address of a name `(NAME_WORDS,)`."""
    packed = np.ascontiguousarray(name).tobytes()
    port = int(struct.unpack_from("!H", packed, 2)[0])
    if struct.unpack_from("=H", packed)[0] == FAMILY_V4:
        return str(ipaddress.IPv4Address(packed[4:8])), port
    return str(ipaddress.IPv6Address(packed[8:24])), port


def virtual_name(leg: int) -> Words:
    """The name `(NAME_WORDS,)` by which the engine knows a secure leg's peer, wherever that is just now."""
    return np.array([leg << 16 | FAMILY_VIRTUAL, 0, 0, 0], np.uint64)


def with_port_after(name: Words) -> Words:
    """The same host, the next port: where a peer's RTCP lives unless it says otherwise (RFC 3550 section
    11).
    """
    host, port = address_of(name)
    return name_of((host, min(port + 1, 65535)))
