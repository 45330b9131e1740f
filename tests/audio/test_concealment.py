"""Lone losses are filled from both sides: how near the filling comes to what was lost."""

import numpy as np
import pytest
from numpy.typing import NDArray

from townhall.audio import Playout
from townhall.audio.prediction import FUTURE, LONGEST, PAST, mend

LENGTH = 160
SLOT = np.array([0])


def _voice(seconds: float, hz: float = 200.0) -> NDArray[np.int16]:
    """A buzz whose pitch glides, through two resonances: like a vowel."""
    count = int(8000 * seconds)
    pitch = hz + hz / 8 * np.sin(2 * np.pi * 1.5 * np.arange(count) / 8000)
    turns = np.cumsum(pitch) / 8000
    harmonics = range(1, int(3000 / hz))
    weights = [
        1 / (1 + ((hz * k - 500) / 150) ** 2) + 0.5 / (1 + ((hz * k - 1500) / 200) ** 2) for k in harmonics
    ]
    sound = sum(weight * np.sin(2 * np.pi * k * turns) for k, weight in zip(harmonics, weights, strict=True))
    samples: NDArray[np.int16] = np.rint(6000 * sound / np.abs(sound).max()).astype(np.int16)
    return samples


def _heard(signal: NDArray[np.int16], lost: set[int]) -> NDArray[np.int16]:
    playout = Playout(1)
    playout.reset(SLOT)
    heard = []
    for number in range(len(signal) // LENGTH):
        if number not in lost:
            samples = signal[None, number * LENGTH : (number + 1) * LENGTH]
            playout.write(SLOT, np.array([number * LENGTH], np.uint32), number, samples)
        heard.append(playout.read(SLOT)[0])
    return np.concatenate(heard)[LENGTH:]


def _error_db(heard: NDArray[np.int16], signal: NDArray[np.int16], lost: set[int]) -> float:
    """Energy of what is wrong in the holes, over the energy that was lost."""
    packets = np.array(sorted(lost))
    told = heard[packets[:, None] * LENGTH + np.arange(LENGTH)].astype(float)
    truth = signal[packets[:, None] * LENGTH + np.arange(LENGTH)].astype(float)
    return float(10 * np.log10(((told - truth) ** 2).sum() / (truth**2).sum()))


@pytest.mark.parametrize(("hz", "error_db"), [(110.0, -3.0), (200.0, -8.0), (280.0, -8.0)])
def test_read_lone_losses_of_a_gliding_voice_come_near_to_what_was_lost(hz: float, error_db: float) -> None:
    voice = _voice(4.0, hz)
    lost = set(range(15, 190, 9))
    heard = _heard(voice, lost)
    assert _error_db(heard, voice, lost) < error_db
    kept = np.setdiff1d(np.arange(20, 190), np.array(sorted(lost)))
    places = kept[:, None] * LENGTH + np.arange(LENGTH)
    assert np.array_equal(heard[places], voice[places])


def test_read_burst_of_four_ends_in_step_with_the_voice_that_follows() -> None:
    voice = _voice(4.0)
    bursts = [set(range(first, first + 4)) for first in range(15, 180, 20)]
    heard = _heard(voice, set().union(*bursts))
    last = {max(burst) for burst in bursts}
    edge = np.array(sorted(last)) * LENGTH + LENGTH
    steps = np.abs(heard[edge].astype(int) - heard[edge - 1])
    assert steps.max() <= 2 * np.abs(np.diff(voice.astype(int))).max()
    assert _error_db(heard, voice, last) < 0.0  # silence would be 0


def test_read_lone_loss_at_a_beginning_is_no_louder_than_what_follows() -> None:
    voice = _voice(1.0)
    voice[: 20 * LENGTH] = 0
    heard = _heard(voice, {19, 20})
    assert np.abs(heard[19 * LENGTH : 21 * LENGTH]).max() <= np.abs(voice).max()


@pytest.mark.parametrize("length", [1, 40, 80, 159, 160])
def test_mend_hole_of_any_length_leaves_what_is_beyond_it(length: int) -> None:
    voice = _voice(1.0)[2000 : 2000 + PAST + length + FUTURE].astype(np.float32)
    row = np.zeros((1, PAST + LONGEST + FUTURE), np.float32)
    row[0, : len(voice)] = voice
    row[0, PAST : PAST + length] *= 0.5  # a first filling, of which a quarter of the energy is wrong
    mended = mend(row, np.array([length], np.int32))
    assert mended.shape == (1, LONGEST)
    wrong = np.square(mended[0, :length] - voice[PAST : PAST + length]).sum()
    assert wrong < 0.2 * np.square(voice[PAST : PAST + length]).sum()
    assert np.array_equal(mended[0, length:], row[0, PAST + length : PAST + LONGEST])


def test_mend_silence_stays_silent() -> None:
    mended = mend(np.zeros((2, PAST + LONGEST + FUTURE), np.float32), np.array([160, 30], np.int32))
    assert not mended.any()
