"""The matrix step: what was said in this tick, to the table of payloads that are sent in it.

Sums are 32 bit; a limiter brings them back to 16, with a memory per bus and per single mix. Everything
that several legs hear alike is computed and encoded once.
"""

import numpy as np
import numpy.typing as npt

from townhall.audio.g711 import ALAW_SILENCE, ULAW_DECODE, ULAW_SILENCE, encode_alaw, encode_ulaw
from townhall.audio.mixing import add_private, limit
from townhall.media.plan import SILENCE_ROWS, BusPlays, Plan
from townhall.media.players import Players
from townhall.media.shapes import TICK_SAMPLES, Bytes, Int16s, Int32s
from townhall.media.shared_buses import SharedBuses


class Mixer:
    """Follows plans; remembers only the limiters' gains."""

    def __init__(self, capacity: int, buses: int) -> None:
        self._bus_gain = np.ones(buses, np.float32)
        self._leg_gain = np.ones(capacity, np.float32)
        self._sums = np.zeros((buses, TICK_SAMPLES), np.int32)
        self._table: Bytes = np.empty((64, TICK_SAMPLES), np.uint8)
        self.beeps: Int16s | None = None
        """Frames of the bus plays in the last `mix`, `(n, 160)`; None without any."""

    def mix(
        self,
        plan: Plan,
        bus_of: npt.NDArray[np.int32],
        frames: Int16s,
        players: Players,
        bus_plays: BusPlays,
        shared: SharedBuses | None = None,
    ) -> Bytes:
        """The payload table `(rows, 160)`.

        `frames` int16 `(len(plan.reading), 160)` is what was said, `bus_of` `(legs,)` the bus of each slot.
        """
        table = self._table_of(plan.table_rows)
        cursor = SILENCE_ROWS
        beeps = self.beeps = self._sum(plan, frames, players, bus_plays, shared)
        if len(plan.mixed_buses):
            mixed = limit_with(self._bus_gain, plan.mixed_buses, self._sums[plan.mixed_buses])
            cursor = _put(table, cursor, encode_ulaw(mixed[plan.mixed_ulaw]))
            cursor = _put(table, cursor, encode_alaw(mixed[plan.mixed_alaw]))
        if len(plan.single):
            own = self._single_mixes(plan, bus_of, frames, beeps)
            cursor = _put(table, cursor, encode_ulaw(own[: plan.single_ulaw]))
            cursor = _put(table, cursor, encode_alaw(own[plan.single_ulaw :]))
        if len(plan.plays):
            cursor = _put(table, cursor, players.read(plan.plays, plan.play_laws))
        return table

    @property
    def sums(self) -> Int32s:
        """Of the last `mix`, `(buses, 160)`; of buses with a leg."""
        return self._sums

    def forget_leg(self, slot: int) -> None:
        self._leg_gain[slot] = 1.0

    def _table_of(self, rows: int) -> Bytes:
        if rows > len(self._table):
            self._table = np.empty((2 * rows, TICK_SAMPLES), np.uint8)
        self._table[0] = ULAW_SILENCE
        self._table[1] = ALAW_SILENCE
        return self._table[:rows]

    def _sum(
        self,
        plan: Plan,
        frames: Int16s,
        players: Players,
        bus_plays: BusPlays,
        shared: SharedBuses | None,
    ) -> Int16s | None:
        """Sum every bus into `_sums`; returns the frames of the bus plays `(n, 160)`, None without any."""
        self._sums[plan.buses] = 0
        self._sums[bus_plays.buses] = 0
        if shared is not None:
            self._sums[shared.buses] = 0
        if plan.talkers:
            self._sums[plan.sum_buses] = plan.sums.of(frames)
        if shared is not None:
            shared.exchange(self._sums)
        if not len(bus_plays.rows):
            return None
        codes = players.read(bus_plays.rows, np.zeros(len(bus_plays.rows), np.uint8))
        beeps: Int16s = ULAW_DECODE.take(codes)
        np.add.at(self._sums, bus_plays.buses, beeps)
        return beeps

    def _single_mixes(
        self, plan: Plan, bus_of: npt.NDArray[np.int32], frames: Int16s, beeps: Int16s | None
    ) -> Int16s:
        """The mixes of those who hear it differently, int16 `(len(plan.single), 160)`."""
        mixes: Int32s = self._sums.take(bus_of[plan.single], axis=0)
        mixes[plan.single_talking] -= frames[plan.single_own]
        if len(plan.whisper_targets):
            add_private(mixes, plan.whisper_targets, frames[plan.whisper_voices])
        if beeps is not None and len(plan.owning):
            np.subtract.at(mixes, plan.owning, beeps[plan.owned_plays])
        return limit_with(self._leg_gain, plan.single, mixes)


def limit_with(
    gains: npt.NDArray[np.float32], which: npt.NDArray[np.int64], mixes: npt.NDArray[np.int32]
) -> Int16s:
    """`limit` with the rows' memories kept at `gains[which]`."""
    gain = gains[which]
    result: Int16s = limit(mixes, gain)
    gains[which] = gain
    return result


def _put(table: Bytes, cursor: int, rows: Bytes) -> int:
    table[cursor : cursor + len(rows)] = rows
    return cursor + len(rows)
