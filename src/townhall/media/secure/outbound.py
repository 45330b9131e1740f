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
        begin, end = np.searchsorted(out.sockets, (self._socket, self._socket + 1)).tolist()
        if begin == end:
            return out, []
        mine = _slice(out, begin, end)
        kind = mine.data[:, 1]
        rtcp = (kind >= 192) & (kind < 224)
        encrypted = []
        for these, is_rtcp in ((~rtcp, False), (rtcp, True)):
            if these.any():
                encrypted.append(self._encrypt(mine, np.flatnonzero(these), is_rtcp))
        plain = None
        if end - begin < len(out.sockets):
            plain = _without(out, begin, end)
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


def _slice(out: Outgoing, begin: int, end: int) -> Outgoing:
    return Outgoing(out.data[begin:end], out.lengths[begin:end], out.names[begin:end], out.sockets[begin:end])


def _without(out: Outgoing, begin: int, end: int) -> Outgoing:
    if begin == 0:
        return _slice(out, end, len(out.sockets))
    if end == len(out.sockets):
        return _slice(out, 0, begin)
    keep = np.r_[0:begin, end : len(out.sockets)]
    return Outgoing(out.data[keep], out.lengths[keep], out.names[keep], out.sockets[keep])
