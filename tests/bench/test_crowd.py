"""What a crowd counts and keeps, and its sockets, with real datagrams to ourselves."""

import time

import numpy as np
import pytest

from townhall.audio import encode_ulaw, sine
from townhall.bench.phones.clocked import FIRST_ADDRESS
from townhall.bench.phones.crowd import Crowd
from townhall.bench.phones.recording import Recording
from townhall.bench.phones.sourced import SourcedSockets
from townhall.bench.phones.window import Window
from townhall.media.shapes import Int64s, name_of


def counted(window: Window, phones: list[int], timestamps: list[int], at: list[float]) -> None:
    count = len(phones)
    window.count(np.array(phones), np.array(timestamps), np.ones(count, np.bool_), np.array(at))


def test_window_counts_what_is_missing_for_each_phone() -> None:
    window = Window.of(3, 160)
    counted(window, [0, 1], [1000, 5000], [1.0, 1.0])
    counted(window, [0, 1], [1160, 5480], [1.02, 1.07])
    assert window.expected.tolist() == [2, 4, 0]
    assert window.missed.tolist() == [0, 2, 0]
    assert window.gap_s == pytest.approx([0.02, 0.07, 0.0])


def test_window_takes_a_batch_in_which_a_phone_is_several_times() -> None:
    window = Window.of(2, 160)
    counted(window, [1, 0, 1, 1], [160, 320, 320, 800], [1.0, 1.0, 1.01, 1.05])
    assert window.packets.tolist() == [1, 3]
    assert window.missed.tolist() == [0, 2]
    assert window.gap_s == pytest.approx([0.0, 0.04])


def test_window_follows_timestamps_that_wrap_and_packets_that_come_in_the_wrong_order() -> None:
    window = Window.of(1, 160)
    near_the_end = 2**32 - 160
    for at, timestamp in enumerate((near_the_end, 160, 0, 320)):
        counted(window, [0], [timestamp], [float(at)])
    assert window.expected.tolist() == [4]
    assert window.missed.tolist() == [0]


def test_recording_puts_packets_where_their_timestamps_say() -> None:
    recording = Recording.of(2, 3)
    payloads = np.arange(5, dtype=np.uint8)[:, None].repeat(160, axis=1)
    phones, at = np.array([0, 0, 1, 0, 0]), np.arange(5.0)
    wrapping = (np.array([2**32 - 160, 160, 7, 0, 320]) % 2**32).astype(np.int64)
    recording.keep(phones, wrapping, payloads, at)
    assert recording.sound(np.arange(2))[:, :, 0].tolist() == [[0, 3, 1], [2, 0xFF, 0xFF]]
    assert np.isnan(recording.at[1]).tolist() == [False, True, True]


def test_sockets_tell_who_was_meant_and_when_the_kernel_had_it() -> None:
    sockets = SourcedSockets(count=3)
    try:
        assert len(set(sockets.ports)) == 3
        near: Int64s = FIRST_ADDRESS + np.array([0, 1, 2])
        names = np.array(
            [name_of((f"127.128.0.{1 + phone}", sockets.ports[2 - phone])) for phone in range(3)]
        )
        data = np.arange(3, dtype=np.uint8)[:, None].repeat(20, axis=1)
        before = time.monotonic()
        sockets.send(near, names, data, np.array([10, 15, 20]), np.array([0, 1, 1]))
        arrivals = sockets.receive()
        after = time.monotonic()
        order = np.argsort(arrivals.near)
        assert arrivals.near[order].tolist() == near.tolist()
        assert arrivals.lengths[order].tolist() == [10, 15, 20]
        assert arrivals.data[order, 0].tolist() == [0, 1, 2]
        assert (arrivals.at > before - 0.01).all()  # two clocks are compared
        assert (arrivals.at < after + 0.01).all()
        assert sockets.receive().near.tolist() == []
        assert sockets.dropped() == 0
    finally:
        sockets.close()


def test_crowd_sends_what_each_phone_says_and_hears_what_comes() -> None:
    said = encode_ulaw(sine(440.0, 1.0, 8000)).reshape(50, 160)
    crowd = Crowd(2, {0: said})
    crowd.connect(0, (crowd.address(1), crowd.port(1)))
    crowd.connect(1, (crowd.address(0), crowd.port(0)))
    crowd.begin_recording(1.0)
    crowd.start()
    try:
        while not crowd.has_heard(1):
            time.sleep(0.01)  # told in another thread
        recording, window = crowd.end_recording(), crowd.end_window()
    finally:
        crowd.stop()
    assert recording.sound(np.array([1]))[0, 0].tolist() in said.tolist()
    assert window.packets[1] > 0
    assert window.loud[0] == 0
    assert not crowd.has_heard(0)
