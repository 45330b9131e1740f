"""Which leg a datagram belongs to: by local socket and source address, for a whole batch at once.

An IPv4 source and its socket fit into one 64-bit key. An IPv6 source is hashed into one with a secret of
this process, and a hit is checked against the whole address. Keys are kept sorted, and a table of hashes says
where each one stands: a step for all, a binary search for the few whose place in it another key has taken.
"""

import secrets

import numpy as np

from townhall.media.shapes import FAMILY_V6, NAME_WORDS, Int32s, Int64s, Slots, Words

_FAMILY = np.uint64(0xFFFF)
"""In a name's first word; a key has the socket's index there."""


_NO_ROWS = np.zeros(0, np.int64)

_ROOM = 8
"""Places of the table of hashes for each key: one key in sixteen finds its place taken."""


class AddressTable:
    """Sources by key. Every (socket, source) belongs to one slot at most."""

    def __init__(self) -> None:
        self._keys = np.zeros(0, np.uint64)
        self._slots = np.zeros(0, np.int32)
        self._names = np.zeros((0, NAME_WORDS), np.uint64)
        self._has_v6 = False
        """An IPv6 source has been entered: until then there is nothing to hash and check."""
        self._multipliers = np.frombuffer(secrets.token_bytes(24), np.uint64) | np.uint64(1)
        self._places: Int32s | None = None
        """Where in `_keys` the key with each hash stands; None when keys have changed."""
        self._shift = np.uint64(0)

    def keys(self, sockets: Slots, names: Words) -> Words:
        """The keys `(n,)` of sources: `sockets` `(n,)`, `names` `(n, NAME_WORDS)`."""
        first = names[:, 0]
        sources = first & ~_FAMILY
        v6 = _v6_rows(first) if self._has_v6 else _NO_ROWS
        if v6.size:
            mixed = (sources[v6] ^ names[v6, 1]) * self._multipliers[0]
            mixed = ((mixed ^ (mixed >> np.uint64(29))) + names[v6, 2]) * self._multipliers[1]
            mixed = (mixed ^ (mixed >> np.uint64(32))) * self._multipliers[2]
            sources[v6] = mixed & ~_FAMILY
        keys: Words = sources | sockets.astype(np.uint64)
        return keys

    def find(self, sockets: Slots, names: Words) -> Int64s:
        """The slots `(n,)` of sources; -1 where nobody expects them."""
        if not len(self._keys) or not len(sockets):
            return np.full(len(sockets), -1, np.int64)
        wanted = self.keys(sockets, names)
        places = self._hashed() if self._places is None else self._places
        at = places[self._hash(wanted)]
        hit = self._keys[at] == wanted
        missed = (~hit).nonzero()[0]
        if missed.size:
            found = np.searchsorted(self._keys, wanted[missed])
            at[missed] = np.minimum(found, len(self._keys) - 1)
            hit[missed] = self._keys[at[missed]] == wanted[missed]
        v6 = _v6_rows(names[:, 0]) if self._has_v6 else _NO_ROWS
        if v6.size:
            hit[v6] &= (self._names[at[v6], 1:3] == names[v6, 1:3]).all(axis=1)
        return np.where(hit, self._slots[at], -1).astype(np.int64)

    def _hash(self, keys: Words) -> Int64s:
        hashes: Words = (keys * self._multipliers[0]) >> self._shift
        return hashes.view(np.int64)

    def _hashed(self) -> Int32s:
        """Make the table of hashes anew."""
        bits = (_ROOM * len(self._keys) - 1).bit_length()
        self._shift = np.uint64(64 - bits)
        self._places = np.zeros(1 << bits, np.int32)
        self._places[self._hash(self._keys)] = np.arange(len(self._keys), dtype=np.int32)
        return self._places

    def owner(self, socket: int, name: Words) -> int:
        """The slot of one source, -1 for none."""
        return int(self.find(np.array([socket], np.int32), name.reshape(1, -1))[0])

    def add(self, socket: int, name: Words, slot: int) -> bool:
        """Enter a source; False when another slot has it (or, once in 2**48, another key like it)."""
        self._has_v6 |= int(name[0] & _FAMILY) == FAMILY_V6
        key = self.keys(np.array([socket], np.int32), name.reshape(1, -1))[0]
        at = int(np.searchsorted(self._keys, key))
        if at < len(self._keys) and self._keys[at] == key:
            return bool(self._slots[at] == slot)
        self._places = None
        self._keys = np.insert(self._keys, at, key)
        self._slots = np.insert(self._slots, at, np.int32(slot))
        self._names = np.insert(self._names, at, name, axis=0)
        return True

    def remove(self, slot: int) -> None:
        """Forget every source of this slot."""
        keep = self._slots != slot
        if keep.all():
            return
        self._places = None
        self._keys, self._slots, self._names = self._keys[keep], self._slots[keep], self._names[keep]

    def slots(self) -> Int32s:
        """All slots that have a source."""
        return self._slots


def _v6_rows(first_words: Words) -> Int64s:
    return np.flatnonzero((first_words & _FAMILY) == FAMILY_V6)
