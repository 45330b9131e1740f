import numpy as np

from townhall.phone.hearing import Hearing, Samples


def packet(value: int) -> Samples:
    return np.full(160, value, dtype=np.int16)


def test_packets_in_order_lie_one_after_the_other() -> None:
    hearing = Hearing(now=0.0)
    for number in range(3):
        hearing.take(1, number, 1000 + 160 * number, packet(number + 1), now=0.02 * number)
    assert hearing.samples.tolist() == [1] * 160 + [2] * 160 + [3] * 160


def test_late_packet_goes_to_its_place() -> None:
    hearing = Hearing(now=0.0)
    for number in (0, 2, 1):
        hearing.take(1, number, 160 * number, packet(number + 1), now=0.02)
    assert hearing.samples[::160][1:].tolist() == [1, 2, 3]
    assert hearing.report.lost == 0
    assert hearing.report.late_or_double == 1


def test_lost_packet_leaves_silence_and_is_counted() -> None:
    hearing = Hearing(now=0.0)
    hearing.take(1, 0, 0, packet(5), now=0.0)
    hearing.take(1, 2, 320, packet(7), now=0.04)
    assert hearing.samples[160:320].tolist() == [0] * 160
    assert hearing.report.lost == 1


def test_sequence_and_timestamp_wrap_around() -> None:
    hearing = Hearing(now=0.0)
    hearing.take(1, 0xFFFF, 0xFFFFFFFF - 159, packet(1), now=0.0)
    hearing.take(1, 0, 0, packet(2), now=0.02)
    assert hearing.end == 320
    assert hearing.report.lost == 0


def test_new_ssrc_begins_where_the_clock_says() -> None:
    hearing = Hearing(now=0.0)
    hearing.take(1, 0, 0, packet(1), now=0.0)
    hearing.take(2, 900, 77777, packet(2), now=1.0)
    assert hearing.samples[8000:8160].tolist() == [2] * 160
    assert hearing.report.lost == 0


def test_silent_sender_lets_the_timeline_grow_by_silence() -> None:
    hearing = Hearing(now=0.0)
    hearing.take(1, 0, 0, packet(1), now=0.0)
    hearing.tick(now=1.0)
    assert hearing.end == 6400
    assert not hearing.since(160).any()


def test_longest_gap_is_between_arrivals() -> None:
    hearing = Hearing(now=0.0)
    for number, now in enumerate((0.0, 0.02, 0.5, 0.52)):
        hearing.take(1, number, 160 * number, packet(1), now)
    assert round(hearing.report.longest_gap_ms) == 480
    hearing.forget_gaps()
    hearing.take(1, 4, 640, packet(1), 5.0)
    assert hearing.report.longest_gap_ms == 0


def test_timestamp_far_away_is_heard_now_and_takes_no_memory() -> None:
    hearing = Hearing(now=0.0)
    hearing.take(1, 0, 0, packet(1), now=0.0)
    hearing.take(1, 1, 0x7FFFFFFF, packet(2), now=0.02)
    assert hearing.end == 320


def test_sender_whose_timestamps_stood_still_is_heard_from_now_on() -> None:
    hearing = Hearing(now=0.0)
    hearing.take(1, 0, 0, packet(1), now=0.0)
    hearing.tick(now=1.0)
    hearing.take(1, 1, 160, packet(2), now=1.0)
    assert hearing.samples[8000:8160].tolist() == [2] * 160
