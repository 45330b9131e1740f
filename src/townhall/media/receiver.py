"""The way in: datagrams of all legs to rings, key presses and reception figures, one array step after the
other.
"""

from collections.abc import Callable

import numpy as np

from townhall.audio.g711 import ALAW_DECODE, ULAW_DECODE, decode_alaw, decode_ulaw
from townhall.media.forms import Form
from townhall.media.legs import Legs
from townhall.media.network import Network
from townhall.media.protocol import DigitPressed, Event
from townhall.media.shapes import Bools, Bytes, Int16s, Int64s, Received, Rows, Slots, Words32
from townhall.media.uplinks import Uplinks
from townhall.rtp.packet import COMFORT_NOISE, PCMA, PCMU, HeaderArrays, parse_headers
from townhall.rtp.source import Sources
from townhall.rtp.telephone_event import Presses

LONGEST_PAYLOAD = 480
"""60 ms of G.711 or G.722; a longer packet is dropped."""

LONGEST_OPUS = 1275
"""RFC 6716 section 3.2.1, the longest frame."""

ULAW, ALAW = 0, 1
_DECODE = np.concatenate((ULAW_DECODE, ALAW_DECODE))


class Receiver:
    """Takes in batches; `unknown_source`, `malformed` and `received` count over the process's life."""

    def __init__(self, legs: Legs, network: Network, uplinks: Uplinks, emit: Callable[[Event], None]) -> None:
        self.unknown_source = 0
        self.malformed = 0
        self.received = 0
        self.sources = Sources(legs.capacity)
        self.presses = Presses(legs.capacity)
        self._legs = legs
        self._network = network
        self._uplinks = uplinks
        self._emit = emit
        self._tick = 0

    def reset(self, slot: int) -> None:
        """Forget what the slot's former leg received."""
        self.sources.reset(slot)
        self.presses.reset(slot)

    def take(self, batch: Received, tick: int, now: float) -> None:
        """Take in RTP datagrams (RTCP sorted out before); `tick` counts 20 ms steps."""
        self._tick = tick
        self.received += len(batch.lengths)
        headers = parse_headers(batch.data, batch.lengths)
        slots = self._network.find(batch.sockets, batch.names)
        rows = np.flatnonzero((slots >= 0) & headers.valid)
        unsettled = ~self._legs.settled[slots[rows]]
        if unsettled.any():  # before anybody latches: packets from the agreed address come first
            self._network.settle(np.unique(slots[rows[unsettled]]))
        unknown = np.flatnonzero(slots < 0)
        if unknown.size:
            self._try_to_latch(batch, headers, slots, unknown)
            rows = np.flatnonzero((slots >= 0) & headers.valid)
        self.malformed += int(np.count_nonzero(~headers.valid))
        if rows.size:
            self._take_known(batch, headers, rows, slots[rows], now)

    def _try_to_latch(self, batch: Received, headers: HeaderArrays, slots: Int64s, unknown: Int64s) -> None:
        """Bind unknown sources to the legs that wait for theirs; fills in `slots`; counts the rest."""
        candidates = self._network.claimants(batch.sockets[unknown], batch.names[unknown])
        legs = self._legs
        known = headers.payload_type[unknown]
        fits = (candidates >= 0) & headers.valid[unknown]
        longest = np.where(legs.form[candidates] == Form.OPUS, LONGEST_OPUS, LONGEST_PAYLOAD)
        fits &= (headers.length[unknown] > 0) & (headers.length[unknown] <= longest)
        fits &= (known == legs.payload_type[candidates]) | (known == legs.event_type[candidates])
        rows = unknown[fits]
        if rows.size:
            claims, first = np.unique(candidates[fits], return_index=True)
            for slot, row in zip(claims.tolist(), rows[first].tolist(), strict=True):
                self._network.latch(slot, batch.names[row].copy())
            slots[unknown] = self._network.find(batch.sockets[unknown], batch.names[unknown])
        self.unknown_source += int(np.count_nonzero(slots[unknown] < 0))

    def _take_known(
        self, batch: Received, headers: HeaderArrays, rows: Int64s, slots: Int64s, now: float
    ) -> None:
        legs = self._legs
        legs.last_packet[slots] = now
        legs.packets_received += np.bincount(slots, minlength=legs.capacity)
        ssrcs = headers.ssrc[_whole(rows, headers)]
        if (legs.remote_ssrc[slots] != ssrcs).any():
            rows, slots = self._follow_source(rows, slots, ssrcs)
        at = _whole(rows, headers)
        self.sources.update(slots, headers.sequence_number[at], headers.timestamp[at], batch.arrived[at])
        kind = headers.payload_type[at]
        is_own = kind == legs.payload_type[slots]
        if is_own.all():
            wanted = np.flatnonzero(legs.decoded[slots])
        else:
            wanted = self._sort_out(batch, headers, rows, slots, kind, is_own)
        if wanted.size and self._uplinks.wide is not None:
            is_wide = legs.wide[slots[wanted]]
            if is_wide.any():
                wide, wanted = wanted[is_wide], wanted[~is_wide]
                self._take_wide(batch, headers, rows[wide], slots[wide])
        if wanted.size:
            law = np.where(is_own[wanted], legs.law[slots[wanted]], kind[wanted] == PCMA)
            self._take_audio(batch, headers, rows[wanted], slots[wanted], law)

    def _sort_out(
        self,
        batch: Received,
        headers: HeaderArrays,
        rows: Int64s,
        slots: Int64s,
        kind: Bytes,
        is_own: Bools,
    ) -> Int64s:
        """Take the key presses, count what nobody agreed on; the places of audio that is wanted."""
        legs = self._legs
        is_press = kind == legs.event_type[slots]
        if is_press.any():
            self._take_presses(batch, headers, rows[is_press], slots[is_press])
        is_g711 = ((kind == PCMU) | (kind == PCMA)) & ~legs.wide[slots]
        is_audio = ~is_press & (is_own | is_g711)
        dropped = ~is_press & ~is_audio & (kind != COMFORT_NOISE)
        if dropped.any():
            np.add.at(legs.packets_dropped, slots[dropped], 1)
        return np.flatnonzero(is_audio & legs.decoded[slots])

    def _follow_source(self, rows: Int64s, slots: Int64s, ssrcs: Words32) -> tuple[Int64s, Int64s]:
        """The last SSRC of the batch is the leg's source now; the packets of any other one are left out."""
        legs = self._legs
        before = legs.remote_ssrc[slots]
        legs.remote_ssrc[slots] = ssrcs  # the last one stays
        current = legs.remote_ssrc[slots]
        changed = np.unique(slots[before != current])
        self._uplinks.reset(changed[legs.decoded[changed]])
        self.sources.reset(changed)
        self.presses.reset(changed)
        same = current == ssrcs
        return rows[same], slots[same]

    def _take_presses(self, batch: Received, headers: HeaderArrays, rows: Int64s, slots: Int64s) -> None:
        """RFC 4733 payloads."""
        whole = (headers.length[rows] >= 4) & self._legs.receives[slots]
        rows, slots = rows[whole], slots[whole]
        if not rows.size:
            return
        payloads = batch.data[rows[:, None], headers.start[rows][:, None] + np.arange(4)]
        for slot, digit in self.presses.observe(slots, headers.timestamp[rows], payloads):
            self._emit(DigitPressed(int(self._legs.number[slot]), digit, "rfc4733"))

    def _take_audio(
        self, batch: Received, headers: HeaderArrays, rows: Int64s, slots: Int64s, law: Slots
    ) -> None:
        """Decode the payloads, one step per distinct length, and hand them to the rings."""
        for length, same in _alike(headers.length[rows]):
            if not 0 < length <= LONGEST_PAYLOAD:
                np.add.at(self._legs.packets_dropped, slots[same], 1)
                continue
            starts = headers.start[rows[same]]
            payloads = payloads_at(batch.data, rows[same], starts, length)
            samples = _decode(payloads, law[same])
            self._uplinks.narrow.write(slots[same], headers.timestamp[rows[same]], self._tick, samples)

    def _take_wide(self, batch: Received, headers: HeaderArrays, rows: Int64s, slots: Int64s) -> None:
        """Park the payloads, one step per distinct place that they begin at."""
        assert self._uplinks.wide is not None
        starts, lengths = headers.start[rows], headers.length[rows]
        fits = (lengths > 0) & (lengths <= LONGEST_OPUS)
        if not fits.all():
            np.add.at(self._legs.packets_dropped, slots[~fits], 1)
        for start in np.unique(starts[fits]).tolist():
            same = np.flatnonzero(fits & (starts == start))
            width = max(int(lengths[same].max()), 2)
            if start + width > batch.data.shape[1]:  # one byte at the very end of a full datagram
                continue
            refused = self._uplinks.wide.take(
                slots[same],
                headers.timestamp[rows[same]],
                self._tick,
                batch.data[rows[same], start : start + width],
                lengths[same].astype(np.int32),
            )
            np.add.at(self._legs.packets_dropped, slots[same[refused]], 1)


def _whole(rows: Int64s, headers: HeaderArrays) -> Rows:
    """Ascending rows of a batch; as a slice, so that nothing is copied, if they are all of it."""
    return slice(None) if len(rows) == len(headers.valid) else rows


def _alike(lengths: Int64s) -> list[tuple[int, Rows]]:
    """The distinct lengths of `lengths` `(n,)`, n > 0, and where each of them is."""
    first = int(lengths[0])
    if (lengths == first).all():  # nearly always
        return [(first, slice(None))]
    return [(length, np.flatnonzero(lengths == length)) for length in np.unique(lengths).tolist()]


def payloads_at(data: Bytes, rows: Int64s, starts: Int64s, length: int) -> Bytes:
    """Payloads `(n, length)` that begin at byte `starts[i]` of row `rows[i]`; one copy when all begin
    alike.
    """
    start = int(starts[0])
    if (starts == start).all():
        return np.asarray(data[rows, start : start + length])
    return np.asarray(data[rows[:, None], starts[:, None] + np.arange(length)])


def _decode(payloads: Bytes, law: Slots) -> Int16s:
    """Samples `(n, length)` of G.711 payloads; `law` `(n,)` is 0 for µ-law, 1 for A-law."""
    if not law.any():
        return decode_ulaw(payloads)
    if law.all():
        return decode_alaw(payloads)
    return _DECODE.take(payloads + (law.astype(np.int16) << 8)[:, None])
