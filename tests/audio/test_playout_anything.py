"""Whatever a network does to a talker's packets: whole ticks come out, and nothing that clicks."""

from collections import defaultdict

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from townhall.audio import Playout, sine

PACKETS = 40
SLOT = np.array([0])
VOICE = (sine(200, 2.0, 8000, -20).astype(int) + sine(720, 2.0, 8000, -26)).astype(np.int16)
STEEPEST = int(np.abs(np.diff(VOICE.astype(int))).max())
LOUDEST = int(np.abs(VOICE.astype(int)).max())

_fates = st.one_of(
    st.just(()),  # lost
    st.just((0,)),
    st.integers(0, 12).map(lambda late: (late,)),
    st.tuples(st.integers(0, 3), st.integers(0, 12)),  # doubled
)
_lengths = st.sampled_from([80, 160, 240, 320, 480])


def _heard(length: int, first: int, fates: list[tuple[int, ...]]) -> list[NDArray[np.int16]]:
    playout = Playout(1)
    playout.reset(SLOT)
    arrivals = defaultdict(list)
    count = min(len(fates), len(VOICE) // length)
    for number, fate in enumerate(fates[:count]):
        for late in fate:
            arrivals[-(-(number + 1) * length // 160) + late].append(number)
    heard = []
    for tick in range(count * length // 160 + 25):
        numbers = np.array(arrivals[tick], np.int64)
        if len(numbers):
            samples = VOICE[numbers[:, None] * length + np.arange(length)]
            timestamps = ((first + numbers * length) % 2**32).astype(np.uint32)
            playout.write(np.zeros(len(numbers), np.int64), timestamps, tick, samples)
        heard.append(playout.read(SLOT)[0])
    return heard


@settings(max_examples=60, deadline=None, derandomize=True)
@given(_lengths, st.sampled_from([0, 77, 2**32 - 3000]), st.lists(_fates, min_size=PACKETS, max_size=PACKETS))
def test_read_any_loss_order_doubles_and_jitter_gives_whole_ticks_without_a_jump(
    length: int, first: int, fates: list[tuple[int, ...]]
) -> None:
    heard = _heard(length, first, fates)
    assert all(tick.shape == (160,) and tick.dtype == np.int16 for tick in heard)
    together = np.concatenate(heard).astype(int)
    assert np.abs(np.diff(together)).max(initial=0) <= 2.5 * STEEPEST
    assert np.abs(together).max() <= 2 * LOUDEST
