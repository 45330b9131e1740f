"""What legs say, from their packets to the frames of a tick: G.711 at 8 kHz, wide legs at 16 and at 8 kHz.

Wide legs are brought down to 8 kHz one by one: at half a microsecond each that costs less than keeping apart
who needs it, and everything that listens to a leg (sums of G.711 listeners, digits, speech, recorders) finds
all voices in one array.
"""

import ctypes
import logging

import numpy as np

from townhall.audio.opus import OpusMissing, load_opus
from townhall.audio.playout import Playout
from townhall.audio.resampling import WIDE_SAMPLES, Downsampler
from townhall.audio.wide_playout import WidePlayout
from townhall.media.forms import Form
from townhall.media.legs import Legs
from townhall.media.plan import Plan
from townhall.media.shapes import TICK_SAMPLES, Int16s, Int64s

log = logging.getLogger(__name__)

_NO_WIDE_FRAMES: Int16s = np.zeros((0, WIDE_SAMPLES), np.int16)


class Uplinks:
    """The playouts of all legs; what wide legs need is made when the first one comes."""

    def __init__(self, legs: Legs, opus_library: str = "") -> None:
        self.narrow = Playout(legs.capacity)
        self.wide: WidePlayout | None = None
        self._legs = legs
        self._opus_library = opus_library
        self._library: ctypes.CDLL | None = None
        self._down = Downsampler(0)

    def has_opus(self) -> bool:
        """Whether there is a libopus; logs where it was looked for when there is none."""
        try:
            load_opus(self._opus_library)
        except OpusMissing as error:
            log.warning("browsers get G.711 only: %s", error)
            return False
        return True

    def start_wide(self, form: Form) -> ctypes.CDLL | None:
        """Be ready for legs of this form; libopus, if there is one. Raises `OpusMissing` where it is needed
        and there is none.
        """
        if self.wide is None:
            self._library = load_opus(self._opus_library) if self.has_opus() else None
            self.wide = WidePlayout(self._legs.capacity, self._library)
            self._down = Downsampler(self._legs.capacity)
        if form is Form.OPUS and self._library is None:
            load_opus(self._opus_library)
        return self._library

    def reset(self, slots: Int64s) -> None:
        """Forget what came from these legs: they are listened to from now on, or have another source."""
        self.narrow.reset(slots)
        if self.wide is not None:
            slots = slots[self._legs.wide[slots]]
            self.wide.expect(slots, self._legs.form[slots] == Form.G722)
            self.wide.reset(slots)
            self._down.reset(slots)

    def rebase(self) -> None:
        """After a stall of ours: what came in it seemed early, and is no measure for what comes now."""
        self.narrow.rebase()
        if self.wide is not None:
            self.wide.rebase()

    def release(self, slots: Int64s) -> None:
        """Nobody listens to these legs any more."""
        if self.wide is not None:
            self.wide.release(slots)

    def read(self, plan: Plan) -> tuple[Int16s, Int16s]:
        """The next 20 ms: of all that is read `(len(plan.reading), 160)`, of wide legs at 16 kHz as well
        `(len(plan.wide.places), 320)`.
        """
        wide = plan.wide
        if wide is None or self.wide is None or not len(wide.places):
            return self.narrow.read(plan.reading), _NO_WIDE_FRAMES
        frames = np.empty((len(plan.reading), TICK_SAMPLES), np.int16)
        frames[wide.narrow_places] = self.narrow.read(plan.reading[wide.narrow_places])
        slots = plan.reading[wide.places]
        said = self.wide.read(slots)
        frames[wide.places] = np.clip(self._down.process(slots, said), -32768, 32767)
        return frames, said
