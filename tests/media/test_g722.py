"""G.722 legs among others: who hears whom in which band, streams, plays, recordings, digits, packet times."""

import itertools
import wave
from pathlib import Path

import numpy as np
import pytest
from tests.harness.media_rig import Rig
from tests.harness.opus_phone import EVENTS, G722, G722Phone, TonePhone, call_tones, level_dbfs, tones
from tests.harness.speech import speech, wide_frames_of

from townhall.audio.clips import write_wav
from townhall.audio.g722 import G722Decoder, G722Encoder
from townhall.audio.opus import OpusMissing
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


def clip(path: Path, hz: float, seconds: float) -> str:
    path.write_bytes(write_wav(tones((hz,), 16000, 0, int(16000 * seconds)), 16000))
    return str(path)


# ---- who hears whom ----


def test_wide_legs_hear_each_other_above_4_khz_whatever_they_speak(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0, 6000.0), "G722")
    call_tones(rig, 2, (1500.0, 5200.0), "opus")
    call_tones(rig, 3, (440.0,), "PCMU")
    call_tones(rig, 4, codec="G722")
    call_tones(rig, 5, codec="opus")
    call_tones(rig, 6, codec="PCMA")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg <= 3)
    rig.tick(HEARD_TICKS)
    everything = (440.0, 1000.0, 1500.0, 5200.0, 6000.0)
    heard = {leg: rig.phones[leg].hears_hz(everything) for leg in rig.phones}
    assert heard == {
        1: {440.0, 1500.0, 5200.0},
        2: {440.0, 1000.0, 6000.0},
        3: {1000.0, 1500.0},
        4: set(everything),
        5: set(everything),
        6: {440.0, 1000.0, 1500.0},
    }


def test_tones_arrive_as_loud_as_by_other_codecs(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,), "G722")
    call_tones(rig, 2, (700.0,), "PCMU")
    for leg, codec in ((3, "opus"), (4, "PCMU"), (5, "G722")):
        call_tones(rig, leg, codec=codec)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg <= 2)
    rig.tick(HEARD_TICKS)
    for leg, hz in itertools.product((3, 4, 5), (700.0, 1000.0)):
        phone = rig.phones[leg]
        assert level_dbfs(phone.sound(), hz, phone.rate) == pytest.approx(-20, abs=1.0)


def test_g711_listener_is_sent_the_same_with_and_without_wide_legs_in_the_room() -> None:
    sent = []
    for others in ((), ("G722",), ("G722", "opus")):
        rig = Rig()
        call_tones(rig, 1, (1000.0,), "PCMU")
        call_tones(rig, 2, codec="PCMU")
        for leg, codec in enumerate(others, 3):
            call_tones(rig, leg, codec=codec)
        for leg in rig.phones:
            rig.mix(leg, "a", hears=True, heard=leg == 1)
        rig.tick(HEARD_TICKS)
        sent.append([packet.payload for packet in rig.phones[2].heard])
        rig.close()
    assert sent[0] == sent[1] == sent[2]


@pytest.mark.parametrize(("coach", "target"), list(itertools.product(["G722", "opus", "PCMU"], repeat=2)))
def test_whisper_is_heard_by_its_target_alone_across_codecs(rig: Rig, coach: str, target: str) -> None:
    call_tones(rig, 1, (1000.0,), coach)
    call_tones(rig, 2, (1500.0,), target)
    call_tones(rig, 3, (700.0,), "G722")
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


def test_listeners_share_one_encoding_and_talkers_have_their_own(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,), "G722")
    call_tones(rig, 2, (700.0,), "G722")
    for leg in range(3, 20):
        call_tones(rig, leg, codec="G722")
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
    assert rig.phones[1].heard[-1].payload == rig.phones[3].heard[-1].payload


def test_leg_that_hears_nobody_is_sent_silence(rig: Rig) -> None:
    phone = call_tones(rig, 1, codec="G722")
    rig.tick(20)
    assert len({packet.payload for packet in phone.heard}) == 1
    assert np.abs(phone.sound().astype(int)).max() < 40


def test_silence_after_a_loud_voice_is_silent_within_a_tick(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0, 6000.0), "G722")
    phone = call_tones(rig, 2, codec="G722")
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True)
    rig.tick(30)
    rig.mix(2, None)
    rig.tick(10)
    tail = np.abs(phone.sound()[-9 * 320 :].astype(int))
    assert tail.max() < 200


def test_change_of_encodings_in_the_midst_of_a_loud_sound_makes_no_burst(rig: Rig, tmp_path: Path) -> None:
    call_tones(rig, 1, (440.0, 1000.0), "G722")
    phone = call_tones(rig, 2, codec="G722")
    call_tones(rig, 3, codec="G722")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    rig.tick(40)
    loudest = np.abs(phone.sound()[8000:].astype(int)).max()
    for change in range(6):
        rig.mix(2, "a", hears=True, heard=change % 2 == 0)
        rig.tick(7)
    rig.handle(Play(2, 9, [clip(tmp_path / "c.wav", 1500.0, 0.3)]))
    rig.load()
    rig.tick(30)
    assert np.abs(phone.sound()[8000:].astype(int)).max() < 1.5 * loudest


# ---- streams ----


@pytest.mark.parametrize("ptime", [10, 20, 30, 40, 60])
def test_stream_counts_8000_units_a_second_in_packets_as_the_peer_asks(rig: Rig, ptime: int) -> None:
    call_tones(rig, 1, (1000.0, 6000.0), "G722")
    phone = call_tones(rig, 2, codec="G722", ptime_ms=ptime)
    rig.mix(1, "a", heard=True)
    rig.mix(2, "a", hears=True)
    rig.tick(60)
    packets = phone.heard
    assert len(packets) == 1200 // ptime
    assert {len(packet.payload) for packet in packets} == {8 * ptime}
    assert {packet.payload_type for packet in packets} == {G722}
    for before, after in itertools.pairwise(packets):
        assert (after.timestamp - before.timestamp) % 2**32 == 8 * ptime
        assert (after.sequence_number - before.sequence_number) % 2**16 == 1
    assert phone.hears_hz(ALL) == {1000.0, 6000.0}


@pytest.mark.parametrize("samples", [160, 320, 640, 960])
def test_uplink_of_any_packet_length_is_heard_by_all(rig: Rig, samples: int) -> None:
    talker = call_tones(rig, 1, codec="G722")
    talker.says, talker.samples = (1000.0,), samples
    for leg, codec in ((2, "PCMU"), (3, "opus"), (4, "G722")):
        call_tones(rig, leg, codec=codec)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    due = 0
    for tick in range(100):
        while due < (tick + 1) * 320:
            rig.send(talker, talker.say())
            due += samples
        rig.tick()
    assert [rig.phones[leg].hears_hz(ALL) for leg in (2, 3, 4)] == [{1000.0}] * 3


def test_muted_legs_packets_are_not_decoded(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,), "G722")
    call_tones(rig, 2, (700.0,), "G722")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    rig.tick(20)
    wide = rig.engine.uplinks.wide
    assert wide is not None
    assert list(wide._decoders) == [rig.engine.legs.slot_of[1]]


def test_rubbish_is_dropped_and_counted_and_nobody_else_notices(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,), "G722")
    rude = call_tones(rig, 2, codec="G722")
    call_tones(rig, 3, codec="G722")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg <= 2)
    rig.tick()
    for tick in range(60):
        for size in (1, 39, 481, 1000):
            rude.timestamp += 160
            rig.send(rude, rude.packet(bytes(size)))
        rig.send(rude, rude.packet(bytes(160), 0), rude.packet(bytes([tick]) * 160))
        rig.tick()
    rig.mix(2, "a", hears=True)
    assert matrix(rig)[3] == {1000.0}
    rig.handle(CloseLeg(2))
    (closed,) = rig.events_of(LegClosed)
    assert closed.packets_dropped == 60 * 5


def test_jitter_is_measured_by_the_clock_of_8_khz(rig: Rig) -> None:
    call_tones(rig, 1, (1000.0,), "G722")
    rig.tick(100)
    rig.handle(CloseLeg(1))
    (closed,) = rig.events_of(LegClosed)
    assert closed.jitter_ms < 0.1
    assert closed.packets_lost == 0


@pytest.mark.parametrize(("first", "second"), list(itertools.permutations(["PCMU", "G722", "opus"], 2)))
def test_codec_that_changes_mid_call_is_heard_on_both_sides(rig: Rig, first: str, second: str) -> None:
    call_tones(rig, 1, (1000.0,), "PCMU")
    before = call_tones(rig, 2, (700.0,), first)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=True)
    assert matrix(rig) == {1: {700.0}, 2: {1000.0}}
    other = call_tones(rig, 3, (1500.0,), second)
    rig.handle(CloseLeg(3), ConnectLeg(2, second, other.payload_type, before.address, telephone_event=EVENTS))
    del rig.phones[3]
    other.leg, other.address, other.socket = 2, before.address, before.socket
    other.ssrc, other.sequence_number = before.ssrc, before.sequence_number
    rig.phones[2] = other
    assert matrix(rig) == {1: {1500.0}, 2: {1000.0}}


def test_g722_needs_no_libopus(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(path: str) -> None:
        raise OpusMissing("no libopus: it is not there")

    monkeypatch.setattr(uplinks, "load_opus", missing)
    call_tones(rig, 1, (1000.0, 6000.0), "G722")
    call_tones(rig, 2, codec="G722")
    silent = call_tones(rig, 3)
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=leg == 1)
    rig.tick(HEARD_TICKS)
    assert rig.phones[2].hears_hz(ALL) == {1000.0, 6000.0}
    assert silent.heard == []


# ---- plays ----


def test_play_is_encoded_once_for_each_form_and_heard_in_the_wide_band(rig: Rig, tmp_path: Path) -> None:
    path = clip(tmp_path / "high.wav", 6000.0, 1.01)
    for leg, codec in ((1, "G722"), (2, "G722"), (3, "opus")):
        call_tones(rig, leg, codec=codec)
        rig.handle(Play(leg, 10 + leg, [path]))
    rig.load()
    rig.tick(40)
    assert [rig.phones[leg].hears_hz(ALL) for leg in (1, 2, 3)] == [{6000.0}] * 3
    assert rig.phones[1].heard[-1].payload == rig.phones[2].heard[-1].payload
    assert rig.engine.clips.loads == 2
    rig.tick(20)
    assert [event.outcome for event in rig.events_of(PlayFinished)] == ["finished"] * 3


def test_play_goes_on_in_the_form_of_a_new_codec(rig: Rig, tmp_path: Path) -> None:
    phone = call_tones(rig, 1, codec="PCMU")
    rig.handle(Play(1, 5, [clip(tmp_path / "c.wav", 1000.0, 1.0)], loops=0))
    rig.load()
    rig.tick(30)
    assert phone.hears_hz(ALL) == {1000.0}
    rig.handle(ConnectLeg(1, "G722", G722, phone.address, telephone_event=EVENTS))
    rig.load()
    changed = rig.phones[1] = G722Phone(1, phone.address, phone.socket, "G722", None, G722)
    rig.tick(40)
    assert changed.hears_hz(ALL) == {1000.0}
    assert rig.events_of(PlayFinished) == []


# ---- recordings, digits, speech, levels ----


def test_recordings_hold_g722_legs_both_ways(rig: Rig, tmp_path: Path) -> None:
    call_tones(rig, 1, (1000.0,), "G722")
    call_tones(rig, 2, (700.0,), "PCMU")
    for leg in rig.phones:
        rig.mix(leg, "a", hears=True, heard=True)
    path = tmp_path / "leg.wav"
    rig.handle(StartRecorder(1, str(path), "leg", leg=1, channels=2))
    rig.tick(HEARD_TICKS)
    rig.handle(StopRecorder(1))
    rig.tick_until(RecorderEnded)
    with wave.open(str(path)) as file:
        data = np.frombuffer(file.readframes(file.getnframes()), np.int16).reshape(-1, 2)
    for channel, (hz, other) in enumerate(((1000.0, 700.0), (700.0, 1000.0))):
        assert level_dbfs(data[:, channel], hz, 8000) == pytest.approx(-20, abs=1.5)
        assert level_dbfs(data[:, channel], other, 8000) < -45


def test_key_presses_come_as_events_of_8000_hz_both_ways(rig: Rig) -> None:
    phone = call_tones(rig, 1, codec="G722")
    for step in range(8):
        event = TelephoneEvent(DIGITS.index("5"), step >= 5, 160 * min(step + 1, 6))
        rig.send(phone, phone.packet(build_event(event), EVENTS, marker=step == 0))
        rig.tick()
    assert [event.digit for event in rig.events_of(DigitPressed)] == ["5"]
    rig.handle(SendDigits(1, 5, "1"))
    rig.tick(30)
    events = [packet for packet in phone.heard if packet.payload_type == EVENTS]
    assert [parse_event(packet.payload).duration for packet in events] == [160, 320, 480, 640, 800, 800, 800]


@pytest.mark.parametrize("ptime", [20, 30])
def test_digits_are_tones_where_events_were_not_agreed_on_both_ways(rig: Rig, ptime: int) -> None:
    phone = call_tones(rig, 1, codec="G722", telephone_event=None, ptime_ms=ptime)
    keys = dtmf("4*", rate=16000)
    for frame in np.pad(keys, (0, -len(keys) % 320)).reshape(-1, 320):
        rig.send(phone, phone.packet(phone.encoder.encode(frame)))
        phone.timestamp += 160
        rig.tick()
    rig.tick(5)
    assert [(event.digit, event.source) for event in rig.events_of(DigitPressed)] == [
        ("4", "inband"),
        ("*", "inband"),
    ]
    phone.heard.clear()
    rig.handle(SendDigits(1, 5, "7"))
    rig.tick(6)
    sound = phone.sound()[-960:]
    spectrum = np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 16000))
    assert abs(int(spectrum[600:1000].argmax()) + 600 - 852) < 10
    assert abs(int(spectrum[1100:1700].argmax()) + 1100 - 1209) < 10


def test_speech_and_level_of_a_g722_leg_are_told(rig: Rig) -> None:
    phone = call_tones(rig, 1, codec="G722")
    rig.mix(1, "a", heard=True)
    rig.handle(WatchLevels("a", True))
    for frame in wide_frames_of(speech(0.8, -15.0)):
        rig.send(phone, phone.packet(phone.encoder.encode(frame)))
        phone.timestamp += 160
        rig.tick()
    assert [event.leg for event in rig.events_of(SpeechStarted)] == [1]
    assert rig.events_of(Levels)[-1].dbov[0] < 35


def test_phones_of_the_rig_are_the_codec_itself() -> None:
    signal = tones((1000.0, 6000.0), 16000, 0, 8000)
    heard = G722Decoder().decode(G722Encoder().encode(signal))
    assert level_dbfs(heard, 6000.0, 16000) == pytest.approx(-20, abs=1.0)
