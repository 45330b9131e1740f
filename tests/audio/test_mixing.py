"""Sums, everybody's sum without themselves, and the limiter."""

import numpy as np
import pytest
from tests.harness.speech import speech

from townhall.audio import add_private, bus_sums, limit, mix_minus, sine
from townhall.audio.mixing import LIMIT_THRESHOLD


def _talkers(rows: int, seed: int = 0) -> np.ndarray:  # type: ignore[type-arg]
    return np.random.default_rng(seed).integers(-32768, 32768, (rows, 160)).astype(np.int16)


def test_bus_sums_two_buses_are_summed_apart() -> None:
    frames = _talkers(5)
    buses, sums, index = bus_sums(frames, np.array([3, 3, 7, 7, 7]))
    assert buses.tolist() == [3, 7]
    assert index.tolist() == [0, 0, 1, 1, 1]
    assert np.array_equal(sums, [frames[:2].sum(0, dtype=int), frames[2:].sum(0, dtype=int)])


def test_bus_sums_nobody_talks_gives_no_bus() -> None:
    buses, sums, index = bus_sums(np.zeros((0, 160), np.int16), np.zeros(0, np.int64))
    assert (len(buses), sums.shape, len(index)) == (0, (0, 160), 0)


def test_bus_sums_a_thousand_full_scale_talkers_do_not_wrap() -> None:
    frames = np.full((1000, 160), -32768, np.int16)
    _, sums, _ = bus_sums(frames, np.zeros(1000, np.int64))
    assert np.all(sums == -32768000)


def test_mix_minus_each_talker_hears_all_but_itself() -> None:
    frames = _talkers(5)
    _, sums, index = bus_sums(frames, np.array([0, 0, 0, 1, 1]))
    mixes = mix_minus(sums, frames, index)
    assert np.array_equal(mixes[1], frames[0].astype(int) + frames[2])
    assert np.array_equal(mixes[3], frames[4])


def test_add_private_two_coaches_of_one_receiver_are_both_heard() -> None:
    mixes = np.zeros((3, 160), np.int32)
    whispers = _talkers(2)
    add_private(mixes, np.array([1, 1]), whispers)
    assert np.array_equal(mixes[1], whispers.sum(0, dtype=int))
    assert not mixes[[0, 2]].any()


@pytest.mark.parametrize("memory", [False, True])
def test_limit_below_the_threshold_nothing_changes(memory: bool) -> None:
    quiet = (
        np.random.default_rng(1).integers(-LIMIT_THRESHOLD, LIMIT_THRESHOLD + 1, (4, 160)).astype(np.int32)
    )
    gain = np.ones(4, np.float32) if memory else None
    assert np.array_equal(limit(quiet, gain), quiet)


@pytest.mark.parametrize("memory", [False, True])
@pytest.mark.parametrize("loudness", [32768, 70_000, 2_000_000, 2**31 - 1])
def test_limit_sum_of_any_size_never_wraps(memory: bool, loudness: int) -> None:
    sums = np.array([[loudness, -loudness, 0, 5] * 40], np.int32)
    gain = np.ones(1, np.float32) if memory else None
    for _ in range(5):
        limited = limit(sums, gain)
        assert np.array_equal(np.sign(limited[0, :2]), [1, -1])
        assert np.all(limited[0, 2::4] == 0)


def test_limit_is_monotonic_and_without_a_corner() -> None:
    ramp = np.arange(-60_000, 60_001, dtype=np.int32)[None]
    steps = np.diff(limit(ramp)[0].astype(int))
    assert steps.min() >= 0
    assert steps.max() <= 2


def test_limit_only_the_loud_row_is_changed() -> None:
    mixes = np.stack([np.full(160, 1000), np.full(160, 90_000), np.full(160, -7)]).astype(np.int32)
    limited = limit(mixes, np.ones(3, np.float32))
    assert np.all(limited[0] == 1000)
    assert np.all(limited[2] == -7)


def test_limit_with_memory_steady_loud_tone_is_turned_down_without_distortion() -> None:
    tone = sine(500, 1.0, 8000, -3).astype(np.int32) * 4
    gain = np.ones(1, np.float32)
    limited = np.concatenate([limit(tone[None, at : at + 160], gain)[0] for at in range(0, 8000, 160)])
    spectrum = np.abs(np.fft.rfft(limited[4000:] * np.hanning(4000)))
    assert spectrum[750] < spectrum[250] / 300  # the third harmonic, that bending would make
    assert np.abs(limited[4000:]).max() > 20_000


def _limited(total: np.ndarray) -> tuple[np.ndarray, np.ndarray]:  # type: ignore[type-arg]
    """What the limiter makes of a sum of any length, and its gain after each frame."""
    gain = np.ones(1, np.float32)
    frames, gains = [], []
    for at in range(0, len(total) // 160 * 160, 160):
        frames.append(limit(total[None, at : at + 160].astype(np.int32), gain)[0])
        gains.append(float(gain[0]))
    return np.concatenate(frames).astype(int), np.array(gains)


@pytest.mark.parametrize(
    ("talkers", "dbfs", "most_db"), [(10, -25.0, 4.0), (10, -12.0, 16.0), (40, -25.0, 10.0)]
)
def test_limit_of_many_talkers_at_once_neither_wraps_nor_clips_nor_pumps(
    talkers: int, dbfs: float, most_db: float
) -> None:
    voices = [speech(6.0, dbfs, 90.0 + 4 * place, seed=place) for place in range(talkers)]
    total = np.sum(voices, axis=0, dtype=np.int64)
    limited, gains = _limited(total)
    total = total[: len(limited)]
    loud = np.abs(total) > 500
    assert np.all(np.sign(limited[loud]) == np.sign(total[loud]))
    assert np.abs(limited).max() < 32767
    assert np.mean(np.abs(limited) > 0.97 * 32767) < 1e-3
    course = 20 * np.log10(gains)
    assert course.min() > -most_db
    assert np.diff(course).max() <= 0.18
    assert np.abs(np.diff(course)).mean() < 0.5
    for at in range(8000, len(total) - 4000, 4000):
        said, heard = total[at : at + 4000].astype(float), limited[at : at + 4000].astype(float)
        scale = said @ heard / (said @ said)
        assert np.square(heard - scale * said).sum() < 0.1 * np.square(scale * said).sum()


def test_limit_with_memory_gain_returns_after_the_noise() -> None:
    gain = np.ones(1, np.float32)
    limit(np.full((1, 160), 200_000, np.int32), gain)
    assert gain[0] < 0.2
    for _ in range(120):
        limited = limit(np.full((1, 160), 1000, np.int32), gain)
    assert gain[0] == 1.0
    assert np.all(limited == 1000)
