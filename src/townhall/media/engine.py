"""All legs of a media process, without sockets and without a clock: commands and packets in, events and
packets out.

`handle` takes commands as they come, `receive` batches of datagrams, `tick` makes the 20 ms step. Times
are monotonic seconds given by the caller.
"""

from collections.abc import Sequence

import numpy as np

from townhall.media.commands import Commands
from townhall.media.level_meters import TICKS as LEVEL_TICKS
from townhall.media.network import LocalPort
from townhall.media.parts import Parts
from townhall.media.plan import Plan, make_plan
from townhall.media.protocol import Command
from townhall.media.settings import MediaSettings
from townhall.media.shapes import Bytes, Int16s, Int64s, Outgoing, Received

SILENCE_CHECK_TICKS = 10
REPORT_TICKS = 5
"""RTCP is sent on every fifth tick: a few legs at once cost little more than one."""

MOST_TICKS_PLAYED_OUT = 50
"""Of a long stall; the rings hold a second."""


class Engine:
    """See the module. `events` fills up as things happen; whoever drives the engine empties it."""

    def __init__(self, settings: MediaSettings, local: Sequence[LocalPort], seed: int = 0) -> None:
        self.parts = parts = Parts(settings, local, seed)
        self.events, self.legs, self.network = parts.events, parts.legs, parts.network
        self.uplinks, self.clips, self.players = parts.uplinks, parts.clips, parts.players
        self.receiver, self.reports, self.recorders = parts.receiver, parts.reports, parts.recorders
        self._commands = Commands(parts)
        self._sockets = len(local)
        self._plan: Plan = self._replan()

    def close(self) -> None:
        """End the threads; what was recorded is written."""
        self.recorders.close(self.parts.ticks + 1)
        self.clips.close()

    @property
    def refusal(self) -> str:
        """Why new legs are refused just now; empty when they are welcome."""
        return self.parts.refusal

    @refusal.setter
    def refusal(self, why: str) -> None:
        self.parts.refusal = why

    def handle(self, command: Command, now: float) -> None:
        """Carry out one command. A command for a leg that is gone does nothing."""
        self._commands.carry_out(command, now)

    def receive(self, batch: Received, now: float) -> None:
        """Take in a batch of datagrams from any of the sockets."""
        reports = batch.sockets >= self._sockets
        reports |= (batch.data[:, 1] & 0xE0) == 192  # 192 to 223: RFC 5761 section 4
        if reports.any():
            self.reports.take(_rows(batch, np.flatnonzero(reports)), now)
            rest = np.flatnonzero(~reports)
            if not rest.size:
                return
            batch = _rows(batch, rest)
        self.receiver.take(batch, self.parts.ticks, now)

    def tick(self, now: float, wallclock: float = 0.0, beat: int = 0) -> list[Outgoing]:
        """One step of 20 ms: what is to be sent now. The batches are valid until the next call."""
        parts = self.parts
        parts.ticks += 1
        parts.wallclock, parts.beat = wallclock, beat
        self.clips.collect()
        events_out, ended, tones = parts.digits.tick()
        self.events.extend(ended)
        parts.drop_ended_plays()
        self.recorders.look(parts.ticks)
        if parts.dirty or parts.digits.changed or self.recorders.changed:
            parts.digits.changed = False
            self._plan = self._replan()
        batches = self._mix(self._plan, tones)
        if events_out is not None:
            batches.append(events_out)
        self.players.finish()
        parts.drop_ended_plays()
        batches.extend(parts.goodbyes)
        parts.goodbyes = []
        if parts.ticks % REPORT_TICKS == 0:
            batches.extend(self.reports.due(now, wallclock))
        if parts.ticks % SILENCE_CHECK_TICKS == 0:
            parts.notices.look_for_silence(now)
            parts.dirty |= parts.proof.look(SILENCE_CHECK_TICKS)
        return batches

    def _mix(self, plan: Plan, tones: dict[int, Bytes]) -> list[Outgoing]:
        """What was said, to what is sent; `tones` go to these slots instead."""
        parts = self.parts
        frames, wide_frames = self.uplinks.read(plan)
        parts.notices.take(plan, frames)
        parts.dirty |= parts.conditioner.apply(plan, frames, wide_frames)
        shared = parts.shared
        if shared is not None:
            frames = shared.begin(plan, parts.beat, frames, wide_frames)
        table = parts.mixer.mix(plan, self.legs.bus, frames, self.players, parts.buses.plays, shared)
        wide = parts.wide if plan.wide is not None else None
        if wide is not None and plan.wide is not None:
            sums, beeps = parts.mixer.sums, parts.mixer.beeps
            wide.fill(plan.wide, frames, wide_frames, sums, beeps, self.players, shared)
        self.recorders.take(
            parts.ticks,
            frames,
            parts.mixer.sums,
            lambda slots: parts.sent.samples(plan, table, wide, tones, slots),
        )
        self._tell_levels(plan, frames)
        return parts.sender.build(plan, table, tones, wide)

    def skip(self, ticks: int) -> None:
        """Pass over ticks missed in a stall: the streams' clocks go on, nothing is sent for them."""
        legs = self.legs
        sending = legs.connected & legs.sends
        legs.timestamp[sending] += legs.tick_units[sending] * np.uint32(ticks & 0xFFFFFFFF)
        legs.marker[sending] = True
        self.parts.ticks += ticks
        if self.parts.dirty:  # the plan that is left may name decoders that are gone
            self._plan = self._replan()
        for _ in range(min(ticks, MOST_TICKS_PLAYED_OUT)):
            self.uplinks.read(self._plan)
        self.uplinks.rebase()

    def _replan(self) -> Plan:
        """A new plan; legs that are newly listened to start with a fresh ring."""
        parts, legs = self.parts, self.legs
        parts.dirty = False
        parts.buses.show_sounding(self.players.running)
        recorded, attended = self.recorders.listened_to()
        recorded = np.concatenate((recorded, parts.conditioner.held()))
        running, plays, shared = self.players.running, parts.buses.plays, parts.shared
        if shared is None:
            plan = make_plan(legs, running, plays, recorded, attended)
        else:
            recorded = np.concatenate((recorded, shared.voices()))
            plan = make_plan(legs, running, plays, recorded, attended, shared.whispers())
            shared.follow(plan)
        self.recorders.follow(plan, parts.buses.index_of, parts.ticks)
        parts.sent.keep(self.recorders.sent_slots())
        fresh = plan.reading[~legs.decoded[plan.reading]]
        decoded = legs.decoded.copy()
        legs.decoded[:] = False
        legs.decoded[plan.reading] = True
        self.uplinks.release(np.flatnonzero(decoded & ~legs.decoded & legs.wide))
        self.uplinks.reset(fresh)
        parts.notices.follow(fresh)
        parts.conditioner.follow(plan, fresh)
        return plan

    def _tell_levels(self, plan: Plan, frames: Int16s) -> None:
        levels, buses = self.parts.levels, self.parts.buses
        if not levels.watched:
            return
        levels.take(plan, frames)
        if self.parts.ticks % LEVEL_TICKS == 0:
            rows = {name: buses.index_of(name) for name in levels.watched}
            rows = {name: row for name, row in rows.items() if row >= 0}
            self.events.extend(levels.report(plan, rows, self.legs.bus, self.legs.number))


def _rows(batch: Received, rows: Int64s) -> Received:
    return Received(
        batch.data[rows], batch.lengths[rows], batch.names[rows], batch.sockets[rows], batch.arrived[rows]
    )
