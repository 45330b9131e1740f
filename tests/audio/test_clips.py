"""Sound files from bytes: every format that is promised, and nothing that is not audio."""

import io

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from townhall.audio import AudioError, clips, decode, encode_alaw, encode_ulaw, load_clip, sine, write_wav

FORMATS = [
    ("WAV", "PCM_16"),
    ("WAV", "PCM_24"),
    ("WAV", "PCM_U8"),
    ("WAV", "FLOAT"),
    ("WAV", "ULAW"),
    ("WAV", "ALAW"),
    ("WAV", "GSM610"),
    ("WAV", "MS_ADPCM"),
    ("AIFF", "PCM_16"),
    ("FLAC", "PCM_16"),
    ("OGG", "VORBIS"),
    ("OGG", "OPUS"),
    ("MP3", "MPEG_LAYER_III"),
    ("AU", "ULAW"),
]


def _file(container: str, subtype: str, rate: int, channels: int = 1, seconds: float = 1.0) -> bytes:
    signal = sine(1000, seconds, rate, -10) / 32768.0
    target = io.BytesIO()
    soundfile.write(target, np.tile(signal[:, None], (1, channels)), rate, format=container, subtype=subtype)
    return target.getvalue()


def _loudest_hz(samples: NDArray[np.int16], rate: int) -> float:
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples))))
    return float(spectrum.argmax() * rate / len(samples))


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
def test_decode_every_promised_format_gives_the_tone_at_the_asked_rate(container: str, subtype: str) -> None:
    samples = decode(_file(container, subtype, 8000), rate=16000)
    assert samples.dtype == np.int16
    assert len(samples) == pytest.approx(16000, rel=0.2)
    assert _loudest_hz(samples, 16000) == pytest.approx(1000, abs=5)
    middle = samples[4000:12000].astype(float)
    assert 20 * np.log10(np.sqrt(2 * np.mean(middle**2)) / 32767) == pytest.approx(-10, abs=1)


@pytest.mark.parametrize("rate", [8000, 11025, 22050, 44100, 48000])
def test_decode_any_rate_is_converted(rate: int) -> None:
    samples = decode(_file("WAV", "PCM_16", rate), rate=8000)
    assert len(samples) == pytest.approx(8000, abs=2)
    assert _loudest_hz(samples, 8000) == pytest.approx(1000, abs=2)


def test_decode_stereo_becomes_the_mean_of_both() -> None:
    both = np.stack([np.full(800, 1000), np.full(800, 3000)], axis=1).astype(np.int16)
    target = io.BytesIO()
    soundfile.write(target, both, 8000, format="WAV", subtype="PCM_16")
    assert np.all(decode(target.getvalue(), rate=8000) == 2000)


@pytest.mark.parametrize(
    ("content_type", "encode"),
    [
        ("audio/basic", encode_ulaw),
        ("audio/ulaw", encode_ulaw),
        ("Audio/PCMU; rate=8000", encode_ulaw),
        ("audio/x-alaw", encode_alaw),
    ],
)
def test_decode_headerless_g711_by_content_type(content_type: str, encode) -> None:  # type: ignore[no-untyped-def]
    samples = decode(encode(sine(1000, 1.0)).tobytes(), content_type, rate=8000)
    assert len(samples) == 8000
    assert _loudest_hz(samples, 8000) == pytest.approx(1000, abs=2)


def test_decode_headerless_gsm_by_content_type() -> None:
    target = io.BytesIO()
    soundfile.write(target, sine(1000, 1.0), 8000, format="RAW", subtype="GSM610")
    assert _loudest_hz(decode(target.getvalue(), "audio/x-gsm", 8000), 8000) == pytest.approx(1000, abs=20)


def test_decode_header_is_believed_before_the_content_type() -> None:
    assert len(decode(_file("WAV", "PCM_16", 8000), "audio/basic", rate=8000)) == 8000


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"RIFF",
        b"<html><body>404</body></html>",
        b"ID3" + bytes(200),
        b"OggS" + bytes(100),
        b"fLaC" + bytes(60),
        b"\xff\xfb\x90\x64" + bytes(30),
        b"\x89PNG\r\n\x1a\n" + bytes(100),
        _file("FLAC", "PCM_16", 8000)[:60],
        _file("WAV", "PCM_16", 8000)[:44],
    ],
)
def test_decode_what_is_no_audio_raises_audio_error(data: bytes) -> None:
    with pytest.raises(AudioError):
        decode(data)


def test_decode_file_that_breaks_off_plays_what_there_is() -> None:
    assert len(decode(_file("WAV", "PCM_16", 8000)[:8044], rate=8000)) == 4000


def test_decode_header_that_claims_an_hour_is_not_believed() -> None:
    data = bytearray(_file("WAV", "PCM_16", 8000))
    data[40:44] = (0x7FFFFFF0).to_bytes(4, "little")
    assert len(decode(bytes(data), rate=8000)) == 8000


def test_decode_longer_than_the_limit_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "MAX_SECONDS", 1)
    assert len(decode(_file("WAV", "PCM_16", 8000), rate=8000)) == 8000
    with pytest.raises(AudioError, match="longer than"):
        decode(_file("WAV", "PCM_16", 8000, seconds=1.1))


def test_decode_bigger_than_the_limit_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clips, "MAX_DECODED_BYTES", 30_000)
    decode(_file("WAV", "PCM_16", 8000))
    with pytest.raises(AudioError, match="longer than"):
        decode(_file("WAV", "PCM_16", 8000, channels=2))


def test_write_wav_and_load_clip_give_the_samples_back() -> None:
    samples = np.arange(-1000, 1000, dtype=np.int16) * 32
    assert np.array_equal(load_clip(write_wav(samples, 8000)), samples)


def test_load_clip_at_16_khz_comes_at_8() -> None:
    samples = load_clip(write_wav(sine(1000, 1.0, 16000), 16000))
    assert len(samples) == 8000
    assert _loudest_hz(samples, 8000) == pytest.approx(1000, abs=2)


def test_load_clip_of_another_format_raises() -> None:
    with pytest.raises(AudioError, match="WAV"):
        load_clip(_file("FLAC", "PCM_16", 8000))
