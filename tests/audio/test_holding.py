"""Hold music and constant tones are caught; people are not, and are let through again."""

import numpy as np
from tests.harness.speech import RATE, Samples, babble, fan, mixed, speech

from townhall.audio import hold_music, sine
from townhall.audio.holding import MUSIC, TONE, HoldGuard
from townhall.audio.levels import level_dbfs
from townhall.audio.voicing import WINDOW, look

LOOKS_PER_S = 6.25
STEP = round(RATE / LOOKS_PER_S)


def _judged(*sounds: Samples, length_s: float = 30.0) -> list[list[tuple[int, int]]]:
    """Of each sound: (second, what it was caught with, 0: let go)."""
    guard = HoldGuard(len(sounds), LOOKS_PER_S, length_s)
    slots = np.arange(len(sounds))
    guard.reset(slots)
    told: list[list[tuple[int, int]]] = [[] for _ in sounds]
    for at in range(WINDOW, min(map(len, sounds)), STEP):
        windows = np.stack([sound[at - WINDOW : at] for sound in sounds])
        looks = look(windows)
        level, partials = level_dbfs(windows[:, -160:]), looks.partials(np.arange(len(windows)))
        judged = guard.judge(slots, level, looks.concentration, partials)
        for slot in judged.caught.tolist():
            told[slot].append((at // RATE, int(guard.kind[slot])))
        for slot in judged.let_go.tolist():
            told[slot].append((at // RATE, 0))
    return told


def _music(seconds: float) -> Samples:
    return np.resize(hold_music(RATE), round(seconds * RATE))


def _laughter(seconds: float) -> Samples:
    """Bursts of voice five times a second."""
    gate = np.sin(2 * np.pi * 2.5 * np.arange(round(seconds * RATE)) / RATE) ** 2
    return (speech(seconds, -20.0, 250.0) * gate).astype(np.int16)


def test_music_and_tones_are_caught_after_the_set_time() -> None:
    music, tone = _music(50.0), sine(425, 50.0, RATE, -18)
    ring = mixed(sine(440, 50.0, RATE, -18), sine(480, 50.0, RATE, -18))
    ring = (ring * (np.arange(len(ring)) % (6 * RATE) < 2 * RATE)).astype(np.int16)
    noisy = mixed(music, fan(50.0, -45.0))
    told = _judged(music, tone, ring, noisy)
    assert [[kind for _, kind in each] for each in told] == [[MUSIC], [TONE], [TONE], [MUSIC]]
    assert all(29 <= each[0][0] <= 36 for each in told)


def test_shorter_time_is_obeyed() -> None:
    told = _judged(_music(20.0), speech(20.0), length_s=10.0)
    assert [kind for _, kind in told[0]] == [MUSIC]
    assert 9 <= told[0][0][0] <= 13
    assert told[1] == []


def test_people_are_never_caught() -> None:
    seconds = 45.0
    long_speech = [speech(seconds, -22.0, pitch, seed=3) for pitch in (90.0, 140.0, 220.0)]
    two = mixed(speech(seconds, -24.0, 110.0, 1), speech(seconds, -26.0, 200.0, 2))
    over_music = mixed(speech(seconds, -20.0, 120.0, 5), (_music(seconds) // 8).astype(np.int16))
    told = _judged(
        *long_speech,
        two,
        over_music,
        babble(seconds, -20.0),
        _laughter(seconds),
        mixed(speech(seconds, -22.0), fan(seconds, -34.0)),
    )
    assert told == [[]] * 8


def test_noise_and_what_is_soft_are_left_alone() -> None:
    white = np.random.default_rng(1).integers(-3000, 3000, 60 * RATE).astype(np.int16)
    told = _judged(fan(60.0, -25.0), white, sine(425, 60.0, RATE, -46), np.zeros(60 * RATE, np.int16))
    assert told == [[]] * 4


def test_speech_after_music_is_let_through_soon() -> None:
    sound = np.concatenate((speech(30.0, seed=2), _music(70.0), speech(30.0, seed=3)))
    (told,) = _judged(sound)
    assert [kind for _, kind in told] == [MUSIC, 0]
    assert 58 <= told[0][0] <= 70
    assert 101 <= told[1][0] <= 107


def test_silence_after_music_ends_the_suspicion() -> None:
    (told,) = _judged(np.concatenate((_music(40.0), np.zeros(20 * RATE, np.int16))))
    assert [kind for _, kind in told] == [MUSIC, 0]
    assert 45 <= told[1][0] <= 48


def test_reset_forgets_what_was_caught() -> None:
    guard = HoldGuard(2, LOOKS_PER_S, 5.0)
    slots = np.arange(2)
    guard.reset(slots)
    looks = look(np.stack([sine(425, 0.05, RATE, -18)] * 2))
    for _ in range(40):
        guard.judge(slots, np.full(2, -18.0, np.float32), looks.concentration, looks.partials(np.arange(2)))
    assert guard.kind.tolist() == [TONE, TONE]
    guard.reset(slots[:1])
    assert guard.kind.tolist() == [0, TONE]
