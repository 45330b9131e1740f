"""What legs are sent, as samples at 8 kHz: for recorders of a leg's downlink.

G.711 is looked up. Opus is decoded once more, for those few legs only, straight to 8 kHz.
"""

import ctypes
from collections.abc import Mapping

import numpy as np

from townhall.audio.g711 import ALAW_DECODE, ULAW_DECODE
from townhall.audio.opus import OpusDecoder
from townhall.media.legs import Legs
from townhall.media.opus_table import OpusTable
from townhall.media.plan import Plan
from townhall.media.shapes import TICK_SAMPLES, Bytes, Int16s, Int64s

RATE = 8000


class SentVoices:
    """The decoders of the Opus legs that are recorded."""

    def __init__(self, legs: Legs) -> None:
        self._legs = legs
        self._decoders: dict[int, OpusDecoder] = {}

    def keep(self, slots: Int64s) -> None:
        """Only these slots are recorded from now on."""
        wanted = set(slots.tolist())
        self._decoders = {slot: decoder for slot, decoder in self._decoders.items() if slot in wanted}

    def samples(
        self, plan: Plan, table: Bytes, opus: OpusTable | None, instead: Mapping[int, Bytes], slots: Int64s
    ) -> Int16s:
        """int16 `(slots, 160)` of what the legs are sent in this tick."""
        legs = self._legs
        is_opus = legs.opus[slots]
        codes: Bytes = table[np.where(is_opus, 0, plan.sources[slots])]
        for slot, tone in instead.items():
            if not legs.opus[slot]:
                codes[slots == slot] = tone
        alaw = legs.law[slots][:, None] != 0
        voices: Int16s = np.where(alaw, ALAW_DECODE[codes], ULAW_DECODE[codes])
        if opus is not None:
            for row in np.flatnonzero(is_opus).tolist():
                slot = int(slots[row])
                packet = instead.get(slot)
                source = int(plan.sources[slot])
                packet = opus.packets[source, : opus.lengths[source]] if packet is None else packet
                voices[row] = self._decoded(opus.library, slot, packet)
        return voices

    def _decoded(self, library: ctypes.CDLL, slot: int, packet: Bytes) -> Int16s:
        decoder = self._decoders.get(slot)
        if decoder is None:
            decoder = self._decoders[slot] = OpusDecoder(library, RATE)
        samples = np.zeros(TICK_SAMPLES, np.int16)
        packet = np.ascontiguousarray(packet)
        decoder.decode_at(packet.ctypes.data, len(packet), samples.ctypes.data, TICK_SAMPLES)
        return samples
