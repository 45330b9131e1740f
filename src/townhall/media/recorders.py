"""Recorders: which sounds of a tick go onto which tape, worked out once per change; then all tapes at once.

A tick's work is one array of frames, a row per channel of every tape, made of what legs said, of buses' sums
and of what legs were sent; `tapes` writes it in a thread of its own. The timeline is the tick counter: a tape
has a place for every tick since its recorder's beginning, so what joins late stands behind silence.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from townhall.audio.mixing import limit
from townhall.media.legs import Legs
from townhall.media.plan import Plan
from townhall.media.protocol import (
    Event,
    PauseRecorder,
    RecordedTalker,
    RecorderEnded,
    ResumeRecorder,
    StartRecorder,
    StopRecorder,
    TalkerRecorded,
)
from townhall.media.shapes import TICK_S, TICK_SAMPLES, Int16s, Int32s, Int64s
from townhall.media.tapes import MOST_SAMPLES, Ending, Failure, Share, Tape, TapeWriter

MOST_TALKERS = 250
"""Files of one recorder; who is heard first after that many is left out, and counted."""

RecorderCommand = StartRecorder | PauseRecorder | ResumeRecorder | StopRecorder
Outcome = Literal["finished", "limit", "failed"]
_NEVER = 1 << 62


@dataclass(eq=False, slots=True)
class _Recorder:
    command: StartRecorder
    first_tick: int
    """Tick of the first sample; moves on with every pause that is left out."""
    last_tick: int
    """Tick after the last one it may have."""
    lost_before: int
    tapes: dict[int, Tape] = field(default_factory=dict)
    """By leg for talkers, else one under 0."""
    begins: dict[int, int] = field(default_factory=dict)
    """Ticks between its first one and that of each talker's tape."""
    paused_at: int | None = None
    skipping: bool = False
    left_out: set[int] = field(default_factory=set)
    ended: Outcome | None = None
    detail: str = ""
    samples: int = 0

    @property
    def moves(self) -> bool:
        """Whether it grows longer with time."""
        return self.ended is None and not (self.skipping and self.paused_at is not None)

    def ticks(self, now: int) -> int:
        """How long it is."""
        if self.paused_at is not None and self.skipping:
            now = self.paused_at
        return max(0, min(now, self.last_tick) - self.first_tick)


@dataclass(slots=True)
class _Terms:
    """Rows of the frames and what is added to each of them; a row has at most one term of a kind."""

    rows: list[int] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)

    def add(self, row: int, source: int) -> None:
        if source >= 0:
            self.rows.append(row)
            self.sources.append(source)

    def arrays(self) -> tuple[Int64s, Int64s]:
        return np.array(self.rows, np.int64), np.array(self.sources, np.int64)


class _Routes:
    """The rows of a tick's frames, for as long as nothing changes."""

    def __init__(self) -> None:
        self.shares: list[Share] = []
        self.rows = 0
        self.said, self.sums, self.minus, self.sent = _Terms(), _Terms(), _Terms(), _Terms()
        self.mixed: list[int] = []

    def add(self, tape: Tape, first_tick: int) -> int:
        """Rows for a tape; the first of them."""
        row = self.rows
        self.shares.append(Share(tape, row, first_tick))
        self.rows += tape.channels
        return row

    def freeze(self, gains: dict[tuple[Tape, int], float]) -> None:
        """Turn lists into the arrays that a tick uses."""
        self.frozen_shares = tuple(self.shares)
        self.said_rows, self.said_places = self.said.arrays()
        self.sum_rows, self.sum_buses = self.sums.arrays()
        self.minus_rows, self.minus_places = self.minus.arrays()
        self.sent_rows, self.sent_slots = self.sent.arrays()
        self.mixed_rows = np.array(self.mixed, np.int64)
        self.gain = np.ones(self.rows, np.float32)
        for share in self.shares:
            for channel in range(share.tape.channels):
                self.gain[share.row + channel] = gains.get((share.tape, channel), 1.0)

    def gains(self) -> dict[tuple[Tape, int], float]:
        """The limiters' memories, by tape and channel."""
        return {
            (share.tape, channel): float(self.gain[share.row + channel])
            for share in self.shares
            for channel in range(share.tape.channels)
        }


class Recorders:
    """All recorders of the process; `changed` is set when the plan must be made anew for them."""

    def __init__(self, legs: Legs, emit: Callable[[Event], None]) -> None:
        self.changed = False
        self.writer = TapeWriter()
        self._legs = legs
        self._emit = emit
        self._recorders: dict[int, _Recorder] = {}
        self._owner: dict[Tape, int] = {}
        self._routes: _Routes | None = None
        self._next_limit = _NEVER

    def __len__(self) -> int:
        return len(self._recorders)

    # ---- commands ----

    def handle(self, command: RecorderCommand, tick: int) -> None:
        """Carry out one command; `tick` is the next one."""
        if isinstance(command, StartRecorder):
            return self._start(command, tick)
        recorder = self._recorders.get(command.recorder)
        if recorder is None or recorder.ended:
            return
        match command:
            case PauseRecorder():
                if recorder.paused_at is None:
                    recorder.paused_at, recorder.skipping = tick, command.behaviour == "skip"
            case ResumeRecorder():
                self._resume(recorder, tick)
            case StopRecorder():
                self._end(recorder, tick, "finished")
        self.changed = True

    def leg_closed(self, leg: int, tick: int) -> None:
        """End the recorders of a leg that is gone."""
        for recorder in list(self._recorders.values()):
            if recorder.command.kind == "leg" and recorder.command.leg == leg and not recorder.ended:
                self._end(recorder, tick, "finished")

    def _start(self, command: StartRecorder, tick: int) -> None:
        if command.recorder in self._recorders:
            return
        most = MOST_SAMPLES // TICK_SAMPLES
        ticks = min(most, round(command.limit_s / TICK_S)) if command.limit_s > 0 else most
        recorder = _Recorder(command, tick, tick + ticks, self.writer.ticks_lost)
        self._recorders[command.recorder] = recorder
        if command.kind != "talkers":
            self._new_tape(recorder, 0, command.path, command.channels)
        if command.kind == "leg" and command.leg not in self._legs.slot_of:
            self._end(recorder, tick, "finished")
        self.changed = True

    def _new_tape(self, recorder: _Recorder, leg: int, path: str, channels: int) -> Tape:
        tape = recorder.tapes[leg] = Tape(path, channels)
        self._owner[tape] = recorder.command.recorder
        return tape

    def _resume(self, recorder: _Recorder, tick: int) -> None:
        if recorder.paused_at is not None and recorder.skipping:
            recorder.first_tick += tick - recorder.paused_at
            recorder.last_tick += tick - recorder.paused_at
        recorder.paused_at = None

    def _end(self, recorder: _Recorder, tick: int, outcome: Outcome, detail: str = "") -> None:
        recorder.ended, recorder.detail = outcome, detail
        recorder.samples = recorder.ticks(tick) * TICK_SAMPLES
        whole = recorder.samples if recorder.command.kind != "talkers" else None
        self.writer.end(Ending(recorder.command.recorder, list(recorder.tapes.values()), whole))
        self.changed = True

    # ---- what the plan must know, and what it says ----

    def listened_to(self) -> tuple[Int64s, Int64s]:
        """Slots whose uplink is recorded wherever they are; those of them whose speech is to be told."""
        recorded: list[int] = []
        attended: list[int] = []
        for recorder in self._recorders.values():
            command = recorder.command
            slot = self._legs.slot_of.get(command.leg or 0, -1) if command.kind == "leg" else -1
            if slot < 0 or recorder.ended or command.track == "outbound":
                continue
            (attended if command.speech else recorded).append(slot)
        return np.unique(np.array(recorded, np.int64)), np.unique(np.array(attended, np.int64))

    def follow(self, plan: Plan, bus_of: Callable[[str], int], tick: int) -> None:
        """Work out anew what goes where, beginning with `tick`."""
        self.changed = False
        gains = self._routes.gains() if self._routes else {}
        running = [r for r in self._recorders.values() if not r.ended]
        self._next_limit = min((r.last_tick for r in running if r.moves), default=_NEVER)
        sounding = [r for r in running if r.paused_at is None]
        if not sounding:
            if self._routes is not None:
                self.writer.flush()
            self._routes = None
            return
        place = np.full(self._legs.capacity + 1, -1, np.int64)  # the last one is nobody's
        place[plan.reading] = np.arange(len(plan.reading))
        routes = _Routes()
        for recorder in sounding:
            self._route(recorder, routes, plan, place, bus_of, tick)
        routes.freeze(gains)
        self._routes = routes

    def _route(
        self,
        recorder: _Recorder,
        routes: _Routes,
        plan: Plan,
        place: Int64s,
        bus_of: Callable[[str], int],
        tick: int,
    ) -> None:
        command = recorder.command
        slot = self._legs.slot_of.get(command.leg or 0, -1)
        if command.kind == "leg":
            return self._route_leg(recorder, routes, slot, int(place[slot]))
        bus = bus_of(command.bus or "")
        if command.kind == "talkers":
            return self._route_talkers(recorder, routes, plan, bus, tick)
        row = routes.add(recorder.tapes[0], recorder.first_tick)
        if command.channels == 2:
            voice = int(place[slot]) if slot >= 0 and self._legs.bus[slot] == bus else -1
            voice = voice if voice < plan.talkers else -1
            routes.said.add(row, voice)
            row += 1
            routes.minus.add(row, voice)
        routes.sums.add(row, bus)
        routes.mixed.append(row)

    def _route_leg(self, recorder: _Recorder, routes: _Routes, slot: int, voice: int) -> None:
        track = recorder.command.track
        row = routes.add(recorder.tapes[0], recorder.first_tick)
        if track != "outbound":
            routes.said.add(row, voice)
        if recorder.command.channels == 2:
            row += 1
        if track != "inbound":
            routes.sent.add(row, slot)
            if recorder.command.channels == 1 and track == "both":
                routes.mixed.append(row)

    def _route_talkers(self, recorder: _Recorder, routes: _Routes, plan: Plan, bus: int, tick: int) -> None:
        slots = plan.reading[: plan.talkers]
        places = np.flatnonzero(self._legs.bus[slots] == bus) if bus >= 0 else np.zeros(0, np.int64)
        numbers = self._legs.number[slots[places]]
        for voice, leg in zip(places.tolist(), numbers.tolist(), strict=True):
            tape = recorder.tapes.get(leg) or self._talker_tape(recorder, leg, tick)
            if tape is not None:
                row = routes.add(tape, recorder.first_tick + recorder.begins[leg])
                routes.said.add(row, voice)

    def _talker_tape(self, recorder: _Recorder, leg: int, tick: int) -> Tape | None:
        if len(recorder.tapes) >= MOST_TALKERS:
            recorder.left_out.add(leg)
            return None
        number = recorder.command.numbered_from + len(recorder.tapes)
        path = f"{recorder.command.path}/{number:03d}.wav"
        begins = recorder.begins[leg] = tick - recorder.first_tick
        self._emit(TalkerRecorded(recorder.command.recorder, leg, path, begins * TICK_SAMPLES))
        return self._new_tape(recorder, leg, path, 1)

    # ---- the tick ----

    def look(self, tick: int) -> None:
        """At the beginning of a tick: what the writer tells, and whose time is up."""
        if not self._recorders:
            return
        for news in self.writer.take_news():
            self._hear(news, tick)
        if tick >= self._next_limit:
            for recorder in list(self._recorders.values()):
                if recorder.moves and tick >= recorder.last_tick:
                    self._end(recorder, tick, "limit")

    def sent_slots(self) -> Int64s:
        """Slots of which is recorded what they are sent."""
        return self._routes.sent_slots if self._routes is not None else np.zeros(0, np.int64)

    def take(self, tick: int, frames: Int16s, sums: Int32s, sent: Callable[[Int64s], Int16s]) -> None:
        """Hand this tick's sounds to the writer.

        `frames` `(reading, 160)` is what was said, `sums` `(buses, 160)` the buses, `sent(slots)` gives the
        samples `(slots, 160)` that legs are sent.
        """
        routes = self._routes
        if routes is None:
            return
        rows = np.zeros((routes.rows, TICK_SAMPLES), np.int32)
        rows[routes.said_rows] = frames[routes.said_places]
        rows[routes.sum_rows] += sums[routes.sum_buses]
        rows[routes.minus_rows] -= frames[routes.minus_places]
        if len(routes.sent_rows):
            rows[routes.sent_rows] += sent(routes.sent_slots)
        if len(routes.mixed_rows):
            gain = routes.gain[routes.mixed_rows]
            rows[routes.mixed_rows] = limit(rows[routes.mixed_rows], gain)
            routes.gain[routes.mixed_rows] = gain
        self.writer.put(tick, routes.frozen_shares, rows.astype(np.int16))

    def _hear(self, news: Ending | Failure, tick: int) -> None:
        if isinstance(news, Ending):
            return self._finish(news)
        recorder = self._recorders.get(self._owner.get(news.tape, -1))
        if recorder is not None and not recorder.ended:
            self._end(recorder, tick, "failed", news.tape.failed)

    def _finish(self, ending: Ending) -> None:
        recorder = self._recorders.pop(ending.recorder)
        tapes = recorder.tapes
        for tape in tapes.values():
            del self._owner[tape]
        talkers = recorder.command.kind == "talkers"
        failed = recorder.ended == "failed" or bool(ending.detail)
        whole = recorder.samples if talkers or not failed else tapes[0].samples
        self._emit(
            RecorderEnded(
                recorder=ending.recorder,
                outcome="failed" if failed else recorder.ended or "finished",
                samples=whole,
                lost=(self.writer.ticks_lost - recorder.lost_before) * TICK_SAMPLES,
                talkers=[
                    RecordedTalker(leg, tape.path, recorder.begins[leg] * TICK_SAMPLES, tape.samples)
                    for leg, tape in tapes.items()
                    if talkers and tape.samples
                ],
                talkers_left_out=len(recorder.left_out),
                detail=recorder.detail or ending.detail,
            )
        )

    def close(self, tick: int) -> None:
        """End every recorder and the thread."""
        for recorder in list(self._recorders.values()):
            if not recorder.ended:
                self._end(recorder, tick, "finished")
        self.writer.close()
