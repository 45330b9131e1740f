"""Clips on disk: made from an engine's draft at a telephone's level, kept by content, the longest unused
removed.

A clip is a mono 16-bit WAV file at 16 kHz. Its name is a digest of what was asked for, so a clip never
changes.
"""

import hashlib
import os
import time
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soxr
from numpy.typing import NDArray

RATE = 16_000
SPEECH_DBFS = -20.0
"""Level of the spoken parts; with it peaks lie some 14 dB higher, just below full scale."""
PEAK = 0.9
_FRAME = RATE // 50
_QUIET_DB = 30.0
"""Frames this far below the loudest one are pauses and do not count for the level."""
DRAFT = ".draft.wav"
IN_USE_S = 600.0
"""A clip used this recently may be about to be opened, and is never removed."""


class ClipCache:
    """Blocking; called from worker threads."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes

    def open(self) -> None:
        """Make the directory and clear away drafts of a process that died."""
        self._directory.mkdir(parents=True, exist_ok=True)
        for draft in self._directory.glob(f"*{DRAFT}"):
            draft.unlink(missing_ok=True)

    def find(self, key: str) -> Path | None:
        """The clip, marked as used just now; None when there is none."""
        path = self._path(key)
        try:
            os.utime(path)
        except OSError:
            return None
        return path

    def draft(self, key: str) -> Path:
        """Where an engine may write before `finish`."""
        return self._directory / f"{key}{DRAFT}"

    def finish(self, key: str) -> Path:
        """Turn the draft into the clip, whole or not at all. Raises `OSError`, or `ValueError` for a bad
        draft.
        """
        draft, path = self.draft(key), self._path(key)
        try:
            samples = levelled(read_draft(draft))
            finished = draft.with_name(f"{key}.2{DRAFT}")
            _write(finished, samples)
            os.replace(finished, path)
        finally:
            draft.unlink(missing_ok=True)
        self._prune()
        return path

    def _path(self, key: str) -> Path:
        return self._directory / f"{key}.wav"

    def _prune(self) -> None:
        clips = [
            (file.stat().st_mtime, file.stat().st_size, Path(file.path))
            for file in os.scandir(self._directory)
            if file.name.endswith(".wav") and not file.name.endswith(DRAFT)
        ]
        too_much = sum(size for _, size, _ in clips) - self._max_bytes
        for used, size, path in sorted(clips):
            if too_much <= 0 or time.time() - used < IN_USE_S:
                return
            path.unlink(missing_ok=True)
            too_much -= size


def key_of(*parts: object) -> str:
    """A file name for what was asked for."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


def read_draft(path: Path) -> NDArray[np.float32]:
    """Samples in [-1, 1] at 16 kHz, shape (samples,), from a mono 16-bit WAV of any rate. Raises
    `ValueError`.
    """
    try:
        with wave.open(str(path), "rb") as sound:
            if sound.getnchannels() != 1 or sound.getsampwidth() != 2:
                raise ValueError("the engine did not write mono 16-bit audio")
            raw = sound.readframes(sound.getnframes())
            rate = sound.getframerate()
    except (wave.Error, EOFError) as error:
        raise ValueError(f"the engine wrote no WAV file: {error}") from None
    samples = np.frombuffer(raw[: len(raw) // 2 * 2], np.dtype("<i2")).astype(np.float32)
    samples /= 32768
    if rate == RATE or not samples.size:
        return samples
    return np.asarray(soxr.resample(samples, rate, RATE), np.float32)


def levelled(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same speech at `SPEECH_DBFS`, or as near to it as its peaks allow."""
    peak = float(np.abs(samples).max(initial=0.0))
    if peak < 1e-4:
        return samples
    frames = samples[: len(samples) // _FRAME * _FRAME].reshape(-1, _FRAME)
    powers = np.square(frames).mean(axis=1) if len(frames) else np.array([np.square(samples).mean()])
    loud = powers[powers > powers.max() / 10 ** (_QUIET_DB / 10)]
    gain = 10 ** (SPEECH_DBFS / 20) / float(np.sqrt(loud.mean()))
    levelled: NDArray[np.float32] = samples * np.float32(min(gain, PEAK / peak))
    return levelled


def joined(parts: Sequence[Path | int], into: Path) -> None:
    """One WAV file of several with the same rate; a number is a silence in milliseconds."""
    rate = RATE
    for part in parts:
        if isinstance(part, Path):
            with wave.open(str(part), "rb") as sound:
                rate = sound.getframerate()
            break
    with wave.open(str(into), "wb") as result:
        result.setnchannels(1)
        result.setsampwidth(2)
        result.setframerate(rate)
        for part in parts:
            if isinstance(part, int):
                result.writeframes(bytes(2 * (rate * part // 1000)))
            else:
                with wave.open(str(part), "rb") as sound:
                    result.writeframes(sound.readframes(sound.getnframes()))


def _write(path: Path, samples: NDArray[np.float32]) -> None:
    with wave.open(str(path), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(RATE)
        sound.writeframes(np.round(samples * 32767).astype("<i2").tobytes())
