"""Sums of runs against the plain loop."""

import numpy as np
import pytest

from townhall.audio.sums import RunSums


@pytest.mark.parametrize("lengths", [[10, 10, 10], [1], [500], [3, 1, 3, 2, 1, 1], [], [2, 2, 5]])
@pytest.mark.parametrize("rows_behind", [0, 4])
def test_sums_of_runs_are_those_of_a_loop(lengths: list[int], rows_behind: int) -> None:
    end = sum(lengths)
    frames = np.random.default_rng(end).integers(-32768, 32768, (end + rows_behind, 160)).astype(np.int16)
    starts = np.cumsum([0, *lengths])[:-1]
    sums = RunSums(starts, end).of(frames)
    assert sums.dtype == np.int32
    assert sums.shape == (len(lengths), 160)
    for run, (start, length) in enumerate(zip(starts, lengths, strict=True)):
        assert np.array_equal(sums[run], frames[start : start + length].astype(np.int64).sum(axis=0))
