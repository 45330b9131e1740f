"""G.722: what comes out of the codec, and out of a playout that is sent its packets."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from townhall.audio import sine
from townhall.audio.g722 import G722Decoder, G722Encoder
from townhall.audio.opus import OpusEncoder, load_opus
from townhall.audio.wide_playout import WidePlayout

Samples = NDArray[np.int16]
SLOT = np.array([1])
TONE = sine(440, 6.0, 16000, -16)
DELAY = 22
"""Samples that both filter banks take together."""


def voice(seconds: float = 4.0) -> Samples:
    """A buzz whose pitch and loudness wander, with something above 4 kHz."""
    time = np.arange(int(seconds * 16000)) / 16000
    phase = 2 * np.pi * np.cumsum(130 + 30 * np.sin(2 * np.pi * 0.7 * time)) / 16000
    buzz = sum(np.sin(k * phase) / k for k in range(1, 40))
    loudness = 0.55 + 0.45 * np.sin(2 * np.pi * 2.1 * time)
    noise = np.random.default_rng(7).normal(0, 60, len(time))
    return (4500 * buzz * loudness + noise).astype(np.int16)


VOICE = voice()


def likeness(heard: Samples, meant: Samples) -> float:
    """Signal-to-error ratio, dB."""
    error = heard.astype(float) - meant
    return float(10 * np.log10(np.square(meant.astype(float)).sum() / np.square(error).sum()))


def encoded(signal: Samples, samples: int = 320) -> list[bytes]:
    encoder = G722Encoder()
    return [encoder.encode(signal[start : start + samples]) for start in range(0, len(signal), samples)]


def decoded(packets: list[bytes]) -> Samples:
    decoder = G722Decoder()
    return np.concatenate([decoder.decode(packet) for packet in packets])


class Line:
    """One leg: packets are taken at given ticks and every tick is read."""

    def __init__(self, packets: list[bytes], first_timestamp: int = 0) -> None:
        self.playout = WidePlayout(3, None)
        self.playout.expect(SLOT, np.array([True]))
        self.playout.reset(SLOT)
        self.refused = 0
        self._packets, self._first = packets, first_timestamp

    def run(self, arrivals: Iterable[tuple[int, int]], ticks: int) -> Samples:
        """`arrivals`: (tick, packet number)."""
        at_tick = defaultdict(list)
        for tick, number in arrivals:
            at_tick[tick].append(number)
        heard = []
        for tick in range(ticks):
            self.take(at_tick[tick], tick)
            heard.append(self.playout.read(SLOT)[0])
        return np.concatenate(heard)

    def take(self, numbers: list[int], tick: int) -> None:
        if not numbers:
            return
        packets = [self._packets[number] for number in numbers]
        data = np.zeros((len(packets), max(2, *map(len, packets), 2)), np.uint8)
        for row, packet in zip(data, packets, strict=True):
            row[: len(packet)] = np.frombuffer(packet, np.uint8)
        size = len(self._packets[0])
        stamps = [(self._first + number * size) % 2**32 for number in numbers]
        lengths = np.array([len(packet) for packet in packets], np.int32)
        refused = self.playout.take(
            np.full(len(numbers), 1), np.array(stamps, np.uint32), tick, data, lengths
        )
        self.refused += len(refused)


def steady(packets: int, lost: Iterable[int] = ()) -> list[tuple[int, int]]:
    return [(number, number) for number in range(packets) if number not in set(lost)]


# ---- the codec ----


def test_codec_carries_a_voice_and_its_upper_band() -> None:
    heard = decoded(encoded(VOICE))
    assert likeness(heard[DELAY:], VOICE[:-DELAY]) > 12
    high = sine(6000, 1.0, 16000, -20)
    heard = decoded(encoded(high))
    assert likeness(heard[8000 + DELAY :], high[8000:-DELAY]) > 15


@pytest.mark.parametrize("cut", [1, 7, 80, 160, 480])
def test_decoder_makes_the_same_of_a_stream_however_it_is_cut(cut: int) -> None:
    stream = b"".join(encoded(VOICE[:16000]))
    parts = [stream[start : start + cut] for start in range(0, len(stream), cut)]
    assert np.array_equal(decoded(parts), G722Decoder().decode(stream))


def test_coder_by_addresses_is_the_same_as_by_bytes() -> None:
    frame = VOICE[:320].copy()
    target = np.zeros(200, np.uint8)
    used = G722Encoder().encode_at(frame.ctypes.data, 320, target.ctypes.data, 200)
    assert used == 160
    assert target[:160].tobytes() == G722Encoder().encode(frame)
    assert not target[160:].any()
    out = np.zeros(400, np.int16)
    count = G722Decoder().decode_at(target.ctypes.data, 160, out.ctypes.data, 400)
    assert count == 320
    assert np.array_equal(out[:320], decoded([target[:160].tobytes()]))


def test_decoder_to_8_khz_has_the_lower_band() -> None:
    decoder = G722Decoder(8000)
    heard = np.concatenate([decoder.decode(packet) for packet in encoded(TONE[:32000])])
    spectrum = np.abs(np.fft.rfft(heard[8000:16000] * np.hanning(8000)))
    assert len(heard) == 16000
    assert spectrum.argmax() == 440


def test_decoder_finds_back_from_another_stream() -> None:
    wanted = encoded(VOICE)
    decoder = G722Decoder()
    for packet in encoded((20000 * np.sin(np.arange(32000) / 3)).astype(np.int16)):
        decoder.decode(packet)
    after = np.concatenate([decoder.decode(packet) for packet in wanted[100:110]])
    assert likeness(after[1600:], decoded(wanted)[32000 + 1600 : 32000 + 3200]) > 15


def test_encoder_that_is_led_in_goes_on_for_a_decoder_in_the_midst_of_the_sound() -> None:
    frames = VOICE.reshape(-1, 320)
    before = encoded(VOICE)
    errors = {}
    for led in (False, True):
        decoder, encoder = G722Decoder(), G722Encoder()
        for packet in before[:100]:
            decoder.decode(packet)
        if led:
            encoder.lead_in(frames[100])
        heard = np.concatenate([decoder.decode(encoder.encode(frame)) for frame in frames[100:105]])
        errors[led] = likeness(heard, decoded(before)[32000:33600])
    assert errors[True] > errors[False] + 10


@pytest.mark.parametrize("lost", [1, 2, 3])
def test_concealment_is_nearer_to_what_was_lost_than_silence(lost: int) -> None:
    hum = decoded(encoded(sine(200, 2.0, 16000, -16)))
    packets = encoded(sine(200, 2.0, 16000, -16))
    decoder = G722Decoder()
    heard = [decoder.decode(packet) for packet in packets[:50]]
    out = np.zeros(320, np.int16)
    for _ in range(lost):
        decoder.decode_at(0, 0, out.ctypes.data, 320)
        heard.append(out.copy())
    heard += [decoder.decode(packet) for packet in packets[50 + lost : 60]]
    sound = np.concatenate(heard)
    hole = slice(50 * 320, (50 + lost) * 320)
    assert likeness(sound[hole], hum[hole]) > 3
    assert np.abs(np.diff(sound.astype(int))).max() < 1.5 * np.abs(np.diff(hum.astype(int))).max()


def test_concealment_that_goes_on_ends_in_silence() -> None:
    decoder = G722Decoder()
    for packet in encoded(VOICE[:16000]):
        decoder.decode(packet)
    out = np.ones(3200, np.int16)
    decoder.decode_at(0, 0, out.ctypes.data, 3200)
    assert np.abs(out[:160]).max() > 1000
    assert not out[1280:].any()


def test_concealment_before_anything_came_is_silent() -> None:
    out = np.ones(320, np.int16)
    assert G722Decoder().decode_at(0, 0, out.ctypes.data, 320) == 320
    assert not out.any()


# ---- playout ----


@pytest.mark.parametrize("first", [0, 1, 2**32 - 32_000, 2**31 - 5])
def test_read_clean_line_plays_what_a_decoder_alone_makes_of_it(first: int) -> None:
    packets = encoded(TONE)
    line = Line(packets, first)
    heard = line.run(steady(250), 251)
    assert np.array_equal(heard[640:], decoded(packets[:250])[320 : len(heard) - 320])
    assert line.playout.delay_ms(SLOT) == [20.0]
    assert line.playout.concealed[1] == 0


@pytest.mark.parametrize("samples", [80, 160, 320, 640, 960])
def test_read_packets_of_any_length_play_whole(samples: int) -> None:
    packets = encoded(TONE, samples)
    line = Line(packets)
    arrivals = [(number * samples // 320, number) for number in range(240 * 320 // samples)]
    heard = line.run(arrivals, 240)
    assert line.refused == 0
    tail = heard[-32000:]
    assert likeness(tail, _aligned(tail, TONE)) > 30


def _aligned(heard: Samples, meant: Samples) -> Samples:
    """The part of a tone that is in step with what was heard, as loud."""
    time = np.arange(len(heard))
    waves = np.stack([np.sin(2 * np.pi * 440 * time / 16000), np.cos(2 * np.pi * 440 * time / 16000)])
    weights = heard @ waves.T / np.square(waves).sum(axis=1)
    assert np.hypot(*weights) == pytest.approx(np.abs(meant).max(), rel=0.05)
    return np.rint(weights @ waves).astype(np.int16)


def test_read_reordered_and_doubled_packets_cost_nothing() -> None:
    packets = encoded(VOICE)
    mixed = [(first + 1, number) for first in range(0, 190, 2) for number in (first + 1, first, first)]
    tail = Line(packets).run(mixed, 190)[-16000:]
    whole = decoded(packets[:190])
    assert any(np.array_equal(tail, whole[begin : begin + 16000]) for begin in range(len(whole) - 16000))


@settings(max_examples=30, deadline=None)
@given(st.sets(st.integers(20, 150), max_size=40), st.integers(0, 3))
def test_read_any_loss_gives_whole_ticks_without_a_jump(lost: set[int], late: int) -> None:
    packets = encoded(VOICE)
    arrivals = [(n + (late if n % 7 == 0 else 0), n) for n in range(180) if n not in lost]
    heard = Line(packets).run(arrivals, 180)
    assert len(heard) == 180 * 320
    steepest = np.abs(np.diff(decoded(packets).astype(int))).max()
    assert np.abs(np.diff(heard.astype(int))).max() <= 2 * steepest


def test_read_lost_packets_come_out_nearer_than_as_silence() -> None:
    packets = encoded(VOICE)
    lost = set(range(30, 180, 9))
    whole = Line(packets).run(steady(180), 180)
    heard = Line(packets).run(steady(180, lost), 180)
    silent = whole.copy()
    for number in lost:
        silent[(number + 1) * 320 : (number + 2) * 320] = 0
    assert likeness(heard, whole) > likeness(silent, whole) + 1


@pytest.mark.parametrize("size", [0, 1, 39, 481, 1200])
def test_take_packet_of_no_length_that_phones_send_is_refused(size: int) -> None:
    line = Line([bytes(size)])
    line.take([0], 0)
    assert line.refused == 1
    assert not line.playout.read(SLOT).any()


def test_playout_takes_both_codecs_side_by_side() -> None:
    library = load_opus()
    playout = WidePlayout(4, library)
    slots = np.array([0, 3])
    playout.expect(slots, np.array([False, True]))
    playout.reset(slots)
    opus, g722 = OpusEncoder(library, bitrate=64000), G722Encoder()
    heard = []
    for tick in range(50):
        frame = TONE[320 * tick : 320 * (tick + 1)]
        packets = [opus.encode(frame, 160), g722.encode(frame)]
        data = np.zeros((2, 160), np.uint8)
        for row, packet in zip(data, packets, strict=True):
            row[: len(packet)] = np.frombuffer(packet, np.uint8)
        stamps = np.array([960 * tick, 160 * tick], np.uint32)
        lengths = np.array([len(packet) for packet in packets], np.int32)
        assert len(playout.take(slots, stamps, tick, data, lengths)) == 0
        heard.append(playout.read(slots))
    for sound in np.concatenate(heard, axis=1)[:, 8000:]:
        assert likeness(sound, _aligned(sound, TONE)) > 20


def test_slot_that_speaks_another_codec_gets_another_decoder() -> None:
    playout = WidePlayout(2, load_opus())
    slots = np.array([1])
    for is_g722 in (False, True, False):
        playout.expect(slots, np.array([is_g722]))
        playout.reset(slots)
        assert isinstance(playout._decoders[1], G722Decoder) == is_g722
    playout.release(slots)
    assert playout._decoders == {}
