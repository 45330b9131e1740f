"""The buses that span several media processes, and whispers from one to another: the engine's side.

What everybody hears of a shared bus is the sum of our talkers and of the others', as it stands in the shared
memory (`exchange`). Everything after the sum, the limiter, "without himself", encoding, is each process's own
and knows nothing of this. Where Opus legs talk or listen, the same is done in the wide band. Whispers between
processes are narrow.
"""

from dataclasses import dataclass, field

import numpy as np

from townhall.audio.resampling import WIDE_SAMPLES
from townhall.media.buses import Buses
from townhall.media.exchange import WIDE, Exchange, mapped
from townhall.media.legs import Legs
from townhall.media.plan import Plan
from townhall.media.settings import MediaSettings
from townhall.media.shapes import Int16s, Int32s, Int64s
from townhall.media.wide_plan import WidePlan

_NONE: Int64s = np.zeros(0, np.int64)


@dataclass(slots=True)
class _WideRoutes:
    """What the tick does in the wide band, for as long as nothing changes."""

    voices: Int64s = field(default_factory=lambda: _NONE)
    """Wide frames of our talkers in shared buses, sorted by bus; `copies` are their places in the frames."""
    copies: Int64s = field(default_factory=lambda: _NONE)
    starts: Int64s = field(default_factory=lambda: _NONE)
    rows: Int64s = field(default_factory=lambda: _NONE)
    """Of each sum of them."""
    heard: Int64s = field(default_factory=lambda: _NONE)
    """Places in `WidePlan.buses` of the shared ones; `heard_rows` are their rows."""
    heard_rows: Int64s = field(default_factory=lambda: _NONE)


class SharedBuses:
    """See the module. The engine makes one when there are several processes."""

    def __init__(self, legs: Legs, buses: Buses, exchange: Exchange) -> None:
        self.buses: Int64s = _NONE
        """Rows of the mixer that are shared."""
        self._legs = legs
        self._names = buses
        self._exchange = exchange
        self._row_of: dict[int, int] = {}
        self._voices: dict[int, int] = {}
        self._whispers: dict[tuple[int, int], str] = {}
        """Bus by leg and row."""
        self._beat = 0
        self._rows = self._talking = self._talking_rows = _NONE
        self._voice_places = self._voice_rows = self._whisper_rows = _NONE
        self._wide = _WideRoutes()

    # ---- commands; each is followed by a new plan ----

    def share_bus(self, name: str, row: int | None) -> int:
        """Begin or end to share a bus; the bus to part from, -1: none. A row that is not there is ignored."""
        bus = self._names.index_of(name)
        if row is None:
            return bus if bus >= 0 and self._row_of.pop(bus, None) is not None else -1
        if 0 <= row < self._exchange.rows:
            if bus not in self._row_of:
                bus = self._names.join(name)
            self._row_of[bus] = row
        return -1

    def share_voice(self, leg: int, row: int | None) -> None:
        """Begin or end to share a whisperer's voice."""
        if row is None:
            self._voices.pop(leg, None)
        elif 0 <= row < self._exchange.rows:
            self._voices[leg] = row

    def add_voice(self, leg: int, row: int, bus: str | None) -> None:
        """Begin or end to whisper what is in a row to one of our legs."""
        if bus is None:
            self._whispers.pop((leg, row), None)
        elif 0 <= row < self._exchange.rows:
            self._whispers[leg, row] = bus

    def forget_leg(self, leg: int) -> None:
        """The leg is closed."""
        self._voices.pop(leg, None)
        for key in [key for key in self._whispers if key[0] == leg]:
            del self._whispers[key]

    # ---- the plan ----

    def voices(self) -> Int64s:
        """Slots of our whisperers, which must be read."""
        slots = (self._legs.slot_of.get(leg, -1) for leg in self._voices)
        return np.array([slot for slot in slots if slot >= 0], np.int64)

    def whispers(self) -> tuple[Int64s, Int64s]:
        """Slots of those who are whispered to from elsewhere, and the bus that they must hear for it; one for
        each voice that `begin` adds to the frames.
        """
        slots = [self._legs.slot_of.get(leg, -1) for leg, _ in self._whispers]
        buses = [self._names.index_of(name) for name in self._whispers.values()]
        return np.array(slots, np.int64), np.array(buses, np.int64)

    def follow(self, plan: Plan) -> None:
        """Work out anew what the tick gives and takes."""
        row_of = np.full(self._names.rows, -1, np.int64)
        self.buses = np.array(sorted(self._row_of), np.int64)
        row_of[self.buses] = [self._row_of[bus] for bus in self.buses.tolist()]
        self._rows = row_of[self.buses]
        self._talking = plan.sum_buses[row_of[plan.sum_buses] >= 0]
        self._talking_rows = row_of[self._talking]
        self._whisper_rows = np.array([row for _, row in self._whispers], np.int64)
        place = np.full(self._legs.capacity, -1, np.int64)
        place[plan.reading] = np.arange(len(plan.reading))
        said = [
            (int(place[slot]), row)
            for leg, row in self._voices.items()
            if (slot := self._legs.slot_of.get(leg, -1)) >= 0 and place[slot] >= 0
        ]
        self._voice_places, self._voice_rows = np.array(said, np.int64).reshape(-1, 2).T
        self._wide = self._wide_routes(plan, plan.wide, row_of) if plan.wide is not None else _WideRoutes()

    def _wide_routes(self, plan: Plan, wide: WidePlan, row_of: Int64s) -> _WideRoutes:
        voices = np.flatnonzero(wide.places < plan.talkers)
        copies = wide.places[voices]
        rows = row_of[self._legs.bus[plan.reading[copies]]]
        voices, copies, rows = voices[rows >= 0], copies[rows >= 0], rows[rows >= 0]
        starts = np.flatnonzero(np.diff(rows, prepend=-1))
        heard = np.flatnonzero(row_of[wide.buses] >= 0)
        return _WideRoutes(voices, copies, starts, rows[starts], heard, row_of[wide.buses[heard]])

    # ---- the tick ----

    def begin(self, plan: Plan, beat: int, frames: Int16s, wide_frames: Int16s) -> Int16s:
        """Give what single voices there are; the frames `(reading, 160)` with the voices of those behind them
        who whisper to us from elsewhere.
        """
        self._beat = beat
        exchange, wide = self._exchange, self._wide
        exchange.begin(beat)
        if len(self._voice_rows):
            exchange.put(beat, self._voice_rows, frames[self._voice_places])
        if len(wide.rows):
            said = np.empty((len(wide.rows), WIDE), np.int32)
            np.add.reduceat(wide_frames[wide.voices], wide.starts, 0, np.int32, said[:, :WIDE_SAMPLES])
            np.add.reduceat(frames[wide.copies], wide.starts, 0, np.int32, said[:, WIDE_SAMPLES:])
            exchange.put_wide(beat, wide.rows, said)
        if not len(self._whisper_rows):
            return frames
        voices = np.zeros((len(self._whisper_rows), frames.shape[1]), np.int32)
        exchange.add_to(voices, np.arange(len(voices)), self._whisper_rows)
        return np.concatenate((frames, voices.astype(np.int16)))

    def exchange(self, sums: Int32s) -> None:
        """Give the sums `(buses, 160)` of our talkers, and add those of the others."""
        if len(self._talking):
            self._exchange.put(self._beat, self._talking_rows, sums[self._talking])
        self._exchange.end(self._beat)
        if len(self.buses):
            self._exchange.add_to(sums, self.buses, self._rows)

    def wide(self) -> "tuple[Int64s, Int32s, Int32s] | None":
        """What the others' Opus legs say: places in `WidePlan.buses`, the wide sums `(n, 320)`, and the same
        voices at 8 kHz `(n, 160)` as they are in the sums; None when nobody does.
        """
        wide = self._wide
        said = np.zeros((len(wide.heard), WIDE), np.int32)
        if not len(said) or not self._exchange.add_wide_to(said, wide.heard_rows):
            return None
        return wide.heard, said[:, :WIDE_SAMPLES], said[:, WIDE_SAMPLES:]


def shared_buses(settings: MediaSettings, legs: Legs, buses: Buses) -> SharedBuses | None:
    """What a process needs to share buses with others; None when it is the only one."""
    if settings.workers < 2 or settings.memory < 0:
        return None
    memory = mapped(settings.memory, settings.workers, settings.memory_rows)
    return SharedBuses(legs, buses, Exchange(memory, settings.workers, settings.memory_rows, settings.worker))
