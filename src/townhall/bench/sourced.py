"""One UDP socket that is a crowd of phones: each datagram has a loopback address of its own as its source.

Linux only (IP_PKTINFO, ip(7); recvmmsg(2), sendmmsg(2)): a socket bound to every address chooses the source
of each datagram that it sends, and is told the destination of each that it receives. So hundreds of phones
need one system call a tick.
"""

import ctypes
import socket
import struct
from dataclasses import dataclass

import numpy as np

from townhall.media.shapes import NAME_WORDS, Bytes, Int64s, Words

ROWS = 4096
"""Datagrams taken in at once."""
_MOST_A_CALL = 1024
"""The kernel takes no more (UIO_MAXIOV)."""
_STRIDE = 256
_CONTROL_BYTES = 32
_IP_PKTINFO = 8
_CONTROL_HEADER = struct.pack("=QII", 28, socket.IPPROTO_IP, _IP_PKTINFO)
"""struct cmsghdr: its length with the 12 bytes of in_pktinfo, level, type."""
_RECORD = np.dtype(
    {
        "names": ["name", "name_bytes", "vector", "vectors", "control", "control_bytes", "flags", "length"],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "u4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
"""struct mmsghdr on 64-bit Linux."""
_VECTOR = np.dtype([("base", "u8"), ("bytes", "u8")])
"""struct iovec."""


@dataclass(frozen=True, slots=True)
class Arrivals:
    """`near`: whom each datagram was sent to, an IPv4 address in host byte order."""

    near: Int64s
    data: Bytes
    """`(n, stride)`, a view that lasts until the next `receive`."""
    lengths: Int64s


class _Batch:
    """Message records with one vector and one control buffer each."""

    def __init__(self, data: Bytes) -> None:
        rows = len(data)
        self.data = data
        self.names: Words = np.zeros((rows, NAME_WORDS), np.uint64)
        self.control: Bytes = np.zeros((rows, _CONTROL_BYTES), np.uint8)
        self.vectors = np.zeros(rows, _VECTOR)
        self.vectors["base"] = _row_addresses(data)
        self.vectors["bytes"] = data.shape[1]
        self.records = np.zeros(rows, _RECORD)
        self.records["name"] = _row_addresses(self.names)
        self.records["name_bytes"] = 16
        self.records["vector"] = _row_addresses(self.vectors)
        self.records["vectors"] = 1
        self.records["control"] = _row_addresses(self.control)
        self.records["control_bytes"] = _CONTROL_BYTES
        self.at = self.records.ctypes.data


class SourcedSocket:
    """The crowd's socket, on a free port of every address of this machine; raises OSError."""

    def __init__(self, stride: int = _STRIDE) -> None:
        """`stride`: the most bytes of a datagram."""
        library = ctypes.CDLL(None, use_errno=True)
        pointer = ctypes.c_void_p
        self._recvmmsg, self._sendmmsg = library.recvmmsg, library.sendmmsg
        self._recvmmsg.argtypes = [ctypes.c_int, pointer, ctypes.c_uint, ctypes.c_int, pointer]
        self._sendmmsg.argtypes = [ctypes.c_int, pointer, ctypes.c_uint, ctypes.c_int]
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            self._socket.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
        self._socket.bind(("0.0.0.0", 0))
        self.port = int(self._socket.getsockname()[1])
        self._in = _Batch(np.zeros((ROWS, stride), np.uint8))
        self._out = _Batch(np.zeros((ROWS, stride), np.uint8))
        self._out.control[:, : len(_CONTROL_HEADER)] = np.frombuffer(_CONTROL_HEADER, np.uint8)

    def receive(self) -> Arrivals:
        """What waits, at most `ROWS` datagrams."""
        batch, count = self._in, 0
        batch.records["control_bytes"] = _CONTROL_BYTES  # the kernel writes over these two
        batch.records["name_bytes"] = 16
        while count < ROWS:
            wanted = min(_MOST_A_CALL, ROWS - count)
            descriptor = self._socket.fileno()
            got = self._recvmmsg(descriptor, batch.at + 64 * count, wanted, socket.MSG_DONTWAIT, None)
            count += max(0, got)
            if got < wanted:
                break
        near = _as_numbers(batch.control[:count, 24:28])
        return Arrivals(near, batch.data[:count], batch.records["length"][:count].astype(np.int64))

    def send(self, sources: Int64s, names: Words, data: Bytes, lengths: Int64s) -> None:
        """Send datagrams, each from its own source; what the kernel does not take is lost."""
        batch, count = self._out, len(sources)
        batch.control[:count, 20:24] = _as_octets(sources)
        batch.names[:count] = names
        batch.data[:count, : data.shape[1]] = data
        batch.vectors["bytes"][:count] = lengths
        at = 0
        while at < count:
            wanted = min(_MOST_A_CALL, count - at)
            sent = self._sendmmsg(self._socket.fileno(), batch.at + 64 * at, wanted, socket.MSG_DONTWAIT)
            at += max(1, sent)

    def close(self) -> None:
        self._socket.close()


def _row_addresses(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Words:
    rows = np.arange(len(array), dtype=np.uint64)
    return np.uint64(array.ctypes.data) + np.uint64(array.strides[0]) * rows


def _as_numbers(octets: Bytes) -> Int64s:
    numbers: Int64s = (octets.astype(np.int64) << np.array([24, 16, 8, 0])).sum(axis=1)
    return numbers


def _as_octets(numbers: Int64s) -> Bytes:
    octets: Bytes = ((numbers[:, None] >> np.array([24, 16, 8, 0])) & 0xFF).astype(np.uint8)
    return octets
