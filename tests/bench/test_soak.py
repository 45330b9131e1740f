"""What the soak and the overload say of what they have seen."""

from dataclasses import replace

import pytest

from townhall.bench.load.overload import OverloadFigures, overload_rows
from townhall.bench.load.soak import SoakFigures, growth_kb, soak_rows
from townhall.bench.server.standing import Standing

AT_REST = Standing(at=0.0, memory_kb=1000, control_kb=600, threads=9, files=30, tasks=12, calls=0, legs=0)
SOAKED = SoakFigures(
    callers=100,
    call_kb=80.0,
    call_control_kb=60.0,
    joins=600,
    joins_a_minute=600.0,
    failed=0,
    failures={},
    left_kb=1.0,
    calls_left=0,
    legs_left=0,
    threads_left=0,
    files_left=0,
    tasks_left=0,
    memory_first_kb=1000,
    memory_last_kb=1600,
)
OVERLOADED = OverloadFigures(
    busy_share=0.12,
    fits=100,
    browsers=50,
    offered=100,
    taken=3,
    refused=97,
    failed=0,
    failures={},
    listening=100,
    ended=0,
    packets_missed=0,
    gap_max_ms=22.0,
    media_cpu=0.7,
    tick_p99_ms=16.8,
    ticks_late=0,
    load_maker_late_max_ms=1.0,
)


def test_growth_is_that_of_the_second_half_alone() -> None:
    warming = [replace(AT_REST, at=float(second), memory_kb=1000 + 500 * second) for second in range(10)]
    steady = [replace(AT_REST, at=float(second), memory_kb=6000 + 2 * second) for second in range(10, 20)]
    assert growth_kb(warming + steady) == pytest.approx(2.0)


def test_growth_of_what_was_seen_once_is_none() -> None:
    assert growth_kb([AT_REST]) == 0.0


def test_soak_that_leaves_nothing_has_reached_all_its_aims() -> None:
    assert {row.reached for row in soak_rows(SOAKED)} == {True, None}


@pytest.mark.parametrize(
    "change",
    [
        {"call_kb": 151.0},
        {"left_kb": 9.0},
        {"calls_left": 1},
        {"legs_left": 1},
        {"threads_left": 1},
        {"files_left": 1},
        {"tasks_left": 1},
        {"failed": 1},
    ],
)
def test_each_thing_that_is_left_misses_one_aim(change: dict[str, float]) -> None:
    rows = soak_rows(
        SoakFigures(**{name: getattr(SOAKED, name) for name in SOAKED.__struct_fields__} | change)
    )
    assert [row.reached for row in rows].count(False) == 1


@pytest.mark.parametrize(
    "change", [{"refused": 0}, {"failed": 1}, {"ended": 1}, {"packets_missed": 1}, {"gap_max_ms": 61.0}]
)
def test_overload_that_hurts_anybody_misses_an_aim(change: dict[str, float]) -> None:
    assert {row.reached for row in overload_rows(OVERLOADED)} == {True, None}
    whole = {name: getattr(OVERLOADED, name) for name in OVERLOADED.__struct_fields__}
    rows = overload_rows(OverloadFigures(**whole | change))
    assert [row.reached for row in rows].count(False) == 1
