"""Uplinks of every shape, key presses, and legs that fall silent."""

import numpy as np
import pytest
from tests.harness.media_rig import Rig, heard_in

from townhall.audio.g711 import encode_alaw, encode_ulaw
from townhall.audio.tones import dtmf
from townhall.media.protocol import (
    CloseLeg,
    DigitPressed,
    LegClosed,
    LegSilent,
    SetSilenceLimit,
)
from townhall.rtp import TelephoneEvent, build_event


@pytest.mark.parametrize("samples", [80, 160, 240, 320, 400, 480, 37, 333, 1])
def test_uplink_of_any_packet_length_is_heard_whole(rig: Rig, samples: int) -> None:
    talker = rig.call(1)
    rig.call(2)
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True)
    codes = encode_ulaw(np.full(samples, 1000, np.int16)).tobytes()
    due = 0
    for tick in range(60):
        packets = []
        while due < (tick + 1) * 160:
            packets.append(talker.packet(codes))
            talker.timestamp += samples
            due += samples
        rig.send(talker, *packets)
        rig.tick()
    assert set(rig.phones[2].samples(10)) == {heard_in("PCMU", 1000)}


def test_uplink_that_changes_between_laws_is_decoded_by_each_packets_type(rig: Rig) -> None:
    talker = rig.call(1)
    rig.call(2)
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True)
    samples = np.full(160, 1000, np.int16)
    for tick in range(40):
        if tick % 2:
            packet = talker.packet(encode_alaw(samples).tobytes(), 8)
        else:
            packet = talker.packet(encode_ulaw(samples).tobytes(), 0)
        rig.send(talker, packet)
        talker.timestamp += 160
        rig.tick()
    assert set(rig.phones[2].samples(10)) == {
        heard_in("PCMU", 1000),
        heard_in("PCMU", heard_in("PCMA", 1000)),
    }


def test_dynamic_payload_type_of_a_codec_is_decoded(rig: Rig) -> None:
    from townhall.media.protocol import ConnectLeg

    talker = rig.call(1, 1000, "PCMA")
    rig.handle(ConnectLeg(1, "PCMA", 97, talker.address))
    talker.payload_type = 97
    rig.call(2)
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True)
    rig.settle()
    assert rig.phones[2].hears() == heard_in("PCMU", heard_in("PCMA", 1000))


@pytest.mark.parametrize("shape", ["csrc", "extension", "padding", "all"])
def test_uplink_with_odd_headers_is_heard(rig: Rig, shape: str) -> None:
    talker = rig.call(1)
    rig.call(2)
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True)
    codes = encode_ulaw(np.full(160, 1000, np.int16)).tobytes()
    for _ in range(30):
        packet = bytearray(talker.packet(b""))
        if shape in ("csrc", "all"):
            packet[0] |= 2
            packet += bytes(8)
        if shape in ("extension", "all"):
            packet[0] |= 0x10
            packet += b"\xbe\xde\x00\x01" + b"\xff" * 4
        packet += codes
        if shape in ("padding", "all"):
            packet[0] |= 0x20
            packet += b"\x00\x00\x00\x04"
        rig.send(talker, bytes(packet))
        talker.timestamp += 160
        rig.tick()
    assert rig.phones[2].hears() == heard_in("PCMU", 1000)


def test_new_ssrc_starts_a_new_stream_and_the_old_one_is_left_out(rig: Rig) -> None:
    talker = rig.call(1, 1000)
    rig.call(2)
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True)
    rig.settle()
    talker.ssrc, talker.sequence_number, talker.timestamp, talker.level = 0x9999, 7, 3_000_000_000, 3000
    rig.settle()
    assert rig.phones[2].hears() == heard_in("PCMU", 3000)


def test_comfort_noise_and_unknown_types_are_no_audio(rig: Rig) -> None:
    talker = rig.call(1)
    rig.mix(1, "a", heard=True)
    rig.tick()
    rig.send(talker, talker.packet(b"\x40", 13), talker.packet(bytes(160), 96), talker.packet(bytes(481), 0))
    rig.tick()
    rig.handle(CloseLeg(1))
    (closed,) = rig.events_of(LegClosed)
    assert (closed.packets_received, closed.packets_dropped) == (3, 2)


def test_malformed_packets_are_counted_and_drop_nothing_else(rig: Rig) -> None:
    talker = rig.call(1)
    for packet in (b"", b"\x80", b"\xbf" + bytes(20), b"\x40" + bytes(171)):
        rig.send(talker, packet, talker.packet(bytes(160)))
    assert rig.engine.receiver.malformed == 4
    assert rig.engine.legs.packets_received[rig.engine.legs.slot_of[1]] == 4


def press(rig: Rig, leg: int, key: int, *, lost: tuple[int, ...] = (), twice: bool = False) -> None:
    """A press of 100 ms, a packet per 20 ms and three at the end; those at places `lost` do not arrive."""
    phone = rig.phones[leg]
    steps = [(step, False) for step in range(1, 5)] + [(5, True)] * 3
    packets = []
    for place, (step, end) in enumerate(steps):
        packet = phone.packet(build_event(TelephoneEvent(key, end, 160 * step)), 101, marker=place == 0)
        if place not in lost:
            packets += [packet] * (2 if twice else 1)
    phone.timestamp += 1600
    for packet in packets:
        rig.send(phone, packet)
        rig.tick()


def digits(rig: Rig) -> str:
    return "".join(event.digit for event in rig.events_of(DigitPressed))


@pytest.mark.parametrize(
    "lost", [(), (0,), (0, 1, 2), (6,), (4, 5, 6), (0, 1, 2, 3), (0, 1, 2, 3, 4, 5), (1, 3, 5)]
)
def test_press_is_reported_once_whatever_is_lost(rig: Rig, lost: tuple[int, ...]) -> None:
    rig.call(1)
    press(rig, 1, 5, lost=lost, twice=True)
    assert digits(rig) == "5"


def test_every_key_is_known(rig: Rig) -> None:
    rig.call(1)
    for key in range(16):
        press(rig, 1, key)
    press(rig, 1, 16)  # flash: not a key
    assert digits(rig) == "0123456789*#ABCD"


def test_two_quick_presses_of_one_key_are_two(rig: Rig) -> None:
    rig.call(1)
    press(rig, 1, 1, lost=(4, 5, 6))
    press(rig, 1, 1, lost=(0,))
    assert digits(rig) == "11"


def test_press_is_reported_at_its_first_packet(rig: Rig) -> None:
    phone = rig.call(1)
    rig.send(phone, phone.packet(build_event(TelephoneEvent(7, False, 160)), 101, marker=True))
    rig.handle()
    assert rig.events[-1] == DigitPressed(1, "7", "rfc4733")


def test_press_of_a_muted_or_playing_leg_is_reported(rig: Rig) -> None:
    rig.call(1, 1000)
    rig.mix(1, "a", hears=True)
    press(rig, 1, 3)
    assert digits(rig) == "3"


def test_many_legs_press_in_one_batch(rig: Rig) -> None:
    phones = [rig.call(leg) for leg in range(1, 101)]
    payload = build_event(TelephoneEvent(1, False, 160))
    rig.inject(*((phone.socket, phone.address, phone.packet(payload, 101)) for phone in phones))
    rig.handle()
    assert sorted(event.leg for event in rig.events_of(DigitPressed)) == list(range(1, 101))


def test_leg_without_telephone_event_is_heard_for_tones(rig: Rig) -> None:
    phone = rig.call(1, telephone_event=None)
    codes = encode_ulaw(dtmf("15#", on_ms=120, off_ms=120))
    for start in range(0, len(codes) - 159, 160):
        rig.send(phone, phone.packet(codes[start : start + 160].tobytes()))
        phone.timestamp += 160
        rig.tick()
    rig.tick(20)
    assert [(event.digit, event.source) for event in rig.events_of(DigitPressed)] == [
        ("1", "inband"),
        ("5", "inband"),
        ("#", "inband"),
    ]


def test_leg_with_telephone_event_is_not_heard_for_tones(rig: Rig) -> None:
    phone = rig.call(1)
    rig.mix(1, "a", heard=True)
    codes = encode_ulaw(dtmf("1", on_ms=200, off_ms=100))
    for start in range(0, len(codes), 160):
        rig.send(phone, phone.packet(codes[start : start + 160].tobytes()))
        phone.timestamp += 160
        rig.tick()
    assert digits(rig) == ""


def test_leg_is_told_silent_once_after_the_limit(rig: Rig) -> None:
    phone = rig.call(1)
    rig.tick(2)
    rig.send(phone, phone.packet(bytes(160)))
    rig.now += 29.0
    rig.tick(20)
    assert rig.events_of(LegSilent) == []
    rig.now += 1.0
    rig.tick(50)
    (event,) = rig.events_of(LegSilent)
    assert event.leg == 1
    assert event.seconds >= 30


def test_silence_limit_of_zero_tells_nothing_and_a_new_one_counts_from_then(rig: Rig) -> None:
    rig.call(1)
    rig.handle(SetSilenceLimit(1, 0))
    rig.now += 3600
    rig.tick(20)
    assert rig.events_of(LegSilent) == []
    rig.handle(SetSilenceLimit(1, 5))
    rig.tick(20)
    assert rig.events_of(LegSilent) == []
    rig.now += 5
    rig.tick(20)
    assert len(rig.events_of(LegSilent)) == 1


def test_leg_that_is_not_connected_is_never_silent(rig: Rig) -> None:
    rig.open(1)
    rig.now += 60
    rig.tick(20)
    assert rig.events_of(LegSilent) == []
