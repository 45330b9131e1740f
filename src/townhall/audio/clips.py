"""Sound files, given as bytes, to plain samples and back.

Reads what Twilio's `<Play>` reads and a little more: WAV (PCM, float, µ-law, A-law, GSM, ADPCM), AIFF, MP3,
Ogg (Vorbis, Opus), FLAC, AU, and headerless µ-law, A-law and GSM when the content type says so. AAC, M4A, AMR
and WMA are left out: the library underneath (libsndfile) does not know them. Everything is bounded by
`MAX_SECONDS` and `MAX_DECODED_BYTES`, whatever a header claims.
"""

import io
import wave

import numpy as np
import soundfile
import soxr

from townhall.audio.shapes import Float32, Int16
from townhall.errors import TownhallError

MAX_SECONDS = 40 * 60
MAX_DECODED_BYTES = 100_000_000
"""Of 16-bit samples, all channels."""

_RATES = range(2_000, 384_001)
_MAX_CHANNELS = 16
_BLOCK_FRAMES = 1 << 16

_RAW_TYPES = {
    "audio/basic": "ULAW",
    "audio/ulaw": "ULAW",
    "audio/x-ulaw": "ULAW",
    "audio/x-mulaw": "ULAW",
    "audio/pcmu": "ULAW",
    "audio/alaw": "ALAW",
    "audio/x-alaw": "ALAW",
    "audio/pcma": "ALAW",
    "audio/gsm": "GSM610",
    "audio/x-gsm": "GSM610",
}
"""Content type of headerless 8 kHz mono audio: the decoder's name for its coding."""


class AudioError(TownhallError):
    """These bytes are not audio that can be played; the message says what was found."""


class _Source(io.BytesIO):
    """Bytes that refuse no seek: the decoder follows offsets out of damaged headers."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        base = (0, self.tell(), len(self.getbuffer()))[whence]
        return super().seek(max(base + offset, 0))


def decode(data: bytes, content_type: str | None = None, rate: int = 16000) -> Int16:
    """Samples of a sound file, int16 mono at `rate` Hz.

    `content_type` matters only for headerless audio; a file's own header is believed first. Raises
    `AudioError` for anything else than audio and for audio beyond the limits.
    """
    coding = None if _has_header(data) else _raw_coding(content_type)
    if coding is None and not _has_header(data):
        raise AudioError(f"not audio: {_beginning(data)}; expected WAV, AIFF, MP3, Ogg, FLAC or AU")
    try:
        signal, source_rate = _read(data, coding)
        if source_rate != rate and len(signal):
            signal = soxr.resample(signal, source_rate, rate)
    except (soundfile.SoundFileError, ValueError, TypeError, RuntimeError, OSError, MemoryError) as error:
        raise AudioError(f"audio that cannot be decoded: {_beginning(data)}: {error}") from error
    if len(signal) == 0:
        raise AudioError(f"audio without a single sample: {_beginning(data)}")
    scaled = np.nan_to_num(signal, nan=0.0, posinf=1.0, neginf=-1.0) * np.float32(32768.0)
    samples: Int16 = np.clip(np.rint(scaled), -32768, 32767).astype(np.int16)
    return samples


def load_clip(data: bytes, rate: int = 8000) -> Int16:
    """Samples of a clip (WAV, mono, 8 or 16 kHz), int16 at `rate` Hz. Raises `AudioError`."""
    if data[:4] != b"RIFF":
        raise AudioError(f"not a WAV clip: {_beginning(data)}")
    return decode(data, None, rate)


def write_wav(samples: Int16, rate: int) -> bytes:
    """A WAV file, 16-bit mono, of int16 `(n,)`."""
    target = io.BytesIO()
    with wave.open(target, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples.astype("<i2").tobytes())
    return target.getvalue()


def _read(data: bytes, coding: str | None) -> tuple[Float32, int]:
    """Mono float32 in ±1 and its rate; stops at the limits instead of trusting a header."""
    raw = {} if coding is None else {"format": "RAW", "subtype": coding, "samplerate": 8000, "channels": 1}
    with soundfile.SoundFile(_Source(data), **raw) as file:
        source_rate, channels = file.samplerate, file.channels
        if source_rate not in _RATES or channels > _MAX_CHANNELS:
            raise AudioError(f"audio with {channels} channels at {source_rate} Hz is not played")
        limit = min(MAX_SECONDS * source_rate, MAX_DECODED_BYTES // (2 * channels))
        blocks: list[Float32] = []
        frames = 0
        while len(block := file.read(_BLOCK_FRAMES, dtype="float32", always_2d=True)):
            frames += len(block)
            if frames > limit:
                raise AudioError(
                    f"audio is longer than {MAX_SECONDS // 60} minutes or {MAX_DECODED_BYTES} bytes decoded"
                )
            blocks.append(block.mean(axis=1))
    return (np.concatenate(blocks) if blocks else np.zeros(0, np.float32)), source_rate


def _has_header(data: bytes) -> bool:
    head = data[:12]
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"fLaC", b"OggS", b".snd"):
        return True
    if head[:4] == b"FORM" and head[8:12] in (b"AIFF", b"AIFC"):
        return True
    return head[:3] == b"ID3" or _is_mpeg_frame(head)


def _is_mpeg_frame(head: bytes) -> bool:
    """An MPEG audio frame header: eleven ones, then a version, layer, bit rate and rate that exist."""
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE0 != 0xE0:
        return False
    version, layer, bit_rate, sample_rate = (
        (head[1] >> 3) & 3,
        (head[1] >> 1) & 3,
        head[2] >> 4,
        (head[2] >> 2) & 3,
    )
    return version != 1 and layer != 0 and bit_rate not in (0, 15) and sample_rate != 3


def _raw_coding(content_type: str | None) -> str | None:
    return _RAW_TYPES.get((content_type or "").partition(";")[0].strip().lower())


def _beginning(data: bytes) -> str:
    return f"{len(data)} bytes beginning {data[:8]!r}"
