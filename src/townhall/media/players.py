"""Plays: lists of clips on their way to legs or buses, all of them read from the arena with one gather a
tick.

A play is a chain of segments, each one clip, the last one linked to the first (loops) or to silence. All
plays' places are arrays, so a tick is: a window per play, for those that reach a clip's end a second
window of the next segment, and new places. Since a clip is at least a frame long, a frame touches two
segments at most. Plays to wide legs are of packets: their clips are whole frames, 160 places for each packet.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from townhall.media.clips import Clip, ClipError, ClipStore
from townhall.media.forms import Form
from townhall.media.protocol import Event, PlayFinished
from townhall.media.shapes import TICK_SAMPLES, Bytes, Int64s, Slots

Outcome = Literal["finished", "stopped", "failed"]

SILENCE = 0
"""The segment behind the last one; the beginning of the arena."""

_FRAME = f"V{TICK_SAMPLES}"
_SAMPLES = np.arange(TICK_SAMPLES)


@dataclass(eq=False, slots=True)
class PlayRecord:
    """What the arrays do not hold of one play."""

    number: int
    leg: int | None
    slot: int
    bus: int
    owner: int
    loops: int
    form: Form
    skip: int = 0
    clips: list[Clip] = field(default_factory=list)
    segments: list[int] = field(default_factory=list)


class Players:
    """All plays. Rows grow as needed; `changed` is set when a play starts to sound or ends (the mixer's
    plan).
    """

    def __init__(self, clips: ClipStore, emit: Callable[[Event], None]) -> None:
        self.changed = False
        self.records: dict[int, PlayRecord] = {}
        self.running = np.zeros(64, np.bool_)
        self._ended: list[PlayRecord] = []
        self._row_of: dict[int, int] = {}
        self._clips = clips
        self._emit = emit
        self._free_rows = list(range(63, -1, -1))
        self._segment = np.zeros(64, np.int64)
        self._offset = np.zeros(64, np.int64)
        self._loops_left = np.zeros(64, np.int64)
        # Segments: a clip's place in the arena and what follows.
        self._start = np.zeros(64, np.int64)
        self._length = np.full(64, TICK_SAMPLES, np.int64)
        self._next = np.zeros(64, np.int64)
        self._is_last = np.zeros(64, np.bool_)
        self._free_segments = list(range(63, 0, -1))
        size = clips.arena.shape[1]
        self._packets, self._packet_lengths = clips.packets.view(_FRAME)[:, 0], clips.packet_lengths
        # Every place in the arena seen as one 160-byte element: gathering frames is gathering elements.
        self._windows = [
            np.ndarray((size - TICK_SAMPLES + 1,), _FRAME, clips.arena[law], strides=(1,)) for law in (0, 1)
        ]

    # -- starting and stopping ------------------------------------------------------------

    def start(
        self,
        number: int,
        paths: Sequence[str],
        loops: int,
        *,
        leg: int | None = None,
        slot: int = -1,
        bus: int = -1,
        owner: int = -1,
        form: Form = Form.G711,
        skip: int = 0,
    ) -> int:
        """Begin a play; it sounds as soon as its clips are loaded. Returns its row, or -1 when it has ended
        already. `form`: what its leg is sent; `skip`: samples at the beginning that are left out.
        """
        record = PlayRecord(number, leg, slot, bus, owner, loops, form, skip)
        try:
            for path in paths:
                record.clips.append(self._clips.use(path, form))
        except ClipError as error:
            self._release(record)
            self._emit(PlayFinished(number, leg, "failed", str(error)))
            return -1
        if not paths:
            self._emit(PlayFinished(number, leg, "finished"))
            return -1
        row = self._new_row()
        self.records[row] = record
        self._row_of[number] = row
        self._await(row, record)
        return row

    def _await(self, row: int, record: PlayRecord) -> None:
        """Begin as soon as all clips are there."""
        pending = [clip for clip in dict.fromkeys(record.clips) if not clip.ready]
        for clip in pending:
            clip.waiting.append(lambda: self._clip_arrived(row, record))
        if not pending:
            self._begin(row, record)

    def stop(self, row: int) -> None:
        """End a play now; does nothing when it is over."""
        if row in self.records:
            self._end(row, "stopped")

    def change_form(self, row: int, form: Form) -> None:
        """The leg of a play speaks another codec now: its clips begin again in the form for it."""
        record = self.records.get(row)
        if record is None or record.form == form:
            return
        self.running[row] = False
        self.changed = True
        self._free_segments.extend(record.segments)
        record.segments, record.form, before = [], form, record.clips
        record.clips = []
        try:
            for clip in before:
                record.clips.append(self._clips.use(clip.path, form))
        except ClipError as error:
            self._end(row, "failed", str(error))
        else:
            self._await(row, record)
        for clip in before:
            self._clips.release(clip)

    def row_of(self, number: int) -> int:
        """The row of play `number`, -1 when it is over."""
        return self._row_of.get(number, -1)

    def _clip_arrived(self, row: int, record: PlayRecord) -> None:
        if self.records.get(row) is not record or self.running[row]:
            return
        failed = next((clip.failed for clip in record.clips if clip.failed), "")
        if failed:
            self._end(row, "failed", failed)
        elif all(clip.ready for clip in record.clips):
            self._begin(row, record)

    def _begin(self, row: int, record: PlayRecord) -> None:
        segments = [self._new_segment() for _ in record.clips]
        record.segments = segments
        for segment, clip, following in zip(
            segments, record.clips, [*segments[1:], segments[0]], strict=True
        ):
            self._start[segment], self._length[segment] = clip.start, clip.length
            self._next[segment] = following
            self._is_last[segment] = False
        self._is_last[segments[-1]] = True
        self._segment[row], self._offset[row] = self._place_after(segments, record.skip)
        self._loops_left[row] = record.loops if record.loops > 0 else np.iinfo(np.int64).max
        self.running[row] = True
        self.changed = True

    def _place_after(self, segments: Sequence[int], skip: int) -> tuple[int, int]:
        """The segment and the place in it, `skip` places after the beginning of them all."""
        for segment in segments:
            if skip < self._length[segment]:
                return segment, skip
            skip -= int(self._length[segment])
        return SILENCE, 0

    def _end(self, row: int, outcome: Outcome, detail: str = "") -> None:
        record = self.records.pop(row)
        self._ended.append(record)
        self._row_of.pop(record.number, None)
        self.running[row] = False
        self._free_rows.append(row)
        self._free_segments.extend(record.segments)
        self._release(record)
        self.changed = True
        self._emit(PlayFinished(record.number, record.leg, outcome, detail))

    def _release(self, record: PlayRecord) -> None:
        for clip in record.clips:
            self._clips.release(clip)

    def _new_row(self) -> int:
        if not self._free_rows:
            size = len(self.running)
            self._free_rows = list(range(2 * size - 1, size - 1, -1))
            self.running = np.concatenate((self.running, np.zeros(size, np.bool_)))
            self._segment, self._offset, self._loops_left = (
                np.concatenate((column, np.zeros(size, np.int64)))
                for column in (self._segment, self._offset, self._loops_left)
            )
        return self._free_rows.pop()

    def _new_segment(self) -> int:
        if not self._free_segments:
            size = len(self._start)
            self._free_segments = list(range(2 * size - 1, size - 1, -1))
            self._start, self._length, self._next = (
                np.concatenate((column, np.zeros(size, np.int64)))
                for column in (self._start, self._length, self._next)
            )
            self._is_last = np.concatenate((self._is_last, np.zeros(size, np.bool_)))
        return self._free_segments.pop()

    # -- the tick ------------------------------------------------------------

    def read(self, rows: Slots, laws: Slots) -> Bytes:
        """The next frames `(n, 160)` of running plays `rows`, each in its law; moves them on.

        Call it once a tick with all running rows; plays that end with this frame are told by `finish`.
        """
        segment, offset = self._segment[rows], self._offset[rows]
        begins, lengths = self._start[segment], self._length[segment]
        frames = self._gather(begins + offset, laws)
        left = lengths - offset
        turning = np.flatnonzero(left <= TICK_SAMPLES)
        self._offset[rows] = offset + TICK_SAMPLES
        if turning.size:
            self._turn(rows[turning], laws[turning], frames, turning, left[turning])
        return frames

    def read_packets(self, rows: Slots) -> tuple[Bytes, Bytes]:
        """The next packets `(n, WIDE_BYTES)` of running plays `rows` to wide legs, and their bytes `(n,)`;
        moves them on like `read`.
        """
        segment, offset = self._segment[rows], self._offset[rows]
        frame = (self._start[segment] + offset) // TICK_SAMPLES
        left = self._length[segment] - offset
        self._offset[rows] = offset + TICK_SAMPLES
        turning = np.flatnonzero(left <= TICK_SAMPLES)
        if turning.size:
            self._follow(rows[turning], left[turning])
        packets: Bytes = self._packets[frame].view(np.uint8).reshape(-1, TICK_SAMPLES)
        return packets, self._packet_lengths[frame]

    def _turn(self, rows: Slots, laws: Slots, frames: Bytes, places: Int64s, left: Int64s) -> None:
        """Fill the rest of the frames of plays whose clip ends inside (or with) this frame, from the next
        segment.
        """
        following = self._follow(rows, left)
        rest = self._gather(np.maximum(self._start[following] - left, 0), laws)
        at_start = self._start[following] < left  # silence at the arena's beginning: any place of it will do
        if at_start.any():
            rest[at_start] = self._gather(np.zeros(int(at_start.sum()), np.int64), laws[at_start])
        frames[places] = np.where(left[:, None] > _SAMPLES, frames[places], rest)

    def _follow(self, rows: Slots, left: Int64s) -> Int64s:
        """Go on to the next segments, of which the last `left` places of the old ones are not yet; which."""
        segment = self._segment[rows]
        last = self._is_last[segment]
        self._loops_left[rows] -= last
        following = np.where(last & (self._loops_left[rows] <= 0), SILENCE, self._next[segment])
        self._segment[rows] = following
        self._offset[rows] = np.where(following == SILENCE, 0, TICK_SAMPLES - left)
        return following

    def _gather(self, starts: Int64s, laws: Slots) -> Bytes:
        if not laws.any():
            elements = self._windows[0][starts]
        elif laws.all():
            elements = self._windows[1][starts]
        else:
            elements = np.empty(len(starts), _FRAME)
            for law in (0, 1):
                same = np.flatnonzero(laws == law)
                elements[same] = self._windows[law][starts[same]]
        return elements.view(np.uint8).reshape(-1, TICK_SAMPLES)

    def finish(self) -> None:
        """End the plays that have reached their silence."""
        for row in np.flatnonzero(self.running & (self._segment == SILENCE)).tolist():
            self._end(row, "finished")

    def take_ended(self) -> list[PlayRecord]:
        """The plays that ended since the last call."""
        ended, self._ended = self._ended, []
        return ended
