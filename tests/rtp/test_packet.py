"""RTP headers, one and many."""

import numpy as np
import pytest

from townhall.rtp import RTPError, RTPPacket, build_packet, parse_headers, parse_packet


def arrays(*packets: bytes) -> tuple[np.ndarray, np.ndarray]:
    data = np.zeros((len(packets), 256), np.uint8)
    for row, packet in zip(data, packets, strict=True):
        row[: len(packet)] = np.frombuffer(packet, np.uint8)
    return data, np.array([len(packet) for packet in packets])


PACKET = RTPPacket(8, 65535, 0xFFFFFFFF, 0xDEADBEEF, b"payload", marker=True, csrcs=(1, 2))


def test_packet_that_was_built_is_parsed_back() -> None:
    assert parse_packet(build_packet(PACKET)) == PACKET


def test_packet_is_built_as_rfc_3550_section_5_1_lays_it_out() -> None:
    packet = RTPPacket(0, 0x1234, 0x01020304, 0x0A0B0C0D, b"\xff", marker=True)
    assert build_packet(packet).hex() == "808012340102030" + "40a0b0c0dff"


def test_extension_and_padding_are_taken_off() -> None:
    data = bytearray(build_packet(RTPPacket(0, 1, 2, 3, b"")))
    data[0] |= 0x30
    data += b"\xbe\xde\x00\x01abcd" + b"audio" + b"\x00\x00\x03"
    assert parse_packet(bytes(data)).payload == b"audio"
    headers = parse_headers(*arrays(bytes(data)))
    assert (headers.valid[0], headers.start[0], headers.length[0]) == (True, 20, 5)


MALFORMED = {
    "empty": b"",
    "short": b"\x80" * 11,
    "version 0": bytes(20),
    "version 1": b"\x40" + bytes(20),
    "version 3": b"\xc0" + bytes(20),
    "csrcs beyond the end": b"\x8f" + bytes(20),
    "extension header beyond the end": b"\x90" + bytes(13),
    "extension beyond the end": b"\x90" + bytes(13) + b"\x00\x02" + bytes(4),
    "huge extension": b"\x90" + bytes(13) + b"\xff\xff" + bytes(40),
    "padding of length 0": b"\xa0" + bytes(20),
    "padding longer than the payload": b"\xa0" + bytes(19) + b"\x0c",
    "padding over the extension": b"\xb0" + bytes(13) + b"\x00\x01" + bytes(3) + b"\x05",
}


@pytest.mark.parametrize("data", MALFORMED.values(), ids=MALFORMED)
def test_malformed_packet_is_told(data: bytes) -> None:
    with pytest.raises(RTPError):
        parse_packet(data)
    good = build_packet(PACKET)
    headers = parse_headers(*arrays(good, data, good))
    assert headers.valid.tolist() == [True, False, True]


def test_many_headers_are_parsed_as_one_by_one() -> None:
    random = np.random.default_rng(4)
    packets = [
        RTPPacket(
            int(random.integers(128)),
            int(random.integers(2**16)),
            int(random.integers(2**32)),
            int(random.integers(2**32)),
            random.bytes(int(random.integers(160))),
            marker=bool(random.integers(2)),
            csrcs=tuple(random.integers(2**32, size=random.integers(4)).tolist()),
        )
        for _ in range(200)
    ]
    headers = parse_headers(*arrays(*map(build_packet, packets)))
    assert headers.valid.all()
    assert headers.payload_type.tolist() == [packet.payload_type for packet in packets]
    assert headers.marker.tolist() == [packet.marker for packet in packets]
    assert headers.sequence_number.tolist() == [packet.sequence_number for packet in packets]
    assert headers.timestamp.tolist() == [packet.timestamp for packet in packets]
    assert headers.ssrc.tolist() == [packet.ssrc for packet in packets]
    assert headers.length.tolist() == [len(packet.payload) for packet in packets]
    assert headers.start.tolist() == [12 + 4 * len(packet.csrcs) for packet in packets]


def test_length_beyond_the_buffer_is_not_read() -> None:
    data, lengths = arrays(b"\xa0" + bytes(200))
    headers = parse_headers(data[:, :64].copy(), lengths)
    assert headers.valid.tolist() == [False]
