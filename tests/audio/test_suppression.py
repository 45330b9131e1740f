"""Noise suppression: steady noise falls, voices stay, nothing is added."""

import numpy as np
import pytest
from tests.harness.speech import RATE, Samples, fan, frames_of, hum, mixed, speech, wide_frames_of

from townhall.audio.suppression import NoiseSuppressor

DELAY = 96
SLOT = np.array([0])


def _through(samples: Samples) -> np.ndarray:
    """What comes out, moved back by the delay; as long as what went in, less the delay."""
    suppressor = NoiseSuppressor(1, 160)
    suppressor.reset(SLOT)
    out = np.concatenate([suppressor.process(SLOT, frame[None])[0] for frame in frames_of(samples)])
    return out[DELAY:].astype(np.float64)


def _db(sound: np.ndarray) -> float:
    return float(10 * np.log10(np.square(sound.astype(np.float64)).mean() / 32768.0**2 + 1e-12))


@pytest.mark.parametrize("noise", [fan, hum])
def test_steady_noise_falls_and_the_voice_in_it_comes_nearer_to_what_it_was(noise) -> None:
    voice = np.concatenate((np.zeros(RATE, np.int16), speech(8.0, -25.0), np.zeros(RATE, np.int16)))
    behind = noise(len(voice) / RATE, -35.0)
    heard = _through(mixed(voice, behind))
    said = voice[: len(heard)].astype(np.float64)
    rest = slice(len(heard) - RATE // 2, len(heard))
    assert _db(heard[rest]) < _db(behind[rest]) - 9.0
    spoken = slice(RATE, 9 * RATE)
    assert _db((heard - said)[spoken]) < _db(behind[spoken]) - 2.5
    assert _db(heard[spoken]) == pytest.approx(_db(said[spoken]), abs=1.0)


def test_clean_voice_passes_as_it_is() -> None:
    voice = np.concatenate((np.zeros(RATE // 2, np.int16), speech(6.0, -20.0)))
    heard = _through(voice)
    said = voice[: len(heard)].astype(np.float64)
    assert _db(heard - said) < _db(said) - 27.0


def test_silence_stays_silence() -> None:
    assert not _through(np.zeros(RATE, np.int16)).any()


def test_full_scale_does_not_wrap() -> None:
    loud = np.where(np.arange(2 * RATE) // 40 % 2, 32767, -32768).astype(np.int16)
    heard = _through(loud)
    said = loud[: len(heard)]
    inner = np.arange(len(heard)) % 40 == 20
    assert np.all(np.sign(heard[inner]) == np.sign(said[inner]))


def test_rows_are_independent_and_wide_frames_are_treated_alike() -> None:
    noisy = mixed(speech(4.0, -25.0), fan(4.0, -40.0))
    wide = wide_frames_of(noisy)
    both = NoiseSuppressor(3, 320)
    alone = NoiseSuppressor(3, 320)
    both.reset(np.arange(3))
    alone.reset(np.arange(3))
    slots = np.array([2, 0])
    for frame in wide:
        pair = both.process(slots, np.stack((frame, np.zeros(320, np.int16))))
        single = alone.process(np.array([1]), frame[None])
        assert np.array_equal(pair[0], single[0])
        assert not pair[1].any()
