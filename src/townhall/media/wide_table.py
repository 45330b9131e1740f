"""The wide side of the matrix step: sums at 16 kHz, what each leg of Opus or G.722 hears, and their packets.

Wide sums are what the narrow legs say, brought up once per bus, plus what wide legs say. Listeners of a bus
share one encoder for each codec and quality; who hears something of his own has one himself, from the plan
that needs it to the first that doesn't.
"""

import ctypes

import numpy as np

from townhall.audio.mixing import add_private
from townhall.audio.resampling import Upsampler
from townhall.media.forms import Form
from townhall.media.mixer import limit_with
from townhall.media.players import Players
from townhall.media.shapes import WIDE_BYTES, Bools, Bytes, Int16s, Int32s, Int64s
from townhall.media.shared_buses import SharedBuses
from townhall.media.wide_codecs import make_encoder, quality_of, silence_of
from townhall.media.wide_encoders import Key, WideEncoders
from townhall.media.wide_plan import SILENCE_ROW, WIDE_SILENCE_ROWS, WidePlan


class WideTable:
    """The packets of a tick, a row each; limiters and filters of `capacity` legs and `buses`. Without a
    `library` there is no Opus.
    """

    def __init__(self, library: ctypes.CDLL | None, capacity: int, buses: int) -> None:
        self.library = library
        self._bus_gain = np.ones(buses, np.float32)
        self._leg_gain = np.ones(capacity, np.float32)
        self._bus_up = Upsampler(buses)
        self._leg_up = Upsampler(capacity)
        self._plan: WidePlan | None = None
        self._encoders = WideEncoders(library)
        self.packets: Bytes = np.zeros((64, WIDE_BYTES), np.uint8)
        """`(rows, WIDE_BYTES)` of the last `fill`, and rows beyond them."""
        self.lengths: Int64s = np.zeros(64, np.int64)
        """Bytes of each."""
        self._turning: Bools | None = None
        """Slots that are sent another stream from this tick on, `(legs,)`."""
        self._silence = {
            SILENCE_ROW[form]: silence_of(make_encoder(library, quality_of(form, None, False)))
            for form in (SILENCE_ROW if library is not None else (Form.G722,))
        }

    def __len__(self) -> int:
        """Encoders in use."""
        return len(self._encoders)

    def fill(
        self,
        plan: WidePlan,
        frames: Int16s,
        wide_frames: Int16s,
        sums: Int32s,
        beeps: Int16s | None,
        players: Players,
        shared: SharedBuses | None = None,
    ) -> None:
        """Make the packets of this tick.

        `frames` `(reading, 160)` is what was said, `wide_frames` `(len(plan.places), 320)` what wide legs
        said at 16 kHz, `sums` `(buses, 160)` the buses' narrow sums, `beeps` the bus plays' frames.
        """
        self._turning = None
        if plan is not self._plan:
            self._follow(plan)
        totals = self._totals(plan, frames, wide_frames, sums, shared)
        mixed = limit_with(self._bus_gain, plan.buses, totals)[plan.mixed_rows]
        own = self._single_mixes(plan, totals, frames, wide_frames, beeps)
        self._encoders.encode(
            np.concatenate((mixed, own)), self.packets[WIDE_SILENCE_ROWS:], self.lengths[WIDE_SILENCE_ROWS:]
        )
        if len(plan.plays):
            first = plan.table_rows - len(plan.plays)
            packets, lengths = players.read_packets(plan.plays)
            self.packets[first : plan.table_rows] = packets
            self.lengths[first : plan.table_rows] = lengths

    def rows_for(self, slots: Int64s, sources: Int64s) -> Int64s:
        """The rows of `packets` that G.722 legs are sent, `(n,)`, where the plan says `sources`.

        Its decoders take one stream for the other's continuation, which can be as loud as they go. A tick of
        silence between the two leaves them nothing to continue.
        """
        if self._turning is None:
            return sources
        return np.where(self._turning[slots], SILENCE_ROW[Form.G722], sources)

    def forget_leg(self, slot: int) -> None:
        self._leg_gain[slot] = 1.0

    def _totals(
        self,
        plan: WidePlan,
        frames: Int16s,
        wide_frames: Int16s,
        sums: Int32s,
        shared: SharedBuses | None,
    ) -> Int32s:
        """The wide sums `(len(plan.buses), 320)`."""
        narrow = sums[plan.buses]
        voices = plan.voices
        if len(voices):
            copies = frames[plan.places[voices]]
            narrow[plan.sum_rows] -= np.add.reduceat(copies, plan.sum_starts, axis=0, dtype=np.int32)
        others = shared.wide() if shared is not None else None
        if others is not None:
            narrow[others[0]] -= others[2]
        totals = self._bus_up.process(plan.buses, narrow)
        if others is not None:
            totals[others[0]] += others[1]
        if len(voices):
            said = wide_frames[voices]
            totals[plan.sum_rows] += np.add.reduceat(said, plan.sum_starts, axis=0, dtype=np.int32)
        return totals

    def _single_mixes(
        self, plan: WidePlan, totals: Int32s, frames: Int16s, wide_frames: Int16s, beeps: Int16s | None
    ) -> Int16s:
        """The mixes of those who hear it differently, int16 `(len(plan.single), 320)`."""
        mixes = totals[plan.single_rows]
        inside = np.flatnonzero(plan.single_own >= 0)
        mixes[inside] -= wide_frames[plan.single_own[inside]]
        if len(plan.whisper_targets):
            add_private(mixes, plan.whisper_targets, wide_frames[plan.whisper_voices])
        if len(plan.private):
            private = np.zeros((len(plan.private), frames.shape[1]), np.int32)
            add_private(private, plan.private_targets, frames[plan.private_voices])
            if beeps is not None:
                np.subtract.at(private, plan.owning, beeps[plan.owned_plays])
            mixes[plan.private] += self._leg_up.process(plan.single[plan.private], private)
        return limit_with(self._leg_gain, plan.single, mixes)

    def _follow(self, plan: WidePlan) -> None:
        """Keep the encoders and filters that the plan needs, make those that are new, drop the others."""
        before = self._plan
        if before is not None:
            both = (before.streams != -1) & (plan.streams != -1)
            self._turning = both & (before.streams != plan.streams)
        self._bus_up.reset(_newly(plan.buses, before.buses if before else None))
        heard_before = before.single[before.private] if before else None
        self._leg_up.reset(_newly(plan.single[plan.private], heard_before))
        buses = plan.buses[plan.mixed_rows].tolist()
        keys: list[Key] = [
            ("bus", bus, quality) for bus, quality in zip(buses, plan.mixed_quality.tolist(), strict=True)
        ]
        keys += [
            ("leg", slot, quality)
            for slot, quality in zip(plan.single.tolist(), plan.single_quality.tolist(), strict=True)
        ]
        self._encoders.keep(keys)
        self._make_room(plan.table_rows)
        self._plan = plan

    def _make_room(self, rows: int) -> None:
        if rows > len(self.packets):
            self.packets = np.zeros((2 * rows, WIDE_BYTES), np.uint8)
            self.lengths = np.zeros(2 * rows, np.int64)
        for row, packet in self._silence.items():
            self.packets[row, : len(packet)] = packet
            self.lengths[row] = len(packet)


def _newly(things: Int64s, before: Int64s | None) -> Int64s:
    return things if before is None else np.setdiff1d(things, before)
