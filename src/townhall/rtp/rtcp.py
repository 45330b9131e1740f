"""RTCP (RFC 3550 section 6): reports of many legs built and read as arrays, and single compounds for
phones and tests.

Compounds are SR or RR, then SDES with CNAME, then BYE when a leg closes. Left out: APP, extended reports and
feedback (skipped when received), encryption, and the group-size arithmetic of section 6.3: a call has two
members.
"""

import struct
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from townhall.errors import TownhallError
from townhall.rtp.source import ReceptionReport

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint32]

SENDER_REPORT, RECEIVER_REPORT, DESCRIPTION, BYE = 200, 201, 202, 203
CNAME_LENGTH = 16
"""Our CNAMEs are 96 random bits in base 64 (RFC 7022 section 4.2)."""

PACKETS_READ = 8
"""Packets of one compound that are read; a lawful peer needs four."""

NTP_OFFSET = 2_208_988_800
"""Seconds from 1900 to 1970."""


class RTCPError(TownhallError):
    """The bytes are no RTCP compound."""


@dataclass(frozen=True, slots=True)
class ReportBlock:
    ssrc: int
    fraction_lost: int
    cumulative_lost: int
    highest_sequence_number: int
    jitter: int
    last_sr: int
    delay_since_last_sr: int


@dataclass(frozen=True, slots=True)
class SenderReport:
    ssrc: int
    ntp_time: int
    rtp_time: int
    packets: int
    octets: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class ReceiverReport:
    ssrc: int
    reports: tuple[ReportBlock, ...] = ()


@dataclass(frozen=True, slots=True)
class SourceDescription:
    ssrc: int
    cname: str


@dataclass(frozen=True, slots=True)
class Goodbye:
    ssrcs: tuple[int, ...]


RTCPPacket: TypeAlias = SenderReport | ReceiverReport | SourceDescription | Goodbye


@dataclass(frozen=True, slots=True)
class Compounds:
    """What `n` compounds said, as arrays of `n`; rows not `valid` hold zeros."""

    valid: npt.NDArray[np.bool_]
    ssrc: Words
    """The sender of the first report."""
    is_sender_report: npt.NDArray[np.bool_]
    ntp_middle: Words
    """Middle 32 bits of the sender report's NTP time: the `last_sr` of our own reports."""


def parse_compounds(data: Bytes, lengths: npt.NDArray[np.integer]) -> Compounds:
    """Check and read `n` compounds at once: `data` `(n, stride)`, `lengths` `(n,)`. Never raises.

    A row is valid when its first packet is a report of version 2 and its packets fill the datagram exactly
    (RFC 3550 appendix A.2).
    """
    count = len(lengths)
    sizes = np.minimum(lengths.astype(np.int64), data.shape[1])
    valid = sizes >= 8
    rows = np.arange(count)
    at = np.zeros(count, np.int64)
    running = valid.copy()
    for turn in range(PACKETS_READ):
        position = np.where(running, at, 0)
        kind = data[rows, position + 1]
        version = data[rows, position] >> 6
        words = data[rows, position + 2].astype(np.int64) * 256 + data[rows, position + 3]
        following = at + 4 * (words + 1)
        good = (version == 2) & (kind >= 192) & (kind <= 223) & (following <= sizes)
        if turn == 0:
            good &= (kind == SENDER_REPORT) | (kind == RECEIVER_REPORT)
            good &= words >= np.where(kind == SENDER_REPORT, 6, 1)
        valid &= ~running | good
        at = np.where(running & good, following, at)
        running &= good & (at + 4 <= sizes)
        if not running.any():
            break
    valid &= running | (at == sizes)
    is_sender_report = valid & (data[:, 1] == SENDER_REPORT)
    return Compounds(
        valid=valid,
        ssrc=np.where(valid, _word(data, 4), 0).astype(np.uint32),
        is_sender_report=is_sender_report,
        ntp_middle=np.where(is_sender_report, _word(data, 10), 0).astype(np.uint32),
    )


def _word(data: Bytes, at: int) -> Words:
    columns = data[:, at : at + 4].astype(np.uint32)
    word = (columns[:, 0] << 24) | (columns[:, 1] << 16) | (columns[:, 2] << 8) | columns[:, 3]
    return np.asarray(word, np.uint32)


@dataclass(frozen=True, slots=True)
class SenderInfo:
    """The sender's part of the reports of `n` legs."""

    ntp_time: int
    """64 bits, the same moment for all."""
    rtp_time: Words
    packets: Words
    octets: Words


@dataclass(frozen=True, slots=True)
class Heard:
    """The reception part of the reports of `n` legs."""

    ssrc: Words
    report: ReceptionReport
    last_sr: Words
    delay_since_last_sr: Words
    """1/65536 seconds."""


def build_compounds(
    ssrcs: Words, cnames: Bytes, sender: SenderInfo | None, heard: Heard | None, *, bye: bool = False
) -> Bytes:
    """Compounds of `n` legs, one a row: SR (or RR without `sender`) with a block when `heard`, SDES, BYE
    if wanted.

    `cnames` is `(n, CNAME_LENGTH)`, ASCII.
    """
    report = 8 + (20 if sender else 0) + (24 if heard else 0)
    description = 8 + 2 + CNAME_LENGTH + 2
    size = report + description + (8 if bye else 0)
    out = np.zeros((len(ssrcs), size), np.uint8)
    words = out.view(">u4")
    words[:, 0] = _header(1 if heard else 0, SENDER_REPORT if sender else RECEIVER_REPORT, report)
    words[:, 1] = ssrcs
    at = 2
    if sender:
        words[:, 2] = sender.ntp_time >> 32 & 0xFFFFFFFF
        words[:, 3] = sender.ntp_time & 0xFFFFFFFF
        words[:, 4], words[:, 5], words[:, 6] = sender.rtp_time, sender.packets, sender.octets
        at = 7
    if heard:
        lost = (heard.report.cumulative_lost & 0xFFFFFF).astype(np.uint32)
        words[:, at] = heard.ssrc
        words[:, at + 1] = heard.report.fraction_lost.astype(np.uint32) << 24 | lost
        words[:, at + 2] = heard.report.highest_sequence_number
        words[:, at + 3] = heard.report.jitter
        words[:, at + 4], words[:, at + 5] = heard.last_sr, heard.delay_since_last_sr
        at += 6
    words[:, at] = _header(1, DESCRIPTION, description)
    words[:, at + 1] = ssrcs
    text = 4 * (at + 2)
    out[:, text] = 1  # the item's type: CNAME
    out[:, text + 1] = CNAME_LENGTH
    out[:, text + 2 : text + 2 + CNAME_LENGTH] = cnames
    if bye:
        words[:, -2] = _header(1, BYE, 8)
        words[:, -1] = ssrcs
    return out


def _header(count: int, kind: int, size: int) -> int:
    return 0x80000000 | count << 24 | kind << 16 | (size // 4 - 1)


def ntp_time(unix_time: float) -> int:
    """Seconds since 1970 as a 64-bit NTP time."""
    return int((unix_time + NTP_OFFSET) * 2**32) & 0xFFFFFFFFFFFFFFFF


def parse_rtcp(data: bytes) -> list[RTCPPacket]:
    """Read one compound; unknown packet types are skipped. Raises `RTCPError`."""
    if len(data) < 8:
        raise RTCPError(f"RTCP compound of {len(data)} bytes; the shortest has 8")
    packets: list[RTCPPacket] = []
    at = 0
    while at < len(data):
        if at + 4 > len(data):
            raise RTCPError("RTCP compound ends inside a header")
        first, kind, words = struct.unpack_from("!BBH", data, at)
        size = 4 * (words + 1)
        if first >> 6 != 2 or not 192 <= kind <= 223:
            raise RTCPError(f"RTCP version {first >> 6}, type {kind}; expected version 2, type 192 to 223")
        if at + size > len(data):
            raise RTCPError("RTCP packet is longer than its datagram")
        if at == 0 and kind not in (SENDER_REPORT, RECEIVER_REPORT):
            raise RTCPError(f"RTCP compound begins with type {kind}; expected a report")
        packet = _parse_one(kind, first & 0x1F, data[at + 4 : at + size])
        if packet is not None:
            packets.append(packet)
        at += size
    return packets


def _parse_one(kind: int, count: int, body: bytes) -> RTCPPacket | None:
    try:
        if kind == SENDER_REPORT:
            ssrc, ntp, rtp_time, sent, octets = struct.unpack_from("!IQIII", body)
            return SenderReport(ssrc, ntp, rtp_time, sent, octets, _parse_blocks(body, 24, count))
        if kind == RECEIVER_REPORT:
            return ReceiverReport(struct.unpack_from("!I", body)[0], _parse_blocks(body, 4, count))
        if kind == DESCRIPTION:
            return _parse_description(body) if count else None
        if kind == BYE:
            return Goodbye(struct.unpack_from(f"!{count}I", body))
    except struct.error as error:
        raise RTCPError(f"RTCP packet of type {kind} is cut short: {error}") from None
    return None


def _parse_blocks(body: bytes, at: int, count: int) -> tuple[ReportBlock, ...]:
    blocks = []
    for index in range(count):
        ssrc, loss, highest, jitter, last_sr, delay = struct.unpack_from("!6I", body, at + 24 * index)
        lost = (loss & 0xFFFFFF) - (0x1000000 if loss & 0x800000 else 0)
        blocks.append(ReportBlock(ssrc, loss >> 24, lost, highest, jitter, last_sr, delay))
    return tuple(blocks)


def _parse_description(body: bytes) -> SourceDescription:
    """The first chunk's CNAME; empty when it has none."""
    ssrc = struct.unpack_from("!I", body)[0]
    at = 4
    while at < len(body) and body[at] != 0:
        if at + 2 > len(body) or at + 2 + body[at + 1] > len(body):
            raise RTCPError("SDES item is longer than its packet")
        text = body[at + 2 : at + 2 + body[at + 1]]
        if body[at] == 1:
            return SourceDescription(ssrc, text.decode("utf-8", "replace"))
        at += 2 + len(text)
    return SourceDescription(ssrc, "")
