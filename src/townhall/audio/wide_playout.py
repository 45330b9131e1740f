"""Playout at 16 kHz of legs that speak Opus or G.722: `opus_playout`, with one more codec.

Both are decoded in order and when their time comes, so reordering costs neither of them anything. A G.722
byte is two samples and one unit of the RTP clock, which counts 8000 a second though the sound has 16,000 (RFC
3551 section 4.5.2).
"""

import ctypes

import numpy as np

from townhall.audio.g722 import G722Decoder
from townhall.audio.opus_playout import OpusPlayout
from townhall.audio.shapes import Bool, Int32, Slots, UInt8, UInt32
from townhall.audio.streams import StreamDecoder

SHORTEST_G722, LONGEST_G722 = 40, 480
"""Bytes of packets of 5 and 60 ms; others are dropped."""


class WidePlayout(OpusPlayout):
    """Playout of `capacity` legs; `expect` says what a slot speaks before it is `reset`. Without a `library`
    there is no Opus.
    """

    def __init__(self, capacity: int, library: ctypes.CDLL | None) -> None:
        super().__init__(capacity, library)
        self._g722 = np.zeros(capacity, np.bool_)

    def expect(self, slots: Slots, g722: Bool) -> None:
        """Packets of these slots are G.722 where `g722` `(n,)`, else Opus; their decoders are others from now
        on where that is a change.
        """
        changed = slots[self._g722[slots] != g722]
        self.release(changed)
        self._g722[slots] = g722

    def _new_decoder(self, slot: int) -> StreamDecoder:
        return G722Decoder() if self._g722[slot] else super()._new_decoder(slot)

    def _samples_of(self, slots: Slots, packets: UInt8, lengths: Int32) -> Int32:
        g722 = self._g722[slots]
        fits = (lengths >= SHORTEST_G722) & (lengths <= LONGEST_G722)
        samples = super()._samples_of(slots, packets, lengths)
        return np.where(g722, np.where(fits, 2 * lengths, 0), samples).astype(np.int32)

    def _unwrap(self, slots: Slots, timestamps: UInt32) -> UInt32:
        positions = super()._unwrap(slots, timestamps)
        return np.where(self._g722[slots], timestamps << np.uint32(1), positions)

    def _known_from_fec(self, slots: Slots, places: Slots, sizes: Int32) -> Bool:
        known: Bool = super()._known_from_fec(slots, places, sizes) & ~self._g722[slots]
        return known
