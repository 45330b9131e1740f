"""What recorders left, made into the recording: trimmed if asked for, talkers put together as channels.

Works the same on what was stopped properly and on what a crash left. Silence is what stays below -50 dBFS in
every channel for a 20 ms frame; a tenth of a second of it is kept before and after the sound.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from townhall.audio.levels import level_dbfs
from townhall.audio.wav import wav_header
from townhall.recordings.files import RecordingFiles
from townhall.recordings.wave import BLOCK, RATE, RecordingFileError, Samples, WaveFile, WaveWriter

SILENCE_DBFS = -50.0
FRAME = 160
KEPT_FRAMES = 5
LEAST_SAMPLES = RATE // 10
"""Shorter than a tenth of a second is no recording."""


@dataclass(frozen=True, slots=True)
class Finished:
    """`samples` per channel at 8000 Hz; 0: there is nothing in it."""

    samples: int
    channels: int
    silent: bool = False
    """Everything was silence, and was trimmed."""

    @property
    def seconds(self) -> int:
        """As Twilio counts: whole ones, and no recording has none."""
        return max(1, round(self.samples / RATE)) if self.samples else 0


@dataclass(frozen=True, slots=True)
class _Talker:
    wave: WaveFile
    first: int
    """Samples after the recording's beginning."""
    name: dict[str, Any] = field(default_factory=dict)

    @property
    def last(self) -> int:
        return self.first + self.wave.samples


def finish(files: RecordingFiles, *, trim: bool, about: dict[str, Any] | None = None) -> Finished:
    """Make `files.wav` of what is there, and remove the rest.

    `about` is what the sidecar of a recording with a channel per talker says besides. Raises
    `RecordingFileError` and `OSError` (a full disk); what was recorded is still there then.
    """
    if files.wav.exists():  # a crash between the last two steps
        whole = WaveFile(files.wav)
        done = Finished(whole.samples, whole.channels)
    elif files.talkers.exists():
        done = _finish_talkers(files, trim, about or {})
    elif files.part.exists() or files.further:
        _join_parts(files)
        done = _finish_part(files, trim)
    else:
        done = Finished(0, 1)
    files.clear()
    return done


def _join_parts(files: RecordingFiles) -> None:
    """Put what other recorders went on with at its place behind the first part; twice is as good as once."""
    for first, path in files.further:
        try:
            wave = WaveFile(path)
        except RecordingFileError:
            continue  # it was lost as well before it had written anything
        try:
            whole = WaveFile(files.part)
        except RecordingFileError:
            files.part.touch(mode=0o600)
            files.part.write_bytes(wav_header(wave.channels, 0))
            whole = WaveFile(files.part)
        whole.put(first, wave)


def _finish_part(files: RecordingFiles, trim: bool) -> Finished:
    try:
        wave = WaveFile(files.part)
    except RecordingFileError:
        return Finished(0, 1)  # nothing was written but, at most, half a header
    if wave.samples < LEAST_SAMPLES:
        return Finished(0, wave.channels)
    first, last = _extent(wave) if trim else (0, wave.samples)
    if last == first:
        return Finished(0, wave.channels, silent=True)
    if first:
        with WaveWriter(files.wav, wave.channels) as out:
            for block in wave.blocks(first, last):
                out.write(block)
    else:
        wave.cut(last)
        files.part.replace(files.wav)
    return Finished(last - first, wave.channels)


def _finish_talkers(files: RecordingFiles, trim: bool, about: dict[str, Any]) -> Finished:
    talkers = _read_talkers(files)
    channels = max(1, len(talkers))
    length = max((talker.last for talker in talkers), default=0)
    if length < LEAST_SAMPLES:
        return Finished(0, channels)
    first, last = 0, length
    if trim:
        heard = [(t.first + a, t.first + b) for t in talkers for a, b in [_extent(t.wave)] if b > a]
        if not heard:
            return Finished(0, channels, silent=True)
        first, last = min(a for a, _ in heard), max(b for _, b in heard)
    with WaveWriter(files.wav, channels) as out:
        size = max(FRAME, BLOCK // channels)
        for at in range(first, last, size):
            out.write(_interleaved(talkers, at, min(size, last - at)))
    _write_sidecar(files.sidecar, talkers, first, last, {"recording_sid": files.sid, **about})
    return Finished(last - first, channels)


def _interleaved(talkers: list[_Talker], at: int, count: int) -> Samples:
    block = np.zeros((count, len(talkers)), np.int16)
    for channel, talker in enumerate(talkers):
        begin = max(at, talker.first)
        samples = talker.wave.read(begin - talker.first, at + count - begin)[:, 0]
        block[begin - at : begin - at + len(samples), channel] = samples
    return block


def _read_talkers(files: RecordingFiles) -> list[_Talker]:
    """In the order of their first word; a file without a line about it (a crash) is nobody's."""
    talkers: list[_Talker] = []
    lines = files.names.read_text().splitlines() if files.names.exists() else []
    for line in lines:
        try:
            name = json.loads(line)
            path, first = files.talkers / name.pop("file"), int(name.pop("first"))
            talkers.append(_Talker(WaveFile(path), first, name))
        except (ValueError, KeyError, RecordingFileError):
            continue  # half a line, or a file that was not begun when the server stopped
    return sorted(talkers, key=lambda talker: (talker.first, talker.wave.path.name))


def _write_sidecar(path: Path, talkers: list[_Talker], first: int, last: int, about: dict[str, Any]) -> None:
    entries = [
        {
            "channel": channel,
            **talker.name,
            "first_s": round((max(talker.first, first) - first) / RATE, 2),
            "last_s": round((min(talker.last, last) - first) / RATE, 2),
        }
        for channel, talker in enumerate(talkers, 1)
    ]
    body = {**about, "duration_s": round((last - first) / RATE, 2), "sample_rate": RATE, "talkers": entries}
    draft = path.with_name(f"{path.name}.draft")
    draft.touch(mode=0o600)
    draft.write_text(json.dumps(body, indent=2, ensure_ascii=False) + "\n")
    draft.replace(path)


def _extent(wave: WaveFile) -> tuple[int, int]:
    """Where the sound begins and ends, in samples, with a little silence around it; (0, 0): nowhere."""
    size = max(FRAME, BLOCK // wave.channels // FRAME * FRAME)
    first, last = -1, 0
    for number, block in enumerate(wave.blocks(size=size)):
        whole = len(block) // FRAME
        frames = block[: whole * FRAME].reshape(whole, FRAME, wave.channels)
        loud = np.zeros(whole, np.bool_)
        for channel in range(wave.channels):
            loud |= level_dbfs(frames[:, :, channel]) > SILENCE_DBFS
        places = np.flatnonzero(loud)
        if places.size:
            begin = number * size
            first = begin + int(places[0]) * FRAME if first < 0 else first
            last = begin + (int(places[-1]) + 1) * FRAME
    if first < 0:
        return 0, 0
    return max(0, first - KEPT_FRAMES * FRAME), min(wave.samples, last + KEPT_FRAMES * FRAME)
