"""Clips, encoded once and kept: one arena of G.711 codes in both laws, one of packets for wide legs, filled
by a loader thread.

A clip is found by its path and the file's time and size, so a thousand legs with the same prompt read it
once. Its packets in Opus or G.722 are forms of their own, made when the first such leg is to hear it; they
are of 20 ms each, so that the clip's end is filled up with silence. Clips nobody plays stay until room is
needed; the one that was used longest ago goes first.
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
from townhall.media.forms import Form
from townhall.media.shapes import TICK_SAMPLES, WIDE_BYTES, Bytes, Int16s
from townhall.media.wide_codecs import RATE as WIDE_RATE
from townhall.media.wide_codecs import encode_clip

MAX_FILE_BYTES = 100_000_000

_OPUS_PAUSE = 0x48
"""A packet of 20 ms without a frame (RFC 6716 section 3.1, SILK at 16 kHz)."""

Stamp: TypeAlias = tuple[int, int]
"""A file's modification time (ns) and size."""


class ClipError(TownhallError):
    """A clip cannot be played: which one and why."""


@dataclass(eq=False, slots=True)
class Clip:
    """One file's codes: `arena[:, start : start + length]`, followed by a frame of its own beginning. In a
    wide form: every 160th place stands for a packet.
    """

    path: str
    stamp: Stamp
    form: Form = Form.G711
    start: int = -1
    length: int = 0
    users: int = 0
    ready: bool = False
    failed: str = ""
    waiting: list[Callable[[], None]] = field(default_factory=list)

    @property
    def packed(self) -> bool:
        """In packets."""
        return self.form is not Form.G711


class ClipStore:
    """The arenas and who is in them. All methods belong to the tick's thread; the loader only fills what was
    reserved.

    `arena` is uint8 `(2, size)`: µ-law, A-law. Its first frame is silence. `packets` is uint8 `(frames,
    WIDE_BYTES)` for as many seconds, their bytes `packet_lengths` `(frames,)`; it takes no memory until it is
    written to.
    """

    def __init__(self, size: int, opus_library: str = "") -> None:
        frames = max(size // 2 // TICK_SAMPLES, 4)
        self.arena: Bytes = np.empty((2, frames * TICK_SAMPLES), np.uint8)
        self.arena[0, : 2 * TICK_SAMPLES] = ULAW_SILENCE
        self.arena[1, : 2 * TICK_SAMPLES] = ALAW_SILENCE
        self.packets: Bytes = np.zeros((frames, WIDE_BYTES), np.uint8)
        self.packet_lengths: Bytes = np.zeros(frames, np.uint8)
        self.packets[:2, 0], self.packet_lengths[:2] = _OPUS_PAUSE, 1
        self.loads = 0
        """Files asked of the loader so far."""
        self._clips: dict[tuple[str, Form], Clip] = {}  # in order of last use
        # In order of their place, superseded ones included; codes, packets.
        self._resident: tuple[list[Clip], list[Clip]] = ([], [])
        self._loader = _Loader(opus_library)

    def use(self, path: str, form: Form = Form.G711) -> Clip:
        """The clip of this file, loading when it is not `ready`; `release` it in the end. Raises
        `ClipError`.
        """
        stamp = _stamp_of(path)
        clip = self._clips.pop((path, form), None)
        if clip is None or clip.stamp != stamp or clip.failed:
            clip = Clip(path, stamp, form)
            self._loader.ask(clip)
            self.loads += 1
        self._clips[path, form] = clip
        clip.users += 1
        return clip

    def release(self, clip: Clip) -> None:
        """One user less; at none the clip may go when room is needed."""
        clip.users -= 1
        if clip.users == 0 and clip.failed and self._clips.get((clip.path, clip.form)) is clip:
            del self._clips[clip.path, clip.form]

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
        length = TICK_SAMPLES * len(codes) if clip.packed else codes.shape[1]
        start = self._find_room(length + TICK_SAMPLES, clip.packed)
        if start < 0:
            clip.failed = f"{clip.path}: no room for {length / 8000:.0f} s of audio"
            return
        if clip.packed:
            frames = slice(start // TICK_SAMPLES, start // TICK_SAMPLES + len(codes))
            self.packet_lengths[frames] = codes[:, 0]
            self.packets[frames] = codes[:, 1:]
        else:
            self.arena[:, start : start + length] = codes
            self.arena[:, start + length : start + length + TICK_SAMPLES] = codes[:, :TICK_SAMPLES]
        clip.start, clip.length, clip.ready = start, length, True
        self._resident[clip.packed].append(clip)
        self._resident[clip.packed].sort(key=lambda resident: resident.start)

    def _find_room(self, columns: int, packed: bool) -> int:
        """The beginning of the first gap that is wide enough, after evicting unused clips as needed; -1:
        none.
        """
        while True:
            begin = 2 * TICK_SAMPLES
            for resident in self._resident[packed]:
                if resident.start - begin >= columns:
                    return begin
                begin = resident.start + resident.length + TICK_SAMPLES
            if self.arena.shape[1] - begin >= columns:
                return begin
            if not self._evict_one(packed):
                return -1

    def _evict_one(self, packed: bool) -> bool:
        current = set(map(id, self._clips.values()))
        unused = [clip for clip in self._resident[packed] if clip.users == 0]
        if not unused:
            return False
        order = {id(clip): place for place, clip in enumerate(self._clips.values())}
        victim = min(unused, key=lambda clip: order.get(id(clip), -1))
        self._resident[packed].remove(victim)
        victim.ready = False
        if id(victim) in current:
            del self._clips[victim.path, victim.form]
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

    def __init__(self, opus_library: str) -> None:
        self._opus_library = opus_library
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
                self._done.put((task, self._load(task.path, task.form)))

    def _load(self, path: str, form: Form) -> Bytes | str:
        """Codes `(2, n)` of a file, at least a frame long, or its packets, see `encode_clip`; or what is
        wrong with it.
        """
        samples = _read(path, 8000 if form is Form.G711 else WIDE_RATE)
        if isinstance(samples, str):
            return samples
        if form is Form.G711:
            return np.stack((encode_ulaw(samples), encode_alaw(samples)))
        try:
            return encode_clip(form, self._opus_library, samples)
        except TownhallError as error:
            return f"{path}: {error}"


def _read(path: str, rate: int) -> Int16s | str:
    """Samples of a file, at least a frame; or what is wrong with it."""
    try:
        if os.path.getsize(path) > MAX_FILE_BYTES:
            return f"{path}: larger than {MAX_FILE_BYTES // 1_000_000} MB"
        samples = load_clip(Path(path).read_bytes(), rate)
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
    return samples
