"""Which courses `townhall bench` runs, in order: a full run takes under 15 minutes, a quick one under 2."""

from collections.abc import Sequence

from townhall.bench.course import WholeCourse
from townhall.bench.courses import Course
from townhall.bench.plan import BenchPlan


def courses(quick: bool) -> Sequence[Course]:
    """The courses, with what each does in a full or a quick run."""
    return [
        WholeCourse(
            BenchPlan(setup_s=3.0, conference_s=3.0, callers=100, moderated=50) if quick else BenchPlan()
        ),
    ]
