"""Opus uplinks of any bytes at any time: nothing is raised, every tick is whole, memory stays bounded."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from townhall.audio.opus import load_opus
from townhall.audio.opus_packets import has_fec, packet_samples
from townhall.audio.opus_playout import OpusPlayout
from townhall.audio.parking import PACKET_BYTES, PLACES

LIBRARY = load_opus()
TIMESTAMP = st.one_of(
    st.integers(0, 40).map(lambda packet: 960 * packet),
    st.integers(0, 5000),
    st.integers(2**32 - 5000, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
BODY = st.one_of(
    st.binary(max_size=40),
    st.binary(min_size=1, max_size=1).map(lambda first: first + bytes(80)),
    st.integers(0, 31).map(lambda configuration: bytes([configuration << 3]) + bytes(range(60))),
)
PACKET = st.tuples(st.integers(0, 3), TIMESTAMP, BODY)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(PACKET, max_size=8), max_size=40))
def test_opus_playout_any_packets(ticks: list[list[tuple[int, int, bytes]]]) -> None:
    playout = OpusPlayout(4, LIBRARY)
    every = np.arange(4)
    playout.reset(every)
    for tick, packets in enumerate(ticks):
        data = np.zeros((len(packets), PACKET_BYTES), np.uint8)
        for row, (_, _, body) in zip(data, packets, strict=True):
            row[: len(body)] = np.frombuffer(body, np.uint8)
        refused = playout.take(
            np.array([slot for slot, _, _ in packets], np.int64),
            np.array([stamp for _, stamp, _ in packets], np.uint64).astype(np.uint32),
            tick,
            data,
            np.array([len(body) for _, _, body in packets], np.int32),
        )
        assert set(refused.tolist()) <= set(range(len(packets)))
        heard = playout.read(every)
        assert heard.shape == (4, 320)
        assert heard.dtype == np.int16
    assert (np.count_nonzero(playout._parking.samples, axis=1) <= PLACES).all()
    assert (playout.late >= 0).all()
    assert np.all(np.abs(playout.delay_ms(every)) < 2000)


@settings(max_examples=200, deadline=None)
@given(st.binary(min_size=2, max_size=2), st.integers(0, 1500))
def test_length_of_any_packet_is_bounded(head: bytes, length: int) -> None:
    first, second = np.frombuffer(head, np.uint8).reshape(2, 1)
    samples = packet_samples(first, second, np.array([length], np.int32), 16000)
    assert 0 <= samples[0] <= 1920
    assert samples[0] % 40 == 0
    assert has_fec(first, second).dtype == np.bool_
