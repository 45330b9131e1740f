"""Plays to legs and buses, sample by sample."""

from pathlib import Path

import numpy as np
import pytest
from tests.harness.media_rig import Rig, heard_in, write_clip

from townhall.audio.g711 import ULAW_DECODE, encode_ulaw
from townhall.media.clips import ClipStore
from townhall.media.protocol import (
    CloseLeg,
    Play,
    PlayFinished,
    PlayToBus,
    StopPlay,
)


def ramp(count: int, seed: int = 0) -> np.ndarray:
    """Samples that µ-law keeps, every stretch of them distinct."""
    codes = np.random.default_rng(seed).integers(0, 255, count, np.uint8)
    return ULAW_DECODE[codes]


def as_heard(samples: np.ndarray) -> list[int]:
    return ULAW_DECODE[encode_ulaw(samples.astype(np.int16))].tolist()


def finished(rig: Rig) -> list[tuple[int, str]]:
    return [(event.play, event.outcome) for event in rig.events_of(PlayFinished)]


def test_clip_is_heard_sample_by_sample_and_finishes(rig: Rig, tmp_path: Path) -> None:
    clip = ramp(1000)
    phone = rig.call(1)
    rig.handle(Play(1, 7, [write_clip(tmp_path / "a.wav", clip)]))
    rig.load()
    rig.tick(6)
    assert finished(rig) == []
    rig.tick(3)
    assert phone.samples(9) == as_heard(clip) + [0] * (9 * 160 - 1000)
    assert finished(rig) == [(7, "finished")]


def test_clips_of_one_play_follow_each_other_without_a_gap(rig: Rig, tmp_path: Path) -> None:
    clips = [ramp(250, 1), ramp(333, 2), ramp(480, 3)]
    phone = rig.call(1)
    paths = [write_clip(tmp_path / f"{place}.wav", clip) for place, clip in enumerate(clips)]
    rig.handle(Play(1, 7, paths, loops=2))
    rig.load()
    rig.tick(15)
    whole = np.concatenate(clips * 2)
    assert phone.samples(15)[: len(whole)] == as_heard(whole)
    assert set(phone.samples(15)[len(whole) :]) == {0}
    assert finished(rig) == [(7, "finished")]


@pytest.mark.parametrize("length", [160, 161, 319, 320, 1000])
def test_loop_without_end_has_no_seam(rig: Rig, tmp_path: Path, length: int) -> None:
    clip = ramp(length)
    phone = rig.call(1)
    rig.handle(Play(1, 7, [write_clip(tmp_path / "music.wav", clip)], loops=0))
    rig.load()
    rig.tick(40)
    assert phone.samples(40) == as_heard(np.tile(clip, 40 * 160 // length + 1)[: 40 * 160])
    assert finished(rig) == []
    rig.handle(StopPlay(1, 7))
    rig.tick()
    assert finished(rig) == [(7, "stopped")]
    assert phone.hears() == 0


@pytest.mark.parametrize("length", [160, 320])
def test_clip_of_whole_frames_finishes_with_its_last_one(rig: Rig, tmp_path: Path, length: int) -> None:
    rig.call(1)
    rig.handle(Play(1, 7, [write_clip(tmp_path / "a.wav", ramp(length))]))
    rig.load()
    rig.tick(length // 160)
    assert finished(rig) == [(7, "finished")]


def test_leg_with_a_play_hears_the_play_and_not_its_bus(rig: Rig, tmp_path: Path) -> None:
    rig.call(1, 1000)
    rig.call(2, 500, "PCMA")
    for leg in (1, 2):
        rig.mix(leg, "a", hears=True, heard=True)
    rig.handle(Play(2, 7, [write_clip(tmp_path / "music.wav", [2000] * 8000)], loops=0))
    rig.load()
    rig.settle()
    assert rig.phones[2].hears() == heard_in("PCMA", 2000)
    assert rig.phones[1].hears() == heard_in("PCMU", heard_in("PCMA", 500))
    rig.handle(StopPlay(2, 7))
    rig.settle()
    assert rig.phones[2].hears() == heard_in("PCMA", heard_in("PCMU", 1000))


def test_leg_whose_clip_is_still_loading_hears_silence_not_its_bus(rig: Rig, tmp_path: Path) -> None:
    rig.call(1, 1000)
    rig.call(2)
    for leg in (1, 2):
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    rig.settle()
    slow = tmp_path / "music.wav"
    write_clip(slow, ramp(8000))
    rig.engine.clips.collect = lambda: None  # the loader's work is not taken over
    rig.handle(Play(2, 7, [str(slow)], loops=0))
    rig.tick()
    assert rig.phones[2].hears() == 0


def test_play_replaces_the_one_before(rig: Rig, tmp_path: Path) -> None:
    phone = rig.call(1)
    first, second = (write_clip(tmp_path / f"{level}.wav", [level] * 8000) for level in (1000, 2000))
    rig.handle(Play(1, 7, [first], loops=0))
    rig.load()
    rig.tick(2)
    rig.handle(Play(1, 8, [second], loops=0))
    rig.load()
    rig.tick()
    assert finished(rig) == [(7, "stopped")]
    assert phone.hears() == heard_in("PCMU", 2000)


def test_stop_of_a_play_that_is_over_does_nothing_to_the_next(rig: Rig, tmp_path: Path) -> None:
    phone = rig.call(1)
    clip = write_clip(tmp_path / "a.wav", [1000] * 320)
    rig.handle(Play(1, 7, [clip]))
    rig.load()
    rig.tick(2)
    rig.handle(Play(1, 8, [clip], loops=0), StopPlay(1, 7))
    rig.tick()
    assert finished(rig) == [(7, "finished")]
    assert phone.hears() == heard_in("PCMU", 1000)


def test_close_of_a_leg_stops_its_play(rig: Rig, tmp_path: Path) -> None:
    rig.call(1)
    rig.handle(Play(1, 7, [write_clip(tmp_path / "a.wav", ramp(8000))], loops=0))
    rig.load()
    rig.tick()
    rig.handle(CloseLeg(1))
    assert finished(rig) == [(7, "stopped")]


@pytest.mark.parametrize(
    ("content", "says"),
    [(None, "No such file"), (b"", "not a WAV"), (b"RIFF" + b"x" * 100, "decode"), (b"ID3junk", "not a WAV")],
)
def test_bad_clip_fails_with_its_name_and_reason(
    rig: Rig, tmp_path: Path, content: bytes | None, says: str
) -> None:
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    rig.call(1)
    rig.handle(Play(1, 7, [str(path)]))
    rig.load()
    rig.tick()
    (event,) = rig.events_of(PlayFinished)
    assert event.outcome == "failed"
    assert "bad.wav" in event.detail
    assert says in event.detail
    assert rig.phones[1].hears() == 0


def test_bad_clip_that_was_mended_plays(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(b"not audio")
    phone = rig.call(1)
    rig.handle(Play(1, 7, [str(path)]))
    rig.load()
    rig.handle(Play(1, 8, [write_clip(path, [1000] * 8000)]))
    rig.load()
    rig.tick()
    assert phone.hears() == heard_in("PCMU", 1000)


def test_file_that_changed_is_read_again(rig: Rig, tmp_path: Path) -> None:
    phone = rig.call(1)
    path = tmp_path / "a.wav"
    rig.handle(Play(1, 7, [write_clip(path, [1000] * 800)]))
    rig.load()
    rig.handle(Play(1, 8, [write_clip(path, [2000] * 1600)]))
    rig.load()
    rig.tick()
    assert phone.hears() == heard_in("PCMU", 2000)


def test_play_without_clips_finishes_at_once(rig: Rig) -> None:
    rig.call(1)
    rig.handle(Play(1, 7, []))
    assert finished(rig) == [(7, "finished")]


def test_play_on_hold_goes_by_in_real_time(rig: Rig, tmp_path: Path) -> None:
    phone = rig.call(1, send=False)
    rig.handle(Play(1, 7, [write_clip(tmp_path / "a.wav", ramp(320))]))
    rig.load()
    rig.tick(2)
    assert finished(rig) == [(7, "finished")]
    assert phone.heard == []


def test_beep_is_heard_by_all_but_its_owner_and_on_top_of_talk(rig: Rig, tmp_path: Path) -> None:
    for leg, level in ((1, 1000), (2, None), (3, None)):
        rig.call(leg, level)
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    rig.settle()
    rig.handle(PlayToBus("a", 9, [write_clip(tmp_path / "beep.wav", [4000] * 480)], owner=3))
    rig.load()
    rig.tick(2)
    beep, voice = heard_in("PCMU", 4000), heard_in("PCMU", 1000)
    assert [rig.phones[leg].hears() for leg in (1, 2, 3)] == [
        heard_in("PCMU", beep),
        heard_in("PCMU", beep + voice),
        heard_in("PCMU", voice),
    ]
    rig.tick(2)
    assert finished(rig) == [(9, "finished")]
    assert [rig.phones[leg].hears() for leg in (1, 2, 3)] == [0, voice, voice]


def test_beep_does_not_reach_another_bus(rig: Rig, tmp_path: Path) -> None:
    for leg, bus in ((1, "a"), (2, "b")):
        rig.call(leg)
        rig.mix(leg, bus, hears=True)
    rig.handle(PlayToBus("a", 9, [write_clip(tmp_path / "beep.wav", [4000] * 480)]))
    rig.load()
    rig.tick(2)
    assert rig.phones[1].hears() == heard_in("PCMU", 4000)
    assert rig.phones[2].hears() == 0


def test_bus_that_empties_stops_what_plays_in_it(rig: Rig, tmp_path: Path) -> None:
    rig.call(1)
    rig.mix(1, "a", hears=True)
    rig.handle(PlayToBus("a", 9, [write_clip(tmp_path / "beep.wav", [4000] * 48000)]))
    rig.load()
    rig.tick(2)
    rig.mix(1, None)
    assert finished(rig) == [(9, "stopped")]


def test_many_plays_of_one_clip_load_it_once(rig: Rig, tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "music.wav", [1000] * 8000)
    for leg in range(1, 101):
        rig.call(leg)
        rig.handle(Play(leg, leg, [clip], loops=0))
    rig.load()
    rig.tick()
    assert {phone.hears() for phone in rig.phones.values()} == {heard_in("PCMU", 1000)}
    assert rig.engine.clips.loads == 1


def test_arena_evicts_the_longest_unused_clip_and_never_one_that_plays(tmp_path: Path) -> None:
    store = ClipStore(2 * 10_000)
    paths = [write_clip(tmp_path / f"{place}.wav", [place + 1] * 3000) for place in range(4)]
    playing = store.use(paths[0])
    store.wait_loaded(5)
    for path in paths[1:3]:
        store.release(store.use(path))
        store.wait_loaded(5)
    last = store.use(paths[3])
    store.wait_loaded(5)
    assert playing.ready
    assert last.ready
    again = store.use(paths[2])
    assert again.ready, "the clip used last of all unused ones was evicted"
    gone = store.use(paths[1])
    store.wait_loaded(5)
    assert "no room" in gone.failed
    store.close()


def test_play_to_a_bus_is_stopped_by_its_number(rig: Rig, tmp_path: Path) -> None:
    phone = rig.call(1)
    rig.mix(1, "a", hears=True)
    rig.handle(PlayToBus("a", 9, [write_clip(tmp_path / "long.wav", [4000] * 48000)]))
    rig.load()
    rig.tick(2)
    rig.handle(StopPlay(0, 9))
    rig.tick()
    assert finished(rig) == [(9, "stopped")]
    assert phone.hears() == 0


@pytest.mark.parametrize("skip", [0, 160, 320, 480, 960])
def test_play_to_a_bus_begins_as_late_as_it_is_told(rig: Rig, tmp_path: Path, skip: int) -> None:
    clips = [ramp(400, 1) // 4, ramp(560, 2) // 4]  # quiet: the bus limits nothing
    phone = rig.call(1)
    rig.mix(1, "a", hears=True)
    paths = [write_clip(tmp_path / f"{place}.wav", clip) for place, clip in enumerate(clips)]
    rig.handle(PlayToBus("a", 9, paths, skip=skip))
    rig.load()
    rig.tick(8)
    rest = as_heard(np.concatenate(clips)[skip:])
    assert phone.samples(8)[: len(rest)] == rest
    assert set(phone.samples(8)[len(rest) :]) == {0}
    assert finished(rig) == [(9, "finished")]
