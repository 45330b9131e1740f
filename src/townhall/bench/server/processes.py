"""Processor time of the measured server's processes, of the load maker, and of everybody else (proc(5))."""

import os
import time
from dataclasses import dataclass
from pathlib import Path

PHONES = "townhall.bench.phones"
"""The program of the load maker's own processes."""
_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of processor time until `at`, in monotonic seconds."""

    at: float
    control: float
    media: dict[int, float]
    """By process id."""
    load_maker: float
    machine: float
    """All processors together, whoever had them."""


@dataclass(frozen=True, slots=True)
class Shares:
    """Cores between two moments."""

    control: float
    media: tuple[float, ...]
    load_maker: float
    others: float


def spent(server: int) -> Spent:
    """As of now; `server` is the control process, those that it started are found by themselves."""
    control, media = 0.0, {}
    for pid in _family(server):
        if b"townhall.media" in _read(pid, "cmdline").split(b"\0"):
            media[pid] = _cpu_s(pid)
        else:
            control += _cpu_s(pid)
    return Spent(time.monotonic(), control, media, time.process_time() + _phones_s(), _machine_s())


def shares(first: Spent, last: Spent) -> Shares:
    seconds = last.at - first.at
    control = (last.control - first.control) / seconds
    media = tuple((last.media[pid] - first.media.get(pid, 0.0)) / seconds for pid in sorted(last.media))
    load_maker = (last.load_maker - first.load_maker) / seconds
    machine = (last.machine - first.machine) / seconds
    return Shares(control, media, load_maker, max(0.0, machine - control - sum(media) - load_maker))


def _phones_s() -> float:
    """Of the processes in which our phones are."""
    ours = _family(os.getpid())
    return sum(_cpu_s(pid) for pid in ours if PHONES.encode() in _read(pid, "cmdline").split(b"\0"))


def _family(server: int) -> list[int]:
    """It and all its descendants."""
    children: dict[int, list[int]] = {}
    for entry in _PROC.iterdir():
        if entry.name.isdecimal() and (fields := _fields(int(entry.name))):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    family = [server]
    for pid in family:
        family += children.get(pid, [])
    return family


def _cpu_s(pid: int) -> float:
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / _TICKS if fields else 0.0


def _fields(pid: int) -> list[bytes]:
    """Of /proc/PID/stat, from the state on: the name before it may have spaces in it."""
    return _read(pid, "stat").rpartition(b")")[2].split()


def _read(pid: int, name: str) -> bytes:
    try:
        return (_PROC / str(pid) / name).read_bytes()
    except OSError:
        return b""


def _machine_s() -> float:
    """All but idle and waiting for disks, and what hypervisors took (`guest` is part of `user`)."""
    user, nice, system, _idle, _wait, irq, softirq = map(
        int, (_PROC / "stat").read_bytes().split(b"\n", 1)[0].split()[1:8]
    )
    return (user + nice + system + irq + softirq) / _TICKS
