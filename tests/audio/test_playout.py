"""Playout as a script of packets and ticks: what goes in, when, and what must come out."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from townhall.audio import Playout, comfort, sine

Samples = NDArray[np.int16]
SLOT = np.array([1])
TONE = sine(440, 10.0, 8000, -16)
NOISE = comfort(80_000, -20)


class Line:
    """One leg: packets of a signal are written at given ticks and every tick is read."""

    def __init__(self, signal: Samples, length: int = 160, first_timestamp: int = 0) -> None:
        self.playout = Playout(3)
        self.playout.reset(SLOT)
        self._signal, self._length, self._first = signal, length, first_timestamp

    def run(self, arrivals: Iterable[tuple[int, int]], ticks: int) -> Samples:
        """`arrivals`: (tick, packet number)."""
        at_tick = defaultdict(list)
        for tick, number in arrivals:
            at_tick[tick].append(number)
        heard = []
        for tick in range(ticks):
            numbers = np.array(at_tick[tick], dtype=np.int64)
            if len(numbers):
                samples = self._signal[numbers[:, None] * self._length + np.arange(self._length)]
                timestamps = ((self._first + numbers * self._length) % 2**32).astype(np.uint32)
                self.playout.write(np.full(len(numbers), 1), timestamps, tick, samples)
            heard.append(self.playout.read(SLOT)[0])
        return np.concatenate(heard)


def _steady(packets: int, lost: Iterable[int] = ()) -> list[tuple[int, int]]:
    return [(number, number) for number in range(packets) if number not in set(lost)]


def _splatter_db(heard: Samples, hz: float = 440.0) -> float:
    """Share of the energy further than 100 Hz from the tone, over whole seconds after the first."""
    seconds = heard[8000 : len(heard) // 8000 * 8000].reshape(-1, 8000) * np.hanning(8000)
    power = (np.abs(np.fft.rfft(seconds, axis=1)) ** 2).sum(axis=0)
    outside = np.abs(np.arange(len(power)) - hz) > 100
    return float(10 * np.log10(power[outside].sum() / power.sum()))


def test_read_leg_without_packets_is_silent() -> None:
    playout = Playout(4)
    playout.reset(np.array([0, 2]))
    assert not playout.read(np.array([2, 0])).any()
    assert playout.read(np.array([], dtype=np.int64)).shape == (0, 160)


def test_read_clean_line_plays_every_sample_20_ms_later() -> None:
    line = Line(TONE)
    heard = line.run(_steady(400), 401)
    assert np.array_equal(heard[320:], TONE[160 : 400 * 160])  # the first packet fades in
    assert line.playout.delay_ms(SLOT) == [20.0]
    assert line.playout.jitter_ms(SLOT) == [0.0]


def test_read_timestamp_wraps_within_the_call_nothing_is_heard_of_it() -> None:
    heard = Line(TONE, first_timestamp=2**32 - 8000).run(_steady(200), 201)
    assert np.array_equal(heard[320:], TONE[160 : 200 * 160])


@pytest.mark.parametrize("length", [80, 160, 240, 320, 400, 480, 800])
def test_read_packets_of_any_length_play_whole(length: int) -> None:
    packets = len(NOISE) // length
    arrivals = [(-(-(number + 1) * length // 160), number) for number in range(packets)]
    line = Line(NOISE, length)
    heard = line.run(arrivals, 490)
    start = int(np.argmax(heard != 0)) // 160 * 160 + 1600
    assert any(
        np.array_equal(heard[start : start + 60_000], NOISE[at : at + 60_000]) for at in range(0, start, 80)
    )


def test_read_reordered_and_doubled_packets_play_in_order_once() -> None:
    arrivals = _steady(10)
    for number in range(10, 300, 2):
        arrivals += [(number + 1, number + 1), (number + 1, number), (number + 1, number + 1)]
    line = Line(NOISE)
    heard = line.run(arrivals, 300)
    start = 20 * 160
    shifts = [
        at
        for at in range(start - 800, start + 1, 80)
        if np.array_equal(heard[start:40_000], NOISE[at : at + 40_000 - start])
    ]
    assert len(shifts) == 1
    assert line.playout.late[1] == 0


def test_read_single_loss_of_a_tone_is_filled_without_a_click() -> None:
    line = Line(TONE)
    heard = line.run(_steady(400, lost=[200]), 401)
    hole = slice(201 * 160, 203 * 160)
    steepest = np.abs(np.diff(TONE.astype(int), 2)).max()
    assert np.abs(np.diff(heard[hole].astype(int), 2)).max() < 1.5 * steepest
    assert np.abs(heard[hole].astype(int) - TONE[200 * 160 : 202 * 160]).max() < 0.25 * np.abs(TONE).max()
    assert line.playout.concealed[1] == 160


@pytest.mark.parametrize("hz", [440.0, 523.25, 1000.0, 150.0])
def test_read_five_percent_loss_of_a_tone_splatters_little(hz: float) -> None:
    tone = sine(hz, 20.0, 8000, -16)
    lost = np.flatnonzero(np.random.default_rng(5).random(990) < 0.05)
    heard = Line(tone).run(_steady(990, lost), 990)
    silenced = tone[: 990 * 160].reshape(990, 160).copy()
    silenced[lost] = 0
    assert _splatter_db(heard, hz) < -38.0
    assert _splatter_db(silenced.ravel(), hz) > -28.0  # what it would be without concealment


def test_read_long_hole_fades_to_silence_in_80_ms_and_returns_softly() -> None:
    heard = Line(TONE).run(_steady(300, lost=range(100, 130)), 301)
    hole = heard[101 * 160 : 131 * 160]
    assert np.abs(hole[:80]).max() > 0.9 * np.abs(TONE).max()
    assert np.abs(hole[560:640]).max() < 0.25 * np.abs(TONE).max()
    assert not hole[640:].any()
    assert np.array_equal(heard[150 * 160 : 290 * 160], TONE[149 * 160 : 289 * 160])


@pytest.mark.parametrize(("jitter_ticks", "longest_ms"), [(1, 60), (2, 80), (4, 130)])
def test_read_jitter_the_wait_grows_until_hardly_anything_is_late(jitter_ticks: int, longest_ms: int) -> None:
    rng = np.random.default_rng(2)
    line = Line(TONE)
    late_at: list[int] = []
    arrivals = [(number + int(rng.integers(0, jitter_ticks + 1)), number) for number in range(480)]
    line.run(arrivals, 490)
    late_at.append(int(line.playout.late[1]))
    assert line.playout.late[1] <= 6
    assert 20 * jitter_ticks <= line.playout.delay_ms(SLOT)[0] <= longest_ms


def test_read_jitter_that_ends_the_wait_shrinks_again_in_quiet() -> None:
    rng = np.random.default_rng(3)
    quiet = comfort(40 * 8000, -55)
    arrivals = [(number + int(rng.integers(0, 5) * (number < 400)), number) for number in range(1990)]
    line = Line(quiet)
    line.run(arrivals, 1990)
    assert line.playout.delay_ms(SLOT)[0] <= 45.0
    assert line.playout.concealed[1] < 3000


def test_read_delay_never_grows_beyond_its_cap() -> None:
    rng = np.random.default_rng(4)
    line = Line(TONE)
    line.run([(number + int(rng.integers(0, 30)), number) for number in range(480)], 480)
    assert line.playout.delay_ms(SLOT)[0] <= 250.0 + 60.0  # as wanted, and what is let be in loud talk


@pytest.mark.parametrize("ppm", [-200, 200])
def test_read_drifting_clock_is_followed_without_a_click(ppm: int) -> None:
    minute = sine(440, 240.0, 8000, -16)
    packets = len(minute) // 160 - 20
    line = Line(minute)
    heard = line.run([(int(number * (1 + ppm * 1e-6) + 0.5), number) for number in range(packets)], packets)
    assert line.playout.late[1] <= 2
    assert line.playout.concealed[1] <= 1600
    assert line.playout.delay_ms(SLOT)[0] <= 90.0
    assert _splatter_db(heard) < -40.0


def test_read_sender_pauses_and_its_clock_goes_on_the_next_words_play_at_once() -> None:
    talk = _steady(100)
    again = [(number, number) for number in range(300, 400)]
    line = Line(TONE)
    heard = line.run(talk + again, 401)
    assert not heard[105 * 160 : 300 * 160].any()
    assert np.array_equal(heard[302 * 160 : 400 * 160], TONE[301 * 160 : 399 * 160])


def test_read_sender_pauses_and_its_clock_stands_still_the_next_words_play_at_once() -> None:
    line = Line(TONE)
    heard = line.run(_steady(100) + [(number + 200, number) for number in range(100, 200)], 400)
    assert np.array_equal(heard[302 * 160 : 400 * 160], TONE[101 * 160 : 199 * 160])
    assert line.playout.delay_ms(SLOT) == [20.0]


@pytest.mark.parametrize("jump", [-(2**31), -100_000, -5000, 100_000, 2**30])
def test_read_timestamps_jump_playing_goes_on_there(jump: int) -> None:
    line = Line(TONE)
    line.run(_steady(50), 50)
    line._first = jump - 50 * 160
    heard = line.run([(number, number + 100) for number in range(100)], 101)
    assert np.array_equal(heard[3 * 160 :], TONE[102 * 160 : 200 * 160])


def test_read_timestamps_jump_half_a_second_ahead_the_silence_is_cut_short() -> None:
    line = Line(TONE)
    line.run(_steady(50), 50)
    line._first = 4000
    line.run([(number, number + 50) for number in range(200)], 200)
    assert line.playout.delay_ms(SLOT)[0] <= 80.0


def test_write_late_duplicate_in_a_pause_is_not_heard() -> None:
    line = Line(TONE)
    heard = line.run([*_steady(100), (120, 99), (121, 98)], 140)
    assert not heard[110 * 160 :].any()
    assert line.playout.late[1] == 2


def test_reset_slot_starts_anew_and_neighbours_play_on() -> None:
    playout = Playout(3)
    both = np.array([0, 2])
    playout.reset(both)
    frames = np.stack([TONE[:1600].reshape(10, 160), TONE[1600:3200].reshape(10, 160)])
    for tick in range(10):
        playout.write(both, np.array([tick * 160] * 2, np.uint32), tick, frames[:, tick])
        heard = playout.read(both)
    assert np.array_equal(heard, frames[:, 8])
    playout.reset(np.array([0]))
    heard = playout.read(both)
    assert not heard[0].any()
    assert np.array_equal(heard[1], frames[1, 9])


def test_read_many_legs_with_losses_each_as_if_alone() -> None:
    rng = np.random.default_rng(9)
    signals = [sine(hz, 2.0, 8000, -16) for hz in (300, 440, 700, 1100)]
    lost = [set(np.flatnonzero(rng.random(100) < 0.1).tolist()) for _ in signals]
    alone = [
        Line(signal).run(_steady(100, missing), 100) for signal, missing in zip(signals, lost, strict=True)
    ]
    playout = Playout(9)
    slots = np.array([7, 1, 4, 8])
    playout.reset(slots)
    heard = []
    for tick in range(100):
        here = [row for row in range(4) if tick not in lost[row]]
        frames = np.array([signals[row][tick * 160 : tick * 160 + 160] for row in here], np.int16).reshape(
            -1, 160
        )
        playout.write(slots[here], np.full(len(here), tick * 160, np.uint32), tick, frames)
        heard.append(playout.read(slots))
    together = np.concatenate(heard, axis=1)
    assert np.array_equal(together, np.stack(alone))


def test_playout_ring_of_odd_size_is_refused() -> None:
    with pytest.raises(ValueError, match="power of two"):
        Playout(1, ring_samples=5000)
