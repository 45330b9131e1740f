"""RTP packets (RFC 3550 section 5.1): headers of a whole batch at once, and single packets for phones and
tests.

Left out: encryption (SRTP), header extension contents (RFC 8285): extensions are skipped, not read.
"""

import struct
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from townhall.errors import TownhallError

Bytes = npt.NDArray[np.uint8]
Ints = npt.NDArray[np.int64]

HEADER_LENGTH = 12
PCMU = 0
PCMA = 8
COMFORT_NOISE = 13


class RTPError(TownhallError):
    """The bytes are no RTP packet of version 2."""


@dataclass(frozen=True, slots=True)
class RTPPacket:
    """One packet as a phone sees it."""

    payload_type: int
    sequence_number: int
    timestamp: int
    ssrc: int
    payload: bytes
    marker: bool = False
    csrcs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class HeaderArrays:
    """The headers of `n` packets, each field an array of `n`. Rows that are not `valid` hold nonsense."""

    valid: npt.NDArray[np.bool_]
    marker: npt.NDArray[np.bool_]
    payload_type: Bytes
    sequence_number: npt.NDArray[np.uint16]
    timestamp: npt.NDArray[np.uint32]
    ssrc: npt.NDArray[np.uint32]
    start: Ints
    """Where the payload begins, bytes."""
    length: Ints
    """Payload bytes, padding taken off."""


def parse_headers(data: Bytes, lengths: npt.NDArray[np.integer]) -> HeaderArrays:
    """Parse the headers of `n` packets: `data` `(n, stride)` with `stride` ≥ 12 and a multiple of 4,
    `lengths` `(n,)`.

    Never raises for what a peer sent: a malformed packet's row is not `valid`.
    """
    heads = np.ascontiguousarray(data[:, :HEADER_LENGTH])  # side by side: rows lie far apart in memory
    first, second = heads[:, 0], heads[:, 1]
    words = heads.view(">u4")
    sizes = lengths.astype(np.int64)
    valid = ((first >> 6) == 2) & (sizes >= HEADER_LENGTH)
    start = np.full(len(sizes), HEADER_LENGTH, np.int64)
    end = sizes
    odd = np.flatnonzero(first & 0x3F)
    if odd.size:
        end = sizes.copy()
        start[odd], end[odd] = _unusual_bounds(data[odd], sizes[odd])
        valid &= end >= start
    return HeaderArrays(
        valid=valid,
        marker=second >= 0x80,
        payload_type=second & np.uint8(0x7F),
        sequence_number=heads.view(">u2")[:, 1].astype(np.uint16),
        timestamp=words[:, 1].astype(np.uint32),
        ssrc=words[:, 2].astype(np.uint32),
        start=start,
        length=end - start,
    )


def _unusual_bounds(data: Bytes, sizes: Ints) -> tuple[Ints, Ints]:
    """Start and end of the payloads of packets with CSRCs, an extension or padding; end -1 where they do
    not fit.
    """
    first = data[:, 0]
    rows = np.arange(len(sizes))
    limit = np.minimum(sizes, data.shape[1])
    start = HEADER_LENGTH + 4 * (first & 0x0F).astype(np.int64)
    extended = (first & 0x10) != 0
    bad = start + 4 * extended > limit
    at = np.where(extended & ~bad, start, 0)
    words = data[rows, at + 2].astype(np.int64) * 256 + data[rows, at + 3]
    start = start + np.where(extended, 4 + 4 * words, 0)
    bad |= start > limit
    padded = (first & 0x20) != 0
    padding = np.where(padded, data[rows, np.clip(limit - 1, 0, None)], 0).astype(np.int64)
    bad |= (padded & (padding == 0)) | (start + padding > limit)
    return start, np.where(bad, -1, limit - padding)


def parse_packet(data: bytes) -> RTPPacket:
    """Parse one packet. Raises `RTPError`."""
    if len(data) < HEADER_LENGTH:
        raise RTPError(f"RTP packet of {len(data)} bytes; the header alone has 12")
    first, second, sequence_number, timestamp, ssrc = struct.unpack_from("!BBHII", data)
    if first >> 6 != 2:
        raise RTPError(f"RTP version {first >> 6}; only 2 is known")
    start = HEADER_LENGTH + 4 * (first & 0x0F)
    if start > len(data):
        raise RTPError("RTP packet ends inside its list of contributing sources")
    csrcs = struct.unpack_from(f"!{first & 0x0F}I", data, HEADER_LENGTH)
    if first & 0x10:
        if start + 4 > len(data):
            raise RTPError("RTP packet ends inside its header extension")
        start += 4 + 4 * int(struct.unpack_from("!H", data, start + 2)[0])
    end = len(data)
    if first & 0x20:
        if data[-1] == 0:
            raise RTPError("RTP padding of length 0")
        end -= data[-1]
    if end < start:
        raise RTPError("RTP extension or padding is longer than the packet")
    return RTPPacket(
        second & 0x7F, sequence_number, timestamp, ssrc, data[start:end], second >= 0x80, tuple(csrcs)
    )


def build_packet(packet: RTPPacket) -> bytes:
    """The bytes of one packet, without extension or padding. Numbers are taken modulo their field's size."""
    header = struct.pack(
        "!BBHII",
        0x80 | len(packet.csrcs),
        packet.marker << 7 | packet.payload_type,
        packet.sequence_number & 0xFFFF,
        packet.timestamp & 0xFFFFFFFF,
        packet.ssrc & 0xFFFFFFFF,
    )
    return header + b"".join(struct.pack("!I", csrc) for csrc in packet.csrcs) + packet.payload
