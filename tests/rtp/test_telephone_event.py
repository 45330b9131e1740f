"""Each press exactly once (RFC 4733 section 2.5)."""

import itertools

import numpy as np
import pytest

from townhall.rtp import RTPError, TelephoneEvent, build_event, parse_event
from townhall.rtp.telephone_event import DIGITS, PRESSES_PER_BATCH, STALE_SAMPLES, Presses


def observe(presses: Presses, *packets: tuple[int, int, int, bool], slot: int = 0) -> str:
    """Packets as (timestamp, event, duration, end), each in a batch of its own; digits reported."""
    return "".join(observe_batch(presses, packet, slot=slot) for packet in packets)


def observe_batch(presses: Presses, *packets: tuple[int, int, int, bool], slot: int = 0) -> str:
    payloads = [build_event(TelephoneEvent(event, end, duration)) for _, event, duration, end in packets]
    found = presses.observe(
        np.full(len(packets), slot),
        np.array([packet[0] % 2**32 for packet in packets], np.uint32),
        np.frombuffer(b"".join(payloads), np.uint8).reshape(-1, 4),
    )
    return "".join(digit for _, digit in found)


def a_press(start: int, event: int) -> list[tuple[int, int, int, bool]]:
    return [(start, event, 160 * step, False) for step in range(1, 5)] + [(start, event, 800, True)] * 3


def test_payload_is_laid_out_as_section_2_3_says() -> None:
    assert build_event(TelephoneEvent(11, True, 400, volume=10)).hex() == "0b8a0190"
    assert parse_event(bytes.fromhex("0b8a0190")) == TelephoneEvent(11, True, 400, 10)


def test_short_payload_is_an_error() -> None:
    with pytest.raises(RTPError):
        parse_event(b"\x01\x02\x03")


@pytest.mark.parametrize("kept", [kept for kept in itertools.product((0, 1), repeat=7) if any(kept)])
def test_any_loss_that_leaves_one_packet_reports_one_press(kept: tuple[int, ...]) -> None:
    packets = [packet for packet, keep in zip(a_press(8000, 3), kept, strict=True) if keep]
    assert observe(Presses(1), *packets) == "3"
    assert observe_batch(Presses(1), *packets) == "3"


def test_two_presses_in_any_order_of_arrival_are_two() -> None:
    packets = [*a_press(8000, 3)[::3], *a_press(9600, 3)[::3]]
    for order in itertools.permutations(packets):
        assert observe(Presses(1), *order) == "33"


def test_presses_across_the_timestamps_wrap_are_told_apart() -> None:
    presses = Presses(1)
    assert observe(presses, *a_press(2**32 - 800, 1), *a_press(800, 1), *a_press(2**32 - 800, 1)) == "11"


def test_long_press_in_segments_is_one() -> None:
    presses = Presses(1)
    first = [(1000, 9, duration, False) for duration in (160, 30000, 65535)]
    second = [(1000 + 65535, 9, duration, False) for duration in (160, 40000, 65535)]
    third = [(1000 + 2 * 65535, 9, 160, False), (1000 + 2 * 65535, 9, 320, True)]
    assert observe(presses, *first, *second, *third) == "9"
    assert observe(presses, *a_press(1000 + 2 * 65535 + 1600, 9)) == "9"


def test_segment_whose_predecessors_end_was_lost_is_the_same_press() -> None:
    assert observe(Presses(1), (1000, 9, 160, False), (1000 + 65535, 9, 160, False)) == "9"


def test_next_press_right_behind_an_ended_one_is_new() -> None:
    assert observe(Presses(1), (1000, 9, 800, True), (1800, 9, 160, False)) == "99"


def test_another_key_is_never_a_segment() -> None:
    assert observe(Presses(1), (1000, 9, 800, False), (1800, 8, 160, False)) == "98"


def test_packet_far_behind_the_newest_press_is_no_press() -> None:
    presses = Presses(1)
    assert observe(presses, (100_000, 1, 160, False), (100_000 - STALE_SAMPLES, 2, 160, False)) == "1"


def test_events_that_are_no_keys_are_left_out() -> None:
    assert observe(Presses(1), *((1000 * event, event, 160, False) for event in range(256))) == DIGITS


def test_legs_do_not_share_their_presses() -> None:
    presses = Presses(3)
    assert observe(presses, *a_press(8000, 1), slot=0) == "1"
    assert observe(presses, *a_press(8000, 1), slot=2) == "1"
    presses.reset(0)
    assert observe(presses, *a_press(8000, 1), slot=0) == "1"
    assert observe(presses, *a_press(8000, 1), slot=2) == ""


def test_flood_of_presses_from_one_leg_is_bounded() -> None:
    flood = [(1000 * number, 1, 160, False) for number in range(500)]
    assert len(observe_batch(Presses(1), *flood)) == PRESSES_PER_BATCH
