"""How loud frames are, and whether there is sound."""

import numpy as np
import pytest
from numpy.typing import NDArray

from townhall.audio import SoundDetector, comfort, sine
from townhall.audio.levels import level_dbfs

Samples = NDArray[np.int16]
SLOT = np.array([0])


def _watch(samples: Samples, detector: SoundDetector | None = None) -> list[tuple[int, str]]:
    """(frame, what happened)."""
    detector = detector or SoundDetector(2)
    happened = []
    for index, frame in enumerate(samples[: len(samples) // 160 * 160].reshape(-1, 160)):
        started, stopped = detector.update(SLOT, frame[None])
        happened += [(index, "started")] * len(started) + [(index, "stopped")] * len(stopped)
    return happened


def test_update_sound_between_silences_starts_after_60_ms_and_stops_after_600() -> None:
    sound = sine(300, 1.0, 8000, -25)
    happened = _watch(np.concatenate((np.zeros(8000, np.int16), sound, np.zeros(8000, np.int16))))
    assert happened == [(52, "started"), (129, "stopped")]


def test_update_pause_between_words_does_not_stop() -> None:
    word = sine(300, 0.4, 8000, -25)
    happened = _watch(np.concatenate((word, np.zeros(3200, np.int16), word, np.zeros(3200, np.int16), word)))
    assert [what for _, what in happened] == ["started"]


def test_update_click_of_20_ms_does_not_start() -> None:
    assert (
        _watch(
            np.concatenate((np.zeros(8000, np.int16), sine(300, 0.02, 8000, -10), np.zeros(8000, np.int16)))
        )
        == []
    )


@pytest.mark.parametrize("level", [-70.0, -55.0, -45.0])
def test_update_steady_noise_becomes_floor_and_sound_above_it_starts(level: float) -> None:
    detector = SoundDetector(2)
    _watch(comfort(80_000, level), detector)
    assert not detector.sounding[0]
    loud = comfort(8000, level).astype(np.int32) + sine(300, 1.0, 8000, level + 25)
    assert [what for _, what in _watch(loud.astype(np.int16), detector)] == ["started"]


def test_update_rows_are_independent() -> None:
    detector = SoundDetector(4)
    slots = np.array([3, 1])
    frames = np.stack([sine(300, 0.02, 8000, -20), np.zeros(160, np.int16)])
    for _ in range(4):
        detector.update(slots, frames)
    assert detector.sounding.tolist() == [False, False, False, True]
    detector.reset(np.array([3]))
    assert not detector.sounding.any()


def test_level_dbfs_of_full_scale_square_and_of_silence() -> None:
    frames = np.stack([np.full(160, -32768), np.zeros(160)]).astype(np.int16)
    assert level_dbfs(frames) == pytest.approx([0.0, -100.0], abs=0.01)
