"""Key tones in the audio (ITU-T Q.23, Q.24): each press once, and no voice taken for a key."""

import numpy as np
import pytest
from numpy.typing import NDArray

from townhall.audio import (
    ALAW_DECODE,
    ULAW_DECODE,
    InbandDigits,
    comfort,
    dtmf,
    encode_alaw,
    encode_ulaw,
    hold_music,
    limit,
    sine,
)
from townhall.audio.tones import DTMF_HIGH, DTMF_KEYS, DTMF_LOW

Samples = NDArray[np.int16]
SLOT = np.array([1])
ULAW_3_14_DBM0 = -3.14
"""dBFS of a sine at 0 dBm0."""


def _digits(*signals: Samples, detector: InbandDigits | None = None) -> list[str]:
    detector = detector or InbandDigits(3)
    samples = np.concatenate(signals)
    samples = np.append(samples, np.zeros(-len(samples) % 160 + 320, np.int16))
    found: list[str] = []
    for frame in samples.reshape(-1, 160):
        slots, digits = detector.detect(SLOT, frame[None])
        assert slots.tolist() == [1] * len(digits)
        found += digits
    return found


def _key(low: float, high: float, seconds: float, low_dbfs: float = -15, high_dbfs: float = -15) -> Samples:
    waves = sine(low, seconds, 8000, low_dbfs).astype(np.int32) + sine(high, seconds, 8000, high_dbfs)
    return limit(waves[None])[0]


def _pause(samples: int) -> Samples:
    return np.zeros(samples, np.int16)


@pytest.mark.parametrize("codec", ["ulaw", "alaw", "linear"])
@pytest.mark.parametrize("dbm0", [-3.0, -15.0, -30.0])
def test_detect_every_key_at_any_level_through_any_codec(codec: str, dbm0: float) -> None:
    keys = dtmf(DTMF_KEYS, on_ms=80, off_ms=60, level_dbfs=dbm0 + ULAW_3_14_DBM0)
    coded = {"ulaw": lambda: ULAW_DECODE[encode_ulaw(keys)], "alaw": lambda: ALAW_DECODE[encode_alaw(keys)]}
    assert _digits(_pause(77), coded.get(codec, lambda: keys)()) == list(DTMF_KEYS)


@pytest.mark.parametrize("offset", range(0, 160, 16))
def test_detect_press_of_40_ms_counts_wherever_it_falls_in_the_frames(offset: int) -> None:
    assert _digits(_pause(400 + offset), dtmf("5", on_ms=40, off_ms=40)) == ["5"]


@pytest.mark.parametrize("offset", range(0, 160, 16))
def test_detect_burst_of_20_ms_is_no_press(offset: int) -> None:
    assert _digits(_pause(400 + offset), dtmf("5", on_ms=20, off_ms=40)) == []


@pytest.mark.parametrize("offset", [0, 40, 80, 120])
def test_detect_long_press_counts_once(offset: int) -> None:
    assert _digits(_pause(offset), dtmf("#", on_ms=3000)) == ["#"]


def test_detect_same_key_twice_with_a_pause_of_40_ms_counts_twice() -> None:
    for offset in range(0, 160, 16):
        assert _digits(_pause(offset), dtmf("77", on_ms=60, off_ms=40)) == ["7", "7"]


def test_detect_interruption_of_10_ms_is_still_one_press() -> None:
    tone = dtmf("8", on_ms=300, off_ms=0)
    for at in range(1000, 1160, 16):
        broken = tone.copy()
        broken[at : at + 80] = 0
        assert _digits(broken) == ["8"]


@pytest.mark.parametrize("detune", [-0.015, 0.015])
def test_detect_frequencies_off_by_one_and_a_half_percent_count(detune: float) -> None:
    for key, digit in enumerate(DTMF_KEYS):
        low, high = DTMF_LOW[key // 4] * (1 + detune), DTMF_HIGH[key % 4] * (1 + detune)
        assert _digits(_pause(33), _key(low, high, 0.08), _pause(400)) == [digit]


@pytest.mark.parametrize(
    ("low_dbfs", "high_dbfs", "expected"), [(-20, -12, ["2"]), (-12, -20, ["2"]), (-30, -12, [])]
)
def test_detect_twist_up_to_8_db_counts(low_dbfs: float, high_dbfs: float, expected: list[str]) -> None:
    assert _digits(_key(697, 1336, 0.1, low_dbfs, high_dbfs), _pause(400)) == expected


def test_detect_single_frequency_is_no_key() -> None:
    for hz in DTMF_LOW + DTMF_HIGH:
        assert _digits(sine(hz, 0.5, 8000, -12)) == []


def test_detect_keys_in_noise_15_db_below_count() -> None:
    keys = np.concatenate([dtmf("1590", on_ms=70, off_ms=70, level_dbfs=-20), _pause(400)]).astype(np.int32)
    noisy = limit((keys + comfort(len(keys), -35))[None])[0]
    assert _digits(noisy) == list("1590")


def test_detect_two_legs_at_once_keep_apart() -> None:
    detector = InbandDigits(8)
    both = np.stack([dtmf("12", on_ms=80, off_ms=80), dtmf("90", on_ms=80, off_ms=80)])
    heard: dict[int, list[str]] = {6: [], 2: []}
    for at in range(0, both.shape[1] - 159, 160):
        slots, digits = detector.detect(np.array([6, 2]), both[:, at : at + 160])
        for slot, digit in zip(slots.tolist(), digits, strict=True):
            heard[slot].append(digit)
    assert heard == {6: ["1", "2"], 2: ["9", "0"]}


def test_reset_in_the_middle_of_a_press_reports_it_for_the_new_leg() -> None:
    detector = InbandDigits(3)
    tone = dtmf("4", on_ms=400, off_ms=0)
    assert _digits(tone[:1600], detector=detector) == ["4"]
    detector.reset(SLOT)
    assert _digits(tone[1600:], detector=detector) == ["4"]


def _voice(seconds: float, seed: int) -> Samples:
    """A made-up voice: gliding harmonics under three moving formants, in syllables, with breath."""
    rng = np.random.default_rng(seed)
    time = np.arange(round(seconds * 8000)) / 8000
    points = np.arange(0, seconds + 0.2, 0.12)
    pitch = np.interp(time, points, rng.uniform(80, 280, len(points)))
    phase = 2 * np.pi * np.cumsum(pitch) / 8000
    ranges = ((300, 950), (900, 2300), (2300, 3200))
    formants = [np.interp(time, points, rng.uniform(low, high, len(points))) for low, high in ranges]
    wave = comfort(len(time), -20, seed) / 32768.0
    for harmonic in range(1, 40):
        hz = harmonic * pitch
        gain = sum(1 / (1 + ((hz - formant) / 60) ** 2) for formant in formants) * (hz < 3400)
        wave += gain * np.sin(harmonic * phase + rng.uniform(0, 6))
    syllables = np.interp(time, points, rng.uniform(0, 1, len(points)))
    return (wave * syllables * 6000).astype(np.int16)


def test_detect_five_minutes_of_voice_hold_no_key() -> None:
    assert [_digits(_voice(30.0, seed)) for seed in range(10)] == [[]] * 10


def test_detect_hold_music_and_noise_hold_no_key() -> None:
    assert _digits(hold_music(8000), comfort(160_000, -20)) == []
