"""G.722 uplinks of any bytes at any time, Opus ones beside them: nothing is raised, every tick is whole."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from townhall.audio.g722 import G722Decoder
from townhall.audio.opus import load_opus
from townhall.audio.parking import PACKET_BYTES, PLACES
from townhall.audio.wide_playout import WidePlayout

TIMESTAMP = st.one_of(
    st.integers(0, 40).map(lambda packet: 160 * packet),
    st.integers(0, 5000),
    st.integers(2**32 - 5000, 2**32 - 1),
    st.integers(0, 2**32 - 1),
)
LENGTH = st.one_of(st.sampled_from([80, 160, 240, 480]), st.integers(0, 500))
BODY = st.builds(lambda length, seed: np.random.default_rng(seed).bytes(length), LENGTH, st.integers(0, 99))
PACKET = st.tuples(st.integers(0, 3), TIMESTAMP, BODY)


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(PACKET, max_size=8), max_size=40))
def test_wide_playout_any_packets(ticks: list[list[tuple[int, int, bytes]]]) -> None:
    playout = WidePlayout(4, load_opus())
    every = np.arange(4)
    playout.expect(every, np.array([True, True, True, False]))
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


STEP = st.one_of(st.binary(max_size=480), st.integers(1, 960))
"""A payload, or so many samples to be concealed."""


@settings(max_examples=100, deadline=None)
@given(st.lists(STEP, max_size=20))
def test_decoder_any_payloads_and_losses_gives_as_many_samples(steps: list[bytes | int]) -> None:
    decoder = G722Decoder()
    for step in steps:
        if isinstance(step, bytes):
            assert len(decoder.decode(step)) == 2 * len(step)
        else:
            out = np.zeros(step, np.int16)
            assert decoder.decode_at(0, 0, out.ctypes.data, step) == step
