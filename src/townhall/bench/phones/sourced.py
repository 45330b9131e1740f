"""UDP sockets that are a crowd of phones: each datagram has a loopback address of its own as its source.

Linux only (IP_PKTINFO, ip(7); SO_TIMESTAMPNS, socket(7); recvmmsg(2), sendmmsg(2)): a socket bound to every
address chooses the source of each datagram that it sends, and is told the destination of each that it
receives, and when the kernel had it: how late the load maker looks does not matter. So hundreds of phones
need one system call a tick. Thousands share a few sockets, since a socket's buffer holds a few hundred
datagrams where the system grants no more.
"""

import ctypes
import socket
import struct
import time
from dataclasses import dataclass

import numpy as np

from townhall.media.shapes import NAME_WORDS, Bytes, Floats, Int64s, Words

ROWS = 4096
"""Datagrams taken in at once."""
_MOST_A_CALL = 1024
"""The kernel takes no more (UIO_MAXIOV)."""
_STRIDE = 256
_IP_PKTINFO = 8
_SO_TIMESTAMPNS = 35
_SO_MEMINFO, _DROPS = 55, 8
"""What a socket's buffer had no room for, the ninth of its figures (linux/sock_diag.h)."""
_OUT_CONTROL_BYTES = 32
_CONTROL_HEADER = struct.pack("=QII", 28, socket.IPPROTO_IP, _IP_PKTINFO)
"""struct cmsghdr: its length with the 12 bytes of in_pktinfo, level, type."""
_IN_CONTROL_BYTES = 64
_STAMP, _NEAR = slice(16, 32), slice(56, 60)
"""Where the kernel puts the struct timespec and, of in_pktinfo, the address that was sent to."""
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
    at: Floats
    """When the kernel had each, in seconds of `time.monotonic`."""


class _Batch:
    """Message records with one vector and one control buffer each."""

    def __init__(self, data: Bytes, control_bytes: int) -> None:
        rows = len(data)
        self.data = data
        self.names: Words = np.zeros((rows, NAME_WORDS), np.uint64)
        self.control: Bytes = np.zeros((rows, control_bytes), np.uint8)
        self.vectors = np.zeros(rows, _VECTOR)
        self.vectors["base"] = _row_addresses(data)
        self.vectors["bytes"] = data.shape[1]
        self.records = np.zeros(rows, _RECORD)
        self.records["name"] = _row_addresses(self.names)
        self.records["name_bytes"] = 16
        self.records["vector"] = _row_addresses(self.vectors)
        self.records["vectors"] = 1
        self.records["control"] = _row_addresses(self.control)
        self.records["control_bytes"] = control_bytes
        self.at = self.records.ctypes.data


class SourcedSockets:
    """A crowd's sockets, on free ports of every address of this machine; raises OSError."""

    def __init__(self, stride: int = _STRIDE, count: int = 1) -> None:
        """`stride`: the most bytes of a datagram; `count`: how many sockets."""
        library = ctypes.CDLL(None, use_errno=True)
        pointer = ctypes.c_void_p
        self._recvmmsg, self._sendmmsg = library.recvmmsg, library.sendmmsg
        self._recvmmsg.argtypes = [ctypes.c_int, pointer, ctypes.c_uint, ctypes.c_int, pointer]
        self._sendmmsg.argtypes = [ctypes.c_int, pointer, ctypes.c_uint, ctypes.c_int]
        self._sockets = [_bound() for _ in range(count)]
        self._descriptors = [sock.fileno() for sock in self._sockets]
        self.ports = [int(sock.getsockname()[1]) for sock in self._sockets]
        self._in = _Batch(np.zeros((ROWS, stride), np.uint8), _IN_CONTROL_BYTES)
        self._out = _Batch(np.zeros((ROWS, stride), np.uint8), _OUT_CONTROL_BYTES)
        self._out.control[:, : len(_CONTROL_HEADER)] = np.frombuffer(_CONTROL_HEADER, np.uint8)

    @property
    def port(self) -> int:
        """Of the first socket."""
        return self.ports[0]

    def receive(self) -> Arrivals:
        """What waits, at most `ROWS` datagrams; in their order for each socket."""
        batch, count = self._in, 0
        for descriptor in self._descriptors:
            while count < ROWS:
                wanted = min(_MOST_A_CALL, ROWS - count)
                got = self._recvmmsg(descriptor, batch.at + 64 * count, wanted, socket.MSG_DONTWAIT, None)
                count += max(0, got)
                if got < wanted:
                    break
        control = batch.control[:count]
        stamps = np.ascontiguousarray(control[:, _STAMP]).view(np.int64)
        at = stamps[:, 0] - (time.time() - time.monotonic()) + stamps[:, 1] * 1e-9
        lengths = batch.records["length"][:count].astype(np.int64)
        batch.records["control_bytes"][:count] = _IN_CONTROL_BYTES  # the kernel wrote over these two
        batch.records["name_bytes"][:count] = 16
        return Arrivals(_as_numbers(control[:, _NEAR]), batch.data[:count], lengths, at)

    def send(
        self, sources: Int64s, names: Words, data: Bytes, lengths: Int64s, which: Int64s | None = None
    ) -> None:
        """Send datagrams, each from its own source and by the socket `which`, ascending (None: the first);
        what the kernel does not take is lost.
        """
        batch, count = self._out, len(sources)
        which = np.zeros(count, np.int64) if which is None else which
        batch.control[:count, 20:24] = _as_octets(sources)
        batch.names[:count] = names
        batch.data[:count, : data.shape[1]] = data
        batch.vectors["bytes"][:count] = lengths
        ends = np.searchsorted(which, np.arange(len(self._sockets)), "right").tolist()
        at = 0
        for descriptor, end in zip(self._descriptors, ends, strict=True):
            while at < end:
                wanted = min(_MOST_A_CALL, end - at)
                sent = self._sendmmsg(descriptor, batch.at + 64 * at, wanted, socket.MSG_DONTWAIT)
                at += max(1, sent)

    def dropped(self) -> int:
        """Datagrams that came and found no room, since the beginning."""
        return sum(
            struct.unpack_from("=I", sock.getsockopt(socket.SOL_SOCKET, _SO_MEMINFO, 64), 4 * _DROPS)[0]
            for sock in self._sockets
        )

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()


SourcedSocket = SourcedSockets
"""For those who need but one."""


def _bound() -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    sock.setsockopt(socket.IPPROTO_IP, _IP_PKTINFO, 1)
    sock.setsockopt(socket.SOL_SOCKET, _SO_TIMESTAMPNS, 1)
    for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
        sock.setsockopt(socket.SOL_SOCKET, option, 8 << 20)
    sock.bind(("0.0.0.0", 0))
    return sock


def _row_addresses(array: np.ndarray[tuple[int, ...], np.dtype[np.generic]]) -> Words:
    rows = np.arange(len(array), dtype=np.uint64)
    return np.uint64(array.ctypes.data) + np.uint64(array.strides[0]) * rows


def _as_numbers(octets: Bytes) -> Int64s:
    numbers: Int64s = (octets.astype(np.int64) << np.array([24, 16, 8, 0])).sum(axis=1)
    return numbers


def _as_octets(numbers: Int64s) -> Bytes:
    octets: Bytes = ((numbers[:, None] >> np.array([24, 16, 8, 0])) & 0xFF).astype(np.uint8)
    return octets
