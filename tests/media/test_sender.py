"""The stream that each leg is sent: headers, packet times, hold, keys of ours."""

import itertools

import pytest
from tests.harness.media_rig import Rig, heard_in

from townhall.media.protocol import CloseLeg, ConnectLeg, PlayFinished, SendDigits, StopPlay
from townhall.rtp import DIGITS, parse_event


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 50, 60])
@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_stream_is_continuous_in_packets_of_the_agreed_length(rig: Rig, ptime: int, codec: str) -> None:
    rig.call(1, 1000)
    rig.mix(1, "a", heard=True)
    phone = rig.call(2, None, codec, ptime_ms=ptime)
    rig.mix(2, "a", hears=True)
    rig.tick(60)
    packets = phone.heard
    assert len(packets) == 60 * 20 // ptime
    assert {len(packet.payload) for packet in packets} == {8 * ptime}
    assert {packet.payload_type for packet in packets} == {8 if codec == "PCMA" else 0}
    assert len({packet.ssrc for packet in packets}) == 1
    for before, after in itertools.pairwise(packets):
        assert (after.sequence_number - before.sequence_number) % 2**16 == 1
        assert (after.timestamp - before.timestamp) % 2**32 == 8 * ptime
    assert [packet.marker for packet in packets] == [True] + [False] * (len(packets) - 1)
    assert set(phone.samples(3)) == {heard_in(codec, heard_in("PCMU", 1000))}


def test_legs_have_sources_of_their_own(rig: Rig) -> None:
    for leg in range(1, 20):
        rig.call(leg)
    rig.tick()
    assert len({phone.heard[0].ssrc for phone in rig.phones.values()}) == 19
    assert len({phone.heard[0].timestamp for phone in rig.phones.values()}) == 19


def test_every_leg_is_sent_from_its_own_port(rig: Rig) -> None:
    for leg in range(1, 20):
        rig.call(leg)
    rig.tick(3)
    assert all(len(phone.heard) == 3 for phone in rig.phones.values())
    assert rig.stray == []


def test_hold_stops_the_stream_and_resume_marks_its_first_packet(rig: Rig) -> None:
    phone = rig.call(1)
    rig.tick(3)
    rig.handle(ConnectLeg(1, "PCMU", 0, phone.address, telephone_event=101, send=False))
    rig.tick(3)
    assert len(phone.heard) == 3
    rig.handle(ConnectLeg(1, "PCMU", 0, phone.address, telephone_event=101))
    rig.tick(2)
    assert [packet.marker for packet in phone.heard[3:]] == [True, False]
    numbers = [packet.sequence_number for packet in phone.heard]
    assert (numbers[-1] - numbers[0]) % 2**16 == 4


def test_sequence_numbers_and_timestamps_wrap(rig: Rig) -> None:
    phone = rig.call(1, ptime_ms=10)
    slot = rig.engine.legs.slot_of[1]
    rig.engine.legs.sequence_number[slot] = 65534
    rig.engine.legs.timestamp[slot] = 2**32 - 80
    rig.tick(2)
    assert [packet.sequence_number for packet in phone.heard] == [65534, 65535, 0, 1]
    assert [packet.timestamp for packet in phone.heard] == [2**32 - 80, 0, 80, 160]


def test_codec_that_changes_mid_call_changes_the_payload(rig: Rig) -> None:
    phone = rig.call(1, ptime_ms=60)
    rig.tick(2)
    rig.handle(ConnectLeg(1, "PCMA", 8, phone.address, ptime_ms=20))
    rig.tick(2)
    assert [(packet.payload_type, set(packet.payload)) for packet in phone.heard] == [(8, {0xD5})] * 2


def test_unconnected_or_closed_leg_is_sent_nothing(rig: Rig) -> None:
    rig.open(1, ("10.0.0.1", 30002))
    rig.tick(3)
    phone = rig.call(2)
    rig.handle(CloseLeg(2))
    rig.tick(3)
    assert phone.heard == []
    assert rig.stray == []


def test_digits_are_sent_as_events_with_constant_timestamps_and_three_ends(rig: Rig) -> None:
    phone = rig.call(1)
    rig.tick(2)
    rig.handle(SendDigits(1, 5, "1w#"))
    rig.tick(60)
    events = [packet for packet in phone.heard if packet.payload_type == 101]
    presses: dict[int, list] = {}
    for packet in events:
        presses.setdefault(packet.timestamp, []).append((packet.marker, parse_event(packet.payload)))
    assert [DIGITS[press[0][1].event] for press in presses.values()] == ["1", "#"]
    for press in presses.values():
        assert [marker for marker, _ in press] == [True] + [False] * 6
        assert [event.end for _, event in press] == [False] * 4 + [True] * 3
        assert [event.duration for _, event in press] == [160, 320, 480, 640, 800, 800, 800]
    numbers = [packet.sequence_number for packet in phone.heard]
    assert [(b - a) % 2**16 for a, b in itertools.pairwise(numbers)] == [1] * (len(numbers) - 1)
    first, second = presses
    assert second - first == (10 + 25) * 160
    audio = [packet.timestamp for packet in phone.heard if packet.payload_type == 0]
    assert audio[-1] - audio[0] == (len(phone.heard) - len(events) + 10 - 1) * 160
    assert rig.events_of(PlayFinished) == [PlayFinished(5, 1, "finished")]


def test_digits_to_a_leg_without_telephone_event_are_tones(rig: Rig) -> None:
    import numpy as np

    from townhall.audio.inband import InbandDigits

    phone = rig.call(1, None, "PCMA", telephone_event=None)
    rig.handle(SendDigits(1, 5, "4*"))
    rig.tick(30)
    detector = InbandDigits(1)
    found: list[str] = []
    samples = np.array(phone.samples(30), np.int16)
    for start in range(0, len(samples), 160):
        _, keys = detector.detect(np.array([0]), samples[None, start : start + 160])
        found += keys
    assert found == ["4", "*"]
    assert {packet.payload_type for packet in phone.heard} == {8}


@pytest.mark.parametrize(("keys", "says"), [("12x", "'X'"), ("1" * 200, "200")])
def test_digits_that_are_no_keys_fail_with_the_reason(rig: Rig, keys: str, says: str) -> None:
    rig.call(1)
    rig.handle(SendDigits(1, 5, keys))
    (event,) = rig.events_of(PlayFinished)
    assert event.outcome == "failed"
    assert says in event.detail


def test_digits_end_with_their_leg(rig: Rig) -> None:
    rig.call(1)
    rig.handle(SendDigits(1, 5, "123"))
    rig.tick(3)
    rig.handle(CloseLeg(1))
    assert PlayFinished(5, 1, "stopped") in rig.events


def test_stop_of_digits_ends_them_and_audio_goes_on(rig: Rig) -> None:
    phone = rig.call(1)
    rig.handle(SendDigits(1, 5, "123456789"))
    rig.tick(3)
    rig.handle(StopPlay(1, 5))
    rig.tick(2)
    assert rig.events_of(PlayFinished) == [PlayFinished(5, 1, "stopped")]
    assert [packet.payload_type for packet in phone.heard] == [101, 101, 101, 0, 0]
