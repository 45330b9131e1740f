import numpy as np
import pytest

from townhall.audio import hold_music, sine
from townhall.phone.listening import WINDOW, is_music, is_silence, is_tone, judge_of

TONE = sine(615.0, 0.2)


def test_tone_is_told_from_its_neighbours() -> None:
    assert is_tone(TONE, 615.0)
    assert not is_tone(TONE, 640.0)
    assert not is_tone(TONE, 590.0)


def test_tone_is_found_below_another() -> None:
    both = (TONE.astype(np.int32) + sine(1000.0, 0.2)).astype(np.int16)
    assert is_tone(both, 615.0)
    assert is_tone(both, 1000.0)


def test_tone_is_not_music_and_silence_is_neither() -> None:
    assert not is_music(TONE)
    assert is_silence(np.zeros(WINDOW, dtype=np.int16))
    assert not is_music(np.zeros(WINDOW, dtype=np.int16))


def test_hold_music_is_music_somewhere_in_every_second() -> None:
    music = hold_music(8000)
    seconds = music[: len(music) // 8000 * 8000].reshape(-1, 8000)
    assert all(any(is_music(second[at : at + WINDOW]) for at in range(0, 6400, 400)) for second in seconds)


@pytest.mark.parametrize(
    ("sound", "fits"), [(615.0, True), (800, False), ("sound", True), ("silence", False)]
)
def test_sound_is_judged_by_its_name(sound: float, fits: bool) -> None:
    assert judge_of(sound)(TONE) is fits
