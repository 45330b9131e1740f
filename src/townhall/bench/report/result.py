"""The machine-readable result: what each course found, beside what it was found on."""

import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from townhall import __version__

SCHEMA = 2
"""Counts up when a figure is renamed, removed, or means something else; docs/reference/bench.md."""


class CourseResult(msgspec.Struct, frozen=True):
    """`figures` is None, and `failure` says why, where a course could not measure."""

    figures: msgspec.Struct | None
    seconds: float
    spoiled: tuple[str, ...] = ()
    failure: str = ""


class BenchResult(msgspec.Struct, frozen=True):
    schema: int
    version: str
    at: str
    """When it began, ISO 8601, UTC."""
    machine: str
    cores: int
    media_workers: int
    """`TOWNHALL_MEDIA_WORKERS` of the measurement's environment."""
    quick: bool
    seconds: float
    courses: Mapping[str, CourseResult]


def bench_result(
    courses: Mapping[str, CourseResult], *, quick: bool, began: datetime, seconds: float
) -> BenchResult:
    """The result of this machine."""
    return BenchResult(
        SCHEMA,
        __version__,
        began.astimezone(UTC).isoformat(timespec="seconds"),
        f"{_processor()}, {platform.system()} {platform.machine()}, Python {platform.python_version()}",
        os.cpu_count() or 1,
        _media_workers(),
        quick,
        round(seconds, 1),
        courses,
    )


def write_json(result: BenchResult, file: Path) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")


def _media_workers() -> int:
    workers = os.environ.get("TOWNHALL_MEDIA_WORKERS", "1")
    return int(workers) if workers.isdecimal() else 1


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return "an unknown processor"
