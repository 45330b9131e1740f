"""Conferences over two media engines on a virtual clock: who hears whom, exactly how loud, and since when."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from tests.harness.media_rig import SETTLED_TICKS, heard_in, write_clip
from tests.harness.opus_phone import TonePhone, call_tones
from tests.harness.twin_rigs import TwinRigs

from townhall.media.protocol import (
    PlayFinished,
    PlayToBus,
    RecorderEnded,
    ShareBus,
    StartRecorder,
    StopRecorder,
)

PATIENCE_S = 40.0
TONES = (440.0, 700.0, 1000.0, 1500.0, 2200.0, 6000.0)
HEARD_TICKS = 60


@pytest.fixture
def twins() -> Iterator[TwinRigs]:
    with TwinRigs() as twins:
        yield twins


def mix_of(*levels: int) -> int:
    """What a phone hears of those who say these levels."""
    return heard_in("PCMU", sum(heard_in("PCMU", level) for level in levels))


def conference(twins: TwinRigs, *levels: int | None, bus: str = "bus") -> None:
    """Legs 1, 2, …: who says a level is heard, all hear."""
    first = len(twins.phones) + 1
    for leg, level in enumerate(levels, first):
        twins.call(leg, level)
        twins.mix(leg, bus, hears=True, heard=level is not None)


@pytest.mark.parametrize("workers", [2, 3])
def test_everybody_hears_all_others_wherever_they_are_and_not_himself(workers: int) -> None:
    levels = [1000, 2000, -500, 4000, None, None]
    with TwinRigs(workers) as twins:
        conference(twins, *levels)
        talkers = {leg: level for leg, level in enumerate(levels, 1) if level is not None}
        assert twins.hear() == {
            leg: mix_of(*(level for other, level in talkers.items() if other != leg)) for leg in range(1, 7)
        }


def test_conferences_do_not_meet(twins: TwinRigs) -> None:
    conference(twins, 1000, None, bus="a")
    conference(twins, 2000, None, bus="b")
    conference(twins, 4000, bus="c")
    assert twins.hear() == {1: 0, 2: mix_of(1000), 3: 0, 4: mix_of(2000), 5: 0}


def test_mute_hold_and_hanging_up_are_heard_elsewhere_at_once(twins: TwinRigs) -> None:
    conference(twins, 1000, 2000, None, None)
    assert twins.hear() == {1: mix_of(2000), 2: mix_of(1000), 3: mix_of(1000, 2000), 4: mix_of(1000, 2000)}
    twins.mix(1, "bus", hears=True)
    twins.tick(2)
    assert twins.phones[4].hears() == mix_of(2000)
    twins.mix(2, "bus")
    assert twins.hear() == {1: 0, 2: 0, 3: 0, 4: 0}
    twins.mix(1, "bus", hears=True, heard=True)
    twins.tick()
    twins.close_leg(1)
    twins.tick(2)
    assert twins.phones[4].hears() == 0
    assert twins.hear() == {2: 0, 3: 0, 4: 0}


def test_voice_from_elsewhere_is_heard_one_tick_later_than_at_home(twins: TwinRigs) -> None:
    conference(twins, 1000, None, None)
    twins.tick()
    twins.mix(1, "bus", hears=True)
    twins.tick(1)
    assert (twins.phones[3].hears(), twins.phones[2].hears()) == (0, mix_of(1000))
    twins.tick(1)
    assert (twins.phones[3].hears(), twins.phones[2].hears()) == (0, 0)


def test_bus_is_its_workers_own_again_when_the_others_have_left(twins: TwinRigs) -> None:
    conference(twins, 1000, 2000, 4000)
    twins.tick()
    twins.close_leg(2)
    assert twins.hear() == {1: mix_of(4000), 3: mix_of(1000)}
    shared = [rig.engine.parts.shared for rig in twins.rigs]
    assert [len(each.buses) for each in shared if each is not None] == [0, 0]
    assert twins.rigs[0].engine.parts.buses.index_of("bus") == -1


def test_engine_that_dies_falls_silent_and_the_rest_goes_on(twins: TwinRigs) -> None:
    conference(twins, 1000, 2000, 4000, None)
    twins.tick()
    for _ in range(SETTLED_TICKS):
        twins.rigs[1].tick()
    assert twins.phones[1].hears() == mix_of(4000)
    twins.obey(twins.spanning.lost(0))
    for _ in range(SETTLED_TICKS):
        twins.rigs[1].tick()
    assert (twins.phones[1].hears(), twins.phones[3].hears()) == (mix_of(4000), mix_of(1000))


def test_whisper_reaches_one_leg_of_another_engine_and_nobody_else(twins: TwinRigs) -> None:
    conference(twins, 1000, 2000, 4000, None)
    twins.call(5, 300)
    twins.call(6, 700)
    twins.mix(5, "bus", hears=True, whisper_to=2)
    twins.mix(6, "bus", hears=True, whisper_to=2)
    heard = {
        1: mix_of(2000, 4000),
        2: mix_of(1000, 4000, 300, 700),
        3: mix_of(1000, 2000),
        4: mix_of(1000, 2000, 4000),
        5: mix_of(1000, 2000, 4000),
        6: mix_of(1000, 2000, 4000),
    }
    assert twins.hear() == heard
    twins.mix(2, "bus", heard=True)  # on hold: he hears nobody, nor the whisper
    assert twins.hear() == heard | {2: 0}
    twins.mix(2, "bus", hears=True, heard=True)
    twins.mix(5, "bus", hears=True)
    assert twins.hear() == heard | {2: mix_of(1000, 4000, 700)}
    twins.close_leg(6)
    assert twins.hear()[2] == mix_of(1000, 4000)


def test_beep_is_heard_once_by_everybody_but_its_owner(twins: TwinRigs, tmp_path: Path) -> None:
    conference(twins, 1000, None, None, None)
    clip = write_clip(tmp_path / "beep.wav", [2000] * 160 * 50)
    for worker in twins.spanning.workers_of("bus"):
        twins.rigs[worker].handle(PlayToBus("bus", 1, [clip], owner=2))
        twins.rigs[worker].load()
    twins.tick(20)
    heard = {leg: phone.hears() for leg, phone in twins.phones.items()}
    both = mix_of(1000, 2000)
    assert heard == {1: mix_of(2000), 2: mix_of(1000), 3: both, 4: both}
    twins.tick(50)
    assert [len(rig.events_of(PlayFinished)) for rig in twins.rigs] == [1, 1]
    assert twins.hear() == {1: 0, 2: mix_of(1000), 3: mix_of(1000), 4: mix_of(1000)}


def recorded(twins: TwinRigs, worker: int, path: Path) -> np.ndarray:
    """Stop the recorder and read its file, `(samples, channels)`."""
    rig = twins.rigs[worker]
    rig.handle(StopRecorder(1))
    for _ in range(3):
        rig.tick()
        assert rig.engine.recorders.writer.wait(PATIENCE_S)
    assert len(rig.events_of(RecorderEnded)) == 1
    return soundfile.read(path, dtype="int16", always_2d=True)[0]


def test_recorder_has_the_talkers_of_all_engines_also_where_nobody_is_left(
    twins: TwinRigs, tmp_path: Path
) -> None:
    path = tmp_path / "bus.wav"
    conference(twins, 1000, 2000, 4000)
    twins.obey(twins.spanning.join("bus", 0))
    twins.tick()
    twins.rigs[0].handle(StartRecorder(1, str(path), "bus", bus="bus"))
    twins.tick(10)
    twins.close_leg(2)
    twins.tick(10)
    samples = recorded(twins, 0, path)[:, 0]
    voices = [heard_in("PCMU", level) for level in (1000, 2000, 4000)]
    assert samples[800] == sum(voices)
    assert samples[-800] == voices[0] + voices[2]


def test_first_channel_is_one_leg_and_the_second_everybody_else(twins: TwinRigs, tmp_path: Path) -> None:
    path = tmp_path / "dual.wav"
    conference(twins, 1000, 2000, 4000)
    twins.tick()
    twins.rigs[1].handle(StartRecorder(1, str(path), "bus", bus="bus", leg=1, channels=2))
    twins.tick(10)
    voices = [heard_in("PCMU", level) for level in (1000, 2000, 4000)]
    assert recorded(twins, 1, path)[800].tolist() == [voices[0], voices[1] + voices[2]]


def test_wide_legs_hear_each_other_in_the_wide_band_from_engine_to_engine(twins: TwinRigs) -> None:
    said = {1: (1000.0, 6000.0), 2: (1500.0,), 3: (700.0,), 4: (440.0,), 5: (), 6: (), 7: (), 8: ()}
    codecs = {2: "G722", 3: "PCMU", 4: "PCMA", 6: "G722", 7: "PCMU", 8: "PCMA"}
    for leg, tones in said.items():
        call_tones(twins.opened(leg), leg, tones, codecs.get(leg, "opus"))
    for leg in said:
        twins.mix(leg, "bus", hears=True, heard=leg <= 4)
    twins.tick(HEARD_TICKS)
    everything = {440.0, 700.0, 1000.0, 1500.0}
    heard = {
        leg: phone.hears_hz(TONES) for leg, phone in twins.phones.items() if isinstance(phone, TonePhone)
    }
    assert heard == {
        1: {440.0, 700.0, 1500.0},
        2: {440.0, 700.0, 1000.0, 6000.0},
        3: {440.0, 1000.0, 1500.0},
        4: {700.0, 1000.0, 1500.0},
        5: everything | {6000.0},
        6: everything | {6000.0},
        7: everything,
        8: everything,
    }


def test_wide_leg_is_whispered_to_from_another_engine(twins: TwinRigs) -> None:
    call_tones(twins.opened(1), 1, (1000.0,))
    call_tones(twins.opened(2), 2, (700.0,))
    call_tones(twins.opened(3), 3, (440.0,), "PCMU")
    call_tones(twins.opened(4), 4)
    for leg in (1, 4):
        twins.mix(leg, "bus", hears=True, heard=True)
    for leg in (2, 3):
        twins.mix(leg, "bus", hears=True, whisper_to=1 if leg == 2 else 4)
    twins.tick(HEARD_TICKS)
    phones = twins.phones
    assert {leg: phones[leg].hears_hz(TONES) for leg in (1, 2, 3, 4)} == {
        1: {700.0},
        2: {1000.0},
        3: {1000.0},
        4: {440.0, 1000.0},
    }


def test_row_that_the_memory_does_not_have_is_ignored(twins: TwinRigs) -> None:
    conference(twins, 1000, None)
    twins.tick()
    twins.rigs[0].handle(ShareBus("bus", None), ShareBus("bus", None), ShareBus("bus", 10**6))
    assert twins.hear() == {1: 0, 2: 0}
