"""The codecs with a state, an entry for each: how encoders and decoders are made and what they are set to.

Whoever works with such streams (the table of what is sent, clips, digits, recorders) asks here and knows
nothing else of them.
"""

import ctypes
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from townhall.audio.g722 import G722Decoder, G722Encoder
from townhall.audio.opus import OpusDecoder, OpusEncoder, load_opus
from townhall.audio.resampling import WIDE_SAMPLES
from townhall.audio.streams import StreamDecoder, StreamEncoder
from townhall.media.forms import Form
from townhall.media.shapes import WIDE_BYTES, Bytes, Int16s

BITRATES = (32000, 24000, 20000, 16000, 12000, 8000, 6000)
"""What our Opus encoders are set to, bit/s: the first for everybody who asks for no less. Below 20,000 there
is no room for in-band FEC at 16 kHz.
"""

EXPECTED_LOSS = 10
"""Percent; more makes the copies in the FEC better and the voice itself worse."""

RATE = 16000
FINE = 5
"""Opus's complexity: the least that is as near to the original as 10 is, at 32 kbit/s."""

G722_QUALITY = 64
"""The one setting of G.722; those of Opus are below it."""


@dataclass(frozen=True, slots=True)
class WideCodec:
    """One codec: makers of its parts. Each is given libopus, if there is one, and may raise `OpusMissing`."""

    clip_encoder: Callable[[ctypes.CDLL | None], StreamEncoder]
    """Of clips, which are encoded once for everybody."""
    decoder: Callable[[ctypes.CDLL | None, int], StreamDecoder]
    """At this rate, 8000 or 16,000 Hz."""
    needs_library: bool


def quality_of(form: Form, max_bitrate: int | None, in_band_fec: bool) -> int:
    """The setting for a leg's encoder, from what its SDP asks for (Opus: RFC 7587 section 6.1)."""
    if form is Form.G722:
        return G722_QUALITY
    most = max_bitrate or BITRATES[0]
    place = next((place for place, rate in enumerate(BITRATES) if rate <= most), len(BITRATES) - 1)
    return 2 * place + int(in_band_fec)


def make_encoder(library: ctypes.CDLL | None, quality: int) -> StreamEncoder:
    """A live encoder of this setting."""
    if quality == G722_QUALITY:
        return G722Encoder()
    assert library is not None
    place, fec = divmod(quality, 2)
    return OpusEncoder(
        library, RATE, bitrate=BITRATES[place], complexity=FINE, fec=bool(fec), expected_loss=EXPECTED_LOSS
    )


def _opus_clip_encoder(library: ctypes.CDLL | None) -> StreamEncoder:
    """Without FEC, which would press music into the model of a voice."""
    assert library is not None
    return OpusEncoder(library, RATE, bitrate=BITRATES[0], complexity=FINE)


def _opus_decoder(library: ctypes.CDLL | None, rate: int) -> StreamDecoder:
    assert library is not None
    return OpusDecoder(library, rate)


WIDE_CODECS = {
    Form.OPUS: WideCodec(_opus_clip_encoder, _opus_decoder, needs_library=True),
    Form.G722: WideCodec(lambda _: G722Encoder(), lambda _, rate: G722Decoder(rate), needs_library=False),
}


def encode_clip(form: Form, opus_library: str, samples: Int16s) -> Bytes:
    """Packets of int16 `(n,)` at 16 kHz, uint8 `(frames, 1 + WIDE_BYTES)`: how many bytes, then the bytes.

    `opus_library` is where libopus is, see `load_opus`. Raises `OpusMissing`.
    """
    codec = WIDE_CODECS[form]
    library = load_opus(opus_library) if codec.needs_library else None
    encoder = codec.clip_encoder(library)
    if isinstance(encoder, G722Encoder):
        encoder.lead_in(samples[: min(len(samples) // 2 * 2, WIDE_SAMPLES)])
    return encode_frames(encoder, samples)


def encode_frames(encoder: StreamEncoder, samples: Int16s) -> Bytes:
    """The same with an encoder that is there; the last packet is filled up with silence."""
    padded = np.pad(samples, (0, -len(samples) % WIDE_SAMPLES)).astype(np.int16)
    rows = np.zeros((len(padded) // WIDE_SAMPLES, 1 + WIDE_BYTES), np.uint8)
    source, target = padded.ctypes.data, rows.ctypes.data + 1
    for row in range(len(rows)):
        rows[row, 0] = encoder.encode_at(
            source + 2 * WIDE_SAMPLES * row, WIDE_SAMPLES, target + rows.strides[0] * row, WIDE_BYTES
        )
    return rows


def silence_of(encoder: StreamEncoder) -> Bytes:
    """A packet of silence, as it is when there has been nothing else for a while; uint8 `(bytes,)`."""
    row: Bytes = encode_frames(encoder, np.zeros(4 * WIDE_SAMPLES, np.int16))[-1]
    return row[1 : 1 + int(row[0])]
