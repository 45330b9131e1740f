"""Scores pairs of sounds with PESQ (ITU-T P.862, mapped to MOS by P.862.1 or, wideband, P.862.2).

Runs by itself, in an environment that has the package `pesq`: `python -I pesq_worker.py FILE.npz`, where the
file has `rate`, `spoken` and `heard`, the last two `(n, samples)`. Prints a JSON list of `n` scores; null
where PESQ finds no speech.
"""

import json
import sys

import numpy as np
from pesq import PesqError, pesq  # type: ignore[import-not-found,unused-ignore]


def main(path: str) -> None:
    with np.load(path) as pairs:
        rate, spoken, heard = int(pairs["rate"]), pairs["spoken"], pairs["heard"]
    mode = "wb" if rate == 16_000 else "nb"
    scores = []
    for reference, degraded in zip(spoken, heard, strict=True):
        try:
            score = float(pesq(rate, reference, degraded, mode)) if degraded.any() else None
        except PesqError:
            score = None
        scores.append(score)
    json.dump(scores, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
