"""Opus legs among G.711 legs: who hears whom in which band, streams, plays, recordings, digits, levels."""

import itertools
import wave
from pathlib import Path

import numpy as np
import pytest
from tests.harness.media_rig import Rig
from tests.harness.opus_phone import (
    EVENTS,
    OPUS,
    OpusPhone,
    TonePhone,
    call_tones,
    level_dbfs,
    tones,
)
from tests.harness.speech import speech, wide_frames_of

from townhall.audio.clips import write_wav
from townhall.audio.opus import OpusEncoder, OpusMissing
from townhall.audio.tones import dtmf
from townhall.media import uplinks
from townhall.media.protocol import (
    CloseLeg,
    ConnectLeg,
    DigitPressed,
    LegClosed,
    Levels,
    Play,
    PlayFinished,
    PlayToBus,
    RecorderEnded,
    SendDigits,
    SpeechStarted,
    StartRecorder,
    StopRecorder,
    WatchLevels,
)
from townhall.rtp import DIGITS, TelephoneEvent, build_event, parse_event

ALL = (440.0, 700.0, 1000.0, 1500.0, 2200.0, 6000.0)
HEARD_TICKS = 60


def matrix(rig: Rig) -> dict[int, set[float]]:
    """Which tones everybody hears."""
    rig.tick(HEARD_TICKS)
    return {leg: phone.hears_hz(ALL) for leg, phone in rig.phones.items() if isinstance(phone, TonePhone)}


def test_bus_of_all_codecs_everybody_hears_all_but_himself_and_only_opus_hears_6_khz(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0, 6000.0))
    call_tones(rig, 2, (1500.0,))
    call_tones(rig, 3, (700.0,), "PCMU")
    call_tones(rig, 4, (440.0,), "PCMA")
    call_tones(rig, 5)
    call_tones(rig, 6, codec="PCMU")
    call_tones(rig, 7, codec="PCMA")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg <= 4)
    everything = {440.0, 700.0, 1000.0, 1500.0}
    assert matrix(rig) == {
        1: {440.0, 700.0, 1500.0},
        2: {440.0, 700.0, 1000.0, 6000.0},
        3: {440.0, 1000.0, 1500.0},
        4: {700.0, 1000.0, 1500.0},
        5: everything | {6000.0},
        6: everything,
        7: everything,
    }


def test_tones_arrive_as_loud_in_every_band(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2, (700.0,), "PCMU")
    for leg, codec in ((3, "opus"), (4, "PCMU")):
        call_tones(rig, leg, codec=codec)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg <= 2)
    rig.tick(HEARD_TICKS)
    for leg, hz in itertools.product((3, 4), (700.0, 1000.0)):
        phone = rig.phones[leg]
        assert level_dbfs(phone.sound(), hz, phone.rate) == pytest.approx(-20, abs=1.0)


def test_buses_are_apart_and_muted_or_held_legs_are_not_heard(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2, (1500.0,))
    call_tones(rig, 3, (700.0,))
    call_tones(rig, 4, (440.0,), receive=False)
    call_tones(rig, 5, (2200.0,))
    for leg, bus in ((1, "a"), (2, "b"), (3, "a"), (4, "a")):
        rig.mix(leg, bus, hears=True, heard=leg != 3)
    assert matrix(rig) == {1: set(), 2: set(), 3: {1000.0}, 4: {1000.0}, 5: set()}


def test_mute_and_unmute_of_an_opus_talker_is_heard_at_once(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2, codec="PCMU")
    call_tones(rig, 3)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    assert matrix(rig) == {1: set(), 2: {1000.0}, 3: {1000.0}}
    rig.mix(1, "a", hears=True)
    assert matrix(rig) == {1: set(), 2: set(), 3: set()}
    rig.mix(1, "a", hears=True, heard=True)
    assert matrix(rig) == {1: set(), 2: {1000.0}, 3: {1000.0}}


@pytest.mark.parametrize("coach", ["opus", "PCMU"])
@pytest.mark.parametrize("target", ["opus", "PCMU"])
def test_whisper_is_heard_by_its_target_alone_across_codecs(rig: Rig, coach: str, target: str) -> None:
    call_tones(rig, 1, (1000.0,), coach)
    call_tones(rig, 2, (1500.0,), target)
    call_tones(rig, 3, (700.0,), "opus")
    call_tones(rig, 4, (440.0,), "PCMA")
    rig.mix(1, "a", hears=True, whisper_to=2)
    for leg in (2, 3, 4):
        rig.mix(leg, "a", hears=True, heard=True)
    assert matrix(rig) == {
        1: {440.0, 700.0, 1500.0},
        2: {440.0, 700.0, 1000.0},
        3: {440.0, 1500.0},
        4: {700.0, 1500.0},
    }


def test_listener_who_is_whispered_to_hears_the_bus_as_well(rig: Rig) -> None:
    call_tones(rig, 1, (6000.0,))
    call_tones(rig, 2)
    call_tones(rig, 3, (700.0,), "PCMU")
    rig.mix(1, "a", hears=True, whisper_to=2)
    rig.mix(2, "a", hears=True)
    rig.mix(3, "a", hears=True, heard=True)
    assert matrix(rig) == {1: {700.0}, 2: {700.0, 6000.0}, 3: set()}


def clip(path: Path, hz: float, seconds: float, rate: int = 16000) -> str:
    path.write_bytes(write_wav(tones((hz,), rate, 0, int(rate * seconds)), rate))
    return str(path)


@pytest.mark.parametrize("owner", [None, 1, 2])
def test_play_into_a_bus_is_heard_by_all_but_its_owner(rig: Rig, tmp_path: Path, owner: int | None) -> None:
    call_tones(rig, 1)
    call_tones(rig, 2, codec="PCMU")
    call_tones(rig, 3)
    call_tones(rig, 4, (700.0,), "PCMU")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 4)
    rig.handle(PlayToBus("a", 9, [clip(tmp_path / "beep.wav", 1000.0, 3.0)], owner))
    rig.load()
    assert matrix(rig) == {
        leg: ({700.0} if leg != 4 else set()) | ({1000.0} if leg != owner else set()) for leg in rig.phones
    }


def test_loud_talkers_are_limited_and_never_wrap(rig: Rig) -> None:
    for leg in range(1, 13):
        call_tones(rig, leg, (1000.0,))
        rig.mix(leg, "a", hears=True, heard=True)
    call_tones(rig, 20)
    rig.mix(20, "a", hears=True)
    rig.tick(HEARD_TICKS)
    phone = rig.phones[20]
    assert level_dbfs(phone.sound(), 1000.0, 16000) > -6
    assert level_dbfs(phone.sound(), 3000.0, 16000) < -25


# ---- streams ----


def test_stream_has_960_units_a_packet_and_one_marker(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    phone = call_tones(rig, 2, ptime_ms=60)
    rig.mix(1, "a", hears=True, heard=True)
    rig.mix(2, "a", hears=True)
    rig.engine.legs.timestamp[rig.engine.legs.slot_of[2]] = 2**32 - 960
    rig.engine.legs.sequence_number[rig.engine.legs.slot_of[2]] = 65530
    rig.tick(50)
    packets = phone.heard
    assert len(packets) == 50
    assert {packet.payload_type for packet in packets} == {OPUS}
    for before, after in itertools.pairwise(packets):
        assert (after.sequence_number - before.sequence_number) % 2**16 == 1
        assert (after.timestamp - before.timestamp) % 2**32 == 960
    assert [packet.marker for packet in packets] == [True] + [False] * 49


def test_clock_goes_on_over_ticks_missed_in_a_stall(rig: Rig) -> None:
    phone = call_tones(rig, 1)
    rig.tick(3)
    rig.engine.skip(10)
    rig.tick(2)
    assert (phone.heard[3].timestamp - phone.heard[2].timestamp) % 2**32 == 11 * 960
    assert [packet.marker for packet in phone.heard] == [True, False, False, True, False]


def test_leg_that_hears_nobody_is_sent_the_same_silence(rig: Rig) -> None:
    phone = call_tones(rig, 1)
    rig.tick(10)
    assert len({packet.payload for packet in phone.heard}) == 1
    assert np.abs(phone.sound()).max() < 4
    assert rig.engine.parts.wide is not None
    assert len(rig.engine.parts.wide) == 0


def test_listeners_share_one_encoding_and_talkers_have_their_own(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2, (700.0,))
    for leg in range(3, 20):
        call_tones(rig, leg)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg <= 2)
    rig.tick(HEARD_TICKS)
    last = [rig.phones[leg].heard[-1].payload for leg in range(3, 20)]
    assert len(set(last)) == 1
    assert rig.engine.parts.wide is not None
    assert len(rig.engine.parts.wide) == 3
    rig.mix(1, "a", hears=True)
    rig.tick()
    assert len(rig.engine.parts.wide) == 2
    for leg in list(rig.phones):
        rig.handle(CloseLeg(leg))
    rig.phones.clear()
    call_tones(rig, 30)
    rig.tick()
    assert len(rig.engine.parts.wide) == 0
    assert rig.engine.uplinks.wide is not None
    assert rig.engine.uplinks.wide._decoders == {}


@pytest.mark.parametrize(("asked", "most"), [(None, 40000), (24000, 30000), (12000, 15000), (500, 9000)])
def test_bitrate_that_the_peer_asks_for_is_not_exceeded(rig: Rig, asked: int | None, most: int) -> None:
    talker = call_tones(rig, 1, ())
    listener = call_tones(rig, 2, max_bitrate=asked, in_band_fec=True)
    other = call_tones(rig, 3)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    noise = np.random.default_rng(1).normal(0, 2000, (100, 320)).astype(np.int16)
    for frame in noise:
        rig.send(talker, talker.packet(talker.encoder.encode(frame)))
        talker.timestamp += 960
        rig.tick()
    size = sum(len(packet.payload) for packet in listener.heard[20:])
    assert 8 * size / (0.02 * 80) < most
    assert 8 * sum(len(packet.payload) for packet in other.heard[20:]) / (0.02 * 80) > 20000


def test_fec_is_sent_to_those_who_use_it(rig: Rig) -> None:
    from townhall.audio.opus_packets import has_fec

    talker = call_tones(rig, 1, ())
    phones = {fec: call_tones(rig, leg, in_band_fec=fec) for leg, fec in ((2, True), (3, False))}
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    time = np.arange(100 * 320) / 16000
    phase = 2 * np.pi * np.cumsum(130 + 30 * np.sin(2 * np.pi * 0.7 * time)) / 16000
    loudness = 0.55 + 0.45 * np.sin(2 * np.pi * 2.1 * time)  # a steady hum is no voice to libopus
    buzz = (4500 * loudness * sum(np.sin(k * phase) / k for k in range(1, 20))).astype(np.int16)
    for frame in buzz.reshape(-1, 320):
        rig.send(talker, talker.packet(talker.encoder.encode(frame)))
        talker.timestamp += 960
        rig.tick()
    for fec, phone in phones.items():
        first = np.array([[*packet.payload[:2]] for packet in phone.heard[20:]], np.uint8)
        assert bool(has_fec(first[:, 0], first[:, 1]).mean() > 0.5) == fec


def test_codec_that_changes_mid_call_is_heard_on_both_sides(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    phone = call_tones(rig, 2, (700.0,), "PCMU")
    rig.mix(1, "a", hears=True, heard=True)
    rig.mix(2, "a", hears=True, heard=True)
    assert matrix(rig) == {1: {700.0}, 2: {1000.0}}
    rig.handle(ConnectLeg(2, "opus", OPUS, phone.address, telephone_event=EVENTS))
    changed = OpusPhone(
        2, phone.address, phone.socket, "opus", 0, OPUS, ssrc=phone.ssrc, says=(700.0, 6000.0)
    )
    changed.sequence_number = phone.sequence_number
    rig.phones[2] = changed
    assert matrix(rig) == {1: {700.0, 6000.0}, 2: {1000.0}}
    rig.handle(ConnectLeg(2, "PCMU", 0, phone.address, telephone_event=EVENTS))
    rig.phones[2] = phone
    phone.heard.clear()
    phone.sequence_number = changed.sequence_number
    assert matrix(rig) == {1: {700.0}, 2: {1000.0}}


# ---- uplinks ----


@pytest.mark.parametrize("samples", [160, 320, 640, 960])
def test_uplink_of_any_packet_length_is_heard_by_both_codecs(rig: Rig, samples: int) -> None:
    talker = call_tones(rig, 1, ())
    talker.says, talker.samples = (1000.0,), samples
    call_tones(rig, 2, codec="PCMU")
    call_tones(rig, 3)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    due = 0
    for tick in range(100):
        while due < (tick + 1) * 320:
            rig.send(talker, talker.say())
            due += samples
        rig.tick()
    assert rig.phones[2].hears_hz(ALL) == {1000.0}
    assert rig.phones[3].hears_hz(ALL) == {1000.0}


def test_muted_legs_packets_are_not_decoded(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2, (700.0,))
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    rig.tick(20)
    wide = rig.engine.uplinks.wide
    assert wide is not None
    assert list(wide._decoders) == [rig.engine.legs.slot_of[1]]
    assert not wide._parking.samples[rig.engine.legs.slot_of[2]].any()


def test_rubbish_is_counted_as_dropped_and_nobody_else_notices(rig: Rig) -> None:
    talker = call_tones(rig, 1, (1000.0,))
    rude = call_tones(rig, 2)
    call_tones(rig, 3)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg <= 2)
    rng = np.random.default_rng(4)
    for _ in range(80):
        for size in rng.integers(0, 1000, 3).tolist():
            rude.timestamp += 960
            rig.send(rude, rude.packet(rng.bytes(size)))
        rude.timestamp += 960
        rig.send(rude, rude.packet(b"\x03\x00"), rude.packet(bytes(80), 0))
        rig.tick()
    assert talker.heard
    rig.mix(2, "a", hears=True)
    assert matrix(rig)[3] == {1000.0}
    rig.handle(CloseLeg(2))
    (closed,) = rig.events_of(LegClosed)
    assert closed.packets_dropped >= 160


def test_header_extensions_of_any_length_are_skipped(rig: Rig) -> None:
    talker = call_tones(rig, 1)
    call_tones(rig, 2)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    talker.says = (1000.0,)
    for tick in range(HEARD_TICKS):
        packet = bytearray(talker.say())
        packet[0] |= 0x10
        words = tick % 3
        packet[12:12] = b"\xbe\xde" + words.to_bytes(2, "big") + bytes(4 * words)
        rig.send(talker, bytes(packet))
        rig.tick()
    assert rig.phones[2].hears_hz(ALL) == {1000.0}


def test_new_source_begins_anew(rig: Rig) -> None:
    talker = call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    rig.tick(30)
    talker.ssrc, talker.timestamp, talker.sequence_number = 77, 123_456_789, 9
    assert matrix(rig)[2] == {1000.0}


def test_jitter_is_measured_by_the_clock_of_48_khz(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    rig.tick(100)
    rig.handle(CloseLeg(1))
    (closed,) = rig.events_of(LegClosed)
    assert closed.jitter_ms < 0.1
    assert closed.packets_received == 100


# ---- plays ----


def test_play_to_opus_legs_is_encoded_once_and_heard_in_the_wide_band(rig: Rig, tmp_path: Path) -> None:
    path = clip(tmp_path / "high.wav", 6000.0, 1.01)
    for leg in (1, 2):
        call_tones(rig, leg)
        rig.handle(Play(leg, 10 + leg, [path]))
    rig.load()
    rig.tick(40)
    assert rig.phones[1].hears_hz(ALL) == rig.phones[2].hears_hz(ALL) == {6000.0}
    assert rig.phones[1].heard[-1].payload == rig.phones[2].heard[-1].payload
    assert rig.engine.clips.loads == 1
    assert rig.engine.parts.wide is not None
    assert len(rig.engine.parts.wide) == 0
    rig.tick(20)
    assert [event.outcome for event in rig.events_of(PlayFinished)] == ["finished"] * 2


@pytest.mark.parametrize("seconds", [0.001, 0.02, 0.99, 1.0])
def test_play_lasts_as_many_whole_frames_as_it_needs(rig: Rig, tmp_path: Path, seconds: float) -> None:
    phone = call_tones(rig, 1)
    rig.tick(2)
    silence = phone.heard[-1].payload
    rig.handle(Play(1, 5, [clip(tmp_path / "c.wav", 1000.0, seconds)], loops=2))
    rig.load()
    rig.tick_until(PlayFinished)
    rig.tick(3)
    sounding = [packet for packet in phone.heard if packet.payload != silence]
    assert len(sounding) == 2 * max(1, -(-int(1000 * seconds) // 20))


def test_list_of_clips_plays_in_order_and_stops_when_told(rig: Rig, tmp_path: Path) -> None:
    from townhall.media.protocol import StopPlay

    phone = call_tones(rig, 1)
    paths = [clip(tmp_path / f"{hz:.0f}.wav", hz, 0.6) for hz in (440.0, 1500.0)]
    rig.handle(Play(1, 5, paths, loops=0))
    rig.load()
    rig.tick(30)
    assert phone.hears_hz(ALL) == {440.0}
    rig.tick(30)
    assert phone.hears_hz(ALL) == {1500.0}
    rig.tick(30)
    assert phone.hears_hz(ALL) == {440.0}
    rig.handle(StopPlay(1, 5))
    rig.tick(30)
    assert phone.hears_hz(ALL) == set()


def test_leg_with_a_play_hears_its_bus_again_afterwards(rig: Rig, tmp_path: Path) -> None:
    call_tones(rig, 1, (1000.0,))
    phone = call_tones(rig, 2)
    rig.mix(1, "a", hears=True, heard=True)
    rig.mix(2, "a", hears=True)
    rig.tick(20)
    rig.handle(Play(2, 5, [clip(tmp_path / "c.wav", 440.0, 0.6)]))
    rig.load()
    rig.tick(30)
    assert phone.hears_hz(ALL) == {440.0}
    rig.tick(40)
    assert phone.hears_hz(ALL) == {1000.0}
    assert np.abs(np.diff(phone.sound().astype(int))).max() < 6000


def test_play_goes_on_in_the_form_of_a_new_codec(rig: Rig, tmp_path: Path) -> None:
    phone = call_tones(rig, 1, codec="PCMU")
    rig.handle(Play(1, 5, [clip(tmp_path / "c.wav", 1000.0, 1.0)], loops=0))
    rig.load()
    rig.tick(30)
    assert phone.hears_hz(ALL) == {1000.0}
    rig.handle(ConnectLeg(1, "opus", OPUS, phone.address, telephone_event=EVENTS))
    rig.load()
    changed = rig.phones[1] = OpusPhone(1, phone.address, phone.socket, "opus", None, OPUS)
    rig.tick(40)
    assert changed.hears_hz(ALL) == {1000.0}
    assert rig.events_of(PlayFinished) == []


def test_clip_that_is_none_fails_for_opus_as_for_the_rest(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "c.wav").write_bytes(b"RIFF and nothing more")
    call_tones(rig, 1)
    rig.handle(Play(1, 5, [str(tmp_path / "c.wav")]))
    rig.load()
    rig.tick()
    (event,) = rig.events_of(PlayFinished)
    assert event.outcome == "failed"
    assert "c.wav" in event.detail


def test_clips_in_opus_are_bounded_and_the_oldest_goes_first(tmp_path: Path) -> None:
    rig = Rig(clip_bytes=16_000 * 4)
    phone = call_tones(rig, 1)
    for turn, hz in enumerate((440.0, 700.0, 1000.0, 1500.0)):
        rig.handle(Play(1, turn, [clip(tmp_path / f"{turn}.wav", hz, 1.5)]))
        rig.load()
        rig.tick(30)
        assert phone.hears_hz(ALL) == {hz}
    rig.handle(Play(1, 9, [clip(tmp_path / "long.wav", 440.0, 5.0)]))
    rig.load()
    rig.tick()
    assert "no room for 5 s" in rig.events_of(PlayFinished)[-1].detail
    rig.close()


# ---- recordings, digits, speech, levels ----


def read_wav(path: Path) -> np.ndarray:
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), np.int16)
        return data.reshape(-1, file.getnchannels())


def test_recordings_hold_opus_legs_on_every_track(rig: Rig, tmp_path: Path) -> None:
    call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2, (700.0,), "PCMU")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=True)
    rig.handle(
        StartRecorder(1, str(tmp_path / "bus.wav"), "bus", bus="a"),
        StartRecorder(2, str(tmp_path / "leg.wav"), "leg", leg=1, channels=2),
        StartRecorder(3, str(tmp_path / "split.wav"), "bus", bus="a", leg=1, channels=2),
    )
    rig.tick(HEARD_TICKS)
    rig.handle(*(StopRecorder(number) for number in (1, 2, 3)))
    while len(rig.events_of(RecorderEnded)) < 3:
        rig.tick()

    def heard(name: str, channel: int) -> set[float]:
        sound = read_wav(tmp_path / name)[:, channel]
        return {hz for hz in ALL if hz < 4000 and level_dbfs(sound, hz, 8000) > -45}

    assert heard("bus.wav", 0) == {700.0, 1000.0}
    assert (heard("leg.wav", 0), heard("leg.wav", 1)) == ({1000.0}, {700.0})
    assert (heard("split.wav", 0), heard("split.wav", 1)) == ({1000.0}, {700.0})
    rig.tick()
    assert rig.engine.parts.sent._decoders == {}


def test_recording_of_what_an_opus_leg_is_played(rig: Rig, tmp_path: Path) -> None:
    call_tones(rig, 1)
    rig.handle(Play(1, 5, [clip(tmp_path / "c.wav", 1500.0, 2.0)]))
    rig.load()
    rig.handle(StartRecorder(1, str(tmp_path / "leg.wav"), "leg", leg=1, track="outbound"))
    rig.tick(HEARD_TICKS)
    rig.handle(StopRecorder(1))
    rig.tick_until(RecorderEnded)
    assert level_dbfs(read_wav(tmp_path / "leg.wav")[:, 0], 1500.0, 8000) == pytest.approx(-20, abs=1.5)


def test_recording_each_talker_has_the_opus_one_alone(rig: Rig, tmp_path: Path) -> None:
    call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2, (700.0,), "PCMU")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=True)
    rig.handle(StartRecorder(1, str(tmp_path), "talkers", bus="a"))
    rig.tick(HEARD_TICKS)
    rig.handle(StopRecorder(1))
    ended = rig.tick_until(RecorderEnded)
    paths = {talker.leg: Path(talker.path) for talker in ended.talkers}
    for leg, hz, other in ((1, 1000.0, 700.0), (2, 700.0, 1000.0)):
        sound = read_wav(paths[leg])[:, 0]
        assert level_dbfs(sound, hz, 8000) > -22
        assert level_dbfs(sound, other, 8000) < -50


@pytest.mark.parametrize("units", [960, 160])
def test_key_presses_come_once_whatever_their_clock(rig: Rig, units: int) -> None:
    phone = call_tones(rig, 1)
    for key in ("5", "#"):
        phone.timestamp += 96_000
        for step in range(8):
            event = TelephoneEvent(DIGITS.index(key), step >= 5, units * min(step + 1, 6))
            rig.send(phone, phone.packet(build_event(event), EVENTS, marker=step == 0))
            rig.tick()
    pressed = [event.digit for event in rig.events_of(DigitPressed)]
    assert pressed == ["5", "#"]


@pytest.mark.parametrize(("rate", "units"), [(0, 960), (48000, 960), (8000, 160)])
def test_digits_are_sent_as_events_in_the_clock_agreed_on(rig: Rig, rate: int, units: int) -> None:
    phone = call_tones(rig, 1, telephone_event_rate=rate)
    rig.tick(2)
    rig.handle(SendDigits(1, 5, "1"))
    rig.tick(30)
    events = [packet for packet in phone.heard if packet.payload_type == EVENTS]
    durations = [parse_event(packet.payload).duration for packet in events]
    assert durations == [units, 2 * units, 3 * units, 4 * units, 5 * units, 5 * units, 5 * units]
    assert len({packet.timestamp for packet in events}) == 1
    audio = [packet.timestamp for packet in phone.heard if packet.payload_type == OPUS]
    steps = {(b - a) % 2**32 for a, b in itertools.pairwise(audio)}
    assert steps == {960, 6 * 960}


def test_digits_are_tones_where_events_were_not_agreed_on_both_ways(rig: Rig) -> None:
    phone = call_tones(rig, 1, telephone_event=None)
    keys = dtmf("4*", rate=16000)
    for frame in np.pad(keys, (0, -len(keys) % 320)).reshape(-1, 320):
        rig.send(phone, phone.packet(phone.encoder.encode(frame)))
        phone.timestamp += 960
        rig.tick()
    rig.tick(5)
    assert [(event.digit, event.source) for event in rig.events_of(DigitPressed)] == [
        ("4", "inband"),
        ("*", "inband"),
    ]
    rig.handle(SendDigits(1, 5, "7"))
    rig.tick(4)
    sound = phone.sound()[-960:]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 16000))
    assert {int(spectrum[600:1000].argmax()) + 600, int(spectrum[1100:1700].argmax()) + 1100} <= {
        *range(845, 860),
        *range(1200, 1220),
    }


def test_speech_of_an_opus_leg_is_told(rig: Rig) -> None:
    phone = call_tones(rig, 1)
    rig.mix(1, "a", heard=True)
    for frame in wide_frames_of(speech(0.8)):
        rig.send(phone, phone.packet(phone.encoder.encode(frame)))
        phone.timestamp += 960
        rig.tick()
    assert [event.leg for event in rig.events_of(SpeechStarted)] == [1]


def test_levels_of_watched_talkers_are_told_ten_times_a_second(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,))
    call_tones(rig, 2, (700.0,), "PCMU")
    call_tones(rig, 3, codec="PCMU")
    call_tones(rig, 4, (440.0,), "PCMU")
    call_tones(rig, 5, (440.0,), "PCMU")
    for leg in rig.phones:
        rig.mix(leg, "b" if leg == 5 else "a", hears=True, heard=leg != 4)
    rig.handle(WatchLevels("a", True), WatchLevels("nobody", True))
    rig.tick(50)
    told = rig.events_of(Levels)
    assert len(told) == 10
    assert {event.bus for event in told} == {"a"}
    assert dict(zip(told[-1].legs, told[-1].dbov, strict=True)) == {1: 23, 2: 23, 3: 127}
    rig.handle(WatchLevels("a", False))
    rig.tick(20)
    assert len(rig.events_of(Levels)) == 10


def test_leg_without_libopus_is_silent_and_says_why(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def missing(path: str) -> None:
        raise OpusMissing("no libopus: it is not there")

    monkeypatch.setattr(uplinks, "load_opus", missing)
    phone = call_tones(rig, 1, (1000.0,))
    rig.mix(1, "a", hears=True, heard=True)
    rig.tick(5)
    assert phone.heard == []
    assert "it is not there" in caplog.text


def test_encoder_that_is_too_slow_for_all_gets_coarser(rig: Rig) -> None:
    from townhall.media.wide_encoders import FINE_ENCODERS

    chosen: list[int] = []
    real = OpusEncoder.set_complexity
    for leg in range(1, FINE_ENCODERS + 3):
        call_tones(rig, leg)
        rig.mix(leg, "a", hears=True, heard=True)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            OpusEncoder, "set_complexity", lambda self, value: (chosen.append(value), real(self, value))[1]
        )
        rig.tick()
        assert chosen[-1] == 1
        for leg in range(1, 10):
            rig.mix(leg, "a", hears=True)
        rig.tick()
    assert chosen[-1] == 5
