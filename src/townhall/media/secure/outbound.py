"""The way out: what the engine sends to virtual names, encrypted and addressed to where the browsers are."""

import numpy as np

from townhall.media.secure.peers import SecurePeers
from townhall.media.secure.srtp import MOST_TRAILER, Rows, protect
from townhall.media.shapes import Int64s, Outgoing

_STRIDES = (320, 832, 1600)
"""Bytes a row: sound of 20 ms, of 40 or 60, and the longest packet there is. Multiples of 64, not of 4096."""


class Outbound:
    """Encrypts; `failed` counts packets that libsrtp would not protect."""

    def __init__(self, peers: SecurePeers, socket: int) -> None:
        """`socket`: the index under which the engine knows all secure legs."""
        self.failed = 0
        self._peers = peers
        self._socket = socket
        self._rows: dict[tuple[int, bool], Rows] = {}
        """By stride, and whether for RTCP: the two of one batch are sent together."""

    def split(self, out: Outgoing) -> tuple[Outgoing | None, list[Outgoing]]:
        """What is for phones, as it is, and what is for browsers, encrypted; valid until the next call."""
        ours = out.sockets == self._socket
        count = int(np.count_nonzero(ours))
        if not count:
            return out, []
        plain = None if count == len(ours) else _rows(out, np.flatnonzero(~ours))
        mine = out if plain is None else _rows(out, np.flatnonzero(ours))
        kind = mine.data[:, 1]
        rtcp = (kind >= 192) & (kind < 224)
        encrypted = []
        for these, is_rtcp in ((~rtcp, False), (rtcp, True)):
            if these.any():
                encrypted.append(self._encrypt(mine, np.flatnonzero(these), is_rtcp))
        return plain, encrypted

    def _encrypt(self, out: Outgoing, which: Int64s, rtcp: bool) -> Outgoing:
        peers = self._peers
        owners = peers.rows_of((out.names[which, 0] >> np.uint64(16)).astype(np.int64))
        sendable = (owners >= 0) & peers.sendable[owners]
        sendable &= out.lengths[which] <= _STRIDES[-1] - MOST_TRAILER
        which, owners = which[sendable], owners[sendable]
        sockets = peers.socket[owners]
        if len(sockets) and (sockets[1:] < sockets[:-1]).any():
            order = np.argsort(sockets, kind="stable")
            which, owners, sockets = which[order], owners[order], sockets[order]
        lengths = out.lengths[which]
        longest = int(lengths.max(initial=0))
        rows = self._room(len(which), longest + MOST_TRAILER, rtcp)
        count = len(which)
        rows.data[:count, :longest] = out.data[which, :longest]
        rows.lengths[:count] = lengths
        sealed = protect(rows, [peers.outbound[owner] for owner in owners.tolist()], rtcp)
        data, lengths = rows.data[:count], rows.lengths[:count].astype(np.int64)
        if not sealed.all():
            self.failed += int(np.count_nonzero(~sealed))
            data, lengths, owners, sockets = data[sealed], lengths[sealed], owners[sealed], sockets[sealed]
        return Outgoing(data, lengths, peers.name[owners], sockets)

    def _room(self, count: int, length: int, rtcp: bool) -> Rows:
        """Rows for `count` packets of up to `length` bytes, the longest stride at most."""
        stride = next(stride for stride in _STRIDES if stride >= length)
        rows = self._rows.get((stride, rtcp))
        if rows is None or len(rows.data) < count:
            size = max(64, 1 << (count - 1).bit_length())
            rows = self._rows[stride, rtcp] = Rows(np.zeros((size, stride), np.uint8))
        return rows


def _rows(out: Outgoing, rows: Int64s) -> Outgoing:
    """Some rows, ascending; views of the batch where they stand together, as they do in one sorted by
    socket.
    """
    first, last = int(rows[0]), int(rows[-1]) + 1
    which = slice(first, last) if last - first == len(rows) else rows
    return Outgoing(out.data[which], out.lengths[which], out.names[which], out.sockets[which])
