"""Our own 16-bit WAV files (`townhall.audio.wav`), read and written in blocks; also ones that a crash left
with an old header: the file's size counts, not what the header says.
"""

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import numpy.typing as npt

from townhall.audio.wav import wav_header, wav_header_bytes
from townhall.errors import TownhallError

Samples = npt.NDArray[np.int16]

RATE = 8000
BLOCK = 60 * RATE
"""Samples per channel that are in memory at a time: a minute."""

_CHANNELS_AT = 58


class RecordingFileError(TownhallError):
    """A file is no recording of ours, or cannot be read or written."""


class WaveFile:
    """A WAV file to be read: `channels`, `samples` (per channel), blocks of int16 `(n, channels)`."""

    def __init__(self, path: Path) -> None:
        """Raises `RecordingFileError`."""
        try:
            with path.open("rb") as file:
                head = file.read(_CHANNELS_AT + 2)
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise RecordingFileError(f"{path}: {error.strerror}") from error
        if len(head) < _CHANNELS_AT + 2 or head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE":
            raise RecordingFileError(f"{path}: not a recording: {size} bytes beginning {head[:8]!r}")
        self.path = path
        self.channels = int(struct.unpack_from("<H", head, _CHANNELS_AT)[0])
        if not 1 <= self.channels <= 1024:
            raise RecordingFileError(f"{path}: a recording with {self.channels} channels")
        self._begin = wav_header_bytes(self.channels)
        self.samples = max(0, size - self._begin) // (2 * self.channels)

    def read(self, at: int, count: int) -> Samples:
        """Samples `(count, channels)` from place `at` on; fewer at the end."""
        count = max(0, min(count, self.samples - at))
        with self.path.open("rb") as file:
            offset = self._begin + 2 * self.channels * at
            data: Samples = np.fromfile(file, "<i2", count * self.channels, offset=offset)
        return data[: len(data) // self.channels * self.channels].reshape(-1, self.channels)

    def blocks(self, first: int = 0, last: int | None = None, size: int = BLOCK) -> Iterator[Samples]:
        end = self.samples if last is None else min(last, self.samples)
        for at in range(first, end, size):
            yield self.read(at, min(size, end - at))

    def mend(self) -> None:
        """Have the header say what is in the file."""
        with self.path.open("r+b") as file:
            file.write(wav_header(self.channels, self.samples))

    def put(self, at: int, other: "WaveFile") -> None:
        """Put another file's samples at place `at`, over what is there; what is between is silence. Raises
        `RecordingFileError` for another number of channels, and `OSError`.
        """
        if other.channels != self.channels:
            raise RecordingFileError(f"{other.path}: {other.channels} channels, not {self.channels}")
        self.cut(self.samples)  # a crash may have left half a sample behind them
        with self.path.open("r+b") as file:
            file.seek(self._begin + 2 * self.channels * at)
            for block in other.blocks():
                file.write(block.tobytes())
        self.samples = max(self.samples, at + other.samples)
        self.mend()

    def cut(self, samples: int) -> None:
        """Leave only the first so many samples."""
        self.samples = min(samples, self.samples)
        os.truncate(self.path, self._begin + 2 * self.channels * self.samples)
        self.mend()


class WaveWriter:
    """Writes a new file, which appears under its name when it is whole; `with WaveWriter(path, 2) as out`."""

    def __init__(self, path: Path, channels: int) -> None:
        self._path = path
        self._channels = channels
        self._draft = path.with_name(f"{path.name}.draft")
        self._samples = 0
        self._file: BinaryIO

    def write(self, samples: Samples) -> None:
        """Append `(n, channels)`."""
        self._file.write(np.ascontiguousarray(samples, "<i2").tobytes())
        self._samples += len(samples)

    def __enter__(self) -> Self:
        self._file = os.fdopen(
            os.open(self._draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600), "wb"
        )
        self._file.write(wav_header(self._channels, 0))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            with self._file as file:
                if error is None:
                    file.seek(0)
                    file.write(wav_header(self._channels, self._samples))
                    file.flush()
                    os.fsync(file.fileno())
            if error is None:
                self._draft.replace(self._path)
        finally:
            self._draft.unlink(missing_ok=True)
