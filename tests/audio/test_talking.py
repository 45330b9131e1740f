"""Who talks: voices in noise are noticed in time; noise, tones, clicks and keys are not taken for them."""

import numpy as np
import pytest
from tests.harness.speech import RATE, Samples, babble, fan, frames_of, hum, mixed, speech

from townhall.audio import SpeechDetector, dtmf, sine
from townhall.audio.levels import level_dbfs

SLOT = np.array([0])
SPOKEN_S, REST_S = 1.6, 2.4
TURNS = 8


def _talking(*sounds: Samples, pause_frames: int = 30) -> np.ndarray:
    """Whether each of the sounds talks in each frame, bool `(frames, sounds)`."""
    detector = SpeechDetector(len(sounds), pause_frames)
    slots = np.arange(len(sounds))
    detector.reset(slots)
    talking = []
    for frame in np.stack([frames_of(sound) for sound in sounds], axis=1):
        detector.update(slots, frame, level_dbfs(frame))
        talking.append(detector.talking.copy())
    return np.array(talking)


def _turns() -> tuple[Samples, list[int]]:
    """Somebody who says a phrase every four seconds, after eight seconds of silence; the frames at which the
    phrases begin.
    """
    pieces, begins = [np.zeros(8 * RATE, np.int16)], []
    for turn in range(TURNS):
        begins.append(sum(map(len, pieces)) // 160)
        pieces.append(speech(SPOKEN_S, -25.0, 100.0 + 15 * turn, seed=turn))
        pieces.append(np.zeros(round(REST_S * RATE), np.int16))
    return np.concatenate(pieces), begins


NOISES = {"fan": fan, "hum": hum, "babble": babble}
HISS_MS = 40
"""The consonant that every phrase begins with, softer than its vowels."""


@pytest.mark.parametrize("below_db", [30.0, 20.0, 10.0, 5.0])
@pytest.mark.parametrize("noise", ["fan", "hum"])
def test_phrase_in_steady_noise_is_noticed_and_its_end_too(noise: str, below_db: float) -> None:
    spoken, begins = _turns()
    talking = _talking(mixed(spoken, NOISES[noise](len(spoken) / RATE, -25.0 - below_db)))[:, 0]
    phrases = [talking[begin : begin + 80] for begin in begins]
    assert all(phrase.any() for phrase in phrases)
    if below_db >= 10.0:
        late_ms = sorted(20 * int(phrase.argmax()) - HISS_MS for phrase in phrases)
        assert late_ms[TURNS // 2] <= 160
        assert late_ms[-1] <= (200 if below_db >= 20.0 else 500)
    assert not np.concatenate([talking[begin + 125 : begin + 195] for begin in begins]).any()


@pytest.mark.parametrize("below_db", [30.0, 20.0, 10.0])
def test_phrase_before_other_peoples_voices_is_noticed(below_db: float) -> None:
    spoken, begins = _turns()
    talking = _talking(mixed(spoken, babble(len(spoken) / RATE, -25.0 - below_db)))[:, 0]
    assert max(20 * int(talking[begin : begin + 80].argmax()) - HISS_MS for begin in begins) <= 200
    assert all(talking[begin : begin + 80].any() for begin in begins)


@pytest.mark.parametrize("dbfs", [-60.0, -45.0, -35.0, -25.0, -15.0])
def test_noise_and_hum_alone_are_nobody(dbfs: float) -> None:
    white = np.random.default_rng(3).normal(size=20 * RATE) * 10 ** (dbfs / 20) * 32768
    sounds = (fan(20.0, dbfs), hum(20.0, dbfs), np.clip(white, -32767, 32767).astype(np.int16))
    assert not _talking(*sounds).any()


def test_tones_keys_and_clicks_are_nobody() -> None:
    seconds = 6 * RATE
    tones = [sine(hz, 6.0, RATE, -15) for hz in (300, 425, 700, 1004, 2100, 3000)]
    dial = mixed(sine(350, 6.0, RATE, -18), sine(440, 6.0, RATE, -18))
    ring = mixed(sine(440, 6.0, RATE, -18), sine(480, 6.0, RATE, -18))
    busy = (
        mixed(sine(480, 6.0, RATE, -18), sine(620, 6.0, RATE, -18)) * (np.arange(seconds) // 4000 % 2)
    ).astype(np.int16)
    keys = np.concatenate(
        [np.concatenate((dtmf(key), np.zeros(800, np.int16))) for key in "123A456B789C*0#D"]
    )
    keys = np.resize(keys, seconds)
    clicks = np.zeros(seconds, np.int16)
    clicks[::4000] = 20_000
    clicks[1::4000] = -15_000
    assert not _talking(*tones, dial, ring, busy, keys, clicks).any()


def test_pause_between_words_ends_nothing_and_the_set_pause_does() -> None:
    word = speech(1.0, seed=4)
    sound = np.concatenate((word, np.zeros(round(0.5 * RATE), np.int16), word, np.zeros(2 * RATE, np.int16)))
    whole, short = (_talking(sound, pause_frames=frames)[:, 0] for frames in (30, 10))
    starts = [np.count_nonzero(np.diff(talking.astype(int), prepend=0) == 1) for talking in (whole, short)]
    assert starts == [1, 2]
    end = np.flatnonzero(whole)[-1]
    assert np.flatnonzero(short)[-1] == end - 20


def test_fan_that_is_switched_on_in_a_pause_ends_the_speech() -> None:
    quiet = np.zeros(20 * RATE, np.int16)
    spoken = np.concatenate((speech(5.0), quiet))[: 20 * RATE]
    blown = np.concatenate((quiet[: 5 * RATE], fan(15.0, -25.0)))
    talking = _talking(mixed(spoken, blown))[:, 0]
    assert talking[100:250].all()
    assert not talking[400:].any()


def test_room_behind_the_talker_is_not_the_talker() -> None:
    spoken = np.concatenate((speech(4.0, -20.0), np.zeros(4 * RATE, np.int16)))
    talking = _talking(mixed(spoken, babble(8.0, -42.0)))[:, 0]
    assert talking[50:200].all()
    assert not talking[250:].any()


def test_rows_are_independent_and_reset_forgets() -> None:
    detector = SpeechDetector(4)
    detector.reset(np.arange(4))
    slots = np.array([3, 1])
    for frame in frames_of(speech(1.0)):
        frames = np.stack([frame, np.zeros(160, np.int16)])
        detector.update(slots, frames, level_dbfs(frames))
    assert detector.talking.tolist() == [False, False, False, True]
    detector.reset(np.array([3]))
    assert not detector.talking.any()
