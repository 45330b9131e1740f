"""Tapes: the files that recorders fill, and the one thread that writes them.

The tick hands over frames, all tapes' at once, and never waits: the thread collects half a second of them
and writes every tape's share at its place. A place is absolute, so what had to be dropped because the disk
was too slow is a silence of its length, and so is whatever nobody wrote. The header is brought up to date
with every write: a file that a crash leaves behind plays up to half a second before it.
"""

import contextlib
import os
import queue
import resource
import threading
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from townhall.audio.wav import wav_header, wav_header_bytes
from townhall.media.shapes import TICK_SAMPLES, Int16s

TICKS_A_WRITE = 25
MOST_WAITING_BYTES = 64_000_000
"""Of frames that the disk has not taken: ten minutes of ten tapes. More is dropped and counted."""

MOST_SAMPLES = 7 * 24 * 3600 * 8000
"""A week: the end of every recorder."""

MOST_FILES = 65_536


class Tape:
    """One WAV file of one or two channels. Everything but `path` and `channels` belongs to the writer."""

    def __init__(self, path: str, channels: int) -> None:
        self.path = path
        self.channels = channels
        self.samples = 0
        """Per channel, up to the last one that was written."""
        self.failed = ""
        self._descriptor = -1
        self._begin = wav_header_bytes(channels)

    def write(self, at: int, samples: Int16s) -> None:
        """Put `(n, channels)` samples at place `at`. Raises `OSError`."""
        self._open()
        self._put(samples.astype("<i2", copy=False).tobytes(), self._begin + 2 * self.channels * at)
        self.samples = max(self.samples, at + len(samples))
        self._put(wav_header(self.channels, self.samples), 0)

    def end(self, samples: int | None) -> None:
        """Close it, `samples` long (silence at its end); None: as it is. Raises `OSError`."""
        self._open()
        try:
            if samples is not None:
                os.ftruncate(self._descriptor, self._begin + 2 * self.channels * samples)
                self.samples = samples
            self._put(wav_header(self.channels, self.samples), 0)
            os.fsync(self._descriptor)
        finally:
            self.close()

    def close(self) -> None:
        if self._descriptor >= 0:
            descriptor, self._descriptor = self._descriptor, -1
            os.close(descriptor)

    def _open(self) -> None:
        if self._descriptor < 0:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def _put(self, data: bytes, at: int) -> None:
        while data:  # a disk that is nearly full takes a part first
            written = os.pwrite(self._descriptor, data, at)
            data, at = data[written:], at + written


@dataclass(frozen=True, slots=True)
class Share:
    """A tape's rows among the frames of a tick, `row` and following, and the tick of its first sample."""

    tape: Tape
    row: int
    first_tick: int


@dataclass(eq=False, slots=True)
class Ending:
    """Close these tapes; `samples` is the length of each, None for those that stay as they are."""

    recorder: int
    tapes: list[Tape]
    samples: int | None
    detail: str = ""
    """Filled in by the writer: what went wrong with the first tape that failed."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A tape can't be written any more."""

    tape: Tape


@dataclass(slots=True)
class _Batch:
    """Frames of consecutive ticks with the same shares."""

    shares: tuple[Share, ...] = ()
    first_tick: int = 0
    frames: list[Int16s] = field(default_factory=list)


class TapeWriter:
    """`put` and `end` are the tick's, `take_news` too; the rest happens in the thread."""

    def __init__(self) -> None:
        self.ticks_lost = 0
        """Ticks whose frames were dropped."""
        self._tasks: queue.SimpleQueue[
            tuple[int, tuple[Share, ...], Int16s] | Ending | threading.Event | None
        ] = queue.SimpleQueue()
        self._news: queue.SimpleQueue[Ending | Failure] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None
        self._bytes_put = 0
        self._bytes_taken = 0
        self._batch = _Batch()

    def put(self, tick: int, shares: tuple[Share, ...], frames: Int16s) -> None:
        """A tick's frames `(rows, 160)`; dropped when the disk has fallen too far behind."""
        if self._bytes_put - self._bytes_taken + frames.nbytes > MOST_WAITING_BYTES:
            self.ticks_lost += 1
            return
        self._bytes_put += frames.nbytes
        self._start()
        self._tasks.put((tick, shares, frames))

    def end(self, ending: Ending) -> None:
        """Close tapes behind everything that was put; told by `take_news`."""
        self._start()
        self._tasks.put(ending)

    def flush(self) -> None:
        """Write what has been put so far without waiting for more."""
        if self._thread is not None:
            self._tasks.put(threading.Event())

    def take_news(self) -> list[Ending | Failure]:
        news: list[Ending | Failure] = []
        while not self._news.empty():
            news.append(self._news.get())
        return news

    def wait(self, timeout_s: float) -> bool:
        """Block until everything put so far is written; False when it takes longer."""
        done = threading.Event()
        if self._thread is None:
            return True
        self._tasks.put(done)
        return done.wait(timeout_s)

    def close(self) -> None:
        """Write what is queued and end the thread."""
        if self._thread is not None:
            self._tasks.put(None)
            self._thread.join(timeout=2.0)
            self._thread = None

    def _start(self) -> None:
        if self._thread is None:
            allow_many_files()
            self._thread = threading.Thread(target=self._run, name="tape writer", daemon=True)
            self._thread.start()

    # ---- in the thread ----

    def _run(self) -> None:
        while (task := self._tasks.get()) is not None:
            if isinstance(task, tuple):
                self._collect(*task)
                continue
            self._write()
            if isinstance(task, Ending):
                self._end(task)
            else:
                task.set()
        self._write()

    def _collect(self, tick: int, shares: tuple[Share, ...], frames: Int16s) -> None:
        batch = self._batch
        if batch.frames and (batch.shares is not shares or tick != batch.first_tick + len(batch.frames)):
            self._write()
        if not batch.frames:
            batch.shares, batch.first_tick = shares, tick
        batch.frames.append(frames)
        if len(batch.frames) >= TICKS_A_WRITE:
            self._write()

    def _write(self) -> None:
        batch = self._batch
        if not batch.frames:
            return
        frames = np.stack(batch.frames)
        batch.frames.clear()
        for share in batch.shares:
            tape = share.tape
            if not tape.failed:
                rows = frames[:, share.row : share.row + tape.channels].transpose(0, 2, 1)
                at = (batch.first_tick - share.first_tick) * TICK_SAMPLES
                self._try(tape, tape.write, at, rows.reshape(-1, tape.channels))
        self._bytes_taken += frames.nbytes

    def _end(self, ending: Ending) -> None:
        for tape in ending.tapes:
            if tape.failed:
                with contextlib.suppress(OSError):
                    tape.end(None)
            else:
                self._try(tape, tape.end, ending.samples)
            ending.detail = ending.detail or tape.failed
        self._news.put(ending)

    def _try(self, tape: Tape, work: Callable[..., None], *arguments: object) -> None:
        try:
            work(*arguments)
        except OSError as error:
            tape.failed = f"{tape.path}: {error.strerror}"
            self._news.put(Failure(tape))


def allow_many_files() -> None:
    """As many open files as the system lets us have: each tape is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    with contextlib.suppress(OSError, ValueError):
        soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft < most:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
