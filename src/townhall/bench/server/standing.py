"""What the measured server holds at a moment: memory, threads, files, tasks of all its processes (proc(5)).

Memory is what processes have for themselves and what they share among them; pages of files, such as
libraries, are not counted: the system may take them back at any time.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from townhall.bench.server.subject import Subject

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Standing:
    """At `at`, in monotonic seconds."""

    at: float
    memory_kb: int
    control_kb: int
    threads: int
    files: int
    tasks: int
    """Of the control process's event loop."""
    calls: int
    legs: int


async def standing(subject: Subject) -> Standing:
    """As of now; raises `BenchFailed` when the server does not answer."""
    health = await subject.health()
    memory = {pid: _memory_kb(pid) for pid in _family(subject.pid)}
    return Standing(
        at=time.monotonic(),
        memory_kb=sum(memory.values()),
        control_kb=memory[subject.pid],
        threads=sum(_entries(pid, "task") for pid in memory),
        files=sum(_entries(pid, "fd") for pid in memory),
        tasks=health.tasks,
        calls=health.calls,
        legs=health.media.legs if health.media else 0,
    )


def _family(server: int) -> list[int]:
    """It and all its descendants."""
    family = [server]
    for pid in family:
        for file in (_PROC / str(pid) / "task").glob("*/children"):
            family += map(int, _read(file).split())
    return family


def _memory_kb(pid: int) -> int:
    lines = [line.split() for line in _read(_PROC / str(pid) / "smaps_rollup").splitlines()[1:]]
    return sum(int(line[1]) for line in lines if line[0] in ("Pss_Anon:", "Pss_Shmem:"))


def _entries(pid: int, folder: str) -> int:
    try:
        return sum(1 for _ in (_PROC / str(pid) / folder).iterdir())
    except OSError:
        return 0


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except OSError:  # it has just ended
        return ""
