"""Reception figures as RFC 3550 appendix A computes them."""

import numpy as np

from townhall.rtp import Sources

SLOT = np.array([0])


def feed(
    sources: Sources, numbers: list[int], *, at_once: bool = False, delays: dict[int, float] | None = None
):
    """Packets of slot 0, one per 20 ms, by their number in the stream."""
    count = np.array(numbers)
    arrived = count * 0.02 + np.array([(delays or {}).get(number, 0.0) for number in numbers])
    columns = (
        np.zeros(len(count), np.int64),
        (count % 2**16).astype(np.uint16),
        (count * 160 % 2**32).astype(np.uint32),
        arrived,
    )
    if at_once:
        sources.update(*columns)
        return
    for place in range(len(count)):
        sources.update(*(column[place : place + 1] for column in columns))


def test_no_loss_is_no_loss_across_the_wrap() -> None:
    sources = Sources(1)
    feed(sources, list(range(65000, 67000)))
    report = sources.report(SLOT)
    assert report.cumulative_lost.tolist() == [0]
    assert report.fraction_lost.tolist() == [0]
    assert report.highest_sequence_number.tolist() == [66999]
    assert report.jitter.tolist() == [0]


def test_loss_is_counted_per_interval_and_in_total() -> None:
    sources = Sources(1)
    feed(sources, [number for number in range(100) if number % 4 != 1])
    first = sources.report(SLOT)
    assert (first.fraction_lost[0], first.cumulative_lost[0]) == (64, 25)
    feed(sources, list(range(100, 200)))
    second = sources.report(SLOT)
    assert (second.fraction_lost[0], second.cumulative_lost[0]) == (0, 25)
    assert sources.lost(SLOT).tolist() == [25]


def test_reordered_packets_are_not_lost_and_duplicates_count_as_received() -> None:
    sources = Sources(1)
    feed(sources, [0, 2, 1, 3, 5, 4, 4])
    report = sources.report(SLOT)
    assert report.highest_sequence_number.tolist() == [5]
    assert report.cumulative_lost.tolist() == [-1]
    assert report.fraction_lost.tolist() == [0]


def test_one_stray_number_far_away_changes_nothing_two_in_sequence_restart() -> None:
    sources = Sources(1)
    feed(sources, [0, 1, 2, 20000, 3, 4])
    assert sources.report(SLOT).highest_sequence_number.tolist() == [4]
    feed(sources, [30000, 30001, 30002])
    report = sources.report(SLOT)
    assert report.highest_sequence_number.tolist() == [30002]
    assert report.cumulative_lost.tolist() == [0]


def test_jitter_follows_the_formula_of_section_6_4_1() -> None:
    sources = Sources(1)
    delays = {number: 0.005 * (number % 2) for number in range(200)}
    feed(sources, list(range(200)), delays=delays)
    expected = 0.0
    for _ in range(199):
        expected += (40 - expected) / 16
    assert abs(sources.jitter[0] - expected) < 0.01


def test_burst_in_one_batch_gives_the_same_figures_as_packet_by_packet() -> None:
    one, other = Sources(1), Sources(1)
    numbers = [5, 6, 8, 7, 9, 11, 12]
    feed(one, numbers)
    feed(other, numbers, at_once=True)
    a, b = one.report(SLOT), other.report(SLOT)
    assert a.highest_sequence_number == b.highest_sequence_number
    assert a.cumulative_lost == b.cumulative_lost
    assert one.jitter[0] == other.jitter[0]


def test_legs_do_not_mix() -> None:
    sources = Sources(3)
    slots = np.array([2, 0, 2, 0, 2])
    numbers = np.array([10, 500, 11, 501, 13], np.uint16)
    sources.update(slots, numbers, numbers.astype(np.uint32) * 160, numbers * 0.02)
    report = sources.report(np.array([0, 2]))
    assert report.highest_sequence_number.tolist() == [501, 13]
    assert report.cumulative_lost.tolist() == [0, 1]
    assert sources.active.tolist() == [True, False, True]
