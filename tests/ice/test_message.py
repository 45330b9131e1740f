"""STUN's codec, against the samples of RFC 5769 and a codec that others wrote."""

import aioice.stun
import pytest

from townhall.ice import StunError, encode, parse
from townhall.ice.message import (
    ICE_CONTROLLED,
    MESSAGE_INTEGRITY,
    PRIORITY,
    USERNAME,
    error_code,
    unknown_attributes,
    xor_mapped_address,
)

PASSWORD = b"VOkJxbRl1RmTxUk/WvJxBt"
TRANSACTION = bytes.fromhex("b7e7a701bc34d686fa87dfae")

REQUEST = bytes.fromhex(
    "000100582112a442b7e7a701bc34d686fa87dfae"
    "802200105354554e207465737420636c69656e74"
    "002400046e0001ff80290008932ff9b151263b36"
    "000600096576746a3a68367659202020"
    "000800149aeaa70cbfd8cb56781ef2b5b2d3f249c1b571a2"
    "80280004e57a3bcf"
)
RESPONSE_V4 = bytes.fromhex(
    "0101003c2112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000080001a147e112a643"
    "000800142b91f599fd9e90c38c7489f92af9ba53f06be7d7"
    "80280004c07d4c96"
)
RESPONSE_V6 = bytes.fromhex(
    "010100482112a442b7e7a701bc34d686fa87dfae"
    "8022000b7465737420766563746f7220"
    "002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9"
    "00080014a382954e4be67bf11784c97c8292c275bfe3ed41"
    "80280004c8fb0b4c"
)


def test_sample_request_of_rfc5769_is_read_and_authentic() -> None:
    message = parse(REQUEST)
    assert (message.kind, message.transaction) == ("request", TRANSACTION)
    assert message.username == b"evtj:h6vY"
    assert message.priority == 0x6E0001FF
    assert message.controlled == 0x932FF9B151263B36
    assert message.has_integrity(PASSWORD)
    assert not message.has_integrity(PASSWORD + b"x")


@pytest.mark.parametrize(
    ("response", "packed"),
    [
        (RESPONSE_V4, bytes([192, 0, 2, 1])),
        (RESPONSE_V6, bytes.fromhex("20010db8123456780011223344556677")),
    ],
)
def test_sample_responses_of_rfc5769_are_read_and_authentic(response: bytes, packed: bytes) -> None:
    message = parse(response)
    assert message.kind == "success"
    assert message.mapped == (packed, 32853)
    assert message.has_integrity(PASSWORD)


def test_what_we_write_another_codec_reads() -> None:
    data = encode(
        "request",
        TRANSACTION,
        [(USERNAME, b"them:us"), (PRIORITY, bytes([0, 0, 0, 7])), (ICE_CONTROLLED, bytes(8))],
        PASSWORD,
    )
    theirs = aioice.stun.parse_message(data)
    assert theirs.attributes["USERNAME"] == "them:us"
    assert theirs.attributes["PRIORITY"] == 7
    assert theirs.check_message_integrity(PASSWORD)
    assert theirs.transaction_id == TRANSACTION


def test_what_another_codec_writes_we_read() -> None:
    theirs = aioice.stun.Message(
        aioice.stun.Method.BINDING, aioice.stun.Class.RESPONSE, transaction_id=TRANSACTION
    )
    theirs.attributes["XOR-MAPPED-ADDRESS"] = ("198.51.100.7", 4711)
    theirs.add_message_integrity(PASSWORD)
    message = parse(bytes(theirs))
    assert message.mapped == (bytes([198, 51, 100, 7]), 4711)
    assert message.has_integrity(PASSWORD)


@pytest.mark.parametrize("packed", [bytes([10, 0, 0, 1]), bytes(range(16))])
def test_mapped_address_survives_the_way(packed: bytes) -> None:
    data = encode("success", TRANSACTION, [xor_mapped_address((packed, 65535), TRANSACTION)], PASSWORD)
    assert parse(data).mapped == (packed, 65535)


def test_error_with_unknown_attributes_is_read() -> None:
    attributes = [error_code(420, "Unknown Attribute"), unknown_attributes([0x7001, 0x7002])]
    message = parse(encode("error", TRANSACTION, attributes))
    assert (message.kind, message.error) == ("error", 420)


def test_attributes_behind_the_integrity_count_for_nothing() -> None:
    whole = encode("request", TRANSACTION, [], PASSWORD)
    added = whole[:-8] + bytes.fromhex("00060004") + b"evil"
    added = added[:2] + (len(added) - 20).to_bytes(2, "big") + added[4:]
    assert parse(added).username is None


def test_attribute_that_must_be_understood_is_listed_and_an_optional_one_is_not() -> None:
    message = parse(encode("request", TRANSACTION, [(0x7FFF, b"what"), (0xC057, b"fine")]))
    assert message.unknown == [0x7FFF]


def test_first_of_two_usernames_counts() -> None:
    assert parse(encode("request", TRANSACTION, [(USERNAME, b"a:b"), (USERNAME, b"c:d")])).username == b"a:b"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        REQUEST[:19],
        REQUEST[:-4],
        REQUEST + bytes(4),
        b"\x00\x03" + REQUEST[2:],  # TURN's Allocate
        REQUEST[:4] + bytes(4) + REQUEST[8:],  # RFC 3489
        REQUEST[:-1] + b"\x00",  # a wrong fingerprint
        REQUEST[:2] + b"\x00\x57" + REQUEST[4:],
        REQUEST[:22] + b"\xff\xff" + REQUEST[24:],
        encode("request", TRANSACTION, [(PRIORITY, b"no")]),
        encode("request", TRANSACTION, [(MESSAGE_INTEGRITY, bytes(19))]),
        encode("success", TRANSACTION, [(0x0020, bytes(7))]),
        encode("success", TRANSACTION, [(0x0020, b"\x00\x03" + bytes(6))]),
        encode("error", TRANSACTION, [(0x0009, bytes(3))]),
        encode("request", TRANSACTION, [(USERNAME, bytes(2000))]),
    ],
)
def test_what_is_no_binding_message_is_refused(data: bytes) -> None:
    with pytest.raises(StunError):
        parse(data)
