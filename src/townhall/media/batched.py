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
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from townhall.media.shapes import (
    FAMILY_V6,
    NAME_WORDS,
    Bytes,
    Int32s,
    Int64s,
    Outgoing,
    Received,
    Words,
    address_of,
    name_of,
)

STRIDE = 1600
"""Room per received datagram: DTLS handshakes come in what an Ethernet frame holds; RTP and RTCP have far
less. Not a power of two, so that the rows' beginnings do not share a few cache lines.
"""

MOST_A_CALL = 1024
"""The kernel takes no more (UIO_MAXIOV)."""

Structures = npt.NDArray[np.void]

_LENGTH_V4, _LENGTH_V6 = 16, 28
"""Of `sockaddr_in` and `sockaddr_in6`."""

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

    def receive(self, socks: Sequence[tuple[int, socket.socket]]) -> Received | None:
        """Read what waits on these sockets (with their indices), as far as there is room; None: nothing.

        The arrays are views of one buffer, valid until the next call.
        """

    def send(self, socks: Sequence[socket.socket], batch: Outgoing) -> int:
        """Send a batch; `batch.sockets` are indices of `socks`. How many datagrams the kernel took."""


class _Buffers:
    """The receive buffer that both kinds share."""

    def __init__(self, rows: int) -> None:
        self.rows = rows
        self.data: Bytes = np.zeros((rows, STRIDE), np.uint8)
        self.names: Words = np.zeros((rows, NAME_WORDS), np.uint64)
        self.lengths: Int64s = np.zeros(rows, np.int64)

    def filled(self, counts: list[tuple[int, int]]) -> Received | None:
        """The first rows as a batch; `counts` are (socket index, datagrams) in their order."""
        rows = sum(count for _, count in counts)
        if not rows:
            return None
        indices = np.array([index for index, _ in counts], np.int32)
        return Received(
            self.data[:rows],
            self.lengths[:rows],
            self.names[:rows],
            np.repeat(indices, [count for _, count in counts]),
            np.full(rows, time.monotonic()),
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
        self._buffers = _Buffers(rows)
        self._in, vectors = _records(rows)
        vectors["base"] = _row_addresses(self._buffers.data)
        vectors["length"] = STRIDE
        self._in["name"] = _row_addresses(self._buffers.names)
        self._in["name_length"] = 8 * NAME_WORDS
        self._in_at = self._in.ctypes.data
        self._in_vectors = vectors  # the records point into it
        self._out_rows = 0
        self._prepared_names: Words | None = None
        self._prepared_at = 0
        self._make_room(rows)

    def _make_room(self, rows: int) -> None:
        """Structures for the sending of `rows` datagrams."""
        self._out_rows = rows
        self._out, self._out_vectors = _records(rows)
        self._out_names: Words = np.zeros((rows, NAME_WORDS), np.uint64)
        self._out["name"] = _row_addresses(self._out_names)
        self._out_at = self._out.ctypes.data

    def receive(self, socks: Sequence[tuple[int, socket.socket]]) -> Received | None:
        counts: list[tuple[int, int]] = []
        first = 0
        for index, sock in socks:
            count = self.receive_from(sock.fileno(), first)
            counts.append((index, count))
            first += count
        batch = self._buffers.filled(counts)
        if batch is not None:
            batch.lengths[:] = self._in["length"][:first]
            cut = (self._in["flags"][:first] & socket.MSG_TRUNC) != 0
            batch.lengths[cut] = 0  # counted as malformed: nothing of ours is so long
            self._in["name_length"][:first] = 8 * NAME_WORDS  # the kernel has written theirs
        return batch

    def receive_from(self, descriptor: int, first: int) -> int:
        """Fill rows from `first` on; how many."""
        begin, rows = first, self._buffers.rows
        while first < rows:
            wanted = min(rows - first, MOST_A_CALL)
            got = self._recvmmsg(descriptor, self._in_at + 64 * first, wanted, socket.MSG_DONTWAIT, None)
            if got < 0 and ctypes.get_errno() == errno.EINTR:
                continue
            first += max(got, 0)
            if got < wanted:
                break
        return first - begin

    def send(self, socks: Sequence[socket.socket], batch: Outgoing) -> int:
        self.prepare(batch)
        return sum(
            self.send_from(socks[index].fileno(), first, last)
            for index, first, last in runs_of(batch.sockets)
        )

    def prepare(self, batch: Outgoing) -> None:
        """Point the structures at a batch; of one with the rows and (read-only) names of the last one only
        the lengths are new.
        """
        count = len(batch.lengths)
        begin = batch.data.ctypes.data
        if batch.names is self._prepared_names and begin == self._prepared_at:
            self._out_vectors["length"][:count] = batch.lengths
            return
        if count > self._out_rows:
            self._make_room(count)
        self._out_names[:count] = batch.names
        v6 = (batch.names[:, 0] & np.uint64(0xFFFF)) == FAMILY_V6
        self._out["name_length"][:count] = np.where(v6, _LENGTH_V6, _LENGTH_V4)
        stride = batch.data.strides[0]
        self._out_vectors["base"][:count] = np.arange(begin, begin + count * stride, stride)[:count]
        self._out_vectors["length"][:count] = batch.lengths
        self._prepared_names = None if batch.names.flags.writeable else batch.names
        self._prepared_at = begin

    def send_from(self, descriptor: int, at: int, last: int) -> int:
        """Send rows `at` to `last` of the prepared batch; how many the kernel took."""
        sent = 0
        while at < last:
            wanted = min(last - at, MOST_A_CALL)
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
        self._buffers = _Buffers(rows)

    def receive(self, socks: Sequence[tuple[int, socket.socket]]) -> Received | None:
        counts: list[tuple[int, int]] = []
        first = 0
        for index, sock in socks:
            begin = first
            while first < self._buffers.rows and self._receive_one(sock, first):
                first += 1
            counts.append((index, first - begin))
        return self._buffers.filled(counts)

    def _receive_one(self, sock: socket.socket, row: int) -> bool:
        try:
            data, address = sock.recvfrom(STRIDE + 1, socket.MSG_DONTWAIT)
        except OSError:
            return False
        whole = len(data) <= STRIDE
        into = self._buffers
        into.lengths[row] = len(data) if whole else 0
        into.data[row, : min(len(data), STRIDE)] = np.frombuffer(data[:STRIDE], np.uint8)
        into.names[row] = name_of((address[0], address[1])) if address[1] else 0
        return True

    def send(self, socks: Sequence[socket.socket], batch: Outgoing) -> int:
        sent = 0
        for index, first, last in runs_of(batch.sockets):
            for row in range(first, last):
                data = batch.data[row, : int(batch.lengths[row])].tobytes()
                try:
                    socks[index].sendto(data, socket.MSG_DONTWAIT, address_of(batch.names[row]))
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
