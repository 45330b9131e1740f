"""RTCP of the legs."""

import numpy as np
from tests.harness.media_rig import Rig

from townhall.media.protocol import CloseLeg, LegClosed, LegSilent
from townhall.rtp import parse_rtcp
from townhall.rtp.rtcp import (
    Goodbye,
    ReceiverReport,
    SenderInfo,
    SenderReport,
    SourceDescription,
    build_compounds,
)


def peer_report(ssrc: int, ntp: int) -> bytes:
    one = np.array([1], np.uint32)
    sender = SenderInfo(ntp, one, one, one)
    return build_compounds(
        np.array([ssrc], np.uint32), np.full((1, 16), 65, np.uint8), sender, None
    ).tobytes()


def test_reports_come_about_every_five_seconds_with_what_was_received(rig: Rig) -> None:
    phone = rig.call(1, 1000)
    rig.tick(1000)
    assert 3 <= len(phone.reports) <= 8
    report, description = parse_rtcp(phone.reports[-1])
    assert isinstance(report, SenderReport)
    assert report.ssrc == phone.heard[0].ssrc
    assert abs(report.packets - len(phone.heard)) < 400  # the last one was up to 7.5 s ago
    assert report.octets == report.packets * 160
    (block,) = report.reports
    assert (block.ssrc, block.cumulative_lost, block.fraction_lost) == (phone.ssrc, 0, 0)
    assert isinstance(description, SourceDescription)
    assert len(description.cname) == 16


def test_report_of_a_leg_that_neither_sends_nor_hears_is_an_empty_receiver_report(rig: Rig) -> None:
    phone = rig.call(1, send=False)
    rig.tick(300)
    report, _ = parse_rtcp(phone.reports[0])
    assert report == ReceiverReport(report.ssrc)


def test_loss_is_reported(rig: Rig) -> None:
    phone = rig.call(1)
    for number in range(400):
        packet = phone.packet(bytes(160))
        phone.timestamp += 160
        if number % 4:
            rig.send(phone, packet)
        rig.tick()
    (block,) = parse_rtcp(phone.reports[0])[0].reports
    assert 60 <= block.fraction_lost <= 68
    assert block.cumulative_lost > 10
    rig.handle(CloseLeg(1))
    assert 99 <= rig.events_of(LegClosed)[0].packets_lost <= 100


def test_peers_sender_report_is_acknowledged_with_its_delay(rig: Rig) -> None:
    phone = rig.call(1, 1000)
    rtcp = (phone.address[0], phone.address[1] + 1)
    rig.inject((len(rig.local) + phone.socket, rtcp, peer_report(phone.ssrc, 0x1122334455667788)))
    rig.tick(300)
    (block,) = parse_rtcp(phone.reports[0])[0].reports
    assert block.last_sr == 0x33445566
    assert 0 < block.delay_since_last_sr < 6 * 65536


def test_goodbye_is_sent_when_the_leg_closes(rig: Rig) -> None:
    phone = rig.call(1, 1000)
    rig.tick(3)
    rig.handle(CloseLeg(1))
    rig.tick()
    assert parse_rtcp(phone.reports[-1])[-1] == Goodbye((phone.heard[0].ssrc,))


def test_multiplexed_reports_use_the_rtp_port_both_ways(rig: Rig) -> None:
    phone = rig.call(1, rtcp_mux=True)
    sent = []
    rig.engine.reports.take = lambda batch, now: sent.append(len(batch.lengths))
    rig.send(phone, peer_report(phone.ssrc, 1))
    assert sent == [1]
    rig.engine.legs.next_report[rig.engine.legs.slot_of[1]] = rig.now
    (batch,) = rig.engine.reports.due(rig.now, rig.now)
    assert batch.sockets.tolist() == [phone.socket]
    assert batch.names.tolist() == rig.engine.legs.name[[rig.engine.legs.slot_of[1]]].tolist()


def test_reports_from_an_unexpected_port_are_known_by_host_and_source(rig: Rig) -> None:
    phone = rig.call(1, 1000)
    rig.settle()
    socket = len(rig.local) + phone.socket
    rig.inject((socket, (phone.address[0], 50000), peer_report(phone.ssrc, 1)))
    assert rig.engine.reports.unknown_source == 0
    rig.inject((socket, ("203.0.113.9", 50000), peer_report(phone.ssrc, 1)))
    rig.inject((socket, (phone.address[0], 50001), peer_report(12345, 1)))
    assert rig.engine.reports.unknown_source == 2


def test_reports_alone_keep_a_leg_from_being_silent(rig: Rig) -> None:
    phone = rig.call(1)
    rtcp = (phone.address[0], phone.address[1] + 1)
    for _ in range(10):
        rig.now += 10
        rig.inject((len(rig.local) + phone.socket, rtcp, peer_report(phone.ssrc, 1)))
        rig.tick(20)
    assert rig.events_of(LegSilent) == []


def test_rubbish_on_the_report_port_is_counted(rig: Rig) -> None:
    phone = rig.call(1)
    rtcp = (phone.address[0], phone.address[1] + 1)
    for data in (b"", b"\x80", b"\x80\xc8\xff\xff" + bytes(40), b"\x80\x00" + bytes(170)):
        rig.inject((len(rig.local) + phone.socket, rtcp, data))
    assert rig.engine.reports.malformed == 4
