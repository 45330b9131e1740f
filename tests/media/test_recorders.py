"""Recorders on a virtual clock: what is on the tape, and exactly where."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.harness.media_rig import Rig, heard_in, write_clip

from townhall.media.protocol import (
    CloseLeg,
    PauseRecorder,
    Play,
    PlayToBus,
    RecorderEnded,
    ResumeRecorder,
    SpeechStarted,
    StartRecorder,
    StopRecorder,
    TalkerRecorded,
)
from townhall.media.shapes import TICK_SAMPLES
from townhall.media.tapes import TICKS_A_WRITE

PATIENCE_S = 40.0


@pytest.fixture
def rig() -> Iterator[Rig]:
    rig = Rig()
    yield rig
    rig.close()


def u(level: int) -> int:
    return heard_in("PCMU", level)


def ended(rig: Rig, recorder: int = 1) -> RecorderEnded:
    """Stop the recorder, if it still runs, and wait for its files."""
    rig.handle(StopRecorder(recorder))
    for _ in range(3):
        rig.tick()
        assert rig.engine.recorders.writer.wait(PATIENCE_S)
    found = [event for event in rig.events_of(RecorderEnded) if event.recorder == recorder]
    assert len(found) == 1, found
    return found[0]


def read(path: Path | str) -> np.ndarray:
    """int16 `(samples, channels)`."""
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    assert rate == 8000
    return samples


def levels(samples: np.ndarray) -> list[int]:
    """The level of each tick of one channel, which must be steady."""
    ticks = samples.reshape(-1, TICK_SAMPLES)
    assert (ticks == ticks[:, :1]).all(), "a frame is not steady"
    return ticks[:, 0].tolist()


def talk(rig: Rig, **levels: int) -> None:
    """Legs 1, 2 … that are heard on bus `b` with these levels."""
    for number, level in enumerate(levels.values(), 1):
        rig.call(number, level)
        rig.mix(number, "b", hears=True, heard=True)
    rig.settle()


def test_bus_recorder_has_the_sum_of_the_talkers_and_nothing_of_the_rest(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000, b=2000)
    rig.call(3, 4000)
    rig.mix(3, "b", hears=True)  # muted
    rig.call(4, 8000)
    rig.mix(4, "b", hears=True, whisper_to=1)  # a coach
    rig.settle()
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.tick(60)
    event = ended(rig)
    assert (event.outcome, event.samples, event.lost) == ("finished", 60 * TICK_SAMPLES, 0)
    assert levels(read(tmp_path / "r.wav")[:, 0]) == [u(1000) + u(2000)] * 60


def test_bus_recorder_follows_who_is_heard_tick_by_tick(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000, b=2000)
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.tick(7)
    rig.mix(2, "b", hears=True)
    rig.tick(5)
    rig.mix(1, None)
    rig.tick(4)
    ended(rig)
    expected = [u(1000) + u(2000)] * 7 + [u(1000)] * 5 + [0] * 4
    assert levels(read(tmp_path / "r.wav")[:, 0]) == expected


def test_bus_recorder_of_a_bus_that_is_gone_records_silence_not_the_next_bus(
    rig: Rig, tmp_path: Path
) -> None:
    talk(rig, a=1000)
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.tick(2)
    rig.mix(1, "c", hears=True, heard=True)
    rig.tick(2)
    rig.mix(1, "b", hears=True, heard=True)
    rig.tick(2)
    ended(rig)
    assert levels(read(tmp_path / "r.wav")[:, 0]) == [u(1000)] * 2 + [0] * 2 + [u(1000)] * 2


def test_dual_bus_recorder_has_the_first_leg_alone_and_everybody_else(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000, b=2000, c=4000)
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b", leg=1, channels=2))
    rig.tick(3)
    rig.mix(1, "b", hears=True)
    rig.tick(3)
    rig.handle(CloseLeg(1))
    rig.tick(3)
    ended(rig)
    samples = read(tmp_path / "r.wav")
    assert levels(samples[:, 0]) == [u(1000)] * 3 + [0] * 6
    assert levels(samples[:, 1]) == [u(2000) + u(4000)] * 9


def test_bus_recorder_has_beeps_and_announcements(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000)
    clip = write_clip(tmp_path / "beep.wav", [u(3000)] * 4 * TICK_SAMPLES)
    rig.handle(PlayToBus("b", 7, [clip]))
    rig.load()
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.tick(6)
    ended(rig)
    assert levels(read(tmp_path / "r.wav")[:, 0]) == [u(1000) + u(3000)] * 4 + [u(1000)] * 2


def test_talkers_recorder_gives_each_a_file_that_begins_when_he_is_first_heard(
    rig: Rig, tmp_path: Path
) -> None:
    talk(rig, a=1000)
    rig.call(2, 2000)
    rig.mix(2, "b", hears=True)
    rig.settle()
    rig.handle(StartRecorder(1, str(tmp_path / "r"), "talkers", bus="b"))
    rig.tick(10)
    rig.mix(2, "b", hears=True, heard=True)
    rig.settle()
    rig.mix(1, "b", hears=True)
    rig.tick(4)
    rig.mix(1, "b", hears=True, heard=True)
    rig.settle()
    event = ended(rig)
    begun = rig.events_of(TalkerRecorded)
    assert [(b.leg, b.first) for b in begun] == [(1, 0), (2, 10 * TICK_SAMPLES)]
    first, second = event.talkers
    assert (first.leg, first.first, second.leg, second.first) == (1, 0, 2, 10 * TICK_SAMPLES)
    assert event.samples == (10 + 25 + 4 + 25) * TICK_SAMPLES
    mine = read(first.path)[:, 0]
    assert len(mine) == 64 * TICK_SAMPLES
    assert levels(mine[: 39 * TICK_SAMPLES]) == [u(1000)] * 35 + [0] * 4
    assert levels(mine[-5 * TICK_SAMPLES :]) == [u(1000)] * 5
    other = read(second.path)[:, 0]
    assert len(other) == 54 * TICK_SAMPLES
    assert set(levels(other[10 * TICK_SAMPLES :])) == {u(2000)}


def test_leg_recorders_have_what_it_says_what_it_hears_both_and_each(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000, b=2000)
    rig.mix(1, "b", hears=True)  # muted: what he says is recorded all the same
    rig.settle()
    for number, track, channels in ((1, "inbound", 1), (2, "outbound", 1), (3, "both", 1), (4, "both", 2)):
        rig.handle(
            StartRecorder(
                number, str(tmp_path / f"{number}.wav"), "leg", leg=1, track=track, channels=channels
            )
        )
    rig.settle()
    rig.tick(5)
    for number in range(1, 5):
        ended(rig, number)
    last = [read(tmp_path / f"{number}.wav")[3000].tolist() for number in range(1, 5)]
    assert last == [[u(1000)], [u(2000)], [u(1000) + u(2000)], [u(1000), u(2000)]]


def test_leg_recorder_has_the_prompt_that_a_leg_hears_in_its_own_law(rig: Rig, tmp_path: Path) -> None:
    rig.call(1, None, "PCMA")
    clip = write_clip(tmp_path / "prompt.wav", [1000] * 8 * TICK_SAMPLES)
    rig.handle(Play(1, 5, [clip]))
    rig.load()
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "leg", leg=1, track="outbound"))
    rig.tick(10)
    ended(rig)
    heard = levels(read(tmp_path / "r.wav")[:, 0])
    assert heard[:8] == [heard_in("PCMA", 1000)] * 8
    assert heard[8:] == [heard_in("PCMA", 0)] * 2


def test_leg_recorder_ends_with_its_leg(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000)
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "leg", leg=1, track="inbound"))
    rig.tick(30)
    rig.handle(CloseLeg(1))
    rig.tick(30)
    event = ended(rig)
    assert (event.outcome, event.samples) == ("finished", 30 * TICK_SAMPLES)


def test_recorder_of_a_leg_that_is_gone_ends_at_once(rig: Rig, tmp_path: Path) -> None:
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "leg", leg=9, track="inbound"))
    event = ended(rig)
    assert (event.outcome, event.samples) == ("finished", 0)


@pytest.mark.parametrize(("behaviour", "middle"), [("skip", []), ("silence", [0] * 6)])
def test_pause_is_left_out_or_silence(rig: Rig, tmp_path: Path, behaviour: str, middle: list[int]) -> None:
    talk(rig, a=1000)
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.tick(4)
    rig.handle(PauseRecorder(1, behaviour))
    rig.tick(6)
    rig.handle(ResumeRecorder(1))
    rig.tick(3)
    event = ended(rig)
    assert levels(read(tmp_path / "r.wav")[:, 0]) == [u(1000)] * 4 + middle + [u(1000)] * 3
    assert event.samples == (7 + len(middle)) * TICK_SAMPLES


@pytest.mark.parametrize(("behaviour", "ticks"), [("skip", 4), ("silence", 10)])
def test_recorder_that_ends_while_paused_is_as_long_as_it_says(
    rig: Rig, tmp_path: Path, behaviour: str, ticks: int
) -> None:
    talk(rig, a=1000)
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.tick(4)
    rig.handle(PauseRecorder(1, behaviour))
    rig.tick(6)
    assert ended(rig).samples == ticks * TICK_SAMPLES
    assert len(read(tmp_path / "r.wav")) == ticks * TICK_SAMPLES


def test_limit_ends_it_by_itself_and_leaves_others_whole(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000)
    rig.handle(StartRecorder(1, str(tmp_path / "1.wav"), "bus", bus="b", limit_s=0.2))
    rig.handle(StartRecorder(2, str(tmp_path / "2.wav"), "bus", bus="b"))
    rig.tick(15)
    assert ended(rig, 2).samples == 15 * TICK_SAMPLES
    (first, _) = rig.events_of(RecorderEnded)
    assert (first.recorder, first.outcome, first.samples) == (1, "limit", 10 * TICK_SAMPLES)
    assert levels(read(tmp_path / "1.wav")[:, 0]) == [u(1000)] * 10
    assert levels(read(tmp_path / "2.wav")[:, 0]) == [u(1000)] * 15


def test_ticks_missed_in_a_stall_are_silence_of_their_length(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000)
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.tick(4)
    rig.engine.skip(5)
    rig.settle()
    ended(rig)
    found = read(tmp_path / "r.wav")[:, 0]
    assert len(found) == 34 * TICK_SAMPLES
    assert levels(found[: 9 * TICK_SAMPLES]) == [u(1000)] * 4 + [0] * 5


def test_speech_of_a_recorded_leg_is_told_where_it_is_asked_for(rig: Rig, tmp_path: Path) -> None:
    rig.call(1, None)
    rig.call(2, None)
    for number, speech in ((1, True), (2, False)):
        command = StartRecorder(
            number, str(tmp_path / f"{number}.wav"), "leg", leg=number, track="inbound", speech=speech
        )
        rig.handle(command)
    rig.tick(20)
    assert not rig.events_of(SpeechStarted)
    rig.phones[1].level = rig.phones[2].level = 6000
    rig.settle()
    assert [event.leg for event in rig.events_of(SpeechStarted)] == [1]


def test_disk_that_is_full_or_refuses_ends_that_recorder_with_the_reason_and_no_other(
    rig: Rig, tmp_path: Path
) -> None:
    talk(rig, a=1000)
    (tmp_path / "1.wav").symlink_to("/dev/full")
    (tmp_path / "2").write_text("a file where a directory should be")
    for number, path in ((1, "1.wav"), (2, "2/r.wav"), (3, "3.wav")):
        rig.handle(StartRecorder(number, str(tmp_path / path), "bus", bus="b"))
    rig.tick(TICKS_A_WRITE)
    rig.engine.recorders.writer.wait(PATIENCE_S)
    rig.tick(1)
    rig.engine.recorders.writer.wait(PATIENCE_S)
    rig.tick(1)
    failed = {event.recorder: event for event in rig.events_of(RecorderEnded)}
    assert {number: (e.outcome, e.samples) for number, e in failed.items()} == {
        1: ("failed", 0),
        2: ("failed", 0),
    }
    assert "No space left" in failed[1].detail
    assert str(tmp_path / "2/r.wav") in failed[2].detail
    assert ended(rig, 3).samples == (TICKS_A_WRITE + 2) * TICK_SAMPLES
    assert set(levels(read(tmp_path / "3.wav")[:, 0])) == {u(1000)}


def test_file_plays_while_it_is_written(rig: Rig, tmp_path: Path) -> None:
    talk(rig, a=1000)
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.tick(60)
    rig.engine.recorders.writer.wait(PATIENCE_S)
    assert len(levels(read(tmp_path / "r.wav")[:, 0])) == 60
    assert (tmp_path / "r.wav").stat().st_mode & 0o777 == 0o600


def test_writer_that_falls_behind_loses_frames_counts_them_and_keeps_the_timeline(
    rig: Rig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("townhall.media.tapes.MOST_WAITING_BYTES", 30 * 2 * TICK_SAMPLES)
    talk(rig, a=1000)
    slow = tmp_path / "slow.wav"
    os.mkfifo(slow)  # opening it blocks the thread until somebody reads, as a dead network disk would
    rig.handle(StartRecorder(1, str(tmp_path / "r.wav"), "bus", bus="b"))
    rig.handle(StartRecorder(2, str(slow), "bus", bus="b"))
    rig.handle(StopRecorder(2))
    rig.tick(50)
    reader = os.open(slow, os.O_RDONLY | os.O_NONBLOCK)
    assert rig.engine.recorders.writer.wait(PATIENCE_S)
    rig.tick(5)
    event = ended(rig)
    os.close(reader)
    assert (event.samples, event.lost) == (55 * TICK_SAMPLES, 20 * TICK_SAMPLES)
    assert levels(read(tmp_path / "r.wav")[:, 0]) == [u(1000)] * 30 + [0] * 20 + [u(1000)] * 5
