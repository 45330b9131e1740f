"""G.711 payloads to samples and back."""

import numpy as np

from townhall.audio import ALAW_DECODE, ULAW_DECODE, encode_alaw, encode_ulaw
from townhall.phone.hearing import Samples


def decode_payload(codec: str, payload: bytes) -> Samples:
    """A G.711 payload as samples at 8 kHz, shape (bytes,)."""
    table = ULAW_DECODE if codec == "PCMU" else ALAW_DECODE
    return table[np.frombuffer(payload, dtype=np.uint8)]


def encode_payload(codec: str, samples: Samples) -> bytes:
    return (encode_ulaw(samples) if codec == "PCMU" else encode_alaw(samples)).tobytes()
