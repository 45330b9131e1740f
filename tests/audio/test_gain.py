"""Automatic gain: talkers come out alike, and nothing but speech moves it."""

import numpy as np
import pytest
from tests.harness.speech import RATE, Samples, fan, frames_of, mixed, speech

from townhall.audio import SpeechDetector, sine
from townhall.audio.gain import TARGET_DBFS, AutomaticGain, amplify
from townhall.audio.levels import level_dbfs


class _Line:
    """Detector and gain of some talkers, as the media process has them."""

    def __init__(self, talkers: int) -> None:
        self.slots = np.arange(talkers)
        self.speech = SpeechDetector(talkers)
        self.speech.reset(self.slots)
        self.gain = AutomaticGain(talkers)

    def take(self, frames: Samples) -> Samples:
        """What becomes of one frame of each, `(talkers, 160)`."""
        level = level_dbfs(frames)
        heard = self.speech.update(self.slots, frames, level)
        speaks = np.flatnonzero(heard.speech)
        self.gain.follow(speaks, level[speaks], self.speech.floor.db[speaks])
        places, before, after = self.gain.glide(self.slots, frames)
        result = frames.copy()
        result[places] = amplify(frames[places], before, after)
        return result


def _through(*sounds: Samples) -> tuple[list[Samples], np.ndarray]:
    """What comes out, and the gains in dB `(frames, sounds)`."""
    line = _Line(len(sounds))
    out, gains = [], []
    for frame in np.stack([frames_of(sound) for sound in sounds], axis=1):
        out.append(line.take(frame))
        gains.append(line.gain.db.copy())
    return list(np.concatenate(out, axis=1)), np.array(gains)


def _active_db(samples: Samples) -> float:
    """Level of the frames that are not pauses."""
    power = np.square(frames_of(samples).astype(np.float64)).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() / 100].mean() / 32768.0**2))


def test_talkers_from_minus_40_to_minus_10_come_out_alike_after_four_seconds() -> None:
    talkers = [
        speech(12.0, dbfs, pitch, seed=place)
        for place, (dbfs, pitch) in enumerate(
            [(-40.0, 110.0), (-40.0, 210.0), (-32.0, 140.0), (-25.0, 120.0), (-18.0, 190.0), (-10.0, 100.0)]
        )
    ]
    out, _ = _through(*talkers)
    levels = [_active_db(samples[4 * RATE :]) for samples in out]
    assert max(levels) - min(levels) < 3.0
    assert min(levels) > TARGET_DBFS - 2.5
    assert max(levels) < TARGET_DBFS + 2.5


def test_gain_stands_still_in_pauses_and_noise() -> None:
    spoken = np.concatenate((speech(6.0, -36.0), np.zeros(6 * RATE, np.int16)))
    _, gains = _through(mixed(spoken, fan(12.0, -66.0)))
    assert gains[300, 0] > 5.0
    assert np.all(gains[345:] == gains[345])


def test_sound_that_is_no_speech_passes_untouched() -> None:
    quiet, loud = sine(400, 5.0, RATE, -45), sine(700, 5.0, RATE, -6)
    noise = fan(5.0, -40.0)
    out, gains = _through(quiet, loud, noise)
    assert not gains.any()
    assert all(np.array_equal(a, b) for a, b in zip(out, (quiet, loud, noise), strict=True))


def test_talker_near_the_target_passes_untouched() -> None:
    spoken = speech(8.0, TARGET_DBFS)
    out, _ = _through(spoken)
    assert np.array_equal(out[0], spoken)


def test_noisy_talker_is_raised_no_further_than_his_noise_allows() -> None:
    spoken = mixed(speech(10.0, -42.0), fan(10.0, -58.0))
    _, gains = _through(spoken)
    assert gains[-1, 0] < 12.5


def test_gain_glides_without_steps() -> None:
    loud = speech(3.0, -8.0)
    _, gains = _through(loud)
    assert np.abs(np.diff(gains[:, 0])).max() <= 0.41
    frame = np.full((1, 160), 10_000, np.int16)
    glided = amplify(frame, np.ones(1, np.float32), np.full(1, 0.5, np.float32))[0]
    assert np.abs(np.diff(glided.astype(int))).max() <= 33
    assert glided[-1] == 5000


@pytest.mark.parametrize("pitch", [100.0, 200.0])
def test_shout_into_a_raised_gain_neither_wraps_nor_clips(pitch: float) -> None:
    spoken = np.concatenate((speech(6.0, -40.0, pitch), speech(2.0, -10.0, pitch)))
    out, gains = _through(spoken)
    assert gains[299, 0] > 10.0
    shout, said = out[0][6 * RATE :].astype(int), spoken[6 * RATE :].astype(int)
    assert np.abs(shout).max() < 32767
    loud = np.abs(said) > 300
    assert np.all(np.sign(shout[loud]) == np.sign(said[loud]))


def test_forget_begins_anew() -> None:
    line = _Line(1)
    for frame in frames_of(speech(5.0, -40.0)):
        line.take(frame[None])
    assert line.gain.db[0] > 5.0
    line.gain.forget(line.slots)
    assert not line.gain.db.any()
    assert np.array_equal(line.gain.glide(line.slots, np.ones((1, 160), np.int16))[0], [])
