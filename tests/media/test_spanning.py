"""What media processes are told of each other, as legs come, move and go."""

import random
from collections import defaultdict

from townhall.media.protocol import AddVoice, SetMix, ShareBus, ShareVoice
from townhall.media.spanning import Order, Spanning

ROWS = 8


def spanning(*workers: int) -> Spanning:
    """Legs 1, 2, … in these workers."""
    made = Spanning(ROWS)
    for leg, worker in enumerate(workers, 1):
        made.opened(leg, worker)
    return made


def heard(leg: int, bus: str | None = "bus") -> SetMix:
    return SetMix(leg, bus, hears=True, heard=True)


def test_bus_of_one_worker_is_its_own_affair() -> None:
    pool = spanning(1, 1)
    assert pool.mix(heard(1)) == [(1, heard(1))]
    assert pool.mix(heard(2)) == [(1, heard(2))]
    assert pool.workers_of("bus") == [1]
    assert pool.closed(1) + pool.closed(2) == []
    assert pool.workers_of("bus") == []


def test_bus_is_shared_from_the_first_leg_in_a_second_worker_to_the_last() -> None:
    pool = spanning(0, 1, 1, 2)
    pool.mix(heard(1))
    assert pool.mix(heard(2)) == [(0, ShareBus("bus", 0)), (1, ShareBus("bus", 0)), (1, heard(2))]
    assert pool.mix(heard(3)) == [(1, heard(3))]
    assert pool.mix(heard(4)) == [(2, ShareBus("bus", 0)), (2, heard(4))]
    assert pool.closed(1) == [(0, ShareBus("bus", None))]
    assert pool.closed(2) == []
    assert pool.closed(4) == [(1, ShareBus("bus", None)), (2, ShareBus("bus", None))]
    assert pool.rows_free == ROWS


def test_leg_that_changes_its_bus_joins_the_new_one_before_it_parts_from_the_old() -> None:
    pool = spanning(0, 1)
    pool.mix(heard(1))
    pool.mix(heard(2))
    assert pool.mix(heard(2, None)) == [
        (1, heard(2, None)),
        (0, ShareBus("bus", None)),
        (1, ShareBus("bus", None)),
    ]
    assert pool.mix(heard(2, "other")) == [(1, heard(2, "other"))]


def test_recorder_keeps_a_bus_shared_with_its_worker() -> None:
    pool = spanning(1)
    assert pool.join("bus", 0) == []
    assert pool.mix(heard(1)) == [(0, ShareBus("bus", 0)), (1, ShareBus("bus", 0)), (1, heard(1))]
    assert pool.part("bus", 0) == [(0, ShareBus("bus", None)), (1, ShareBus("bus", None))]
    assert pool.part("bus", 0) == []


def test_whisper_to_another_worker_has_a_row_as_long_as_it_lasts() -> None:
    pool = spanning(0, 1, 0)
    for leg in (1, 2, 3):
        pool.mix(heard(leg))
    whisper = SetMix(1, "bus", hears=True, whisper_to=2)
    begun = [(0, whisper), (0, ShareVoice(1, 1)), (1, AddVoice(2, 1, "bus"))]
    over = [(0, ShareVoice(1, None)), (1, AddVoice(2, 1, None))]
    assert pool.mix(whisper) == begun
    assert pool.mix(heard(1)) == [*over, (0, heard(1))]
    assert pool.mix(whisper) == [(0, whisper), (0, ShareVoice(1, 2)), (1, AddVoice(2, 2, "bus"))]
    assert pool.closed(2) == [
        (0, ShareVoice(1, None)),
        (0, ShareBus("bus", None)),
        (1, ShareBus("bus", None)),
    ]
    assert pool.rows_free == ROWS
    near = SetMix(1, "bus", hears=True, whisper_to=3)
    assert pool.mix(near) == [(0, near)], "a whisper within a worker is its own affair"


def test_nobody_whispers_who_is_heard_by_all() -> None:
    pool = spanning(0, 1)
    pool.mix(heard(2))
    loud = SetMix(1, "bus", hears=True, heard=True, whisper_to=2)
    assert (0, loud) in pool.mix(loud)
    assert pool.rows_free == ROWS - 1, "the bus's own"


def test_worker_that_dies_is_told_nothing_and_the_others_share_no_more() -> None:
    pool = spanning(0, 1, 1)
    for leg in (1, 2, 3):
        pool.mix(heard(leg))
    pool.mix(SetMix(3, "bus", hears=True, whisper_to=1))
    pool.join("bus", 1)
    assert set(pool.lost(1)) == {(0, AddVoice(1, 1, None)), (0, ShareBus("bus", None))}
    assert pool.workers_of("bus") == [0]
    assert pool.closed(2) == []
    assert pool.rows_free == ROWS
    pool.opened(4, 1)
    assert pool.mix(heard(4))[:2] == [(0, ShareBus("bus", 2)), (1, ShareBus("bus", 2))]


def test_without_a_free_row_a_bus_stays_apart_and_is_shared_when_there_is_one() -> None:
    pool = Spanning(1)
    for leg in range(1, 5):
        pool.opened(leg, leg % 2)
    for leg in (1, 2):
        pool.mix(heard(leg, "a"))
    assert [order[1] for order in [*pool.mix(heard(3, "b")), *pool.mix(heard(4, "b"))]] == [
        heard(3, "b"),
        heard(4, "b"),
    ]
    pool.closed(1)
    assert (1, ShareBus("b", 0)) in pool.mix(heard(3, "b"))


def test_workers_always_know_exactly_the_buses_that_span_them() -> None:
    chance = random.Random(5)
    pool = Spanning(64)
    home: dict[int, int] = {}
    mixes: dict[int, SetMix] = {}
    rows: dict[tuple[int, str], int] = {}
    whispers: dict[int, set[int]] = defaultdict(set)

    def obey(orders: list[Order]) -> None:
        for worker, command in orders:
            match command:
                case ShareBus(bus, None):
                    del rows[worker, bus]
                case ShareBus(bus, int(row)):
                    assert (worker, bus) not in rows
                    rows[worker, bus] = row
                case AddVoice(leg, row, bus):
                    assert home[leg] == worker
                    (whispers[leg].discard if bus is None else whispers[leg].add)(row)
                case _:
                    pass

    for number in range(1, 2000):
        if len(home) < 4 or chance.random() < 0.2:
            home[number] = chance.randrange(3)
            pool.opened(number, home[number])
        leg = chance.choice(list(home))
        if chance.random() < 0.1:
            orders = pool.closed(leg)
            mixes.pop(leg, None)
            del home[leg]
            whispers.pop(leg, None)
            obey(orders)
        else:
            bus = chance.choice(["a", "b", None])
            target = chance.choice([None, *home])
            mixes[leg] = SetMix(leg, bus, True, chance.random() < 0.5, target)
            obey(pool.mix(mixes[leg]))
        spans: dict[str, set[int]] = defaultdict(set)
        for each, mix in mixes.items():
            if mix.bus is not None:
                spans[mix.bus].add(home[each])
        expected = {(w, bus) for bus, workers in spans.items() if len(workers) > 1 for w in workers}
        assert set(rows) == expected
        used = list(set(rows.values())) + [row for each in whispers.values() for row in each]
        assert len(used) == len(set(used)) == 64 - pool.rows_free
        for bus in "ab":
            assert len({row for (_, name), row in rows.items() if name == bus}) <= 1


def test_row_that_was_given_back_rests_before_another_bus_gets_it() -> None:
    pool = spanning(0, 1, 0, 1)
    pool.mix(heard(1, "old"))
    assert (0, ShareBus("old", 0)) in pool.mix(heard(2, "old"))
    pool.closed(1)
    pool.closed(2)
    pool.mix(heard(3, "new"))
    assert (0, ShareBus("new", 1)) in pool.mix(heard(4, "new"))
    assert pool.rows_free == ROWS - 1
