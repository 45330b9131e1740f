"""RTCP compounds, one and many."""

import numpy as np
import pytest

from townhall.rtp import RTCPError, build_compounds, parse_compounds, parse_rtcp
from townhall.rtp.rtcp import (
    Goodbye,
    Heard,
    ReceiverReport,
    ReportBlock,
    SenderInfo,
    SenderReport,
    SourceDescription,
    ntp_time,
)
from townhall.rtp.source import ReceptionReport


def words(*values: int) -> np.ndarray:
    return np.array(values, np.uint32)


CNAMES = np.frombuffer(b"abcdefghijklmnopABCDEFGHIJKLMNOP", np.uint8).reshape(2, 16)
SENDER = SenderInfo(0x0123456789ABCDEF, words(160, 320), words(10, 20), words(1600, 3200))
HEARD = Heard(
    words(7, 8),
    ReceptionReport(np.array([64, 0], np.uint8), np.array([25, -1]), words(65536, 9), words(3, 4)),
    words(0x456789AB, 0),
    words(65536, 0),
)


def test_sender_report_with_block_description_and_goodbye_is_parsed_back() -> None:
    first, second = build_compounds(words(1, 2), CNAMES, SENDER, HEARD, bye=True)
    assert parse_rtcp(first.tobytes()) == [
        SenderReport(
            1, 0x0123456789ABCDEF, 160, 10, 1600, (ReportBlock(7, 64, 25, 65536, 3, 0x456789AB, 65536),)
        ),
        SourceDescription(1, "abcdefghijklmnop"),
        Goodbye((1,)),
    ]
    assert parse_rtcp(second.tobytes())[0].reports == (ReportBlock(8, 0, -1, 9, 4, 0, 0),)


@pytest.mark.parametrize("sender", [None, SENDER])
@pytest.mark.parametrize("heard", [None, HEARD])
@pytest.mark.parametrize("bye", [False, True])
def test_every_form_is_a_valid_compound(sender: SenderInfo | None, heard: Heard | None, bye: bool) -> None:
    rows = build_compounds(words(1, 2), CNAMES, sender, heard, bye=bye)
    packets = parse_rtcp(rows[0].tobytes())
    assert isinstance(packets[0], SenderReport if sender else ReceiverReport)
    assert len(packets[0].reports) == (1 if heard else 0)
    assert len(packets) == 2 + bye
    compounds = parse_compounds(rows, np.full(2, rows.shape[1]))
    assert compounds.valid.tolist() == [True, True]
    assert compounds.ssrc.tolist() == [1, 2]
    assert compounds.is_sender_report.tolist() == [sender is not None] * 2
    assert compounds.ntp_middle.tolist() == [0x456789AB if sender else 0] * 2


MALFORMED = {
    "empty": b"",
    "short": b"\x80\xc9\x00\x00",
    "version 1": b"\x40\xc9\x00\x01" + bytes(4),
    "not a report first": b"\x81\xca\x00\x01" + bytes(4),
    "longer than the datagram": b"\x80\xc9\x00\x02" + bytes(4),
    "rest of two bytes": b"\x80\xc9\x00\x01" + bytes(6),
    "sender report without its info": b"\x80\xc8\x00\x01" + bytes(4),
    "second packet of another protocol": b"\x80\xc9\x00\x01" + bytes(8),
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed_compound_is_told(data: bytes) -> None:
    with pytest.raises(RTCPError):
        parse_rtcp(data)
    row = np.zeros((1, 64), np.uint8)
    row[0, : len(data)] = np.frombuffer(data, np.uint8)
    compounds = parse_compounds(row, np.array([len(data)]))
    assert compounds.valid.tolist() == [False]
    assert compounds.ssrc.tolist() == [0]


@pytest.mark.parametrize(
    "body",
    [
        b"\x81\xc9\x00\x01" + bytes(4),  # a block is announced and missing
        b"\x80\xc9\x00\x01" + bytes(4) + b"\x81\xca\x00\x02" + bytes(4) + b"\x01\xff\x00\x00",  # SDES item
        b"\x80\xc9\x00\x01" + bytes(4) + b"\x9f\xcb\x00\x01" + bytes(4),  # BYE of 31 sources
    ],
)
def test_packet_cut_short_inside_is_told(body: bytes) -> None:
    with pytest.raises(RTCPError):
        parse_rtcp(body)


def test_unknown_types_are_skipped() -> None:
    data = b"\x80\xc9\x00\x01" + bytes(4) + b"\x80\xcf\x00\x02" + bytes(8) + b"\x80\xcc\x00\x02" + bytes(8)
    assert parse_rtcp(data) == [ReceiverReport(0)]


def test_ntp_time_counts_from_1900() -> None:
    assert ntp_time(0.0) >> 32 == 2_208_988_800
    assert ntp_time(0.5) & 0xFFFFFFFF == 0x80000000
