"""The live encoders of wide legs: one for each mix that differs, kept as long as the plan needs it.

All who hear the same in the same codec and setting share one; a loop goes over encoders and makes one C call
for each.
"""

import ctypes

from townhall.audio.g722 import G722Encoder
from townhall.audio.opus import OpusEncoder
from townhall.audio.resampling import WIDE_SAMPLES
from townhall.audio.streams import StreamEncoder
from townhall.media.shapes import WIDE_BYTES, Bytes, Int16s, Int64s
from townhall.media.wide_codecs import FINE, make_encoder

COARSE = 1
FINE_ENCODERS = 24
"""As many Opus encoders run at complexity `FINE`, more of them at `COARSE`: measured at 140 and 50 µs a
packet, 3 dB apart in likeness to the original. So the fine ones take a sixth of the tick at most. G.722 takes
16 µs and has no such choice.
"""

Key = tuple[str, int, int]
"""What is encoded (`bus`, `leg`), which, and in which quality (`wide_codecs`)."""


class WideEncoders:
    """See the module; without a `library` there is no Opus."""

    def __init__(self, library: ctypes.CDLL | None) -> None:
        self._library = library
        self._encoders: dict[Key, StreamEncoder] = {}
        self._in_order: list[StreamEncoder] = []
        self._fresh: list[int] = []
        """Places of those that have encoded nothing yet."""

    def __len__(self) -> int:
        return len(self._encoders)

    def keep(self, keys: list[Key]) -> None:
        """These are needed, in this order: make those that are new, drop the others."""
        known = self._encoders
        self._fresh = [place for place, key in enumerate(keys) if key not in known]
        self._encoders = {key: known.get(key) or make_encoder(self._library, key[2]) for key in keys}
        self._in_order = list(self._encoders.values())
        opus = [encoder for encoder in self._in_order if isinstance(encoder, OpusEncoder)]
        for encoder in opus:
            encoder.set_complexity(FINE if len(opus) <= FINE_ENCODERS else COARSE)

    def encode(self, mixes: Int16s, packets: Bytes, lengths: Int64s) -> None:
        """Encode `mixes` `(n, 320)`, in the order of the keys, into the first n rows of `packets` `(rows,
        WIDE_BYTES)` and their `lengths`.
        """
        for place in self._fresh:
            encoder = self._in_order[place]
            if isinstance(encoder, G722Encoder):
                encoder.lead_in(mixes[place])
        self._fresh = []
        source, target = mixes.ctypes.data, packets.ctypes.data
        lengths[: len(mixes)] = [
            encoder.encode_at(
                source + 2 * WIDE_SAMPLES * row, WIDE_SAMPLES, target + WIDE_BYTES * row, WIDE_BYTES
            )
            for row, encoder in enumerate(self._in_order)
        ]
