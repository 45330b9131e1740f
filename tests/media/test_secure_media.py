"""ICE, DTLS and SRTP together with an engine, on a virtual network."""

from collections.abc import Iterator

import numpy as np
import pytest
from tests.harness.secure_rig import BROWSER, BROWSER_CONTEXT, SERVER, SecureRig

from townhall.bench.web.peer import WebPeer
from townhall.ice import Check, Credentials, new_credentials
from townhall.ice.lite import CONSENT_S
from townhall.ice.peers import MOST_PATHS, UNPROVED_S
from townhall.media.protocol import (
    CloseLeg,
    DigitPressed,
    LegClosed,
    LegInsecure,
    LegLeft,
    LegRefused,
    LegSecured,
    LegSilent,
    OpenLeg,
    SetMix,
    SetSilenceLimit,
)
from townhall.media.secure import new_certificate
from townhall.media.secure.connectivity import ADMITTED_OF_A_PEER, REFUSED_A_TICK
from townhall.media.secure.dtls import make_context
from townhall.media.secure.handshakes import HANDSHAKE_S, LEAST_STEPS
from townhall.media.secure.peers import INBOX, MOST_SSRCS
from townhall.rtp import TelephoneEvent, build_event, parse_rtcp
from townhall.rtp.rtcp import SenderInfo, build_compounds, ntp_time

AWAY = ("198.51.100.9", 5000)
THIEF = ("203.0.113.66", 666)


@pytest.fixture
def rig() -> Iterator[SecureRig]:
    rig = SecureRig()
    yield rig
    rig.close()


def received(rig: SecureRig, leg: int = 1) -> int:
    return int(rig.engine.legs.packets_received[rig.engine.legs.slot_of[leg]])


def test_browser_that_checks_and_shakes_hands_is_secured_and_hears(rig: SecureRig) -> None:
    browser = rig.connect()
    rig.tick(5)
    assert len(rig.events_of(LegSecured)) == 1
    assert len(browser.heard) >= 4
    assert browser.heard[-1].payload_type == 0
    assert rig.stray == []


def test_browser_with_ipv6_is_secured_and_hears(rig: SecureRig) -> None:
    browser = rig.connect(address=("2001:db8::7", 40001))
    rig.tick(5)
    assert len(browser.heard) >= 4


def test_nothing_is_sent_before_a_check_has_come(rig: SecureRig) -> None:
    rig.call()
    rig.browsers.clear()
    rig.tick(100)
    assert rig.stray == []


def test_no_sound_passes_before_the_handshake_is_through(rig: SecureRig) -> None:
    browser = rig.call()
    rig.lose = lambda datagram: 20 <= datagram[0] < 64
    rig.tick(20)
    assert browser.peer.connected
    browser.say(b"\x80\x00" + bytes(170))
    rig.tick(5)
    assert (browser.heard, received(rig)) == ([], 0)
    assert not rig.secured(1)


def test_two_browsers_hear_each_other(rig: SecureRig) -> None:
    alice, bob = rig.connect(1), rig.connect(2)
    for leg in (1, 2):
        rig.handle(SetMix(leg, "room", hears=True, heard=True))
    alice.talking = True
    rig.tick(25)
    assert set(bob.heard[-1].payload) != {0xFF}
    assert set(alice.heard[-1].payload) == {0xFF}


def test_lost_flight_is_sent_again(rig: SecureRig) -> None:
    lost: list[bytes] = []

    def lose(datagram: bytes) -> bool:
        handshake = 20 <= datagram[0] < 64 and not lost
        lost.extend([datagram] * handshake)
        return handshake

    rig.lose = lose
    browser = rig.call()
    rig.tick_until(lambda: lost)
    rig.tick_s = 0.0
    rig.tick_until(lambda: browser.peer.protection is not None and rig.secured(1), most=100_000)
    assert len(lost) == 1


def test_certificate_without_the_fingerprint_is_told_and_never_heard(rig: SecureRig) -> None:
    browser = rig.call(fingerprint=new_certificate().fingerprint)
    rig.tick_until(lambda: rig.events_of(LegInsecure))
    assert "fingerprint" in rig.events_of(LegInsecure)[0].reason
    rig.tick(10)
    assert browser.heard == []
    assert browser.peer.failure, "the browser has been told by an alert"
    assert not rig.secured(1)


def test_server_with_another_certificate_than_its_fingerprint_is_refused_by_the_browser(
    rig: SecureRig,
) -> None:
    browser = rig.call()
    browser.peer = WebPeer(BROWSER_CONTEXT, new_credentials(), browser.local, BROWSER.fingerprint)
    browser.tell()
    rig.tick_until(lambda: browser.peer.failure)
    rig.tick_until(lambda: rig.events_of(LegInsecure))
    assert not rig.secured(1)


@pytest.mark.parametrize(
    "fingerprint", ["", "sha-1 " + "AA:" * 19 + "AA", "sha-256 AA", "sha-256 " + "GG:" * 31 + "GG"]
)
def test_fingerprint_that_is_none_is_told_at_once(rig: SecureRig, fingerprint: str) -> None:
    rig.call(fingerprint=fingerprint)
    assert "sha-256" in rig.events_of(LegInsecure)[0].reason


def test_credentials_that_are_none_are_told_at_once(rig: SecureRig) -> None:
    rig.call(remote_pwd="short")
    assert "ice-pwd" in rig.events_of(LegInsecure)[0].reason


def test_server_as_dtls_client_begins_itself(rig: SecureRig) -> None:
    browser = rig.call(role="client")
    browser.peer._association.role = "server"
    browser.peer._association._connection.set_accept_state()
    rig.tick_until(lambda: browser.peer.protection is not None and rig.secured(1))
    rig.tick(3)
    assert browser.heard


def test_handshake_that_never_comes_is_told(rig: SecureRig) -> None:
    browser = rig.call()
    browser.peer._dtls = lambda datagram: []
    rig.tick(round(HANDSHAKE_S * 50) + 20)
    assert f"within {HANDSHAKE_S:.0f} s" in rig.events_of(LegInsecure)[0].reason


def test_dtls_from_a_source_that_ice_has_not_verified_is_dropped(rig: SecureRig) -> None:
    browser = rig.call()
    flight = browser.peer._association.start()
    rig.inject(*((THIEF, datagram) for datagram in flight))
    rig.tick(3)
    assert rig.stray == []


# ---- sound, keys, reports


def test_digits_of_a_browser_are_told(rig: SecureRig) -> None:
    browser = rig.connect()
    for _ in range(3):
        browser.say(
            browser.packet(build_event(TelephoneEvent(5, False, 10, 160)), payload_type=101, timestamp=7)
        )
    rig.tick(3)
    assert rig.events_of(DigitPressed) == [DigitPressed(1, "5", "rfc4733")]


def test_reports_go_both_ways_so_that_either_side_measures_the_round_trip(rig: SecureRig) -> None:
    browser = rig.connect()
    browser.talking = True
    report = build_compounds(
        np.array([browser.ssrc], np.uint32),
        np.full((1, 16), 65, np.uint8),
        SenderInfo(
            ntp_time(1000.0), np.array([1], np.uint32), np.array([1], np.uint32), np.array([1], np.uint32)
        ),
        None,
    )
    browser.say(browser.protect(report[0].tobytes(), rtcp=True))
    rig.tick_until(lambda: browser.reports, most=500)
    packets = parse_rtcp(browser.reports[0])
    assert browser.reports[0][1] == 200
    heard = next(packet for packet in packets if getattr(packet, "reports", ()))
    assert heard.reports[0].ssrc == browser.ssrc
    assert heard.reports[0].last_sr == (1000 + 2208988800 & 0xFFFF) << 16


def test_closed_leg_says_goodbye_in_rtcp_and_dtls(rig: SecureRig) -> None:
    browser = rig.connect()
    browser.talking = True
    rig.tick(10)
    rig.handle(CloseLeg(1))
    assert isinstance(rig.events[-1], LegClosed)
    rig.tick(3)
    assert browser.reports, "no RTCP before the end"
    assert browser.reports[-1][-8:-4] == b"\x81\xcb\x00\x01"
    assert browser.peer.failure == "the server said goodbye"
    assert len(rig.secure) == 0
    heard = len(browser.heard)
    rig.tick(20)
    assert len(browser.heard) == heard


def test_browser_that_says_goodbye_is_silent_at_once(rig: SecureRig) -> None:
    browser = rig.connect()
    browser.say(*browser.peer.close())
    rig.tick(2)
    assert rig.events_of(LegLeft) == [LegLeft(1)]
    heard = len(browser.heard)
    rig.tick(10)
    assert len(browser.heard) == heard


# ---- coming, moving, going


def test_browser_that_vanishes_is_told_within_its_consent_and_sent_nothing_more(rig: SecureRig) -> None:
    rig.connect()
    rig.browsers.clear()
    rig.tick(round(50 * (CONSENT_S + 3)))
    (silent,) = rig.events_of(LegSilent)
    assert CONSENT_S <= silent.seconds < CONSENT_S + 3
    rig.stray.clear()
    rig.tick(50)
    assert rig.stray == []


def test_browser_that_comes_back_is_heard_again_without_a_new_handshake(rig: SecureRig) -> None:
    browser = rig.connect()
    browser.talking = True
    rig.browsers.clear()
    rig.tick_until(lambda: rig.events_of(LegSilent), most=round(50 * (CONSENT_S + 3)))
    rig.browsers[browser.address] = browser
    browser.peer.check_now()
    rig.tick(10)
    before, heard = received(rig), len(browser.heard)
    rig.tick(10)
    assert (received(rig) - before, len(browser.heard) - heard) == (10, 10)
    assert len(rig.events_of(LegSecured)) == 1


def test_stream_begins_far_enough_before_the_sequence_numbers_wrap(rig: SecureRig) -> None:
    for leg in range(1, 17):  # 1 in 65,536 that all 16 are small by chance
        assert rig.connect(leg).peer.protection is not None
        assert rig.engine.legs.sequence_number[rig.engine.legs.slot_of[leg]] < 2**15 + 50


def test_browser_that_sends_no_checks_lives_by_its_packets(rig: SecureRig) -> None:
    browser = rig.connect()
    browser.talking = True
    browser.peer._next_check = float("inf")
    rig.tick(round(50 * 2 * CONSENT_S))
    assert rig.events_of(LegSilent) == []
    assert len(browser.heard) > 40 * CONSENT_S


def test_page_that_only_checks_is_silent_by_the_engines_limit(rig: SecureRig) -> None:
    rig.connect()
    rig.handle(SetSilenceLimit(1, 5.0))
    rig.tick(300)
    assert [event.leg for event in rig.events_of(LegSilent)] == [1]


def test_browser_that_moves_is_followed_with_its_first_nominated_check(rig: SecureRig) -> None:
    browser = rig.connect()
    browser.talking = True
    rig.tick(10)
    rig.move(browser, AWAY)
    rig.tick(2)
    before, heard = received(rig), len(browser.heard)
    rig.tick(100)
    assert received(rig) >= before + 99
    assert len(browser.heard) >= heard + 99
    assert len(rig.events_of(LegSecured)) == 1, "no second handshake"


def test_moved_browser_proves_its_new_address_and_is_sent_to_for_ever(rig: SecureRig) -> None:
    browser = rig.connect()
    rig.move(browser, AWAY)
    rig.tick(round(50 * 2 * UNPROVED_S))
    heard = len(browser.heard)
    rig.tick(10)
    assert len(browser.heard) == heard + 10


def test_forged_address_that_never_answers_is_sent_little(rig: SecureRig) -> None:
    browser = rig.connect()
    for _ in range(round(50 * 4 * UNPROVED_S)):
        if browser.peer._check is None:
            browser.peer._request(rig.now)
        rig.inject((THIEF, browser.peer._check.request()))
        rig.tick()
    sound = [datagram for address, datagram in rig.stray if address == THIEF and datagram[0] >= 128]
    assert len(sound) <= 50 * (UNPROVED_S + 1)


def test_ice_restart_goes_on_without_a_new_handshake(rig: SecureRig) -> None:
    browser = rig.connect()
    browser.talking = True
    browser.restart()
    rig.tick(20)
    assert browser.peer.connected
    before, heard = received(rig), len(browser.heard)
    rig.tick(50)
    assert (received(rig) - before, len(browser.heard) - heard) == (50, 50)
    assert len(rig.events_of(LegSecured)) == 1


def test_restart_with_another_certificate_is_another_association(rig: SecureRig) -> None:
    browser = rig.connect()
    other = new_certificate()
    browser.local = new_credentials()
    browser.peer = WebPeer(make_context(other), new_credentials(), browser.local, SERVER.fingerprint)
    rig.lose = lambda datagram: datagram[0] >= 128 and browser.peer.protection is None
    browser.tell(fingerprint=other.fingerprint)
    rig.tick_until(lambda: len(rig.events_of(LegSecured)) == 2)
    heard = len(browser.heard)
    rig.tick(5)
    assert len(browser.heard) >= heard + 4


def test_legs_that_are_closed_leave_nothing_behind(rig: SecureRig) -> None:
    for leg in range(1, 200):
        rig.call(leg)
        rig.tick()
        rig.handle(CloseLeg(leg))
        rig.tick()
        rig.browsers.clear()
    assert len(rig.secure) == 0
    assert len(rig.secure._connectivity.agent) == 0
    assert not rig.secure._handshakes._open
    assert len(rig.secure._peers.sources.slots()) == 0


# ---- attacks


def test_replayed_packets_are_refused(rig: SecureRig) -> None:
    browser = rig.connect()
    for _ in range(5):
        browser.say(browser.packet(bytes(160)))
    rig.tick()
    assert received(rig) == 5
    browser.say(*browser.sent)
    rig.tick()
    assert received(rig) == 5
    assert rig.secure.refused == 5


def test_forged_and_damaged_packets_are_refused(rig: SecureRig) -> None:
    browser = rig.connect()
    good = browser.packet(bytes(160))
    bad = [
        good[:40] + bytes([good[40] ^ 1]) + good[41:],
        good[:-1],
        b"\x80\x00" + bytes(170),
        b"\x80\xc8" + bytes(30),
    ]
    browser.say(*bad)
    rig.tick()
    assert received(rig) == 0
    browser.say(good)
    rig.tick()
    assert received(rig) == 1


def test_packets_of_a_leg_from_elsewhere_are_dropped(rig: SecureRig) -> None:
    browser = rig.connect()
    rig.inject((THIEF, browser.packet(bytes(160))))
    rig.tick()
    assert received(rig) == 0
    assert rig.secure.unknown_source == 1


def test_browser_with_ever_new_ssrcs_is_heard_with_a_few(rig: SecureRig) -> None:
    browser = rig.connect()
    for number in range(3 * MOST_SSRCS):
        browser.say(browser.packet(bytes(160), ssrc=0x9000 + number))
        rig.tick()
    peer = rig.secure._peers.of_leg[1]
    assert len(peer.ssrcs) == MOST_SSRCS


def test_browser_that_floods_is_heard_no_faster_than_sound(rig: SecureRig) -> None:
    browser, other = rig.connect(1), rig.connect(2)
    before = received(rig, 2)
    browser.say(*(browser.packet(bytes(160)) for _ in range(500)))
    other.say(other.packet(bytes(160)))
    rig.tick()
    assert received(rig) <= 40
    assert received(rig, 2) == before + 1


def test_secure_leg_without_a_port_for_browsers_is_refused() -> None:
    rig = SecureRig()
    rig.engine.network.local[1] = rig.PLAIN
    rig.handle(OpenLeg(1, secure=True))
    assert isinstance(rig.events[-1], LegRefused)
    assert "TOWNHALL_ICE_PORT" in rig.events[-1].reason
    rig.close()


def test_flood_of_checks_for_nobody_is_answered_by_a_handful_and_leaves_nothing_behind(
    rig: SecureRig,
) -> None:
    browser = rig.connect()
    agent = rig.secure._connectivity.agent
    paths = len(agent._owners)
    stranger = Check(new_credentials(), new_credentials(), bytes(12), 1).request()
    for _ in range(20):
        rig.inject(*(((f"10.{n >> 8}.{n & 255}.1", 5000), stranger) for n in range(3000)))
        before = len(rig.stray)
        rig.tick()
        assert len(rig.stray) - before <= REFUSED_A_TICK
    assert len(agent._owners) == paths
    assert rig.secure._connectivity.passed_over > 50_000
    assert len(browser.heard) >= 20


def test_browser_calls_through_a_flood_of_checks(rig: SecureRig) -> None:
    stranger = Check(new_credentials(), new_credentials(), bytes(12), 1).request()
    browser = rig.call()
    for _ in range(500):
        rig.inject(*(((f"10.{n >> 8}.{n & 255}.1", 5000), stranger) for n in range(1000)))
        rig.tick()
        if browser.heard:
            break
    assert browser.heard


def test_caller_who_checks_under_many_names_leaves_room_for_others(rig: SecureRig) -> None:
    flooder = rig.call()
    theirs = [Credentials(f"name{number:04}", "x" * 22) for number in range(40)]
    checks = [Check(name, flooder.local, bytes(12), 1).request() for name in theirs]
    rig.inject(*(((f"10.9.{n}.1", 5000), check) for n, check in enumerate(checks)))
    rig.tick()
    assert rig.secure._connectivity.passed_over >= len(checks) - ADMITTED_OF_A_PEER


def test_caller_who_checks_from_everywhere_has_a_few_paths(rig: SecureRig) -> None:
    browser = rig.connect()
    for number in range(200):
        browser.peer._request(rig.now)
        rig.inject((("10.0.0.1", 1000 + number), browser.peer._check.request()))
        rig.tick()
    assert len(rig.secure._peers.of_leg[1].paths) <= MOST_PATHS
    assert len(rig.secure._peers.sources.slots()) <= MOST_PATHS


def test_flood_of_handshakes_from_a_verified_path_waits_in_a_bounded_inbox(rig: SecureRig) -> None:
    flooder, caller = rig.call(1), rig.call(2)
    rig.tick_until(lambda: flooder.peer.connected)
    rig.inject(
        *((flooder.address, b"\x16\xfe\xfd" + bytes(8) + b"\x00\x10" + bytes(16)) for _ in range(3000))
    )
    rig.secure.work = lambda now, until: None  # no time is left over
    rig.tick()
    assert len(rig.secure._peers.of_leg[1].inbox) == INBOX
    assert rig.secure._handshakes.dropped >= 3000 - INBOX
    del rig.secure.work
    rig.tick_until(lambda: rig.secured(2) and caller.peer.protection is not None)


def test_handshakes_take_turns_and_no_longer_than_they_may(rig: SecureRig) -> None:
    for leg in range(1, 9):
        rig.call(leg)
    rig.tick(4)
    rig.secure.work = lambda now, until: type(rig.secure).work(rig.secure, now, 0.0)
    steps: list[int] = []
    step = rig.secure._handshakes._step
    rig.secure._handshakes._step = lambda *arguments: (steps.append(arguments[0].leg), step(*arguments))
    rig.tick(4)
    assert len(steps) <= 4 * LEAST_STEPS
    assert len(set(steps)) == len(steps), "one peer had two turns before others had one"
