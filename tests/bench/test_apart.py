"""A crowd in a process of its own does and tells what one in a thread does."""

import os
import signal
import time

import numpy as np
import pytest

from townhall.audio import encode_ulaw, sine
from townhall.bench.phones.apart import CrowdApart
from townhall.bench.phones.shared import SharedFile, recording_bytes, recording_in
from townhall.bench.server.processes import shares, spent
from townhall.bench.server.subject import BenchFailed


def test_crowd_apart_hears_records_and_counts() -> None:
    said = encode_ulaw(sine(440.0, 1.0, 8000)).reshape(50, 160)
    crowd = CrowdApart(2, {0: said})
    try:
        crowd.begin_recording(1.0)
        crowd.connect(0, (crowd.address(1), crowd.port(1)))
        crowd.connect(1, (crowd.address(0), crowd.port(0)))
        assert crowd.address(0) != crowd.address(1)
        while not crowd.has_heard(1):
            time.sleep(0.01)  # told in another process
        recording, window = crowd.end_recording(), crowd.end_window()
        assert crowd.loud_at > 0
        assert not crowd.has_heard(0)
    finally:
        crowd.stop()
    assert recording.sound(np.array([1]))[0, 0].tolist() in said.tolist()
    assert np.isfinite(recording.at[1, 0])
    assert len(recording.seconds_at) == 4
    assert window.packets[1] > 0
    assert window.late_s.min() >= 0


def test_processor_time_of_a_crowd_apart_is_the_load_makers() -> None:
    crowd = CrowdApart(1)
    try:
        first = spent(os.getpid())
        ours = time.process_time()
        while (last := spent(os.getpid())).load_maker - first.load_maker <= time.process_time() - ours:
            pass  # it takes its time, though its phones are silent
        assert shares(first, last).load_maker > 0
    finally:
        crowd.stop()


def test_crowd_whose_process_has_ended_says_so() -> None:
    crowd = CrowdApart(1)
    try:
        os.kill(crowd._process.pid, signal.SIGKILL)
        with pytest.raises(BenchFailed, match="phones' process has ended"):
            crowd.end_window()
    finally:
        crowd.stop()


def test_recording_in_shared_memory_is_seen_by_both() -> None:
    shared = SharedFile(recording_bytes(3, 5))
    ours, theirs = (recording_in(shared.path, 3, 5) for _ in range(2))
    shared.close()
    ours.first[:] = -1
    ours.at[:] = np.nan
    payloads = np.full((2, 160), 0x12, np.uint8)
    theirs.keep(np.array([1, 2]), np.array([800, 160]), payloads, np.array([1.0, 2.0]))
    assert (ours.sound(np.array([1]))[0, 0] == 0x12).all()
    assert ours.first.tolist() == [-1, 800, 160]
    assert ours.at[:, 0].tolist()[1:] == [1.0, 2.0]
    assert (ours.sound(np.array([0])) == 0xFF).all()
