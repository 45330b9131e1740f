"""Other forms of a finished recording: one channel of several, MP3. Made in blocks, kept under a name of
their own.
"""

import os
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile

from townhall.audio.mixing import limit
from townhall.recordings.wave import RATE, RecordingFileError, Samples, WaveFile, WaveWriter

Format = Literal["wav", "mp3"]
MP3_CHANNELS = 2
"""MP3 has no more: what has more is mixed."""

_BLOCK = 10 * RATE
_MP3_LEVEL = 0.5
"""Of libsndfile's scale from best to smallest: 32 kbit/s at 8 kHz, for one channel and for two."""


def render(source: Path, target: Path, form: Format, channels: int | None) -> None:
    """Write `source`'s sound to `target`. `channels` 1 mixes all into one; None leaves them.

    Raises `RecordingFileError`; nothing is left of a rendering that failed.
    """
    wave = WaveFile(source)
    mixes = channels == 1 and wave.channels > 1
    if form == "mp3" and wave.channels > MP3_CHANNELS:
        mixes = True
    try:
        if form == "mp3":
            _render_mp3(wave, target, mixes)
        else:
            with WaveWriter(target, 1 if mixes else wave.channels) as out:
                for block in wave.blocks(size=_BLOCK):
                    out.write(_mixed(block) if mixes else block)
    except (OSError, soundfile.SoundFileError) as error:
        raise RecordingFileError(f"{target} could not be made: {error}") from error


def _render_mp3(wave: WaveFile, target: Path, mixes: bool) -> None:
    draft = target.with_name(f"{target.name}.draft")
    try:
        with (
            open(os.open(draft, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "w+b") as file,
            soundfile.SoundFile(
                file,
                "w",
                samplerate=RATE,
                channels=1 if mixes else wave.channels,
                format="MP3",
                subtype="MPEG_LAYER_III",
                bitrate_mode="CONSTANT",
                compression_level=_MP3_LEVEL,
            ) as out,
        ):
            for block in wave.blocks(size=_BLOCK):
                out.write(_mixed(block) if mixes else block)
        draft.replace(target)
    finally:
        draft.unlink(missing_ok=True)


def _mixed(block: Samples) -> Samples:
    """All channels as one `(n, 1)`."""
    whole = -(-len(block) // 160) * 160
    sums = np.zeros(whole, np.int32)
    sums[: len(block)] = block.sum(axis=1, dtype=np.int32)
    mixed: Samples = limit(sums.reshape(-1, 160)).reshape(-1, 1)[: len(block)]
    return mixed
