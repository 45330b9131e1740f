"""Clips, encoded once and kept: one arena of G.711 codes in both laws, filled by a loader thread.

A clip is found by its path and the file's time and size, so a thousand legs with the same prompt read it
once. Clips nobody plays stay until room is needed; the one that was used longest ago goes first.
"""

import os
import queue
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

import numpy as np

from townhall.audio.clips import load_clip
from townhall.audio.g711 import ALAW_SILENCE, ULAW_SILENCE, encode_alaw, encode_ulaw
from townhall.errors import TownhallError
from townhall.media.shapes import TICK_SAMPLES, Bytes

MAX_FILE_BYTES = 100_000_000

Stamp: TypeAlias = tuple[int, int]
"""A file's modification time (ns) and size."""


class ClipError(TownhallError):
    """A clip cannot be played: which one and why."""


@dataclass(eq=False, slots=True)
class Clip:
    """One file's codes: `arena[:, start : start + length]`, followed by a frame of its own beginning."""

    path: str
    stamp: Stamp
    start: int = -1
    length: int = 0
    users: int = 0
    ready: bool = False
    failed: str = ""
    waiting: list[Callable[[], None]] = field(default_factory=list)


class ClipStore:
    """The arena and who is in it. All methods belong to the tick's thread; the loader only fills what was
    reserved.

    `arena` is uint8 `(2, size)`: µ-law, A-law. Its first frame is silence.
    """

    def __init__(self, size: int) -> None:
        columns = max(size // 2, 4 * TICK_SAMPLES)
        self.arena: Bytes = np.empty((2, columns), np.uint8)
        self.arena[0, : 2 * TICK_SAMPLES] = ULAW_SILENCE
        self.arena[1, : 2 * TICK_SAMPLES] = ALAW_SILENCE
        self.loads = 0
        """Files asked of the loader so far."""
        self._clips: dict[str, Clip] = {}  # in order of last use
        self._resident: list[Clip] = []  # in order of their place, superseded ones included
        self._loader = _Loader()

    def use(self, path: str) -> Clip:
        """The clip of this file, loading when it is not `ready`; `release` it in the end. Raises
        `ClipError`.
        """
        stamp = _stamp_of(path)
        clip = self._clips.pop(path, None)
        if clip is None or clip.stamp != stamp or clip.failed:
            clip = Clip(path, stamp)
            self._loader.ask(clip)
            self.loads += 1
        self._clips[path] = clip
        clip.users += 1
        return clip

    def release(self, clip: Clip) -> None:
        """One user less; at none the clip may go when room is needed."""
        clip.users -= 1
        if clip.users == 0 and clip.failed and self._clips.get(clip.path) is clip:
            del self._clips[clip.path]

    def collect(self) -> None:
        """Take over what the loader has finished; called once a tick, costs nothing when there is nothing."""
        for clip, codes in self._loader.finished():
            if isinstance(codes, str):
                clip.failed = codes
            else:
                self._place(clip, codes)
            waiting, clip.waiting = clip.waiting, []
            for tell in waiting:
                tell()

    def wait_loaded(self, timeout_s: float) -> None:
        """Block until everything asked for so far is loaded and taken over; for tests and benchmarks."""
        if not self._loader.wait(timeout_s):
            raise ClipError(f"clips were not loaded in {timeout_s:.0f} s")
        self.collect()

    def close(self) -> None:
        """End the loader thread."""
        self._loader.close()

    def _place(self, clip: Clip, codes: Bytes) -> None:
        length = codes.shape[1]
        start = self._find_room(length + TICK_SAMPLES)
        if start < 0:
            clip.failed = f"{clip.path}: no room for {length / 8000:.0f} s of audio"
            return
        self.arena[:, start : start + length] = codes
        self.arena[:, start + length : start + length + TICK_SAMPLES] = codes[:, :TICK_SAMPLES]
        clip.start, clip.length, clip.ready = start, length, True
        self._resident.append(clip)
        self._resident.sort(key=lambda resident: resident.start)

    def _find_room(self, columns: int) -> int:
        """The beginning of the first gap that is wide enough, after evicting unused clips as needed; -1:
        none.
        """
        while True:
            begin = 2 * TICK_SAMPLES
            for resident in self._resident:
                if resident.start - begin >= columns:
                    return begin
                begin = resident.start + resident.length + TICK_SAMPLES
            if self.arena.shape[1] - begin >= columns:
                return begin
            if not self._evict_one():
                return -1

    def _evict_one(self) -> bool:
        current = set(map(id, self._clips.values()))
        unused = [clip for clip in self._resident if clip.users == 0]
        if not unused:
            return False
        order = {id(clip): place for place, clip in enumerate(self._clips.values())}
        victim = min(unused, key=lambda clip: order.get(id(clip), -1))
        self._resident.remove(victim)
        victim.ready = False
        if id(victim) in current:
            del self._clips[victim.path]
        return True


def _stamp_of(path: str) -> Stamp:
    try:
        status = os.stat(path)
    except OSError as error:
        raise ClipError(f"{path}: {error.strerror}") from None
    except ValueError as error:  # a NUL in the path
        raise ClipError(f"{path!r}: {error}") from None
    return status.st_mtime_ns, status.st_size


class _Loader:
    """The thread that reads, decodes and encodes files."""

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[Clip | threading.Event | None] = queue.SimpleQueue()
        self._done: queue.SimpleQueue[tuple[Clip, Bytes | str]] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def ask(self, clip: Clip) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="clip loader", daemon=True)
            self._thread.start()
        self._asked.put(clip)

    def finished(self) -> list[tuple[Clip, Bytes | str]]:
        done: list[tuple[Clip, Bytes | str]] = []
        while not self._done.empty():
            done.append(self._done.get())
        return done

    def close(self) -> None:
        if self._thread is not None:
            self._asked.put(None)
            self._thread.join(timeout=2.0)
            self._thread = None

    def wait(self, timeout_s: float) -> bool:
        """Block until the thread has nothing to do; False when it takes longer."""
        idle = threading.Event()
        if self._thread is None:
            return True
        self._asked.put(idle)
        return idle.wait(timeout_s)

    def _run(self) -> None:
        while (task := self._asked.get()) is not None:
            if isinstance(task, threading.Event):
                task.set()
            else:
                self._done.put((task, _load(task.path)))


def _load(path: str) -> Bytes | str:
    """Codes `(2, n)` of a file, at least a frame long; or what is wrong with it."""
    try:
        if os.path.getsize(path) > MAX_FILE_BYTES:
            return f"{path}: larger than {MAX_FILE_BYTES // 1_000_000} MB"
        samples = load_clip(Path(path).read_bytes())
    except OSError as error:
        return f"{path}: {error.strerror}"
    except TownhallError as error:
        return f"{path}: {error}"
    except Exception as error:  # a decoder's surprise ends this play, not the process
        return f"{path}: {type(error).__name__}: {error}"
    if len(samples) == 0:
        return f"{path}: holds no audio"
    if len(samples) < TICK_SAMPLES:
        samples = np.pad(samples, (0, TICK_SAMPLES - len(samples)))
    return np.stack((encode_ulaw(samples), encode_alaw(samples)))
