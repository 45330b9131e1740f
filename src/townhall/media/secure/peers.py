"""Secure legs: the columns that packets need, one row each, and beside them what is needed seldom."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from townhall.errors import TownhallError
from townhall.ice import Path
from townhall.media.lookup import AddressTable
from townhall.media.secure.dtls import Association
from townhall.media.secure.srtp import Handle, Protection
from townhall.media.shapes import NAME_WORDS, Int64s, Words

MOST_SSRCS = 16
"""libsrtp keeps a replay window for each SSRC that a browser sends with: it may not have any number of
them.
"""

INBOX = 16
"""DTLS datagrams of one browser that wait for their turn; a flight has up to six."""


class NoRowError(TownhallError):
    """Every row has a peer."""


@dataclass(slots=True)
class SecurePeer:
    """What is known of one leg besides its columns."""

    leg: int
    row: int
    association: Association
    """The one in use, or on its way."""
    successor: Association | None = None
    """After an ICE restart with another certificate: takes over when it is secured."""
    protection: Protection | None = None
    paths: set[Path] = field(default_factory=set)
    chosen: Path | None = None
    flight_path: Path | None = None
    """Where the last flight of the handshake went."""
    inbox: deque[tuple[Path, bytes]] = field(default_factory=lambda: deque(maxlen=INBOX))
    begun: float | None = None
    """When the handshake became possible."""
    failed: bool = False
    ssrcs: set[int] = field(default_factory=set)

    @property
    def handshaking(self) -> Association | None:
        """The association that is not secure yet."""
        association = self.successor or self.association
        return association if association.state in ("new", "handshake") else None


class SecurePeers:
    """All of them. `capacity` is fixed."""

    def __init__(self, capacity: int) -> None:
        self.number = np.full(capacity, -1, np.int64)
        self.socket = np.zeros(capacity, np.int32)
        self.name = np.zeros((capacity, NAME_WORDS), np.uint64)
        """Where the peer is sent to."""
        self.sendable = np.zeros(capacity, np.bool_)
        """Secured, and with a path."""
        self.secured = np.zeros(capacity, np.bool_)
        self.ssrc = np.full(capacity, -1, np.int64)
        """Of the last genuine packet."""
        self.last_packet = np.full(capacity, -np.inf)
        """When a genuine one came by the chosen path."""
        self.outbound: list[Handle] = [None] * capacity
        self.inbound: list[Handle] = [None] * capacity
        self.sources = AddressTable()
        self.of_leg: dict[int, SecurePeer] = {}
        self.at: list[SecurePeer | None] = [None] * capacity
        self._free = list(range(capacity - 1, -1, -1))
        self._legs: Int64s = np.zeros(0, np.int64)
        self._rows: Int64s = np.zeros(0, np.int64)

    def __len__(self) -> int:
        return len(self.of_leg)

    def add(self, leg: int, association: Association) -> SecurePeer:
        """A row for a leg. Raises `NoRowError`."""
        if not self._free:
            raise NoRowError(f"all {len(self.at)} rows for secure legs are taken")
        row = self._free.pop()
        peer = SecurePeer(leg, row, association)
        self.of_leg[leg] = self.at[row] = peer
        self.number[row] = leg
        self.ssrc[row], self.last_packet[row] = -1, -np.inf
        self._sort()
        return peer

    def remove(self, peer: SecurePeer) -> None:
        """Free the row; nothing comes from, or goes to, the peer any more."""
        del self.of_leg[peer.leg]
        row = peer.row
        self.at[row] = self.outbound[row] = self.inbound[row] = None
        self.sendable[row] = self.secured[row] = False
        self.number[row] = -1
        self.sources.remove(row)
        self._free.append(row)
        self._sort()

    def _sort(self) -> None:
        rows = np.flatnonzero(self.number >= 0)
        order = np.argsort(self.number[rows])
        self._rows = rows[order]
        self._legs = self.number[self._rows]

    def rows_of(self, legs: Int64s) -> Int64s:
        """The rows `(n,)` of legs, -1 for those that are none of ours."""
        if not len(self._legs):
            return np.full(len(legs), -1, np.int64)
        at = np.minimum(np.searchsorted(self._legs, legs), len(self._legs) - 1)
        return np.where(self._legs[at] == legs, self._rows[at], -1)

    def protect_with(self, peer: SecurePeer, protection: Protection) -> None:
        """Use these keys from now on."""
        peer.protection, peer.ssrcs = protection, set()
        self.outbound[peer.row], self.inbound[peer.row] = protection.outbound, protection.inbound
        self.secured[peer.row] = True
        self.ssrc[peer.row] = -1
        self._show(peer)

    def unprotect(self, peer: SecurePeer) -> None:
        """The association is over: nothing goes either way."""
        self.secured[peer.row] = False
        self._show(peer)

    def open_path(self, peer: SecurePeer, path: Path) -> None:
        """Packets by this path are the peer's."""
        peer.paths.add(path)
        self.sources.add(path[0], name_in(path), peer.row)

    def close_path(self, peer: SecurePeer, path: Path) -> None:
        """They are not any more."""
        peer.paths.discard(path)
        self.sources.remove(peer.row)
        for other in peer.paths:
            self.sources.add(other[0], name_in(other), peer.row)

    def choose(self, peer: SecurePeer, path: Path | None) -> None:
        """What is sent to the peer goes here; None: nowhere."""
        peer.chosen = path
        if path is not None:
            self.socket[peer.row], self.name[peer.row] = path[0], name_in(path)
        self._show(peer)

    def _show(self, peer: SecurePeer) -> None:
        self.sendable[peer.row] = self.secured[peer.row] and peer.chosen is not None

    def may_use(self, row: int, ssrc: int) -> bool:
        """Whether the peer may send with this SSRC."""
        peer = self.at[row]
        return peer is not None and (ssrc in peer.ssrcs or len(peer.ssrcs) < MOST_SSRCS)

    def note_ssrcs(self, rows: Sequence[int], ssrcs: Sequence[int]) -> None:
        """Genuine packets with these have come."""
        for row, ssrc in zip(rows, ssrcs, strict=True):
            peer = self.at[row]
            if peer is not None:
                peer.ssrcs.add(ssrc)


def name_in(path: Path) -> Words:
    """The name `(NAME_WORDS,)` of a path: an index of a socket, and the bytes of a source's name."""
    return np.frombuffer(path[1], np.uint64)
