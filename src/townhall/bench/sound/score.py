"""What PESQ says of sounds, asked of processes of its own (`pesq_worker`), one per core."""

import asyncio
import json
import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from townhall.bench.sound.speech import TOOLS, SoundMissing

_WORKER = Path(__file__).with_name("pesq_worker.py")
_WITHIN_S = 300.0
Floats = NDArray[np.float64]


async def score(
    rate: int, pairs: Sequence[tuple[Floats, Floats]], python: Path = TOOLS / "bin" / "python"
) -> Floats:
    """MOS of each (spoken, heard), both `(samples,)` at `rate` and all of one length.

    Narrowband PESQ at 8 kHz, wideband at 16. nan where it can't say. Raises `SoundMissing`.
    """
    if not pairs:
        return np.zeros(0)
    shares = [list(pairs[core :: _cores(len(pairs))]) for core in range(_cores(len(pairs)))]
    with tempfile.TemporaryDirectory(prefix="townhall-pesq-") as directory:
        found = await asyncio.gather(
            *(
                _score(rate, share, Path(directory) / f"{core}.npz", python)
                for core, share in enumerate(shares)
            )
        )
    scores = np.zeros(len(pairs))
    for core, part in enumerate(found):
        scores[core :: len(shares)] = part
    return scores


def _cores(most: int) -> int:
    return max(1, min(os.cpu_count() or 1, most))


async def _score(rate: int, pairs: list[tuple[Floats, Floats]], file: Path, python: Path) -> Floats:
    spoken, heard = (np.stack([pair[side] for pair in pairs]) for side in (0, 1))
    np.savez(file, rate=rate, spoken=spoken, heard=heard)
    try:
        process = await asyncio.create_subprocess_exec(
            python,
            "-I",
            _WORKER,
            file,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
    except OSError as error:
        raise SoundMissing(f"PESQ could not be started: {error}") from error
    try:
        async with asyncio.timeout(_WITHIN_S):
            out, err = await process.communicate()
    except BaseException:
        process.kill()
        await process.wait()
        raise
    if process.returncode:
        raise SoundMissing(f"PESQ failed: {err.decode(errors='replace')[-500:]}")
    return np.array([np.nan if value is None else value for value in json.loads(out)])
