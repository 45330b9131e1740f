"""The binding to libopus, and what is read from packets without it."""

import numpy as np
import pytest

from townhall.audio import sine
from townhall.audio.opus import OpusDecoder, OpusEncoder, OpusError, OpusMissing, load_opus, opus_version
from townhall.audio.opus_packets import has_fec, packet_samples

LIBRARY = load_opus()
TONE = sine(1000, 2.0, 16000, -10)


def lengths_of(packets: list[bytes]) -> list[int]:
    first = np.array([packet[0] for packet in packets], np.uint8)
    second = np.array([(packet + b"\0")[1] for packet in packets], np.uint8)
    return packet_samples(
        first, second, np.array([len(packet) for packet in packets], np.int32), 16000
    ).tolist()


def test_library_that_is_not_there_is_refused_with_what_to_do() -> None:
    with pytest.raises(OpusMissing, match=r"/nowhere/libopus\.so.*opuslib-next-bundled"):
        load_opus("/nowhere/libopus.so")


def test_library_that_is_another_one_is_refused() -> None:
    with pytest.raises(OpusMissing, match="opus_get_version_string"):
        load_opus("libc.so.6")


def test_library_tells_its_version() -> None:
    assert opus_version(LIBRARY).startswith("libopus")


@pytest.mark.parametrize("rate", [8000, 16000, 48000])
def test_tone_encoded_at_one_rate_is_decoded_at_another(rate: int) -> None:
    encoder, decoder = OpusEncoder(LIBRARY, 16000), OpusDecoder(LIBRARY, rate)
    packets = [encoder.encode(TONE[start : start + 320]) for start in range(0, len(TONE), 320)]
    heard = np.concatenate([decoder.decode(packet) for packet in packets])
    assert len(heard) == len(TONE) * rate // 16000
    spectrum = np.abs(np.fft.rfft(heard[rate // 2 : rate // 2 + rate].astype(float)))
    assert int(spectrum.argmax()) == 1000
    assert encoder.lookahead > 0


def test_encoder_parameter_out_of_range_is_refused() -> None:
    with pytest.raises(OpusError, match="invalid argument"):
        OpusEncoder(LIBRARY, 44100)
    with pytest.raises(OpusError, match="invalid argument"):
        OpusEncoder(LIBRARY, complexity=11)


def test_damaged_packet_is_refused() -> None:
    decoder = OpusDecoder(LIBRARY)
    with pytest.raises(OpusError, match="corrupted"):
        decoder.decode(b"\xff\xff\xff")


def test_encoder_after_reset_encodes_as_if_new() -> None:
    encoder = OpusEncoder(LIBRARY)
    first = [encoder.encode(TONE[start : start + 320]) for start in range(0, 3200, 320)]
    encoder.reset()
    assert [encoder.encode(TONE[start : start + 320]) for start in range(0, 3200, 320)] == first


def test_bitrate_is_kept() -> None:
    noise = np.random.default_rng(1).normal(0, 3000, 16000).astype(np.int16)
    for bitrate in (12000, 24000, 48000):
        encoder = OpusEncoder(LIBRARY, bitrate=bitrate)
        size = sum(len(encoder.encode(noise[start : start + 320])) for start in range(0, 16000, 320))
        assert 0.7 * bitrate < 8 * size < 1.3 * bitrate


def test_silence_with_dtx_becomes_packets_without_a_frame() -> None:
    encoder = OpusEncoder(LIBRARY, dtx=True, voice=True)
    sizes = [len(encoder.encode(np.zeros(320, np.int16))) for _ in range(60)]
    assert sum(size <= 2 for size in sizes) > 30


@pytest.mark.parametrize("samples", [40, 80, 160, 320, 640, 960])
@pytest.mark.parametrize("voice", [False, True])
def test_length_of_a_packet_is_read_from_its_first_bytes(samples: int, voice: bool) -> None:
    encoder = OpusEncoder(LIBRARY, voice=voice)
    packets = [encoder.encode(TONE[start : start + samples]) for start in range(0, 10 * samples, samples)]
    assert lengths_of(packets) == [samples] * 10


@pytest.mark.parametrize("packet", [b"", b"\x03", b"\x03\x00", b"\x1b\x03", b"\xff\x3f"])
def test_bytes_that_are_no_packet_have_no_length(packet: bytes) -> None:
    first = np.array([packet[0] if packet else 0], np.uint8)
    second = np.array([packet[1] if len(packet) > 1 else 0], np.uint8)
    assert packet_samples(first, second, np.array([len(packet)], np.int32), 16000).tolist() == [0]


def test_copies_of_the_frame_before_are_told() -> None:
    rng = np.random.default_rng(2)
    buzz = (6000 * np.sign(np.sin(np.arange(16000) * 2 * np.pi * 120 / 16000))).astype(np.int16)
    buzz += rng.normal(0, 300, 16000).astype(np.int16)
    for fec in (False, True):
        encoder = OpusEncoder(LIBRARY, fec=fec, voice=True, bitrate=24000)
        packets = [encoder.encode(buzz[start : start + 320]) for start in range(0, 16000, 320)][10:]
        told = has_fec(
            np.array([packet[0] for packet in packets], np.uint8),
            np.array([packet[1] for packet in packets], np.uint8),
        )
        assert told.any() == fec
