"""Memory that the load maker and its phones' process both have: when phones first heard, and recordings.

A file without a name (memfd_create(2)), mapped by both. The phones' process opens it as the load maker's
descriptor (proc(5)).
"""

import mmap
import os

import numpy as np

from townhall.bench.phones.recording import Recording
from townhall.media.shapes import Floats

_SAMPLES = 160
_WORD = 8


class SharedFile:
    """So many bytes, all zero; `close` it when the other one has opened it."""

    def __init__(self, size: int) -> None:
        self._file = os.memfd_create("townhall-bench")
        os.ftruncate(self._file, size)
        self.path = f"/proc/{os.getpid()}/fd/{self._file}"

    def close(self) -> None:
        os.close(self._file)


def told_bytes(phones: int) -> int:
    return (phones + 1) * _WORD


def told_in(path: str, phones: int) -> Floats:
    """When each phone first heard any sound, and in the last place when anything loud last came to any phone,
    `(phones + 1,)`, in monotonic seconds.
    """
    return np.frombuffer(_mapped(path), np.float64, phones + 1)


def recording_bytes(phones: int, frames: int) -> int:
    return phones * (frames * (_SAMPLES + _WORD) + _WORD)


def recording_in(path: str, phones: int, frames: int) -> Recording:
    """A recording whose arrays lie in that file."""
    memory, packets = _mapped(path), phones * frames
    turned = np.frombuffer(memory, np.uint8, packets * _SAMPLES).reshape(phones, frames, _SAMPLES)
    at = np.frombuffer(memory, np.float64, packets, packets * _SAMPLES).reshape(phones, frames)
    first = np.frombuffer(memory, np.int64, phones, packets * (_SAMPLES + _WORD))
    return Recording(turned, at, first)


def _mapped(path: str) -> mmap.mmap:
    file = os.open(path, os.O_RDWR)
    try:
        return mmap.mmap(file, 0)
    finally:
        os.close(file)
