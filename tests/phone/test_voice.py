import struct

import numpy as np

from townhall.audio import ULAW_DECODE, encode_ulaw
from townhall.phone.hearing import Samples
from townhall.phone.voice import Voice

HEADER = struct.Struct("!BBHII")


def encode(samples: Samples) -> bytes:
    return encode_ulaw(samples).tobytes()


def sent(voice: Voice, times: int, event: int | None = 101) -> list[tuple[bool, int, int, int, bytes]]:
    """Marker, payload type, sequence number, timestamp and payload of what `times` packet times give."""
    packets = [packet for _ in range(times) for packet in voice.next_packets(0, event, encode)]
    fields = [HEADER.unpack_from(packet) for packet in packets]
    return [
        (bool(f[1] >> 7), f[1] & 0x7F, f[2], f[3], packet[12:])
        for f, packet in zip(fields, packets, strict=True)
    ]


def test_stream_counts_packets_and_samples_and_marks_its_beginning() -> None:
    packets = sent(Voice(240), 3)
    assert [p[0] for p in packets] == [True, False, False]
    assert [p[2] - packets[0][2] for p in packets] == [0, 1, 2]
    assert [p[3] - packets[0][3] for p in packets] == [0, 240, 480]
    assert [len(p[4]) for p in packets] == [240] * 3


def test_tone_goes_on_across_packets_without_a_step() -> None:
    voice = Voice(160)
    voice.say_tone(500.0)
    heard = np.concatenate([ULAW_DECODE[np.frombuffer(p[4], np.uint8)] for p in sent(voice, 10)])
    spectrum = np.abs(np.fft.rfft(heard.astype(float)))
    assert spectrum.argmax() == 100
    assert spectrum[100] > 100 * np.median(spectrum)


def test_recording_is_sent_once_then_silence() -> None:
    voice = Voice(160)
    voice.say_samples(np.full(200, 8031, dtype=np.int16))
    payloads = [ULAW_DECODE[np.frombuffer(p[4], np.uint8)] for p in sent(voice, 3)]
    assert [int((payload != 0).sum()) for payload in payloads] == [160, 40, 0]
    assert not voice.playing


def test_key_as_event_keeps_its_timestamp_grows_and_ends_three_times() -> None:
    voice = Voice(160)
    voice.press_event("#", duration_ms=60, pause_ms=20)
    before = sent(Voice(160), 0)
    packets = sent(voice, 4)
    events, audio = packets[:5], packets[5:]
    assert before == []
    assert {p[1] for p in events} == {101}
    assert len({p[3] for p in events}) == 1
    assert [p[0] for p in events] == [True, False, False, False, False]
    assert [struct.unpack("!BBH", p[4]) for p in events] == [
        (11, 10, 160),
        (11, 10, 320),
        *[(11, 0x80 | 10, 480)] * 3,
    ]
    assert [p[2] - packets[0][2] for p in packets] == list(range(6))
    assert [p[1] for p in audio] == [0]
    assert audio[0][3] == events[0][3] + 480
    assert not voice.pressing


def test_key_as_tone_is_within_the_audio() -> None:
    voice = Voice(160)
    voice.press_tone("5", duration_ms=100, pause_ms=40)
    heard = np.concatenate([ULAW_DECODE[np.frombuffer(p[4], np.uint8)] for p in sent(voice, 9, event=None)])
    spectrum = np.abs(np.fft.rfft(heard[320:1120].astype(float)))
    assert {round(f * 10) for f in np.argsort(spectrum)[-2:]} == {770, 1340}
    assert not voice.pressing
