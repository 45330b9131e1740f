"""A recorder with parts in several media processes."""

import asyncio

import pytest

from townhall.media.joint import JointPlayback, JointRecorder, RecordedTime
from townhall.media.leg import Playback
from townhall.media.protocol import Command, PauseRecorder, RecordedTalker, RecorderEnded, TalkerRecorded
from townhall.media.recording import Recorder


class Port:
    """Takes what recorders command."""

    def __init__(self) -> None:
        self.sent: list[Command] = []

    def send(self, command: Command) -> None:
        self.sent.append(command)


async def test_recorder_that_was_stopped_says_so_before_its_parts_have_ended() -> None:
    port = Port()
    first, second = Recorder(port, 1), Recorder(port, 2)
    whole = JointRecorder(port, [first, second])
    second.end(None, "its process died")
    assert not whole.stopping
    whole.stop()
    assert whole.stopping, "a process that is started again gets no part of it"
    assert not whole.over
    first.end(RecorderEnded(1, "finished", 160))
    assert whole.over


def test_time_that_a_pause_leaves_out_does_not_count() -> None:
    time = RecordedTime(began=100.0)
    assert time.samples(102.0) == 16_000
    time.skip(102.0)
    assert time.samples(107.0) == 16_000
    time.skip(105.0)
    time.go_on(110.0)
    assert time.samples(110.0) == 16_000
    time.go_on(111.0)
    assert time.samples(111.5) == 28_000


def test_time_is_told_in_whole_ticks_and_never_before_the_beginning() -> None:
    time = RecordedTime(began=100.0)
    assert time.samples(100.031) == 320
    assert time.samples(99.0) == 0


@pytest.mark.parametrize(
    ("behaviour", "first"), [("silence", 10 * 8000), ("skip", 4 * 8000), (None, 10 * 8000)]
)
async def test_part_that_comes_later_tells_its_talkers_from_the_beginning_of_the_whole(
    behaviour: str | None, first: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 50.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    port, told = Port(), list[TalkerRecorded]()
    early, late = Recorder(port, 1), Recorder(port, 2)
    whole = JointRecorder(port, [early])
    whole.on_talker = told.append
    if behaviour is not None:
        now = 53.0
        whole.pause("skip" if behaviour == "skip" else "silence")
        now = 59.0
        whole.resume()
    now = 60.0
    whole.add(late)
    assert late.on_talker is not None
    late.on_talker(TalkerRecorded(2, leg=7, path="251.wav", first=160))
    assert [event.first for event in told] == [first + 160]
    early.end(RecorderEnded(1, "finished", 8000))
    late.end(RecorderEnded(2, "finished", 1600, talkers=[RecordedTalker(7, "251.wav", 160, 800)]))
    ended = await whole.ended()
    assert ended is not None
    assert ended.samples == first + 1600
    assert [talker.first for talker in ended.talkers] == [first + 160]


async def test_part_that_comes_while_time_is_left_out_is_paused_and_begins_where_the_pause_did(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = 50.0
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    port, told = Port(), list[TalkerRecorded]()
    whole = JointRecorder(port, [Recorder(port, 1)])
    whole.on_talker = told.append
    now = 51.0
    whole.pause("skip")
    now = 55.0
    late = Recorder(port, 2)
    whole.add(late)
    assert port.sent == [PauseRecorder(1, "skip"), PauseRecorder(2, "skip")]
    assert late.on_talker is not None
    late.on_talker(TalkerRecorded(2, leg=7, path="251.wav", first=0))
    assert [event.first for event in told] == [8000]


async def test_part_that_is_lost_may_be_followed_by_another_unless_the_whole_is_stopping() -> None:
    port = Port()
    first, second = Recorder(port, 1), Recorder(port, 2)
    whole = JointRecorder(port, [first])
    whole.on_part_lost = lambda: whole.add(second)
    whole.pause("silence")
    first.end(None, "its process died")
    assert not whole.over
    assert port.sent == [PauseRecorder(1, "silence"), PauseRecorder(2, "silence")]
    whole.stop()
    second.end(None, "that one too")
    assert await whole.ended() is None
    assert whole.lost == "its process died"


async def test_whole_of_which_a_part_was_lost_has_finished_and_says_why_it_has_a_gap() -> None:
    port = Port()
    first, second = Recorder(port, 1), Recorder(port, 2)
    whole = JointRecorder(port, [first, second])
    first.end(None, "its process died")
    second.end(RecorderEnded(2, "finished", 1600))
    assert await whole.ended() == RecorderEnded(2, "finished", 1600, detail="its process died")


async def test_play_of_which_a_part_came_later_ends_with_the_last_of_them() -> None:
    port = Port()
    early, late = Playback(port, 1, None), Playback(port, 2, None)
    whole = JointPlayback(port, [early])
    whole.add(late)
    early.end("stopped")
    assert whole.outcome is None
    late.end("finished")
    assert whole.outcome == "finished"
