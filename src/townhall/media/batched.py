"""recvmmsg and sendmmsg: a thousand datagrams with one system call (Linux), and a plain loop elsewhere.

Both kinds have the same two methods and leave the same arrays behind. The structures of the calls are
numpy arrays, laid out for 64-bit Linux, so filling them in is array arithmetic.
"""

import ctypes
import errno
import socket
import struct
import sys
import time
from typing import Protocol

import numpy as np
import numpy.typing as npt

from townhall.media.shapes import (
    FAMILY_V4,
    FAMILY_V6,
    NAME_WORDS,
    Int32s,
    Int64s,
    Outgoing,
    Received,
    Words,
    address_of,
    name_of,
)

STRIDE = 1088
"""Room per received datagram: the longest RTP packet we take has far less, RTCP compounds up to this are
read. Not a power of two, so that the rows' beginnings do not share a few cache lines.
"""

MOST_A_CALL = 1024
"""The kernel takes no more (UIO_MAXIOV)."""

Structures = npt.NDArray[np.void]

_NAME_LENGTH = {FAMILY_V4: 16, FAMILY_V6: 28}
_RECORD = np.dtype(
    {
        "names": [
            "name",
            "name_length",
            "vectors",
            "vector_count",
            "control",
            "control_length",
            "flags",
            "length",
        ],
        "formats": ["u8", "u4", "u8", "u8", "u8", "u8", "u4", "u4"],
        "offsets": [0, 8, 16, 24, 32, 40, 48, 56],
        "itemsize": 64,
    }
)
"""struct mmsghdr."""
_VECTOR = np.dtype([("base", "u8"), ("length", "u8")])
"""struct iovec."""


class BatchedIO(Protocol):
    """What the sockets need of the system."""

    received: Received
    """Views of the whole receive buffer; rows up to the count of the last `receive` calls are filled."""

    def receive(self, sock: socket.socket, index: int, first: int) -> int:
        """Read what waits on a socket into the rows from `first` on, as far as there is room; how many."""

    def send(self, sock: socket.socket, batch: Outgoing, first: int, last: int) -> int:
        """Send rows `first` to `last` of a batch; how many the kernel took."""


def _buffers(rows: int) -> Received:
    return Received(
        np.zeros((rows, STRIDE), np.uint8),
        np.zeros(rows, np.int64),
        np.zeros((rows, NAME_WORDS), np.uint64),
        np.zeros(rows, np.int32),
        np.zeros(rows),
    )


class MMsgIO:
    """The batched calls. Raises OSError when the system has none."""

    def __init__(self, rows: int) -> None:
        if sys.platform != "linux" or struct.calcsize("P") != 8 or sys.byteorder != "little":
            raise OSError("recvmmsg and sendmmsg are used on 64-bit little-endian Linux only")
        library = ctypes.CDLL(None, use_errno=True)
        self._recvmmsg, self._sendmmsg = library.recvmmsg, library.sendmmsg
        pointer = ctypes.c_void_p
        self._recvmmsg.argtypes = [ctypes.c_int, pointer, ctypes.c_uint, ctypes.c_int, pointer]
        self._sendmmsg.argtypes = [ctypes.c_int, pointer, ctypes.c_uint, ctypes.c_int]
        self.received = _buffers(rows)
        self._rows = rows
        self._in, self._in_vectors = _records(rows)
        self._in_vectors["base"] = _row_addresses(self.received.data)
        self._in_vectors["length"] = STRIDE
        self._in["name"] = _row_addresses(self.received.names)
        self._in_at = self._in.ctypes.data
        self._out, self._out_vectors = _records(rows)
        self._out_names: Words = np.zeros((rows, NAME_WORDS), np.uint64)
        self._out["name"] = _row_addresses(self._out_names)
        self._out_at = self._out.ctypes.data

    def receive(self, sock: socket.socket, index: int, first: int) -> int:
        descriptor, begin = sock.fileno(), first
        while first < self._rows:
            wanted = min(self._rows - first, MOST_A_CALL)
            self._in["name_length"][first : first + wanted] = 8 * NAME_WORDS
            got = self._recvmmsg(descriptor, self._in_at + 64 * first, wanted, socket.MSG_DONTWAIT, None)
            if got <= 0:
                if got < 0 and ctypes.get_errno() == errno.EINTR:
                    continue
                break
            first += got
            if got < wanted:
                break
        into = slice(begin, first)
        self.received.lengths[into] = self._in["length"][into]
        cut = self._in["flags"][into] & socket.MSG_TRUNC != 0
        self.received.lengths[into][cut] = 0  # counted as malformed: nothing of ours is so long
        self.received.sockets[into] = index
        self.received.arrived[into] = time.monotonic()
        return first - begin

    def send(self, sock: socket.socket, batch: Outgoing, first: int, last: int) -> int:
        sent = 0
        for begin in range(first, last, self._rows):
            sent += self._send_some(sock.fileno(), batch, begin, min(begin + self._rows, last))
        return sent

    def _send_some(self, descriptor: int, batch: Outgoing, first: int, last: int) -> int:
        count = last - first
        self._out_names[:count] = batch.names[first:last]
        v6 = (batch.names[first:last, 0] & np.uint64(0xFFFF)) == FAMILY_V6
        self._out["name_length"][:count] = np.where(v6, _NAME_LENGTH[FAMILY_V6], _NAME_LENGTH[FAMILY_V4])
        stride = batch.data.strides[0]
        origin = batch.data.ctypes.data
        self._out_vectors["base"][:count] = np.arange(origin + first * stride, origin + last * stride, stride)
        self._out_vectors["length"][:count] = batch.lengths[first:last]
        at = sent = 0
        while at < count:
            wanted = min(count - at, MOST_A_CALL)
            took = self._sendmmsg(descriptor, self._out_at + 64 * at, wanted, socket.MSG_DONTWAIT)
            if took < 0:
                problem = ctypes.get_errno()
                if problem == errno.EINTR:
                    continue
                if problem in (errno.EAGAIN, errno.ENOBUFS):
                    break  # the queue is full: late audio is no use, the rest of the tick's is dropped
                took, sent = 1, sent - 1  # no route to this one, or a filter's refusal; on to the next
            at += took
            sent += took
        return sent


def _records(rows: int) -> tuple[Structures, Structures]:
    """Message records, each pointing at its one vector."""
    records, vectors = np.zeros(rows, _RECORD), np.zeros(rows, _VECTOR)
    records["vectors"] = vectors.ctypes.data + vectors.itemsize * np.arange(rows, dtype=np.uint64)
    records["vector_count"] = 1
    return records, vectors


def _row_addresses(array: npt.NDArray[np.generic]) -> Words:
    return np.uint64(array.ctypes.data) + np.uint64(array.strides[0]) * np.arange(len(array), dtype=np.uint64)


class PlainIO:
    """One call per datagram, for systems without the batched ones (macOS)."""

    def __init__(self, rows: int) -> None:
        self.received = _buffers(rows)
        self._rows = rows

    def receive(self, sock: socket.socket, index: int, first: int) -> int:
        begin = first
        into = self.received
        while first < self._rows:
            try:
                data, address = sock.recvfrom(STRIDE + 1, socket.MSG_DONTWAIT)
            except (BlockingIOError, InterruptedError):
                break
            except OSError:
                continue
            whole = len(data) <= STRIDE
            into.lengths[first] = len(data) if whole else 0
            into.data[first, : len(data)] = np.frombuffer(data[:STRIDE], np.uint8)
            into.names[first] = name_of((address[0], address[1])) if address[1] else 0
            into.sockets[first] = index
            into.arrived[first] = time.monotonic()
            first += 1
        return first - begin

    def send(self, sock: socket.socket, batch: Outgoing, first: int, last: int) -> int:
        sent = 0
        for row in range(first, last):
            data = batch.data[row, : int(batch.lengths[row])].tobytes()
            try:
                sock.sendto(data, socket.MSG_DONTWAIT, address_of(batch.names[row]))
            except BlockingIOError:
                break
            except OSError:
                continue
            sent += 1
        return sent


def best_io(rows: int) -> BatchedIO:
    """The batched calls where the system has them."""
    try:
        return MMsgIO(rows)
    except (OSError, AttributeError):
        return PlainIO(rows)


def runs_of(sockets: Int32s) -> list[tuple[int, int, int]]:
    """Runs of equal values as (value, first, last + 1)."""
    if not len(sockets):
        return []
    edges: Int64s = np.flatnonzero(sockets[1:] != sockets[:-1]) + 1
    begins = [0, *edges.tolist()]
    return [
        (int(sockets[begin]), begin, end)
        for begin, end in zip(begins, [*begins[1:], len(sockets)], strict=True)
    ]
