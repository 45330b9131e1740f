"""The networks that sound is measured on: what they lose, delay and double, and that a seed repeats them."""

import numpy as np
import pytest

from townhall.bench.sound.weather import WEATHERS, lost_share, passage


@pytest.mark.parametrize("weather", WEATHERS)
def test_passage_same_seed_is_the_same_and_arrivals_come_in_order(weather: str) -> None:
    first, again, other = (passage(weather, 2000, seed) for seed in (1, 1, 2))
    assert np.array_equal(first.numbers, again.numbers)
    assert np.array_equal(first.at_ms, again.at_ms)
    assert (np.diff(first.at_ms) >= 0).all()
    assert (first.at_ms >= 20 * first.numbers).all()
    steady = weather == "clean"
    assert np.array_equal(first.numbers, other.numbers) == (steady or weather in {"jitter", "spikes"})


@pytest.mark.parametrize(
    ("weather", "share"), [("clean", 0.0), ("loss 5 %", 0.05), ("loss 10 %", 0.1), ("bursts of 4", 0.05)]
)
def test_passage_loses_the_share_its_name_says(weather: str, share: float) -> None:
    assert lost_share(weather, 100_000, 7) == pytest.approx(share, rel=0.05)


def test_passage_bursts_are_of_four_and_not_of_one() -> None:
    arrived = np.isin(np.arange(20_000), passage("bursts of 4", 20_000, 5).numbers)
    edges = np.flatnonzero(np.diff(arrived.astype(int)))
    runs = np.diff(edges)[::2]
    assert set(runs.tolist()) == {4}


@pytest.mark.parametrize(("weather", "mean_ms"), [("jitter", 80.0), ("spikes", 6.0)])
def test_passage_delays_reach_160_ms_and_keep_the_order(weather: str, mean_ms: float) -> None:
    through = passage(weather, 20_000, 3)
    delay = through.at_ms - 20 * through.numbers
    assert delay.max() == pytest.approx(160.0, abs=1.0)
    assert delay.mean() == pytest.approx(mean_ms, abs=2.0)
    assert (np.diff(through.numbers) == 1).all()


def test_passage_reordered_packets_come_behind_the_next_one() -> None:
    through = passage("reordered", 20_000, 3)
    behind = np.diff(through.numbers) < 0
    assert np.sort(through.numbers).tolist() == list(range(20_000))
    assert behind.mean() == pytest.approx(0.05, abs=0.01)


def test_passage_doubled_packets_come_twice() -> None:
    numbers, times = np.unique(passage("doubled", 20_000, 3).numbers, return_counts=True)
    assert len(numbers) == 20_000
    assert (times == 2).mean() == pytest.approx(0.05, abs=0.01)


def test_passage_of_unknown_weather_is_refused() -> None:
    with pytest.raises(ValueError, match="expected one of clean, loss 5 %"):
        passage("hail", 10, 1)
