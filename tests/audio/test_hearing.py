"""The hearing tests must hear what is there and nothing else: every story's verdict stands on them."""

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.harness.tones import (
    ever_heard,
    first_heard_at,
    heard,
    is_silent,
    last_heard_at,
    level_of,
    sounds_like,
    sounds_like_music,
    tone_for,
    tone_table,
)

from townhall.audio import (
    ALAW_DECODE,
    ULAW_DECODE,
    comfort,
    dtmf,
    encode_alaw,
    encode_ulaw,
    hold_music,
    limit,
    sine,
)

ALL = {str(index): float(tone_for(index)) for index in range(48)}
Samples = NDArray[np.int16]


def _mix(indices: range | list[int], seconds: float = 1.0, level_dbfs: float = -20.0) -> Samples:
    tones = [sine(tone_for(index), seconds, 8000, level_dbfs).astype(np.int32) for index in indices]
    return limit(np.sum(tones, axis=0)[None])[0]


def _noise(seconds: float, level_dbfs: float) -> Samples:
    return comfort(round(seconds * 8000), level_dbfs)


def test_tone_table_is_large_and_well_spaced() -> None:
    table = sorted(tone_table())
    assert len(table) == 48
    assert min(high - low for low, high in pairwise(table)) >= 40
    assert table[0] >= 300
    assert table[-1] <= 3400


def test_tone_table_has_no_tone_that_is_a_harmonic_of_another() -> None:
    for low in tone_table():
        for high in tone_table():
            if high > low:
                assert all(abs(high - times * low) >= 10 for times in (2, 3)), (low, high)


@pytest.mark.parametrize("index", range(48))
def test_heard_single_tone_through_ulaw_finds_it_alone(index: int) -> None:
    received = ULAW_DECODE[encode_ulaw(_mix([index]))]
    assert heard(received, ALL) == ever_heard(received, ALL) == {str(index)}


@pytest.mark.parametrize(("decode", "encode"), [(ULAW_DECODE, encode_ulaw), (ALAW_DECODE, encode_alaw)])
@pytest.mark.parametrize("start", [0, 12, 24, 36])
def test_heard_mix_of_twelve_tones_finds_exactly_those(decode, encode, start: int) -> None:  # type: ignore[no-untyped-def]
    received = decode[encode(_mix(range(start, start + 12)))]
    expected = {str(index) for index in range(start, start + 12)}
    assert heard(received, ALL) == ever_heard(received, ALL) == expected


def test_heard_soft_tone_beside_loud_ones_is_found() -> None:
    received = limit((_mix([0, 1, 2], level_dbfs=-14).astype(np.int32) + _mix([3], level_dbfs=-32))[None])[0]
    assert heard(ULAW_DECODE[encode_ulaw(received)], ALL) == {"0", "1", "2", "3"}


def test_heard_tone_below_the_least_level_does_not_count() -> None:
    assert heard(_mix([5], level_dbfs=-52), ALL) == set()


def test_heard_tone_for_a_third_of_the_time_counts_only_as_ever_heard() -> None:
    received = np.concatenate((_mix([4], 0.5), np.zeros(8000, np.int16)))
    assert heard(received, ALL) == set()
    assert ever_heard(received, ALL) == {"4"}


def test_heard_tone_with_five_percent_of_packets_missing_is_found_alone() -> None:
    received = _mix([7, 8], 4.0).reshape(-1, 160).copy()
    received[np.random.default_rng(1).random(len(received)) < 0.05] = 0
    assert heard(received.ravel(), ALL) == {"7", "8"}


@pytest.mark.parametrize("level", [-20.0, -30.0, -45.0])
def test_ever_heard_noise_finds_no_tone(level: float) -> None:
    assert ever_heard(_noise(20.0, level), ALL) == set()


def test_ever_heard_hold_music_finds_no_tone() -> None:
    assert ever_heard(ULAW_DECODE[encode_ulaw(hold_music(8000))], ALL) == set()


def test_ever_heard_key_tones_find_no_tone() -> None:
    assert ever_heard(dtmf("1234567890*#ABCD", on_ms=300), ALL) == set()


def test_heard_tone_over_hold_music_is_found() -> None:
    music = hold_music(8000)[:16000].astype(np.int32)
    assert heard(limit((music + _mix([9], 2.0))[None])[0], ALL) == {"9"}


def test_heard_too_short_a_piece_is_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        heard(np.zeros(1999, np.int16), ALL)


def test_level_of_tone_is_its_level() -> None:
    assert level_of(_mix([3], level_dbfs=-20), tone_for(3)) == pytest.approx(-20, abs=0.2)


def test_is_silent_tells_noise_on_the_line_from_a_short_blip() -> None:
    assert is_silent(np.zeros(8000, np.int16))
    assert is_silent(_noise(1.0, -60))
    blip = np.zeros(8000, np.int16)
    blip[4000:4160] = sine(1000, 0.02, 8000, -30)
    assert not is_silent(blip)
    with pytest.raises(ValueError, match="no samples"):
        is_silent(blip[:0])


@pytest.mark.parametrize("start", [0, 12345, 51 * 8000])
def test_sounds_like_music_any_piece_of_it_through_ulaw_is_known(start: int) -> None:
    piece = np.roll(hold_music(8000), -start)[:6000]
    assert sounds_like_music(ULAW_DECODE[encode_ulaw(piece)])


def test_sounds_like_music_with_lost_packets_is_known() -> None:
    piece = hold_music(8000)[40000:56000].reshape(-1, 160).copy()
    piece[::15] = 0
    assert sounds_like_music(piece.ravel())


@pytest.mark.parametrize(
    "other",
    [
        np.zeros(8000, np.int16),
        _noise(2.0, -20),
        _mix(range(4), 2.0),
        sine(440, 1.0),
        hold_music(8000)[::-1][:16000].copy(),
        dtmf("12345"),
    ],
    ids=["silence", "noise", "tones", "concert pitch", "backwards", "keys"],
)
def test_sounds_like_music_anything_else_is_not(other: Samples) -> None:
    assert not sounds_like_music(other)


def test_sounds_like_other_reference_knows_only_that() -> None:
    tune = dtmf("1593572846", on_ms=200, off_ms=50)
    assert sounds_like(tune[3000:9000], tune)
    assert not sounds_like(hold_music(8000)[:8000], tune)


def test_first_and_last_heard_at_find_both_ends_beside_another_tone() -> None:
    received = _mix([1], 3.0).astype(np.int32)
    received[8000:16000] += _mix([0], 1.0)
    samples = limit(received[None])[0]
    assert first_heard_at(samples, tone_for(0)) == pytest.approx(1.0, abs=0.02)
    assert last_heard_at(samples, tone_for(0)) == pytest.approx(2.0, abs=0.02)
    assert first_heard_at(samples, tone_for(1)) == pytest.approx(0.0, abs=0.02)


def test_first_heard_at_tone_that_never_sounds_is_none() -> None:
    assert first_heard_at(_mix([1], 2.0), tone_for(0)) is None
    assert last_heard_at(_noise(1.0, -30), tone_for(0)) is None
