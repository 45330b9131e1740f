"""Which courses `townhall bench` runs, in order: a full run takes under 15 minutes, a quick one under 2."""

from collections.abc import Sequence

from townhall.bench.courses import Course
from townhall.bench.load.answers import AnswersCourse
from townhall.bench.load.capacity import CapacityCourse
from townhall.bench.load.overload import OverloadCourse
from townhall.bench.load.remote import RemoteCourse
from townhall.bench.load.rooms import RoomsCourse
from townhall.bench.load.soak import SoakCourse
from townhall.bench.load.workers import WorkersCourse
from townhall.bench.phones.audience import Audience
from townhall.bench.sound.course import SoundCourse, SoundPlan
from townhall.bench.web.course import BrowsersCourse


def courses(quick: bool) -> Sequence[Course]:
    """The courses, with what each does in a full or a quick run."""
    if quick:
        return [
            AnswersCourse(100, 100.0),
            CapacityCourse([50, 100], calls_a_second=50.0, seconds=3.0, last_s=3.0, floor_s=2.0),
            RoomsCourse("rooms", Audience(5, 10, 2), calls_a_second=50.0, seconds=3.0, floor_s=0.0),
            SoundCourse(SoundPlan(g711_pairs=2, ten_rooms=1, opus_pairs=0)),
        ]
    return [
        AnswersCourse(500, 100.0),
        CapacityCourse([250, 500, 1000, 2000], seconds=8.0, floor_s=5.0),
        RoomsCourse("rooms", Audience(200, 10, 2)),
        RoomsCourse("all_talk", Audience(1, 500, 500)),
        WorkersCourse(
            [
                (Audience(1, 500, 10), Audience(1, 1000, 10)),
                (Audience(50, 10, 2), Audience(100, 10, 2)),
            ]
        ),
        RemoteCourse(200),
        BrowsersCourse(100, 20),
        OverloadCourse(),
        SoakCourse(),
        SoundCourse(SoundPlan()),
    ]
