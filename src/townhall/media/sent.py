"""What legs are sent, as samples at 8 kHz: for recorders of a leg's downlink.

G.711 is looked up. Opus and G.722 are decoded once more, for those few legs only, straight to 8 kHz.
"""

import ctypes
from collections.abc import Mapping

import numpy as np

from townhall.audio.g711 import ALAW_DECODE, ULAW_DECODE
from townhall.audio.streams import StreamDecoder
from townhall.media.forms import Form
from townhall.media.legs import Legs
from townhall.media.plan import Plan
from townhall.media.shapes import TICK_SAMPLES, Bytes, Int16s, Int64s
from townhall.media.wide_codecs import WIDE_CODECS
from townhall.media.wide_table import WideTable

RATE = 8000


class SentVoices:
    """The decoders of the wide legs that are recorded."""

    def __init__(self, legs: Legs) -> None:
        self._legs = legs
        self._decoders: dict[int, tuple[Form, StreamDecoder]] = {}

    def keep(self, slots: Int64s) -> None:
        """Only these slots are recorded from now on."""
        wanted = set(slots.tolist())
        self._decoders = {slot: decoder for slot, decoder in self._decoders.items() if slot in wanted}

    def samples(
        self, plan: Plan, table: Bytes, wide: WideTable | None, instead: Mapping[int, Bytes], slots: Int64s
    ) -> Int16s:
        """int16 `(slots, 160)` of what the legs are sent in this tick."""
        legs = self._legs
        is_wide = legs.wide[slots]
        codes: Bytes = table[np.where(is_wide, 0, plan.sources[slots])]
        for slot, tone in instead.items():
            if not legs.wide[slot]:
                codes[slots == slot] = tone
        alaw = legs.law[slots][:, None] != 0
        voices: Int16s = np.where(alaw, ALAW_DECODE[codes], ULAW_DECODE[codes])
        if wide is not None:
            sources = plan.sources[slots]
            g722 = legs.form[slots] == Form.G722
            sources[g722] = wide.rows_for(slots[g722], sources[g722])
            for row in np.flatnonzero(is_wide).tolist():
                slot = int(slots[row])
                packet = instead.get(slot)
                source = int(sources[row])
                packet = wide.packets[source, : wide.lengths[source]] if packet is None else packet
                voices[row] = self._decoded(wide.library, slot, packet)
        return voices

    def _decoded(self, library: ctypes.CDLL | None, slot: int, packet: Bytes) -> Int16s:
        form = Form(int(self._legs.form[slot]))
        known, decoder = self._decoders.get(slot, (Form.G711, None))
        if decoder is None or known is not form:
            decoder = WIDE_CODECS[form].decoder(library, RATE)
            self._decoders[slot] = form, decoder
        samples = np.zeros(TICK_SAMPLES, np.int16)
        packet = np.ascontiguousarray(packet)
        decoder.decode_at(packet.ctypes.data, len(packet), samples.ctypes.data, TICK_SAMPLES)
        return samples
