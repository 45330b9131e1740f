"""Voices before the mix: levelled in both bands, plays left alone, hold music silenced and let go."""

from pathlib import Path

import numpy as np
import pytest
from tests.harness.media_rig import Rig, RigPhone
from tests.harness.opus_phone import call_tones
from tests.harness.speech import RATE, Samples, fan, frames_of, speech, wide_frames_of

from townhall.audio import hold_music, sine, write_wav
from townhall.audio.g711 import encode_ulaw
from townhall.media.protocol import (
    CloseLeg,
    ConditionLeg,
    ConnectLeg,
    LegHeld,
    LegResumed,
    Play,
    PlayFinished,
    SetMix,
    SpeechStarted,
    SpeechStopped,
    StartRecorder,
)


def _say(rig: Rig, **sounds: Samples) -> None:
    """Phones by leg number (`_1=…`) say these, one frame a tick, until the longest is over."""
    said = {int(name[1:]): frames_of(samples) for name, samples in sounds.items()}
    for tick in range(max(map(len, said.values()))):
        for leg, frames in said.items():
            if tick < len(frames):
                phone = rig.phones[leg]
                rig.send(phone, phone.packet(encode_ulaw(frames[tick]).tobytes()))
                phone.timestamp += 160
        rig.tick()


def _level(phone: RigPhone, packets: int) -> float:
    """Active level of the last packets that a phone was sent, dBFS."""
    frames = np.array(phone.samples(packets), np.float64).reshape(-1, 160)
    power = np.square(frames).mean(axis=1)
    return float(10 * np.log10(power[power > power.max() / 100].mean() / 32768.0**2))


def test_quiet_and_loud_talkers_are_heard_alike(rig: Rig) -> None:
    for leg, bus in ((1, "a"), (2, "b")):
        rig.call(leg)
        rig.call(leg + 10)
        rig.mix(leg, bus, heard=True)
        rig.mix(leg + 10, bus, hears=True)
    _say(rig, _1=speech(8.0, -40.0), _2=speech(8.0, -10.0, seed=2))
    assert abs(_level(rig.phones[11], 200) - _level(rig.phones[12], 200)) < 3.0


def test_gain_can_be_switched_off_for_one_leg(rig: Rig) -> None:
    rig.call(1)
    rig.call(2)
    rig.handle(ConditionLeg(1, auto_gain=False))
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True)
    _say(rig, _1=speech(6.0, -40.0))
    assert _level(rig.phones[2], 200) < -37.0


@pytest.fixture
def ungained() -> Rig:
    rig = Rig(auto_gain=False)
    yield rig
    rig.close()


def test_gain_can_be_switched_off_for_all(ungained: Rig) -> None:
    ungained.call(1)
    ungained.call(2)
    ungained.mix(1, "a", heard=True)
    ungained.mix(2, "a", hears=True)
    _say(ungained, _1=speech(6.0, -40.0))
    assert _level(ungained.phones[2], 200) < -37.0


def test_own_voice_is_gone_from_what_a_levelled_talker_hears(rig: Rig) -> None:
    for leg in (1, 2):
        rig.call(leg)
        rig.mix(leg, "a", hears=True, heard=True)
    _say(rig, _1=speech(6.0, -40.0))
    assert not any(rig.phones[1].samples(250))
    assert any(rig.phones[2].samples(250))


def test_wide_talker_is_levelled_in_both_bands(rig: Rig) -> None:
    phone = call_tones(rig, 1)
    wide, narrow = call_tones(rig, 2), rig.call(3)
    rig.mix(1, "a", heard=True)
    for leg in (2, 3):
        rig.mix(leg, "a", hears=True)
    for frame in wide_frames_of(speech(8.0, -40.0)):
        rig.send(phone, phone.packet(phone.encoder.encode(frame)))
        phone.timestamp += 960
        rig.tick()
    sound = np.asarray(wide.sound()[-160 * 400 :], np.float64).reshape(-1, 320)
    power = np.square(sound).mean(axis=1)
    level = 10 * np.log10(power[power > power.max() / 100].mean() / 32768.0**2)
    assert level == pytest.approx(_level(narrow, 200), abs=2.0)
    assert level > -29.0


def test_plays_are_left_alone(rig: Rig, tmp_path: Path) -> None:
    path = tmp_path / "quiet.wav"
    path.write_bytes(write_wav(speech(4.0, -45.0), RATE))
    rig.call(1)
    rig.mix(1, "a", hears=True)
    rig.handle(Play(1, 1, [str(path)]))
    rig.load()
    rig.tick_until(PlayFinished)
    assert _level(rig.phones[1], 150) < -43.0


def test_tone_is_no_speech_of_a_talker_but_counts_in_a_message(rig: Rig, tmp_path: Path) -> None:
    rig.call(1)
    rig.call(2)
    rig.mix(1, "a", heard=True)
    recorder = StartRecorder(1, str(tmp_path / "m.wav"), "leg", leg=2, track="inbound", speech=True)
    rig.handle(recorder)
    tone = sine(440, 1.0, RATE, -20)
    _say(rig, _1=tone, _2=tone)
    assert [event.leg for event in rig.events_of(SpeechStarted)] == [2]


@pytest.fixture
def paused() -> Rig:
    rig = Rig(speech_pause_ms=200)
    yield rig
    rig.close()


def test_pause_that_ends_speech_is_as_set(paused: Rig) -> None:
    paused.call(1)
    paused.mix(1, "a", heard=True)
    gap = np.zeros(round(0.4 * RATE), np.int16)
    _say(paused, _1=np.concatenate((speech(1.0), gap, speech(1.0), gap)))
    assert len(paused.events_of(SpeechStarted)) == len(paused.events_of(SpeechStopped)) == 2


@pytest.fixture
def guarded() -> Rig:
    """Three seconds of music are too much here."""
    rig = Rig(hold_music_s=3.0)
    for leg in (1, 2):
        rig.call(leg)
    rig.mix(1, "a", hears=True, heard=True)
    rig.mix(2, "a", hears=True)
    yield rig
    rig.close()


def _music(seconds: float) -> Samples:
    return np.resize(hold_music(RATE), round(seconds * RATE))


def _silent(phone: RigPhone, packets: int) -> bool:
    return not any(phone.samples(packets))


def test_hold_music_is_silenced_and_told(guarded: Rig) -> None:
    _say(guarded, _1=_music(5.0))
    assert guarded.events_of(LegHeld) == [LegHeld(1, "music")]
    assert _silent(guarded.phones[2], 50)
    assert len(guarded.events_of(SpeechStarted)) == len(guarded.events_of(SpeechStopped))


def test_held_leg_is_let_go_by_a_voice_though_it_was_muted_meanwhile(guarded: Rig) -> None:
    _say(guarded, _1=sine(425, 5.0, RATE, -15))
    assert guarded.events_of(LegHeld) == [LegHeld(1, "tone")]
    guarded.handle(SetMix(1, "a", hears=True, heard=False))
    _say(guarded, _1=speech(9.0))
    assert guarded.events_of(LegResumed) == [LegResumed(1)]
    guarded.handle(SetMix(1, "a", hears=True, heard=True))
    _say(guarded, _1=speech(2.0))
    assert not _silent(guarded.phones[2], 50)
    assert guarded.events_of(LegResumed) == [LegResumed(1)]


def test_held_leg_that_is_heard_anew_starts_with_a_clean_slate(guarded: Rig) -> None:
    _say(guarded, _1=_music(5.0))
    guarded.handle(SetMix(1, "a", hears=True, heard=False))
    guarded.tick()
    guarded.handle(SetMix(1, "a", hears=True, heard=True))
    _say(guarded, _1=_music(1.5))
    assert not _silent(guarded.phones[2], 50)
    _say(guarded, _1=_music(5.0))
    assert guarded.events_of(LegHeld) == [LegHeld(1, "music")] * 2


def test_held_leg_that_is_invited_anew_is_let_go_by_a_voice_all_the_same(guarded: Rig) -> None:
    _say(guarded, _1=_music(5.0))
    guarded.handle(SetMix(1, "a", hears=True, heard=False))
    address = guarded.phones[1].address
    for receive in (False, True):
        guarded.handle(ConnectLeg(1, "PCMU", 0, address, telephone_event=101, receive=receive))
        guarded.tick(5)
    _say(guarded, _1=speech(9.0))
    assert guarded.events_of(LegResumed) == [LegResumed(1)]


def test_guard_that_is_switched_off_lets_a_held_leg_be_heard(guarded: Rig) -> None:
    _say(guarded, _1=_music(5.0))
    guarded.handle(ConditionLeg(1, hold_guard=False))
    _say(guarded, _1=_music(5.0))
    assert not _silent(guarded.phones[2], 300)
    assert len(guarded.events_of(LegHeld)) == 1


def test_new_leg_knows_nothing_of_the_one_before(guarded: Rig) -> None:
    _say(guarded, _1=_music(5.0))
    guarded.handle(CloseLeg(1))
    del guarded.phones[1]
    guarded.call(3)
    guarded.mix(3, "a", heard=True)
    _say(guarded, _3=speech(1.0))
    assert not _silent(guarded.phones[2], 25)


def test_noise_of_the_leg_that_is_to_have_it_so_is_turned_down_for_all_but_himself(rig: Rig) -> None:
    for leg in (1, 2):
        rig.call(leg)
        rig.call(leg + 10)
        rig.handle(ConditionLeg(leg, auto_gain=False, noise_suppression=leg == 1))
        rig.mix(leg, str(leg), hears=True, heard=True)
        rig.mix(leg + 10, str(leg), hears=True)
    noise = fan(3.0, -40.0)
    _say(rig, _1=noise, _2=noise)
    quiet, plain = _level(rig.phones[11], 50), _level(rig.phones[12], 50)
    assert plain == pytest.approx(-40.0, abs=1.0)
    assert quiet < plain - 8.0
    assert _silent(rig.phones[1], 100)


@pytest.fixture
def two_at_once() -> Rig:
    rig = Rig(loudest_talkers=2, auto_gain=False)
    yield rig
    rig.close()


def test_only_the_loudest_are_heard_and_a_louder_one_takes_the_place(two_at_once: Rig) -> None:
    rig = two_at_once
    for leg in (1, 2, 3):
        rig.call(leg)
        rig.mix(leg, "a", heard=True)
    rig.call(9)
    rig.mix(9, "a", hears=True)
    for leg, level in ((1, 3000), (2, 2000), (3, 200)):
        rig.phones[leg].level = level
    rig.settle()
    assert rig.phones[9].hears() == pytest.approx(5000, abs=200)
    rig.phones[3].level = 9000
    rig.settle()
    rig.tick(50)
    assert rig.phones[9].hears() == pytest.approx(12_000, abs=500)
    rig.phones[1].level = rig.phones[3].level = None
    rig.tick(100)
    assert rig.phones[9].hears() == pytest.approx(2000, abs=100)
