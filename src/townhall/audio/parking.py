"""Packets that wait for their turn to be decoded: a few places per leg, found by their position.

Opus can be decoded only in order, so packets stay encoded until nothing can come before them any more.
Everything is an array over all legs; rows that no leg has used yet cost no memory until they are touched.
"""

import numpy as np

from townhall.audio.shapes import Bool, Int32, Int64, Slots, UInt8, UInt32

PLACES = 32
"""Packets that one leg may have waiting: 320 ms of the shortest that browsers send, 640 ms of the usual."""

PACKET_BYTES = 1280
"""The longest Opus packet that fits a datagram."""

NOTHING = np.int32(2**30)


class Parking:
    """The waiting packets of `capacity` legs."""

    def __init__(self, capacity: int) -> None:
        self.position = np.zeros((capacity, PLACES), np.uint32)
        self.samples = np.zeros((capacity, PLACES), np.int32)
        """Length of the packet in each place; 0: free."""
        self.length = np.zeros((capacity, PLACES), np.int32)
        """Bytes."""
        self.packets = np.zeros((capacity, PLACES, PACKET_BYTES), np.uint8)
        self._origin = self.packets.ctypes.data

    def clear(self, slots: Slots) -> None:
        """Forget what the slots have."""
        self.samples[slots] = 0

    def put(self, slots: Slots, positions: UInt32, samples: Int32, packets: UInt8, lengths: Int32) -> Bool:
        """Take packets, `packets` uint8 `(n, width)`, one per slot; which found a place or were there
        already, `(n,)`.
        """
        taken = self.samples[slots] > 0
        known = (taken & (self.position[slots] == positions[:, None])).any(axis=1)
        place = taken.argmin(axis=1)
        fits = ~known & ~taken.all(axis=1)
        slots, place = slots[fits], place[fits]
        self.position[slots, place] = positions[fits]
        self.samples[slots, place] = samples[fits]
        self.length[slots, place] = lengths[fits]
        self.packets[slots, place, : packets.shape[1]] = packets[fits]
        parked: Bool = known | fits
        return parked

    def following(self, slots: Slots, positions: UInt32) -> tuple[Slots, Int32]:
        """The packet at or next after each position: its place `(n,)` and how far it begins ahead, int32;
        0 or less when it covers the position, `NOTHING` when there is none.
        """
        samples = self.samples[slots]
        ahead = (self.position[slots] - positions[:, None]).view(np.int32)
        ahead = np.where((samples > 0) & (ahead + samples > 0), ahead, NOTHING)
        place = ahead.argmin(axis=1)
        return place, ahead[np.arange(len(slots)), place]

    def drop_before(self, slots: Slots, positions: UInt32, farthest: int) -> None:
        """Free the places of packets that end before `positions`, or lie farther ahead than `farthest`."""
        samples = self.samples[slots]
        ahead = (self.position[slots] - positions[:, None]).view(np.int32)
        self.samples[slots] = np.where((ahead + samples > 0) & (ahead <= farthest), samples, 0)

    def drop_begun(self, slots: Slots, positions: UInt32) -> None:
        """Free the places of packets that begin before `positions`."""
        ahead = (self.position[slots] - positions[:, None]).view(np.int32)
        self.samples[slots] = np.where(ahead >= 0, self.samples[slots], 0)

    def release(self, slots: Slots, places: Slots) -> None:
        """Free places; their bytes stay until another packet comes."""
        self.samples[slots, places] = 0

    def addresses(self, slots: Slots, places: Slots) -> Int64:
        """Memory addresses of packets `(n,)`."""
        return self._origin + (slots.astype(np.int64) * PLACES + places) * PACKET_BYTES
