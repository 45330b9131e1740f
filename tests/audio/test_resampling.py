"""8 to 16 kHz and back: what passes, what doesn't, and that blocks leave no trace."""

import numpy as np
import pytest

from townhall.audio import sine
from townhall.audio.resampling import Downsampler, Upsampler

ROW = np.array([2])


def up(signal: np.ndarray) -> np.ndarray:
    sampler = Upsampler(3)
    return np.concatenate([sampler.process(ROW, frame[None])[0] for frame in signal.reshape(-1, 160)])


def down(signal: np.ndarray) -> np.ndarray:
    sampler = Downsampler(3)
    return np.concatenate([sampler.process(ROW, frame[None])[0] for frame in signal.reshape(-1, 320)])


def level_db(signal: np.ndarray, hz: float, rate: int) -> float:
    """Of a tone, against full scale."""
    settled = signal[rate // 10 :][:rate].astype(float)
    turns = np.exp(-2j * np.pi * hz * np.arange(len(settled)) / rate)
    return float(20 * np.log10(2 * abs((settled * turns).mean()) / 32768 + 1e-9))


@pytest.mark.parametrize("hz", [100, 300, 1000, 2000, 3400])
def test_tone_of_the_telephone_band_passes_both_ways_unchanged(hz: int) -> None:
    assert level_db(up(sine(hz, 2.0, 8000, -10)), hz, 16000) == pytest.approx(-10, abs=0.1)
    assert level_db(down(sine(hz, 2.0, 16000, -10)), hz, 8000) == pytest.approx(-10, abs=0.1)


@pytest.mark.parametrize("hz", [300, 1000, 3400])
def test_tone_has_no_mirror_image_after_upsampling(hz: int) -> None:
    assert level_db(up(sine(hz, 2.0, 8000, -10)), 8000 - hz, 16000) < -70


@pytest.mark.parametrize("hz", [4600, 6000, 7500])
def test_tone_above_the_telephone_band_does_not_come_down(hz: int) -> None:
    assert level_db(down(sine(hz, 2.0, 16000, -10)), 8000 - hz, 8000) < -70


def test_signal_up_and_down_again_is_the_same_4_ms_later() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 16000)
    spectrum = np.fft.rfft(noise)
    spectrum[int(0.84 * len(spectrum)) :] = 0  # 3.36 kHz
    signal = np.rint(np.fft.irfft(spectrum)).astype(np.int16)
    back = down(up(signal))
    assert np.abs(back[32:] - signal[:-32])[200:].max() <= 8


def test_sum_minus_one_voice_is_the_other_voice_after_the_filter_as_before_it() -> None:
    rng = np.random.default_rng(2)
    one, other = rng.integers(-20000, 20000, (2, 10, 320)).astype(np.int32)
    sampler = Downsampler(3)
    for mine, theirs in zip(one, other, strict=True):
        both = sampler.process(np.arange(3), np.stack((mine + theirs, mine, theirs)))
        assert np.abs(both[0] - both[1] - both[2]).max() <= 2


def test_rows_are_apart_and_reset_forgets() -> None:
    loud, silence = np.full((1, 160), 30000, np.int16), np.zeros((1, 160), np.int16)
    sampler = Upsampler(3)
    sampler.process(np.array([0]), loud)
    assert not sampler.process(np.array([1]), silence).any()
    assert sampler.process(np.array([0]), silence).any()
    sampler.process(np.array([0]), loud)
    sampler.reset(np.array([0]))
    assert not sampler.process(np.array([0]), silence).any()


def test_no_rows_give_no_rows() -> None:
    assert Upsampler(2).process(np.zeros(0, np.int64), np.zeros((0, 160), np.int16)).shape == (0, 320)
    assert Downsampler(2).process(np.zeros(0, np.int64), np.zeros((0, 320), np.int16)).shape == (0, 160)
