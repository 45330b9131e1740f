"""The forms in which legs are sent their sound: G.711 from one table, what has a state from another.

A G.711 code stands for one sample and for itself, so rows of them can be cut and joined at will (`mixer`).
Opus and G.722 know what was before; their legs are *wide*, at 16 kHz, with a table of their own
(`wide_table`).
"""

from enum import IntEnum

from townhall.media.protocol import Codec
from townhall.media.shapes import OPUS_TICK_UNITS, TICK_SAMPLES


class Form(IntEnum):
    """What a payload is made of."""

    G711 = 0
    OPUS = 1
    G722 = 2


def form_of(codec: Codec) -> Form:
    """The form of an agreed codec."""
    return {"opus": Form.OPUS, "G722": Form.G722}.get(codec, Form.G711)


def tick_units_of(form: Form) -> int:
    """RTP timestamp units of 20 ms. G.722's clock counts 8000 a second by decree, whatever the sound has (RFC
    3551 section 4.5.2).
    """
    return OPUS_TICK_UNITS if form is Form.OPUS else TICK_SAMPLES
