"""`townhall bench` itself: run the courses with a progress bar, print their tables, write JSON if asked."""

import asyncio
import gc
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from townhall.bench.courses import Course, Outcome, Progress
from townhall.bench.report.pages import write_pages
from townhall.bench.report.result import CourseResult, bench_result, write_json
from townhall.bench.report.table import print_outcome, show_progress
from townhall.bench.server.subject import BenchFailed


def run(
    courses: Sequence[Course],
    *,
    quick: bool = False,
    json_file: Path | None = None,
    pages: Path | None = None,
) -> int:
    """Measure and print; returns an exit status. `json_file`: where the figures go as JSON as well; `pages`:
    the folder of the documentation's page of figures.
    """
    console = Console()
    if sys.platform != "linux":
        console.print("townhall bench needs Linux: its phones choose their sources by IP_PKTINFO")
        return 2
    # The browsers' thread must not wait 5 ms for the signalling to let go of the interpreter.
    sys.setswitchinterval(0.0005)
    # Nor may a call wait while two thousand others are looked through for garbage, a hundred milliseconds.
    gc.set_threshold(100_000, 50, 1000)
    began, started = datetime.now(UTC), time.monotonic()
    found: dict[str, CourseResult] = {}
    outcomes: dict[str, Outcome] = {}
    for number, course in enumerate(courses, 1):
        console.print(
            f"{number} of {len(courses)}: {course.name}, about {course.seconds:.0f} s", markup=False
        )
        with show_progress(console) as progress:
            found[course.name], outcome = asyncio.run(_run(course, progress))
        if outcome is None:
            console.print(f"{course.name} could not be measured: {found[course.name].failure}", markup=False)
        else:
            print_outcome(outcome, console)
            outcomes[course.name] = outcome
        gc.collect()
    result = bench_result(found, quick=quick, began=began, seconds=time.monotonic() - started)
    console.print(
        f"Townhall {result.version} on {result.machine}, {result.cores} cores, in {result.seconds:.0f} s",
        markup=False,
    )
    if json_file is not None:
        write_json(result, json_file)
        console.print(f"The figures are in {json_file}", markup=False)
    if pages is not None:
        for file in write_pages(pages, result, outcomes):
            console.print(f"Written: {file}", markup=False)
    return 1 if any(course.failure for course in found.values()) else 0


async def _run(course: Course, progress: Progress) -> tuple[CourseResult, Outcome | None]:
    started = time.monotonic()
    try:
        outcome = await course.run(progress)
    except BenchFailed as error:
        return CourseResult(None, round(time.monotonic() - started, 1), failure=str(error)), None
    seconds = round(time.monotonic() - started, 1)
    return CourseResult(outcome.figures, seconds, tuple(outcome.spoiled)), outcome
