"""Payloads to samples at 8 kHz and back: G.711, and the lower band of G.722."""

import numpy as np

from townhall.audio import ALAW_DECODE, ULAW_DECODE, encode_alaw, encode_ulaw
from townhall.audio.g722 import G722Decoder, G722Encoder
from townhall.phone.hearing import RATE, Samples


class PayloadCoder:
    """One call's coding, both ways. G.722 has a state, so its payloads are decoded as they come."""

    def __init__(self) -> None:
        self._g722_encoder = G722Encoder(RATE)
        self._g722_decoder = G722Decoder(RATE)

    def decode(self, codec: str, payload: bytes) -> Samples:
        """A payload as samples at 8 kHz, shape (bytes,)."""
        if codec == "G722":
            return self._g722_decoder.decode(payload)
        table = ULAW_DECODE if codec == "PCMU" else ALAW_DECODE
        return table[np.frombuffer(payload, dtype=np.uint8)]

    def encode(self, codec: str, samples: Samples) -> bytes:
        """Samples at 8 kHz as a payload of as many bytes."""
        if codec == "G722":
            return self._g722_encoder.encode(samples)
        return (encode_ulaw(samples) if codec == "PCMU" else encode_alaw(samples)).tobytes()
