"""Ports, sources and latching."""

import numpy as np
import pytest
from tests.harness.media_rig import Rig

from townhall.media.lookup import AddressTable
from townhall.media.network import LATCH_PATIENCE_S
from townhall.media.protocol import (
    CloseLeg,
    ConnectLeg,
    LegClosed,
    LegOpened,
    LegRefused,
    OpenLeg,
)
from townhall.media.shapes import address_of, name_of

SDP = ("10.0.0.1", 30002)
NAT = ("192.0.2.7", 61000)
THIEF = ("203.0.113.9", 4000)

RTP = b"\x80\x00" + bytes(170)


def inner(leg: int) -> tuple[str, int]:
    """An address that is nobody else's."""
    return f"10.1.{leg}.1", 4000


def received(rig: Rig, leg: int) -> int:
    return int(rig.engine.legs.packets_received[rig.engine.legs.slot_of[leg]])


def unknown(rig: Rig) -> int:
    return rig.engine.receiver.unknown_source


def say(rig: Rig, leg: int, source: tuple[str, int], packets: int = 1) -> None:
    phone = rig.phones[leg]
    for _ in range(packets):
        rig.inject((phone.socket, source, phone.packet(bytes(160))))


def sent_to(rig: Rig, leg: int) -> tuple[str, int]:
    """Where the leg's audio goes now."""
    legs = rig.engine.legs
    slot = legs.slot_of[leg]
    assert legs.has_remote[slot]
    return address_of(legs.name[slot])


@pytest.mark.parametrize("source", [SDP, ("2001:db8::1", 30002), ("::1", 5)])
def test_packets_from_the_agreed_address_are_the_legs(rig: Rig, source: tuple[str, int]) -> None:
    rig.call(1, address=source)
    say(rig, 1, source)
    assert (received(rig, 1), unknown(rig)) == (1, 0)


@pytest.mark.parametrize("source", [("10.0.0.2", 30002), ("10.0.0.1", 30004), ("203.0.113.9", 30002)])
def test_packets_from_elsewhere_are_dropped_and_counted(rig: Rig, source: tuple[str, int]) -> None:
    rig.call(1)
    say(rig, 1, source)
    assert (received(rig, 1), unknown(rig)) == (0, 1)


def test_same_source_on_another_port_is_another_leg(rig: Rig) -> None:
    first, second = rig.call(1, address=SDP), rig.call(2, address=SDP)
    assert first.socket != second.socket
    say(rig, 2, SDP)
    assert (received(rig, 1), received(rig, 2)) == (0, 1)


def test_every_port_has_the_remote_address_already_and_the_leg_is_refused(rig: Rig) -> None:
    for leg in range(1, 9):
        rig.call(leg, address=SDP)
    event = rig.open(9, SDP)
    assert isinstance(event, LegRefused)
    assert "10.0.0.1 port 30002" in event.reason


def test_leg_latches_on_the_first_valid_stream_and_is_sent_there(rig: Rig) -> None:
    rig.call(1, may_latch=True)
    say(rig, 1, NAT, 3)
    assert (received(rig, 1), unknown(rig)) == (3, 0)
    assert sent_to(rig, 1) == NAT
    rig.tick()
    assert {address for address, _ in rig.stray} == {NAT}


def test_batch_with_several_packets_of_the_new_source_is_taken_whole(rig: Rig) -> None:
    phone = rig.call(1, may_latch=True)
    rig.inject(*((phone.socket, NAT, phone.packet(bytes(160))) for _ in range(4)))
    assert (received(rig, 1), unknown(rig)) == (4, 0)


def test_latched_source_is_fixed(rig: Rig) -> None:
    rig.call(1, may_latch=True)
    say(rig, 1, NAT)
    say(rig, 1, THIEF)
    say(rig, 1, SDP)
    assert (received(rig, 1), unknown(rig)) == (1, 2)
    assert sent_to(rig, 1) == NAT


def test_thief_comes_after_a_packet_from_the_agreed_address_and_gets_nothing(rig: Rig) -> None:
    rig.call(1, may_latch=True)
    say(rig, 1, SDP)
    say(rig, 1, THIEF)
    assert (received(rig, 1), unknown(rig)) == (1, 1)
    assert sent_to(rig, 1) == SDP


def test_thief_in_one_batch_with_the_agreed_address_gets_nothing(rig: Rig) -> None:
    phone = rig.call(1, may_latch=True)
    thief = (phone.socket, THIEF, phone.packet(bytes(160)))
    rig.inject(thief, (phone.socket, phone.address, phone.packet(bytes(160))))
    assert sent_to(rig, 1) == phone.address
    assert (received(rig, 1), unknown(rig)) == (1, 1)


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"\x80\x00",
        b"\x40" + bytes(171),  # version 1
        b"\x80\x60" + bytes(170),  # a payload type nobody agreed on
        b"\x80\x00" + bytes(10),  # no payload
        b"\x80\x00" + bytes(10 + 481),  # more than 60 ms
        b"\x8f\x00" + bytes(20),  # contributing sources beyond its end
    ],
)
def test_leg_does_not_latch_on_an_invalid_packet(rig: Rig, packet: bytes) -> None:
    phone = rig.call(1, may_latch=True)
    rig.inject((phone.socket, NAT, packet))
    assert (received(rig, 1), unknown(rig)) == (0, 1)
    say(rig, 1, NAT)
    assert received(rig, 1) == 1


def test_leg_that_may_not_latch_does_not(rig: Rig) -> None:
    rig.call(1, may_latch=False)
    say(rig, 1, NAT)
    assert received(rig, 1) == 0


def test_leg_does_not_latch_before_it_is_connected(rig: Rig) -> None:
    opened = rig.open(1, SDP)
    assert isinstance(opened, LegOpened)
    rig.inject((0, NAT, b"\x80\x00" + bytes(170)))
    rig.handle(ConnectLeg(1, "PCMU", 0, SDP))
    assert received(rig, 1) == 0
    assert sent_to(rig, 1) == SDP


def test_two_legs_that_may_latch_never_share_a_port_until_one_has_settled(rig: Rig) -> None:
    ports = [rig.open(leg, None).rtp_port for leg in range(1, 8)]
    assert len(set(ports)) == 7  # of eight: one is kept for legs whose host is known
    event = rig.open(9, None)
    assert isinstance(event, LegRefused)
    assert "first packet" in event.reason
    slot = rig.engine.legs.slot_of[3]
    rig.handle(ConnectLeg(3, "PCMU", 0, SDP))
    rig.inject((int(rig.engine.legs.socket[slot]), SDP, b"\x80\x00" + bytes(170)))
    event = rig.open(10, None)
    assert isinstance(event, LegOpened)
    assert event.rtp_port not in (*ports[:2], *ports[3:])


def test_leg_whose_host_is_known_latches_on_to_that_host_only(rig: Rig) -> None:
    rig.open(1, SDP, latch_from=NAT[0])
    rig.handle(ConnectLeg(1, "PCMU", 0, SDP))
    rig.inject((0, THIEF, RTP))
    assert (received(rig, 1), sent_to(rig, 1)) == (0, SDP)
    rig.inject((0, NAT, RTP))
    assert (received(rig, 1), sent_to(rig, 1)) == (1, NAT)
    rig.inject((0, (NAT[0], 6), RTP))
    assert (received(rig, 1), sent_to(rig, 1)) == (1, NAT)


def test_legs_of_known_hosts_share_a_port_while_they_wait(rig: Rig) -> None:
    hosts = [f"192.0.2.{number}" for number in range(1, 17)]
    for leg, host in enumerate(hosts, 1):
        assert isinstance(rig.open(leg, inner(leg), latch_from=host), LegOpened)
        rig.handle(ConnectLeg(leg, "PCMU", 0, inner(leg)))
    for leg, host in enumerate(hosts, 1):
        socket = int(rig.engine.legs.socket[rig.engine.legs.slot_of[leg]])
        rig.inject((socket, (host, 5000 + leg), RTP))
    assert [sent_to(rig, leg) for leg in range(1, 17)] == [(h, 5001 + n) for n, h in enumerate(hosts)]


@pytest.mark.parametrize("of_the_flood", [{}, {"latch_from": THIEF[0]}])
def test_legs_that_wait_in_vain_do_not_keep_others_out(rig: Rig, of_the_flood: dict[str, str]) -> None:
    for leg in range(1, 40):
        rig.open(leg, inner(leg), **of_the_flood)
    assert isinstance(rig.open(99, SDP, latch_from=NAT[0]), LegOpened)


def test_known_host_waits_once_a_port_and_again_when_the_first_leg_has_latched(rig: Rig) -> None:
    for leg in range(1, 9):
        assert isinstance(rig.open(leg, inner(leg), latch_from=NAT[0]), LegOpened)
        rig.handle(ConnectLeg(leg, "PCMU", 0, inner(leg)))
    assert isinstance(rig.open(9, SDP, latch_from=NAT[0]), LegRefused)
    rig.inject((0, NAT, RTP))
    assert isinstance(rig.open(10, SDP, latch_from=NAT[0]), LegOpened)
    rig.handle(CloseLeg(10))
    assert isinstance(rig.open(11, SDP, latch_from=NAT[0]), LegOpened)
    assert isinstance(rig.open(12, SDP, latch_from=NAT[0]), LegRefused)
    rig.now += LATCH_PATIENCE_S + 1
    assert isinstance(rig.open(13, SDP, latch_from=NAT[0]), LegOpened)


def test_leg_for_any_host_and_legs_of_known_hosts_wait_on_different_ports(rig: Rig) -> None:
    first = rig.open(1, inner(1), latch_from=NAT[0])
    second = rig.open(2, inner(2))
    third = rig.open(3, inner(3), latch_from=THIEF[0])
    assert second.rtp_port not in (first.rtp_port, third.rtp_port)


def test_ipv6_leg_latches_on_to_its_host_only(rig: Rig) -> None:
    opened = rig.open(1, ("2001:db8::1", 4000), ip_version=6, latch_from="2001:db8::2")
    rig.handle(ConnectLeg(1, "PCMU", 0, ("2001:db8::1", 4000)))
    socket = next(
        index for index, at in enumerate(rig.local) if (at.port, at.ip_version) == (opened.rtp_port, 6)
    )
    rig.inject((socket, ("2001:db8::3", 4000), RTP))
    assert received(rig, 1) == 0
    rig.inject((socket, ("2001:db8::2", 4000), RTP))
    assert received(rig, 1) == 1


def test_leg_that_never_sends_gives_up_its_claim_when_another_needs_it(rig: Rig) -> None:
    for leg in range(1, 9):
        rig.open(leg, None)
    rig.now += LATCH_PATIENCE_S + 1
    event = rig.open(9, None)
    assert isinstance(event, LegOpened)


def test_closed_leg_frees_its_claim_and_its_source(rig: Rig) -> None:
    for leg in range(1, 9):
        rig.open(leg, SDP)
    rig.handle(CloseLeg(4))
    assert isinstance(rig.events[-1], LegClosed)
    assert isinstance(rig.open(9, SDP), LegOpened)


def test_changed_address_in_a_later_offer_ends_the_latch(rig: Rig) -> None:
    phone = rig.call(1, may_latch=True)
    say(rig, 1, NAT)
    elsewhere = ("10.9.9.9", 7000)
    rig.handle(ConnectLeg(1, "PCMU", 0, elsewhere))
    assert sent_to(rig, 1) == elsewhere
    say(rig, 1, NAT)
    assert sent_to(rig, 1) == NAT, "the leg may latch anew"
    rig.handle(ConnectLeg(1, "PCMU", 0, phone.address))
    say(rig, 1, phone.address)
    say(rig, 1, NAT)
    assert sent_to(rig, 1) == phone.address


@pytest.mark.parametrize("again", [SDP, ("0.0.0.0", 30002), ("0.0.0.0", 0)])
def test_same_or_unspecified_address_in_a_later_offer_keeps_the_latch(
    rig: Rig, again: tuple[str, int]
) -> None:
    rig.call(1, may_latch=True)
    say(rig, 1, NAT)
    rig.handle(ConnectLeg(1, "PCMU", 0, again, send=False))
    rig.handle(ConnectLeg(1, "PCMU", 0, SDP))
    say(rig, 1, NAT)
    assert sent_to(rig, 1) == NAT
    assert received(rig, 1) == 2


@pytest.mark.parametrize("remote", [("example.org", 5000), ("10.0.0.1", 70000), ("", 1)])
def test_remote_that_is_no_address_is_refused(rig: Rig, remote: tuple[str, int]) -> None:
    assert isinstance(rig.open(1, remote), LegRefused)
    assert isinstance(rig.open(1, SDP), LegOpened)


def test_leg_number_that_is_open_is_refused_and_the_leg_lives(rig: Rig) -> None:
    rig.call(1)
    assert isinstance(rig.open(1), LegRefused)
    say(rig, 1, SDP)
    assert received(rig, 1) == 1


def test_host_that_is_not_bound_is_refused(rig: Rig) -> None:
    assert "192.0.2.1" in rig.open(1, host="192.0.2.1").reason


def test_busy_engine_refuses_with_its_reason(rig: Rig) -> None:
    rig.engine.refusal = "the tick is full"
    rig.handle(OpenLeg(1))
    assert rig.events == [LegRefused(1, "the tick is full")]


def test_more_legs_than_slots_are_refused() -> None:
    rig = Rig()
    for leg in range(256):
        assert isinstance(rig.open(leg, None, may_latch=False), LegOpened)
    assert "256" in rig.open(256, None, may_latch=False).reason
    rig.close()


@pytest.mark.parametrize("address", [("1.2.3.4", 1), ("255.0.0.1", 65535), ("2001:db8::ff", 5060)])
def test_name_of_an_address_is_read_back(address: tuple[str, int]) -> None:
    assert address_of(name_of(address)) == address


def test_table_finds_every_one_of_many_sources_and_no_other() -> None:
    table = AddressTable()
    addresses = [(f"10.0.{index % 256}.{index // 256}", 1000 + index) for index in range(500)]
    addresses += [(f"2001:db8::{index:x}", 2000) for index in range(500)]
    for slot, address in enumerate(addresses):
        assert table.add(slot % 7, name_of(address), slot)
    names = np.stack([name_of(address) for address in addresses])
    sockets = np.arange(1000) % 7
    assert table.find(sockets, names).tolist() == list(range(1000))
    assert (table.find((sockets + 1) % 7, names) == -1).all()
    assert not table.add(0, name_of(addresses[0]), 9999)
    table.remove(3)
    assert table.owner(3, name_of(addresses[3])) == -1
    assert table.owner(4, name_of(addresses[4])) == 4
