"""Any bytes, packets and frames into the audio room give a result or the one documented error."""

import io

import numpy as np
import soundfile
from hypothesis import given, settings
from hypothesis import strategies as st

from townhall.audio import AudioError, InbandDigits, Playout, SpeechDetector, decode, limit, load_clip, sine
from townhall.audio.levels import level_dbfs


def _file(container: str, subtype: str) -> bytes:
    target = io.BytesIO()
    soundfile.write(target, sine(500, 0.1), 8000, format=container, subtype=subtype)
    return target.getvalue()


FILES = [
    _file(*pair)
    for pair in (
        ("WAV", "PCM_16"),
        ("WAV", "GSM610"),
        ("WAV", "MS_ADPCM"),
        ("AIFF", "PCM_16"),
        ("FLAC", "PCM_16"),
        ("OGG", "VORBIS"),
        ("MP3", "MPEG_LAYER_III"),
        ("AU", "ULAW"),
    )
]
HEADS = [
    b"",
    b"RIFF\xff\xff\xff\xffWAVE",
    b"FORM\0\0\0\0AIFF",
    b"ID3",
    b"OggS",
    b"fLaC",
    b".snd",
    b"\xff\xfb\x90\x64",
]
TYPES = [None, "audio/basic", "audio/gsm", "audio/mpeg", "text/html", ""]


def _decode(data: bytes, content_type: str | None) -> None:
    try:
        samples = decode(data, content_type, 8000)
    except AudioError:
        return
    assert samples.dtype == np.int16
    assert samples.ndim == 1
    assert len(samples) > 0


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(HEADS), st.binary(max_size=300), st.sampled_from(TYPES))
def test_decode_any_bytes(head: bytes, rest: bytes, content_type: str | None) -> None:
    _decode(head + rest, content_type)
    try:
        load_clip(head + rest)
    except AudioError:
        return


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_decode_damaged_file(data: st.DataObject) -> None:
    file = bytearray(data.draw(st.sampled_from(FILES)))
    for _ in range(data.draw(st.integers(1, 8))):
        # Headers are where the damage hurts.
        at = data.draw(st.integers(0, min(len(file), 120) - 1))
        file[at] = data.draw(st.integers(0, 255))
    end = data.draw(st.integers(1, len(file)))
    _decode(bytes(file[:end]), None)


PACKET = st.tuples(
    st.integers(0, 3),
    st.one_of(st.integers(0, 2**32 - 1), st.integers(0, 60).map(lambda tick: tick * 80)),
)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([1, 40, 80, 160, 480, 960]), st.lists(PACKET, max_size=6)), max_size=40
    )
)
def test_playout_any_packets(ticks: list[tuple[int, list[tuple[int, int]]]]) -> None:
    playout = Playout(4)
    every = np.arange(4)
    playout.reset(every)
    for tick, (length, packets) in enumerate(ticks):
        slots = np.array([slot for slot, _ in packets], np.int64)
        timestamps = np.array([timestamp for _, timestamp in packets], np.uint64).astype(np.uint32)
        playout.write(slots, timestamps, tick, np.full((len(packets), length), 9000, np.int16))
        heard = playout.read(every)
        assert heard.shape == (4, 160)
        assert heard.dtype == np.int16
    assert np.all(playout.jitter_ms(every) >= 0)
    assert np.all(np.abs(playout.delay_ms(every)) < 1300)


@settings(max_examples=100, deadline=None)
@given(st.binary(min_size=320, max_size=320 * 6))
def test_detectors_and_limiter_any_samples(data: bytes) -> None:
    frames = np.frombuffer(data[: len(data) // 320 * 320], np.int16).reshape(-1, 160)
    slots = np.arange(len(frames))
    digits, speech = InbandDigits(6), SpeechDetector(6)
    for _ in range(3):
        pressed, keys = digits.detect(slots, frames)
        assert len(pressed) == len(keys)
        speech.update(slots, frames, level_dbfs(frames))
    assert limit(frames.astype(np.int32) * 60_000).dtype == np.int16
