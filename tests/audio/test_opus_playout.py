"""Opus packets as a script of arrivals and ticks: order, loss, FEC, DTX, rubbish."""

from collections import defaultdict
from collections.abc import Iterable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from townhall.audio import sine
from townhall.audio.opus import OpusDecoder, OpusEncoder, load_opus
from townhall.audio.opus_playout import OpusPlayout
from townhall.audio.parking import PLACES

Samples = NDArray[np.int16]
LIBRARY = load_opus()
SLOT = np.array([1])
TONE = sine(440, 6.0, 16000, -16)


def voice(seconds: float = 4.0) -> Samples:
    """Something that libopus takes for a voice: a buzz whose pitch and loudness wander."""
    time = np.arange(int(seconds * 16000)) / 16000
    phase = 2 * np.pi * np.cumsum(130 + 30 * np.sin(2 * np.pi * 0.7 * time)) / 16000
    buzz = sum(np.sin(k * phase) / k for k in range(1, 20))
    loudness = 0.55 + 0.45 * np.sin(2 * np.pi * 2.1 * time)
    noise = np.random.default_rng(7).normal(0, 60, len(time))
    return (4500 * buzz * loudness + noise).astype(np.int16)


VOICE = voice()


def encoded(signal: Samples, samples: int = 320, **settings: object) -> list[bytes]:
    encoder = OpusEncoder(LIBRARY, **settings)
    return [
        encoder.encode(signal[start : start + samples])
        for start in range(0, len(signal) - samples + 1, samples)
    ]


def decoded(packets: list[bytes]) -> Samples:
    decoder = OpusDecoder(LIBRARY)
    return np.concatenate([decoder.decode(packet) for packet in packets])


class Line:
    """One leg: packets are taken at given ticks and every tick is read."""

    def __init__(self, packets: list[bytes], samples: int = 320, first_timestamp: int = 0) -> None:
        self.playout = OpusPlayout(3, LIBRARY)
        self.playout.reset(SLOT)
        self.refused = 0
        self._packets, self._samples, self._first = packets, samples, first_timestamp

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
        stamps = [(self._first + 3 * number * self._samples) % 2**32 for number in numbers]
        refused = self.playout.take(
            np.full(len(numbers), 1),
            np.array(stamps, np.uint32),
            tick,
            data,
            np.array([len(packet) for packet in packets], np.int32),
        )
        self.refused += len(refused)


def steady(packets: int, lost: Iterable[int] = ()) -> list[tuple[int, int]]:
    return [(number, number) for number in range(packets) if number not in set(lost)]


def likeness(heard: Samples, meant: Samples) -> float:
    """Signal-to-error ratio, dB."""
    error = heard.astype(float) - meant
    return float(10 * np.log10(np.square(meant.astype(float)).sum() / np.square(error).sum()))


def steepest(signal: Samples) -> int:
    return int(np.abs(np.diff(signal.astype(int))).max())


STEEPEST = steepest(decoded(encoded(VOICE, voice=True, bitrate=24000)))


def test_read_clean_line_plays_what_a_decoder_alone_makes_of_it() -> None:
    packets = encoded(TONE)
    line = Line(packets)
    heard = line.run(steady(250), 251)
    assert np.array_equal(heard[640:], decoded(packets[:250])[320 : len(heard) - 320])
    assert line.playout.delay_ms(SLOT) == [20.0]
    assert line.playout.concealed[1] == 0


@pytest.mark.parametrize("first", [0, 1, 2**32 - 96_000, 2**31 - 5])
def test_read_timestamp_wraps_or_is_odd_nothing_is_heard_of_it(first: int) -> None:
    packets = encoded(TONE)
    heard = Line(packets, first_timestamp=first).run(steady(250), 251)
    assert np.array_equal(heard[640:], decoded(packets[:250])[320 : len(heard) - 320])


@pytest.mark.parametrize("samples", [40, 80, 160, 320, 640, 960])
def test_read_packets_of_any_length_play_whole(samples: int) -> None:
    packets = encoded(TONE, samples)
    arrivals = [(-(-(number + 1) * samples // 320), number) for number in range(len(packets))]
    line = Line(packets, samples)
    heard = line.run(arrivals, 280)
    meant = decoded(packets)
    start = 32000
    assert any(
        np.array_equal(heard[start : start + 40_000], meant[at : at + 40_000])
        for at in range(start - 3200, start, 40)
    )
    assert line.playout.concealed[1] <= 2 * 320  # at the beginning, until the wait is known


def test_read_reordered_and_doubled_packets_play_in_order_once() -> None:
    packets = encoded(VOICE)
    arrivals = steady(10)
    for number in range(10, 190, 2):
        arrivals += [(number + 1, number + 1), (number + 1, number), (number + 1, number + 1)]
    line = Line(packets)
    heard = line.run(arrivals, 190)
    meant = decoded(packets)
    shifts = [
        at for at in range(8000, 9601, 40) if np.array_equal(heard[9600:50_000], meant[at : at + 40_400])
    ]
    assert len(shifts) == 1
    assert line.playout.damaged[1] == 0


def test_read_loss_with_fec_is_nearer_to_the_truth_than_concealment() -> None:
    lost = np.flatnonzero(np.random.default_rng(3).random(190) < 0.1)
    ratio = {}
    for fec in (False, True):
        packets = encoded(VOICE, fec=True, voice=True, bitrate=24000)
        line = Line(packets)
        if not fec:  # the same packets, but their copies are not asked for
            for decoder in line.playout._decoders.values():
                real = decoder.decode_at
                decoder.decode_at = lambda packet, length, target, room, fec=False, real=real: (
                    real(0, 0, target, room) if fec else real(packet, length, target, room)
                )
        heard = line.run(steady(190, lost), 191)
        ratio[fec] = likeness(heard[640:], decoded(packets[:190])[320 : len(heard) - 320])
    assert ratio[True] > ratio[False] + 4.0


def test_read_loss_with_fec_counts_what_came_back() -> None:
    lost = [50, 80, 81, 120]
    line = Line(encoded(VOICE, fec=True, voice=True, bitrate=24000))
    line.run(steady(190, lost), 191)
    assert line.playout.recovered[1] == 3  # 81 stands for itself; 80 is two behind 82
    assert line.playout.concealed[1] == 320


def test_read_long_hole_fades_to_silence_and_returns_softly() -> None:
    packets = encoded(VOICE)
    heard = Line(packets).run(steady(190, range(100, 140)), 191)
    hole = heard[101 * 320 : 141 * 320]
    assert np.abs(hole[:320]).max() > 500
    assert not hole[8 * 320 :].any()
    assert steepest(heard) < 1.3 * steepest(decoded(packets))


def test_read_dtx_goes_on_with_comfort_noise_until_the_sender_is_gone() -> None:
    rng = np.random.default_rng(5)
    quiet = np.concatenate((VOICE[:32000], rng.normal(0, 40, 96_000).astype(np.int16)))
    packets = encoded(quiet, dtx=True, voice=True, bitrate=16000)
    resting = [number for number in range(len(packets)) if len(packets[number]) <= 2]
    assert len(resting) > 100
    begins = [n for n in resting if n - 1 not in resting]
    sent = [n for n in range(len(packets)) if n not in resting or n in begins]
    line = Line(packets)
    heard = line.run([(n, n) for n in sent], len(packets))
    frames = heard[120 * 320 : 380 * 320].reshape(-1, 320).astype(float)
    assert np.sqrt(np.square(frames).mean(axis=1)).min() > 1.0
    assert line.playout.late[1] == 0
    after = line.run([], 120)
    assert not after[-20 * 320 :].any()


def test_read_sender_pauses_the_next_words_play_at_once() -> None:
    packets = encoded(VOICE)
    heard = Line(packets).run([*steady(60), *((n, n) for n in range(120, 190))], 191)
    assert not heard[70 * 320 : 120 * 320].any()
    assert likeness(heard[124 * 320 : 190 * 320], decoded(packets)[123 * 320 : 189 * 320]) > 6.0


@pytest.mark.parametrize("jump", [-(2**31), -300_000, 300_000, 2**30])
def test_read_timestamps_jump_playing_goes_on_there(jump: int) -> None:
    packets = encoded(TONE)
    line = Line(packets)
    line.run(steady(50), 50)
    line._first = jump
    heard = line.run([(number - 50, number) for number in range(50, 150)], 100)
    assert likeness(heard[3200:], decoded(packets)[59 * 320 : 149 * 320]) > 20.0


def test_read_jitter_the_wait_grows_until_hardly_anything_is_late() -> None:
    rng = np.random.default_rng(2)
    line = Line(encoded(TONE))
    line.run([(number + int(rng.integers(0, 4)), number) for number in range(280)], 290)
    assert line.playout.late[1] <= 6
    assert 60 <= line.playout.delay_ms(SLOT)[0] <= 110


@pytest.mark.parametrize("ppm", [-300, 300])
def test_read_drifting_clock_is_followed(ppm: int) -> None:
    packets = encoded(VOICE) * 10
    line = Line(packets)
    line.run([(int(n * (1 + ppm * 1e-6) + 0.5), n) for n in range(1990)], 1990)
    assert line.playout.late[1] <= 2
    assert line.playout.delay_ms(SLOT)[0] <= 90.0


def test_take_rubbish_is_refused_and_the_line_goes_on() -> None:
    packets = encoded(TONE)
    for number in range(50, 100, 10):
        packets[number] = b"\x03\x00"
    packets[105] = b"\x4b\x41" + bytes(3)  # one frame of a length that is not there
    line = Line(packets)
    heard = line.run(steady(200), 200)
    assert line.refused == 5
    assert steepest(heard[3200:]) < 2 * steepest(TONE)
    assert np.array_equal(heard[150 * 320 : 190 * 320], decoded(encoded(TONE))[149 * 320 : 189 * 320])


def test_take_flood_finds_no_place_and_is_bounded() -> None:
    packets = encoded(TONE, 40)
    line = Line(packets, 40)
    line.take(list(range(400)), 0)
    assert line.refused >= 400 - PLACES
    line.playout.read(SLOT)
    assert np.count_nonzero(line.playout._parking.samples[1]) <= PLACES


def test_take_packets_that_overlap_are_not_decoded_over_and_over() -> None:
    long = encoded(TONE, 960)
    line = Line([long[0]] * 600, 40)  # 60 ms each, begun every 2.5 ms
    decoded_packets = 0
    (decoder,) = line.playout._decoders.values()
    real = decoder.decode_at

    def counted(packet: int, *rest: int) -> int:
        nonlocal decoded_packets
        decoded_packets += packet != 0
        return real(packet, *rest)

    decoder.decode_at = counted
    line.run([(number // 8, number) for number in range(600)], 75)
    assert decoded_packets <= 75


def test_release_frees_the_decoder_and_reset_makes_a_new_one() -> None:
    line = Line(encoded(TONE))
    line.run(steady(20), 20)
    line.playout.release(SLOT)
    assert line.playout._decoders == {}
    line.playout.reset(SLOT)
    heard = line.run(steady(20), 20)
    assert np.abs(heard).max() > 3000


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 6), st.integers(0, 2)), min_size=20, max_size=120),
    st.sampled_from([320, 640, 960]),  # of 10 ms libopus starts in another band: its own switch is a step
)
def test_any_pattern_of_loss_jitter_and_doubles_gives_whole_ticks_without_a_jump(
    fates: list[tuple[int, int]], samples: int
) -> None:
    packets = encoded(VOICE[: len(fates) * samples], samples, voice=True, fec=True, bitrate=24000)
    arrivals = []
    for number, (late, copies) in enumerate(fates[: len(packets)]):
        arrivals += [(number * samples // 320 + late, number)] * copies
    line = Line(packets, samples)
    ticks = len(fates) * samples // 320 + 20
    heard = line.run(arrivals, ticks)
    assert len(heard) == 320 * ticks
    assert steepest(heard) < 1.5 * STEEPEST
