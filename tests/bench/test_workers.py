"""What two media processes hold against one, reckoned from what each cost."""

from collections.abc import Iterator

import msgspec
import pytest

from townhall.bench.load.figures import LoadFigures
from townhall.bench.load.rooms import RoomsCourse
from townhall.bench.load.workers import WorkersCourse, WorkersFigures
from townhall.bench.phones.audience import Audience


def load(callers: int, *media_cpu: float, phones_right: int | None = None) -> LoadFigures:
    right = callers if phones_right is None else phones_right
    known = {
        "callers": callers,
        "conferences": 1,
        "media_cpu": sum(media_cpu),
        "media_cpu_each": media_cpu,
        "phones_right": right,
        "floor_moved": None,
    }
    return msgspec.convert(dict.fromkeys(LoadFigures.__struct_fields__, 0) | known, LoadFigures)


@pytest.mark.parametrize(
    ("two", "holds", "reached"),
    [
        (load(200, 0.1, 0.1), 2.0, [True, True]),
        (load(200, 0.11, 0.12), 1.74, [False, True]),
        (load(180, 0.09, 0.09, phones_right=179), 2.0, [True, False]),
    ],
)
async def test_two_hold_what_a_caller_costs_in_one_over_what_he_costs_in_two(
    monkeypatch: pytest.MonkeyPatch, two: LoadFigures, holds: float, reached: list[bool]
) -> None:
    measured: Iterator[LoadFigures] = iter([load(100, 0.1), two])
    asked: list[dict[str, str]] = []

    async def measure(course: RoomsCourse, progress: object) -> LoadFigures:
        asked.append(dict(course._settings or {}))
        return next(measured)

    monkeypatch.setattr(RoomsCourse, "load", measure)
    course = WorkersCourse([(Audience(1, 100, 2), Audience(1, 200, 2))])
    outcome = await course.run(lambda doing, done: None)
    assert [settings["TOWNHALL_MEDIA_WORKERS"] for settings in asked] == ["1", "2"]
    assert isinstance(outcome.figures, WorkersFigures)
    assert round(outcome.figures.comparisons[0].holds, 2) == holds
    assert [row.reached for row in outcome.tables[0].rows if row.aim] == reached
