"""Tones, beeps and music, judged by their numbers."""

import numpy as np
import pytest
from numpy.typing import NDArray

from townhall.audio import ToneError, beep_enter, beep_exit, comfort, dtmf, hold_music, ringback, sine
from townhall.audio.tones import DTMF_HIGH, DTMF_KEYS, DTMF_LOW

Samples = NDArray[np.int16]


def _dbfs(samples: Samples) -> float:
    return float(20 * np.log10(np.sqrt(np.mean(samples.astype(float) ** 2)) / 32768))


def _pitch(samples: Samples, rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)), 1 << 16))
    return float(spectrum.argmax() * rate / (1 << 16))


def test_sine_has_its_frequency_and_level() -> None:
    tone = sine(1000, 1.0, 16000, -20)
    assert len(tone) == 16000
    assert _pitch(tone, 16000) == pytest.approx(1000, abs=1)
    assert np.abs(tone.astype(int)).max() == pytest.approx(3277, abs=2)


@pytest.mark.parametrize("rate", [8000, 16000])
def test_beeps_rise_and_fall_and_have_soft_ends(rate: int) -> None:
    half = round(0.12 * rate)
    for beep, rises in ((beep_enter(rate), True), (beep_exit(rate), False)):
        assert 0.2 <= len(beep) / rate <= 0.5
        assert np.abs(beep[[0, -1]].astype(int)).max() < 30
        assert -35 < _dbfs(beep) < -15
        assert (_pitch(beep[-half:], rate) > _pitch(beep[:half], rate)) is rises


@pytest.mark.parametrize("digit", list(DTMF_KEYS))
def test_dtmf_key_sounds_its_two_frequencies(digit: str) -> None:
    tone = dtmf(digit, on_ms=500, off_ms=0)
    spectrum = np.abs(np.fft.rfft(tone[:4000] * np.hanning(4000)))
    strongest = sorted((np.argsort(spectrum)[::-1][:1] * 2).tolist())
    key = DTMF_KEYS.index(digit)
    low, high = DTMF_LOW[key // 4], DTMF_HIGH[key % 4]
    assert min(abs(strongest[0] - low), abs(strongest[0] - high)) <= 2
    for hz in (low, high):
        assert spectrum[hz // 2 - 1 : hz // 2 + 2].max() > 0.5 * spectrum.max()


def test_dtmf_lengths_and_pauses() -> None:
    assert len(dtmf("12", on_ms=100, off_ms=50)) == 2 * 1200
    assert len(dtmf("wW")) == 12_000
    assert len(dtmf("")) == 0


@pytest.mark.parametrize("digits", ["E", "1 2", "½"])
def test_dtmf_what_is_no_key_is_refused(digits: str) -> None:
    with pytest.raises(ToneError, match="not a key"):
        dtmf(digits)


def test_ringback_of_each_country_has_its_cadence() -> None:
    us = ringback("us")
    assert len(us) == 48_000
    assert not us[16_000:].any()
    assert us[:16_000].any()
    with pytest.raises(ToneError, match="zz"):
        ringback("zz")


def test_comfort_is_faint_and_repeatable() -> None:
    assert _dbfs(comfort(8000)) == pytest.approx(-60, abs=1)
    assert np.array_equal(comfort(8000), comfort(8000))


@pytest.mark.parametrize("rate", [8000, 16000])
def test_hold_music_level_length_and_band(rate: int) -> None:
    music = hold_music(rate)
    assert 30 <= len(music) / rate <= 60
    assert _dbfs(music) == pytest.approx(-20, abs=0.1)
    assert np.abs(music.astype(int)).max() < 23_197
    power = np.abs(np.fft.rfft(music)) ** 2
    hz = np.fft.rfftfreq(len(music), 1 / rate)
    assert power[(hz >= 300) & (hz <= 3000)].sum() > 0.99 * power.sum()


def test_hold_music_never_falls_silent_for_half_a_second() -> None:
    music = hold_music(8000)
    pieces = music[: len(music) // 4000 * 4000].reshape(-1, 4000)
    assert min(_dbfs(piece) for piece in pieces) > -35


def test_hold_music_loops_without_a_seam() -> None:
    music = hold_music(16000).astype(int)
    around = np.concatenate((music[-800:], music[:800]))
    elsewhere = np.abs(np.diff(music, 3)).max()
    assert np.abs(np.diff(around, 3))[780:820].max() < 0.5 * elsewhere
    # A cut loop would begin and end with silence or with a fade.
    assert _dbfs(music[-1600:].astype(np.int16)) > -30
    assert _dbfs(music[:1600].astype(np.int16)) > -30


def test_hold_music_is_the_same_every_time() -> None:
    first = hold_music(8000).copy()
    hold_music.cache_clear()
    assert np.array_equal(first, hold_music(8000))
