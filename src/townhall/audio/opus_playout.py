"""From Opus packets to a steady 20 ms per tick at 16 kHz: `playout`, for packets that are decoded in order.

A packet is parked at its timestamp when it comes and decoded when its samples are due, so reordering costs
nothing. What is missing then is taken from the next packet's in-band FEC when that has come (RFC 6716 section
2.1.7), else libopus conceals it. In DTX (a packet without a frame, then nothing) the decoder's comfort noise
goes on. The clock of RTP is 48 kHz whatever is sent (RFC 7587 section 4.1); positions here are a third of it,
unwrapped first. Loops only over packets that are decoded.
"""

import ctypes

import numpy as np

from townhall.audio.decoded_holes import DecodedHoles
from townhall.audio.opus import OpusDecoder
from townhall.audio.opus_packets import DTX_BYTES, has_fec, packet_samples
from townhall.audio.parking import NOTHING, PACKET_BYTES, Parking
from townhall.audio.pitch import LONGEST_LAG
from townhall.audio.playout import Holes, Playout
from townhall.audio.shapes import Bool, Int16, Int32, Slots, UInt8, UInt32
from townhall.audio.streams import StreamDecoder

RATE = 16000
"""Hz of what is decoded; a packet of a narrower or wider band is brought to it by libopus."""

CLOCK_RATIO = 3
"""Ticks of the RTP clock a sample."""

_STEP = RATE // 400
"""Concealment comes in steps of 2.5 ms."""
_LONGEST = 120 * RATE // 1000
_UNIT = 20 * RATE // 1000
"""Concealed at once when nothing is known of what follows."""
_SEAM = 5 * RATE // 1000
_FARTHEST = RATE
"""A packet so far ahead is another stream."""
_MOST_STEPS = 12
"""Packets and concealments of one leg in a tick; eight of 2.5 ms make one."""
_MOST_A_BATCH = 16
"""Packets of one leg taken from one batch; no jitter makes more of them, only a flood does."""
_LONGEST_DTX = RATE
"""DTX sends a frame every 400 ms; after a second without one, the sender is gone."""

_RAMP = (np.arange(_SEAM, dtype=np.float32) + 0.5) / np.float32(_SEAM)


class OpusPlayout(Playout):
    """Playout of `capacity` legs; a slot is `reset` before its first packet and on a new SSRC, and `release`d
    when nobody listens to it any more.
    """

    def __init__(self, capacity: int, library: ctypes.CDLL | None) -> None:
        super().__init__(capacity, 8192, RATE)
        self._farthest = _FARTHEST
        self._library = library
        self._parking = Parking(capacity)
        self._decoders: dict[int, StreamDecoder] = {}
        self._head = np.zeros(capacity, np.uint32)
        """How far each leg is decoded or concealed; never behind the pointer of what is read next."""
        self._stamp = np.zeros(capacity, np.uint32)
        self._place = np.zeros(capacity, np.int64)
        """The last RTP timestamp, and the same without its wrap."""
        self._begun = np.zeros(capacity, np.bool_)
        self._unit = np.full(capacity, _UNIT, np.int32)
        self._dtx = np.zeros(capacity, np.int32)
        """Samples of comfort noise that a DTX pause may still be filled with."""
        self._out = np.zeros((64, _LONGEST), np.int16)
        self._tail = np.zeros(_SEAM, np.int16)
        self.recovered = np.zeros(capacity, np.int64)
        """Packets that were lost and came out of the next one's FEC, int64 `(capacity,)`."""
        self.damaged = np.zeros(capacity, np.int64)
        """Packets that libopus refused, int64 `(capacity,)`."""

    def _make_holes(self, capacity: int) -> Holes:
        return DecodedHoles(capacity, RATE)

    def reset(self, slots: Slots) -> None:
        super().reset(slots)
        self._parking.clear(slots)
        self._begun[slots] = False
        self._unit[slots] = _UNIT
        self._dtx[slots] = 0
        self.recovered[slots] = 0
        self.damaged[slots] = 0
        for slot in np.unique(slots).tolist():
            if slot in self._decoders:
                self._decoders[slot].reset()
            else:
                self._decoders[slot] = self._new_decoder(slot)

    def _new_decoder(self, slot: int) -> StreamDecoder:
        assert self._library is not None
        return OpusDecoder(self._library, RATE)

    def release(self, slots: Slots) -> None:
        """Free what slots need for decoding."""
        self._parking.clear(slots)
        for slot in slots.tolist():
            self._decoders.pop(slot, None)

    # ---- packets ----

    def take(self, slots: Slots, timestamps: UInt32, now_tick: int, packets: UInt8, lengths: Int32) -> Slots:
        """Park packets that arrived since the last tick; the rows of those that can't be Opus or found no
        place.

        `slots` int `(n,)` (a slot may occur repeatedly, packets in any order), `timestamps` uint32 `(n,)` as
        in RTP, `packets` uint8 `(n, width)` with `width` ≥ 2, `lengths` int32 `(n,)` their bytes.
        """
        samples = self._samples_of(slots, packets, lengths)
        samples[lengths > min(PACKET_BYTES, packets.shape[1])] = 0
        refused = np.flatnonzero(samples == 0)
        positions = self._unwrap(slots, timestamps)
        for size in np.unique(samples[samples > 0]).tolist():
            same = np.flatnonzero(samples == size)
            fitting = self._observe(slots[same], positions[same], now_tick, size)
            samples[same[~fitting]] = 0
        heads = self._head[slots]
        ahead = (positions + samples.astype(np.uint32) - heads).view(np.int32)
        in_time = (samples > 0) & (ahead > 0)
        told = (self._next[slots] - heads).view(np.int32)  # up to here they are counted as late already
        np.add.at(self.late, slots[(samples > 0) & ~in_time & (ahead > told)], 1)
        rows = np.flatnonzero(in_time)
        lost = self._park(slots[rows], positions[rows], samples[rows], packets, lengths, rows)
        return np.concatenate((refused, lost))

    def _samples_of(self, slots: Slots, packets: UInt8, lengths: Int32) -> Int32:
        """How long packets are; 0 where one can't be what its leg speaks."""
        return packet_samples(packets[:, 0], packets[:, 1], lengths, RATE)

    def _unwrap(self, slots: Slots, timestamps: UInt32) -> UInt32:
        """Positions of RTP timestamps: a third of them, steady where their 32 bits wrap."""
        fresh = ~self._begun[slots]
        if fresh.any():
            self._stamp[slots[fresh]] = timestamps[fresh]
            self._place[slots[fresh]] = timestamps[fresh]
            self._begun[slots] = True
        places = self._place[slots] + (timestamps - self._stamp[slots]).view(np.int32)
        self._stamp[slots], self._place[slots] = timestamps, places
        return (places // CLOCK_RATIO & 0xFFFFFFFF).astype(np.uint32)

    def _park(
        self, slots: Slots, positions: UInt32, samples: Int32, packets: UInt8, lengths: Int32, rows: Slots
    ) -> Slots:
        """Park `rows` of `packets`, of one leg one after the other; those that found no place."""
        lost = []
        for _ in range(_MOST_A_BATCH):
            if not len(slots):
                break
            distinct, first = np.unique(slots, return_index=True)
            here = rows[first]
            parked = self._parking.put(
                distinct, positions[first], samples[first], packets[here], lengths[here]
            )
            lost.append(here[~parked])
            rest = np.ones(len(slots), np.bool_)
            rest[first] = False
            slots, positions, samples, rows = slots[rest], positions[rest], samples[rest], rows[rest]
        return np.concatenate((*lost, rows))

    # ---- the tick ----

    def read(self, slots: Slots) -> Int16:
        """The next 20 ms of each slot, int16 `(n, 320)`; a slot occurs once. Zeros where nothing came yet."""
        started = slots[self._started[slots]]
        if len(started):
            pointer = self._next[started]
            behind = (pointer - self._head[started]).view(np.int32) > 0
            self._head[started] = np.where(behind, pointer, self._head[started])
            self._decode_until(started, pointer + np.uint32(self._tick), conceal=True)
            waiting = self._excess(started) >= self._tick  # to skip a period needs a look at what follows
            if waiting.any():
                reach = np.uint32(self._tick + LONGEST_LAG * self._scale)
                self._decode_until(started[waiting], pointer[waiting] + reach, conceal=False)
        return super().read(slots)

    def _decode_until(self, slots: Slots, until: UInt32, *, conceal: bool) -> None:
        """Bring the heads to `until`, packet by packet; without `conceal` only where packets are there."""
        for _ in range(_MOST_STEPS):
            short = (until - self._head[slots]).view(np.int32) > 0
            slots, until = slots[short], until[short]
            if not len(slots):
                return
            place, ahead = self._parking.following(slots, self._head[slots])
            ready = ahead <= 0
            if ready.any():
                self._decode(slots[ready], place[ready], -ahead[ready])
            if conceal and not ready.all():
                gone = ~ready
                self._bridge(slots[gone], place[gone], ahead[gone], until[gone])
            elif not conceal:
                slots, until = slots[ready], until[ready]

    def _decode(self, slots: Slots, places: Slots, skipped: Int32) -> None:
        """Decode parked packets, one per slot, of which the first `skipped` samples come too late."""
        out = self._room(len(slots))
        lengths = self._parking.length[slots, places]
        expected = self._parking.samples[slots, places]
        counts = np.zeros(len(slots), np.int32)
        addresses = self._parking.addresses(slots, places)
        target = out.ctypes.data
        for row, (slot, address, length, skip) in enumerate(
            zip(slots.tolist(), addresses.tolist(), lengths.tolist(), skipped.tolist(), strict=True)
        ):
            decoder = self._decoders[slot]
            if skip:
                decoder.decode_at(0, 0, self._tail.ctypes.data, _SEAM)
            count = decoder.decode_at(address, length, target + 2 * _LONGEST * row, _LONGEST)
            if skip and count > skip:
                _join(out[row], self._tail, skip, count)
            counts[row] = count
        self._parking.release(slots, places)
        if not (counts == expected).all():
            counts = self._replace_damaged(slots, counts, expected, out)
        self._unit[slots] = np.minimum(expected, _UNIT)
        self._dtx[slots] = np.where(lengths <= DTX_BYTES, _LONGEST_DTX, 0)
        self._store(slots, out, np.maximum(expected - skipped, 0), present=True)
        # Packets of one stream don't overlap; who makes them do would have each sample decoded many times.
        self._parking.drop_begun(slots, self._head[slots])

    def _replace_damaged(self, slots: Slots, counts: Int32, expected: Int32, out: Int16) -> Int32:
        """Conceal in place of packets that libopus refused."""
        for row in np.flatnonzero(counts != expected).tolist():
            slot = int(slots[row])
            self.damaged[slot] += 1
            out[row] = 0
            room = int(expected[row])
            self._decoders[slot].decode_at(0, 0, out.ctypes.data + 2 * _LONGEST * row, room)
        return expected

    def _bridge(self, slots: Slots, places: Slots, ahead: Int32, until: UInt32) -> None:
        """Fill from the head on what has not come: by FEC, comfort noise or concealment, or with nothing."""
        gap = self._concealment.gap[slots]
        resting = self._dtx[slots] > 0
        silent = (gap >= self._concealment.faded_after) & ~resting
        if silent.any():
            rows = np.flatnonzero(silent)
            wanting = (until[rows] - self._head[slots[rows]]).view(np.int32)
            self._head[slots[rows]] += np.minimum(ahead[rows], wanting).astype(np.uint32)
            rows = np.flatnonzero(~silent)
            slots, places, ahead, resting = slots[rows], places[rows], ahead[rows], resting[rows]
            if not len(slots):
                return
        out = self._room(len(slots))
        frame = self._parking.samples[slots, places]
        near = (ahead == frame) & ~resting
        # What is farther away than the next packet's copy reaches may still come in its own packet.
        lone = np.where((ahead > frame) & (ahead < NOTHING) & ~resting, ahead - frame, ahead)
        sizes = np.minimum(-(-lone // _STEP) * _STEP, self._unit[slots])
        sizes = np.where(near, ahead, sizes).astype(np.int32)
        lengths = np.where(near, self._parking.length[slots, places], 0)
        addresses = np.where(near, self._parking.addresses(slots, places), 0)
        target = out.ctypes.data
        for row, (slot, address, length, size) in enumerate(
            zip(slots.tolist(), addresses.tolist(), lengths.tolist(), sizes.tolist(), strict=True)
        ):
            self._decoders[slot].decode_at(address, length, target + 2 * _LONGEST * row, size, address != 0)
        known = self._known_from_fec(slots, places, sizes) & near
        self.recovered[slots[known]] += 1
        self._dtx[slots] = np.maximum(self._dtx[slots] - sizes, 0)
        self._store_kinds(slots, out, sizes, known | resting)

    def _known_from_fec(self, slots: Slots, places: Slots, sizes: Int32) -> Bool:
        packets = self._parking.packets[slots, places, :2]
        known: Bool = has_fec(packets[:, 0], packets[:, 1])
        known &= sizes == self._parking.samples[slots, places]
        return known

    def _store_kinds(self, slots: Slots, out: Int16, sizes: Int32, real: Bool) -> None:
        for present in (True, False):
            rows = np.flatnonzero(real == present)
            if len(rows):
                self._store(slots[rows], out[rows], sizes[rows], present=present)

    def _store(self, slots: Slots, out: Int16, sizes: Int32, *, present: bool) -> None:
        """Put the first `sizes` samples of rows at the heads and move these on."""
        put = self._ring.store if present else self._ring.amend
        for size in np.unique(sizes).tolist():
            rows = np.flatnonzero(sizes == size)
            for start in range(0, size, self._ring.longest_run):
                part = out[rows, start : min(size, start + self._ring.longest_run)]
                put(slots[rows], self._head[slots[rows]] + np.uint32(start), part)
        self._head[slots] += sizes.astype(np.uint32)

    def _room(self, rows: int) -> Int16:
        if rows > len(self._out):
            self._out = np.zeros((2 * rows, _LONGEST), np.int16)
        return self._out[:rows]

    # ---- where the pointer goes ----

    def _placed(self, slots: Slots) -> None:
        self._head[slots] = self._next[slots]
        self._dtx[slots] = 0
        self._parking.drop_before(slots, self._next[slots], _FARTHEST)

    def _lingered(self, slots: Slots, ends: UInt32, by: Int32) -> None:
        """What was concealed beyond the tick goes on where the pointer now stays, behind what was played."""
        back = by > 0
        if not back.any():
            return
        slots, ends, by = slots[back], ends[back], by[back]
        past = np.uint32(2 * LONGEST_LAG * self._scale)
        moved = self._ring.samples(slots, ends - past, self._ring.longest_run)
        self._ring.amend(slots, ends - past - by.astype(np.uint32), moved)
        self._head[slots] -= by.astype(np.uint32)

    def _distance(self, slots: Slots, timestamps: UInt32) -> Slots:
        _, ahead = self._parking.following(slots, timestamps)
        return np.clip(ahead, 0, 3 * _UNIT)


def _join(samples: Int16, tail: Int16, skip: int, count: int) -> None:
    """Move `samples[skip:count]` to the front, cross-faded from `tail`, what the decoder would have gone on
    with.
    """
    rest = samples[skip:count].copy()
    span = min(len(rest), _SEAM)
    weight = _RAMP[:span]
    rest[:span] = np.rint(tail[:span] * (1 - weight) + rest[:span] * weight).astype(np.int16)
    samples[: len(rest)] = rest
