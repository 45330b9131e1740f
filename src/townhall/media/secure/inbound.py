"""The way in: what came on the browsers' port, sorted by first byte and source (RFC 7983), SRTP decrypted
where it lies.

Every step is on arrays but the one C call per packet. A source that ICE has not verified costs its sorting
out and no more, and so does what one browser sends beyond any sound's rate.
"""

from dataclasses import dataclass

import numpy as np

from townhall.media.secure.peers import SecurePeers
from townhall.media.secure.srtp import Rows, unprotect
from townhall.media.shapes import FAMILY_VIRTUAL, NAME_WORDS, Bools, Int64s, Received, Words

MOST_A_BATCH = 32
"""Packets of one browser taken from one batch: 20 ms of sound have one or two, what piled up in a stall
some more.
"""

_RTP_HEADER, _SRTCP_LEAST = 12, 28
"""Bytes. An SRTCP packet has a header of 8, an index of 4 and a tag of 10 or 16 at least."""

_LEAST_WIDTH = 128
"""Bytes a row of what is handed on: those who parse headers look so far, whatever the packet's length."""


@dataclass(slots=True)
class Sorted:
    """Rows of a batch by what they are."""

    stun: Int64s
    dtls: Int64s
    media: Received | None
    """Decrypted, under virtual names."""


class Inbound:
    """Sorts and decrypts; `unknown_source`, `malformed`, `refused` and `crowded` count over the process's
    life.
    """

    def __init__(self, peers: SecurePeers, socket: int) -> None:
        """`socket`: the index under which the engine knows all secure legs."""
        self.unknown_source = 0
        self.malformed = 0
        self.refused = 0
        """Packets that were forged, replayed or with too many SSRCs."""
        self.crowded = 0
        """Packets of browsers that sent more than any sound needs."""
        self._peers = peers
        self._socket = socket
        self._rows: Rows | None = None

    def sort(self, batch: Received, begin: int, now: float) -> Sorted:
        """Take in a batch whose rows from `begin` on came on the browsers' port; they are decrypted in
        place.
        """
        first, lengths = batch.data[begin:, 0], batch.lengths[begin:]
        stun = begin + np.flatnonzero((first < 4) & (lengths >= 20))
        dtls = begin + np.flatnonzero((first >= 20) & (first < 64) & (lengths >= 13))
        media = begin + np.flatnonzero((first >= 128) & (first < 192) & (lengths >= _RTP_HEADER))
        self.malformed += len(lengths) - len(stun) - len(dtls) - len(media)
        return Sorted(stun, dtls, self._decrypt(batch, media, now) if media.size else None)

    def _decrypt(self, batch: Received, media: Int64s, now: float) -> Received | None:
        peers = self._peers
        owners = peers.sources.find(batch.sockets[media], batch.names[media])
        known = owners >= 0
        self.unknown_source += int(np.count_nonzero(~known))
        media, owners = self._uncrowded(media[known], owners[known])
        secured = peers.secured[owners]
        media, owners = media[secured], owners[secured]
        if not media.size:
            return None
        rows = self._pointers(batch)
        kind = batch.data[media, 1]
        rtcp = (kind >= 192) & (kind < 224)
        genuine = np.zeros(len(media), np.bool_)
        for these, is_rtcp in ((~rtcp, False), (rtcp, True)):
            if these.any():
                at = np.flatnonzero(these)
                genuine[at] = self._unprotect(batch, rows, media[at], owners[at], is_rtcp)
        self.refused += int(np.count_nonzero(~genuine))
        media, owners = media[genuine], owners[genuine]
        if not media.size:
            return None
        by_chosen = (batch.names[media] == peers.name[owners]).all(axis=1)
        peers.last_packet[owners[by_chosen]] = now
        return self._handed_on(batch, rows, media, owners)

    def _uncrowded(self, media: Int64s, owners: Int64s) -> tuple[Int64s, Int64s]:
        """Leave out what a browser sends beyond `MOST_A_BATCH`."""
        keep = first_of_each(owners, MOST_A_BATCH)
        self.crowded += len(owners) - len(keep)
        return media[keep], owners[keep]

    def _pointers(self, batch: Received) -> Rows:
        """Pointers into the batch's memory: the sockets' buffer stays the same from tick to tick."""
        if self._rows is None or not self._rows.covers(batch.data):
            whole = batch.data.base
            self._rows = Rows(batch.data)
            if (
                isinstance(whole, np.ndarray)
                and whole.ndim == 2
                and self._rows.covers(whole[: len(batch.data)])
            ):
                self._rows = Rows(whole)
        return self._rows

    def _unprotect(self, batch: Received, rows: Rows, media: Int64s, owners: Int64s, rtcp: bool) -> Bools:
        """Which of these were genuine; the SSRC is bytes 4 to 7 of RTCP and 8 to 11 of RTP."""
        peers = self._peers
        words = batch.data[media, 4:8] if rtcp else batch.data[media, 8:12]
        ssrcs = np.ascontiguousarray(words).view(">u4")[:, 0].astype(np.int64)
        allowed = peers.ssrc[owners] == ssrcs
        if rtcp:
            allowed &= batch.lengths[media] >= _SRTCP_LEAST
        fresh = np.flatnonzero(~allowed)
        for at in fresh.tolist():
            allowed[at] = peers.may_use(int(owners[at]), int(ssrcs[at]))
        trying = np.flatnonzero(allowed)
        rows.lengths[media] = batch.lengths[media]
        handles = [peers.inbound[owner] for owner in owners[trying].tolist()]
        genuine = np.zeros(len(media), np.bool_)
        genuine[trying] = unprotect(rows, media[trying].tolist(), handles, rtcp)
        new = fresh[genuine[fresh]]
        if new.size:
            peers.note_ssrcs(owners[new].tolist(), ssrcs[new].tolist())
        peers.ssrc[owners[genuine]] = ssrcs[genuine]
        return genuine

    def _handed_on(self, batch: Received, rows: Rows, media: Int64s, owners: Int64s) -> Received:
        lengths = rows.lengths[media].astype(np.int64)
        width = max(_LEAST_WIDTH, -(-int(lengths.max()) // 4) * 4)
        return Received(
            batch.data[media, :width],
            lengths,
            virtual_names(self._peers.number[owners]),
            np.full(len(media), self._socket, np.int32),
            batch.arrived[media],
        )


def first_of_each(owners: Int64s, most: int) -> Int64s:
    """The places, ascending, at which an owner stands for the `most`-th time or earlier."""
    if len(owners) <= most or np.bincount(owners).max() <= most:
        return np.arange(len(owners))
    order = np.argsort(owners, kind="stable")
    runs = owners[order]
    begins = np.flatnonzero(np.r_[True, runs[1:] != runs[:-1]])
    sizes = np.diff(np.r_[begins, len(runs)])
    place = np.arange(len(runs)) - np.repeat(begins, sizes)
    return np.sort(order[place < most])


def virtual_names(legs: Int64s) -> Words:
    """Names `(n, NAME_WORDS)` of secure legs."""
    names = np.zeros((len(legs), NAME_WORDS), np.uint64)
    names[:, 0] = legs.astype(np.uint64) << np.uint64(16) | np.uint64(FAMILY_VIRTUAL)
    return names
