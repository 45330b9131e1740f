"""What processes give each other through the shared memory, tick by tick."""

import numpy as np
import pytest

from townhall.media.exchange import DEPTH, MOST_LAG, NEARER_AFTER, WIDE, Exchange, bytes_for

ROWS = 4
FIRST = 1000
"""A beat like any other."""


def exchanges(workers: int = 2) -> list[Exchange]:
    memory = bytearray(bytes_for(workers, ROWS))
    return [Exchange(memory, workers, ROWS, own) for own in range(workers)]


def give(exchange: Exchange, beat: int, row: int, level: int) -> None:
    """One tick of a process that says a level."""
    exchange.begin(beat)
    exchange.put(beat, np.array([row]), np.full((1, 160), level, np.int32))
    exchange.end(beat)


def heard(exchange: Exchange, row: int) -> int:
    sums = np.zeros((1, 160), np.int32)
    exchange.add_to(sums, np.array([0]), np.array([row]))
    [level] = np.unique(sums)
    return int(level)


def test_row_is_heard_a_tick_later_by_the_others_and_not_by_oneself() -> None:
    ann, ben = exchanges()
    for beat in range(FIRST, FIRST + 3 * DEPTH):
        give(ann, beat, 1, beat)
        give(ben, beat, 1, -beat)
        if beat > FIRST:
            assert (heard(ann, 1), heard(ben, 1)) == (1 - beat, beat - 1)
            assert heard(ben, 2) == 0


def test_all_others_are_added_up() -> None:
    three = exchanges(3)
    for beat in (FIRST, FIRST + 1):
        for place, exchange in enumerate(three):
            give(exchange, beat, 0, 10**place)
    assert [heard(exchange, 0) for exchange in three] == [110, 101, 11]


def test_row_that_is_written_no_more_falls_silent_at_once() -> None:
    ann, ben = exchanges()
    give(ann, FIRST, 0, 5)
    ben.begin(FIRST + 1)
    assert heard(ben, 0) == 5
    for beat in range(FIRST + 1, FIRST + 4 * DEPTH):
        ann.begin(beat)
        ann.end(beat)
        ben.begin(beat + 1)
        assert heard(ben, 0) == 0, "what was said eight ticks ago is in the same place"


def test_process_that_stands_still_is_silent_and_in_step_again_afterwards() -> None:
    ann, ben = exchanges()
    give(ann, FIRST, 0, 5)
    for beat in range(FIRST + 1, FIRST + 20):
        ben.begin(beat)
        assert heard(ben, 0) == (5 if beat == FIRST + 1 else 0)
    give(ann, FIRST + 20, 0, 7)
    ben.begin(FIRST + 21)
    assert heard(ben, 0) == 7


def test_process_that_is_always_late_is_heard_without_holes_and_nearer_once_it_is_in_time() -> None:
    ann, ben = exchanges()
    holes = []
    for beat in range(FIRST, FIRST + 50):  # Ann writes each tick only after Ben has asked for it
        ben.begin(beat)
        holes.append(heard(ben, 0) == 0)
        give(ann, beat - 1, 0, beat - 1)
    assert not any(holes[MOST_LAG:])
    assert heard(ben, 0) == FIRST + 49 - 2
    for beat in range(FIRST + 50, FIRST + 52 + NEARER_AFTER):
        give(ann, beat - 1, 0, beat - 1)
        ben.begin(beat)
        assert heard(ben, 0) >= beat - 3
    assert heard(ben, 0) == beat - 1


@pytest.mark.parametrize("rows", [[0], [2, 0, 3]])
def test_wide_frames_stand_apart_from_narrow_ones(rows: list[int]) -> None:
    ann, ben = exchanges()
    places = np.array(rows)
    wide = np.arange(len(rows) * WIDE, dtype=np.int32).reshape(-1, WIDE)
    found = np.zeros_like(wide)
    give(ann, FIRST, 1, 3)
    ben.begin(FIRST + 1)
    assert not ben.add_wide_to(found, places)
    ann.put_wide(FIRST, places, wide)
    assert ben.add_wide_to(found, places)
    np.testing.assert_array_equal(found, wide)
    assert heard(ben, rows[0]) == 0
