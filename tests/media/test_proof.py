"""How much is sent to an address that never asked for it."""

import pytest
from tests.harness.media_rig import Rig

from townhall.media.proof import UNWANTED_S
from townhall.media.protocol import ConnectLeg
from townhall.media.shapes import TICK_S
from townhall.rtp import RTPPacket, build_packet

VICTIM = ("203.0.113.9", 4000)
OTHER = ("203.0.113.10", 4000)
LIMIT = round(UNWANTED_S / TICK_S)
RECEIVER_REPORT = bytes.fromhex("80c9000100001001")


def connect(rig: Rig, leg: int, to: tuple[str, int], **fields: object) -> None:
    rig.handle(ConnectLeg(leg, "PCMU", 0, to, **fields))


def sent_to(rig: Rig, address: tuple[str, int]) -> int:
    """RTP packets that went there so far, to a phone or to nobody."""
    heard = sum(len(phone.heard) for phone in rig.phones.values() if phone.address == address)
    return heard + sum(1 for at, _ in rig.stray if at == address)


def test_address_that_never_asked_is_sent_ten_seconds_and_no_more(rig: Rig) -> None:
    rig.call(1, address=VICTIM, may_latch=True, wanted=False, receive=False)
    rig.tick(2 * LIMIT)
    assert LIMIT <= sent_to(rig, VICTIM) <= LIMIT + 10


def test_address_that_changes_again_and_again_gains_nothing(rig: Rig) -> None:
    rig.call(1, address=VICTIM, wanted=False)
    for turn in range(8):
        connect(rig, 1, (VICTIM, OTHER)[turn % 2], wanted=False)
        rig.tick(LIMIT // 4)
    assert sent_to(rig, VICTIM) + sent_to(rig, OTHER) <= LIMIT + 10


def test_moved_address_must_be_proved_anew_when_sip_comes_from_elsewhere(rig: Rig) -> None:
    rig.call(1, address=("192.0.2.1", 4000), wanted=True)
    connect(rig, 1, VICTIM, wanted=False, receive=False)
    rig.tick(2 * LIMIT)
    assert sent_to(rig, VICTIM) <= LIMIT + 10


def test_address_that_sip_comes_from_is_sent_to_for_ever(rig: Rig) -> None:
    phone = rig.call(1, wanted=True)
    rig.tick(2 * LIMIT)
    assert len(phone.heard) == 2 * LIMIT


def test_address_that_sends_packets_is_sent_to_for_ever(rig: Rig) -> None:
    phone = rig.call(1, wanted=False)
    rig.send(phone, phone.packet(bytes(160)))
    rig.tick(2 * LIMIT)
    assert len(phone.heard) == 2 * LIMIT


def test_withheld_stream_goes_on_when_a_packet_comes(rig: Rig) -> None:
    phone = rig.call(1, wanted=False)
    rig.tick(LIMIT + 20)
    before = len(phone.heard)
    rig.send(phone, phone.packet(bytes(160)))
    rig.tick(30)
    assert len(phone.heard) >= before + 20
    assert phone.heard[before].marker


@pytest.mark.parametrize(("host", "goes_on"), [("10.0.0.1", True), ("192.0.2.66", False)])
def test_report_proves_only_the_host_it_comes_from(rig: Rig, host: str, goes_on: bool) -> None:
    phone = rig.call(1, address=("10.0.0.1", 4000), wanted=False, remote_rtcp=(host, 4001))
    rig.inject((phone.socket + len(rig.local), (host, 4001), RECEIVER_REPORT))
    rig.tick(2 * LIMIT)
    assert (len(phone.heard) > LIMIT + 10) == goes_on


def test_packets_from_a_stranger_prove_nothing(rig: Rig) -> None:
    phone = rig.call(1, address=VICTIM, wanted=False)
    rig.inject((phone.socket, OTHER, build_packet(RTPPacket(0, 1, 1, 1, bytes(160)))))
    rig.tick(2 * LIMIT)
    assert len(phone.heard) <= LIMIT + 10
