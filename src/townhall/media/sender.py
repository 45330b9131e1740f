"""The way out: the payload table to RTP packets of every leg, one batch per ptime.

Each leg has its own SSRC, sequence numbers and timestamps; only the payload is shared. Legs with a ptime
other than 20 ms collect codes until their packet is full; G.722 can be cut anywhere, as G.711 can. Opus
packets differ in length; they are copied as if they were all of the longest, and sent as long as they are.
"""

from collections.abc import Mapping

import numpy as np

from townhall.media.forms import Form
from townhall.media.legs import Legs
from townhall.media.plan import Group, Plan
from townhall.media.shapes import (
    OPUS_TICK_UNITS,
    TICK_SAMPLES,
    WIDE_BYTES,
    Bytes,
    Int32s,
    Int64s,
    Outgoing,
    Words,
)
from townhall.media.wide_table import WideTable

HEADER = 12
_LEAD = 4
"""Bytes before the header in a row, so that the payload begins on a multiple of 16."""


class _Rows:
    """Packets of one payload length, kept from tick to tick; what never changes is written once per plan."""

    def __init__(self, count: int, length: int) -> None:
        stride = -(-(_LEAD + HEADER + length) // 64) * 64
        store = np.zeros((count, stride), np.uint8)
        words, halves = store.view(">u4"), store.view(">u2")
        self.packets = store[:, _LEAD:]
        self.second = store[:, _LEAD + 1]
        self.sequence_number = halves[:, (_LEAD + 2) // 2]
        self.timestamp = words[:, (_LEAD + 4) // 4]
        self.ssrc = words[:, (_LEAD + 8) // 4]
        payload = store[:, _LEAD + HEADER : _LEAD + HEADER + length]
        # One element per payload, so that numpy copies whole payloads instead of bytes.
        self.payload = np.ndarray((count,), f"V{length}", store, _LEAD + HEADER, (stride,))
        assert payload.shape == (count, length)
        store[:, _LEAD] = 0x80
        self.lengths = np.full(count, HEADER + length, np.int64)
        self._to: tuple[Words, Int32s] | None = None
        self._moves = -1

    def destinations(self, legs: Legs, slots: Int64s) -> tuple[Words, Int32s]:
        """Where packets of all `slots` of the plan's group go and from which sockets: looked up when one has
        moved, and read-only, so that it can be told from what changes.
        """
        if self._to is None or self._moves != legs.moves:
            names, sockets = legs.name[slots], legs.socket[slots]
            names.setflags(write=False)
            self._to, self._moves = (names, sockets), legs.moves
        return self._to


class Sender:
    """Builds batches; all per-leg state is in `Legs`."""

    def __init__(self, legs: Legs) -> None:
        self._legs = legs
        self._plan: Plan | None = None
        self._rows: list[_Rows] = []

    def build(
        self, plan: Plan, table: Bytes, instead: Mapping[int, Bytes], wide: WideTable | None = None
    ) -> list[Outgoing]:
        """The batches of this tick; valid until the next call.

        `instead`: slots that are sent these 160 codes, or this packet of a wide codec, and not what the plan
        says (our own key tones; a few).
        """
        if plan is not self._plan:
            self._prepare(plan)
        packets: dict[int, Bytes] = {}
        if instead and wide is not None:
            packets = {slot: packet for slot, packet in instead.items() if self._legs.wide[slot]}
            instead = {slot: codes for slot, codes in instead.items() if slot not in packets}
        if instead:
            table = np.concatenate((table, np.stack(list(instead.values()))))
        batches = []
        for group, rows in zip(plan.groups, self._rows, strict=True):
            if group.form is Form.OPUS:
                assert wide is not None
                batches.append(self._fill_opus(rows, group, wide, packets))
                continue
            if group.form is Form.G722:
                assert wide is not None
                payloads = wide.packets[wide.rows_for(group.slots, group.sources)]
                for slot, packet in packets.items():
                    payloads[group.slots == slot] = packet
                batches.extend(self._fill_or_collect(group, rows, payloads))
                continue
            sources = group.sources
            for row, slot in enumerate(instead, plan.table_rows):
                sources = np.where(group.slots == slot, row, sources)
            if group.ptime == 20:
                codes = table.view(f"V{TICK_SAMPLES}")[:, 0][sources]
                batches.append(self._fill(rows, group.slots, codes))
            else:
                batches.extend(self._collect(group, rows, table[sources]))
        return batches

    def _fill_or_collect(self, group: Group, rows: _Rows, codes: Bytes) -> list[Outgoing]:
        if group.ptime == 20:
            whole = np.ascontiguousarray(codes).view(f"V{TICK_SAMPLES}")[:, 0]
            return [self._fill(rows, group.slots, whole)]
        return self._collect(group, rows, codes)

    def _prepare(self, plan: Plan) -> None:
        self._plan = plan
        self._rows = []
        for group in plan.groups:
            length = WIDE_BYTES if group.form is Form.OPUS else 8 * group.ptime
            rows = _Rows(len(group.slots) * max(1, 20 // group.ptime), length)
            rows.ssrc[: len(group.slots)] = self._legs.ssrc[group.slots]
            self._rows.append(rows)

    def _collect(self, group: Group, rows: _Rows, codes: Bytes) -> list[Outgoing]:
        """Put this tick's codes behind those that wait and take out the full packets."""
        legs, slots, size = self._legs, group.slots, 8 * group.ptime
        fill = legs.fifo_fill[slots]
        legs.fifo[slots[:, None], fill[:, None] + np.arange(TICK_SAMPLES)] = codes
        fill += TICK_SAMPLES
        full = slots[fill >= size]
        legs.fifo_fill[slots] = fill
        if not full.size:
            return []
        if group.ptime == 10:
            payloads = legs.fifo[full, : 2 * size].reshape(-1, size)
            taken = 2 * size
            senders = np.repeat(full, 2)
        else:
            payloads = legs.fifo[full, :size]
            taken = size
            senders = full
        legs.fifo[full, :-taken] = legs.fifo[full, taken:]
        legs.fifo_fill[full] -= taken
        rows.ssrc[: len(senders)] = legs.ssrc[senders]
        return [self._fill(rows, senders, np.ascontiguousarray(payloads).view(f"V{size}")[:, 0])]

    def _fill(
        self, rows: _Rows, slots: Int64s, codes: "np.ndarray[tuple[int], np.dtype[np.void]]"
    ) -> Outgoing:
        """Write headers and payloads of one packet per row; a leg may stand in two rows one after the
        other.
        """
        samples = codes.dtype.itemsize
        packets = self._head(rows, slots, samples, doubled=samples < TICK_SAMPLES)
        rows.payload[: len(slots)] = codes
        self._legs.octets_sent[slots] += packets * samples
        if samples == TICK_SAMPLES:  # in every tick to the same legs
            return Outgoing(rows.packets, rows.lengths, *rows.destinations(self._legs, slots))
        count = len(slots)
        return Outgoing(
            rows.packets[:count], rows.lengths[:count], self._legs.name[slots], self._legs.socket[slots]
        )

    def _fill_opus(
        self, rows: _Rows, group: Group, wide: WideTable, instead: Mapping[int, Bytes]
    ) -> Outgoing:
        """One Opus packet for each leg of the group."""
        slots = group.slots
        self._head(rows, slots, OPUS_TICK_UNITS, doubled=False)
        rows.payload[:] = wide.packets.view(f"V{WIDE_BYTES}")[:, 0][group.sources]
        lengths = wide.lengths[group.sources]
        for slot, packet in instead.items():
            for row in np.flatnonzero(slots == slot).tolist():
                rows.packets[row, HEADER : HEADER + len(packet)] = packet
                lengths[row] = len(packet)
        self._legs.octets_sent[slots] += lengths
        rows.lengths[:] = HEADER + lengths
        return Outgoing(rows.packets, rows.lengths, *rows.destinations(self._legs, slots))

    def _head(self, rows: _Rows, slots: Int64s, units: int, *, doubled: bool) -> int:
        """Write the headers, `units` of the RTP clock apart; `doubled`: a leg may have two packets. Returns
        how many a leg has at most.
        """
        legs, count = self._legs, len(slots)
        sequence, stamps = legs.sequence_number[slots], legs.timestamp[slots]
        marked = legs.marker[slots]
        twice = np.zeros(count if doubled else 0, np.uint16)
        if doubled and count > 1:
            twice[1:] = slots[1:] == slots[:-1]
            sequence += twice
            stamps += twice * np.uint32(units)
            marked &= twice == 0
        rows.second[:count] = legs.payload_type[slots]
        if marked.any():
            rows.second[marked.nonzero()[0]] |= 0x80
            legs.marker[slots[marked]] = False
        rows.sequence_number[:count] = sequence
        rows.timestamp[:count] = stamps
        legs.sequence_number[slots] = sequence + np.uint16(1)
        legs.timestamp[slots] = stamps + np.uint32(units)
        packets = 1 + int(twice.any())
        legs.packets_sent[slots] += packets
        return packets
