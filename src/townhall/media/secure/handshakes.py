"""DTLS between the packets and the peers: who gets a turn, for how long, and what comes of it.

A handshake costs a millisecond or two of OpenSSL, which a tick of 20 cannot spare for many at once. So
datagrams wait in the peers' own bounded inboxes, and are worked off in the time that the tick has left
over.
"""

import time
from collections import deque
from collections.abc import Callable

import numpy as np

from townhall.ice import IceLite, Path
from townhall.media.protocol import Event, LegInsecure, LegLeft, LegSecured
from townhall.media.secure.dtls import Association, DtlsError
from townhall.media.secure.inbound import first_of_each
from townhall.media.secure.outbox import Outbox
from townhall.media.secure.peers import INBOX, SecurePeer, SecurePeers
from townhall.media.secure.srtp import Protection
from townhall.media.shapes import Int64s, Received

HANDSHAKE_S = 20.0
"""From the first verified path to the end of the handshake; a peer that takes longer will never be done."""

LEAST_STEPS = 1
"""In every tick, however full: else an overloaded process would never let anybody in who is welcome."""


class Handshakes:
    """Drives the associations of all peers."""

    def __init__(
        self,
        peers: SecurePeers,
        agent: IceLite,
        outbox: Outbox,
        emit: Callable[[Event], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.dropped = 0
        """Datagrams whose peer has failed or never was."""
        self._peers = peers
        self._agent = agent
        self._outbox = outbox
        self._emit = emit
        self._clock = clock
        self._waiting: deque[SecurePeer] = deque()
        """Peers with something in their inbox, each once."""
        self._open: dict[int, SecurePeer] = {}
        """Peers whose handshake is not over."""

    def expect(self, peer: SecurePeer) -> None:
        """A handshake of this peer is to come."""
        self._open[peer.leg] = peer

    def forget(self, peer: SecurePeer) -> None:
        """The leg is closed."""
        self._open.pop(peer.leg, None)
        peer.inbox.clear()
        peer.failed = True

    def receive(self, batch: Received, which: Int64s) -> None:
        """Take in DTLS datagrams, the rows `which` of a batch: of verified paths, as many as an inbox
        holds.
        """
        owners = self._peers.sources.find(batch.sockets[which], batch.names[which])
        known = np.flatnonzero(owners >= 0)
        known = known[first_of_each(owners[known], INBOX)]
        self.dropped += len(owners) - len(known)
        for row, owner in zip(which[known].tolist(), owners[known].tolist(), strict=True):
            peer = self._peers.at[owner]
            if peer is None or peer.failed or len(peer.inbox) == peer.inbox.maxlen:
                self.dropped += 1
                continue
            if not peer.inbox:
                self._waiting.append(peer)
            path: Path = (int(batch.sockets[row]), batch.names[row].tobytes())
            peer.inbox.append((path, batch.data[row, : int(batch.lengths[row])].tobytes()))

    def work(self, now: float, until: float) -> None:
        """Give turns until the clock says `until`, each peer's datagrams one at a time, all peers in turn."""
        steps = 0
        while self._waiting and (steps < LEAST_STEPS or self._clock() < until):
            steps += 1
            peer = self._waiting.popleft()
            if not peer.inbox:
                continue
            path, datagram = peer.inbox.popleft()
            self._step(peer, path, datagram, now)
            if peer.inbox:
                self._waiting.append(peer)
        for peer in list(self._open.values()):
            self._look(peer, now)

    def _step(self, peer: SecurePeer, path: Path, datagram: bytes, now: float) -> None:
        association = peer.successor or peer.association
        before = association.state
        try:
            flight = association.receive(datagram)
        except DtlsError as error:
            self._fail(peer, association, str(error))
            return
        self._send(peer, flight)
        if before != "secured" and association.state == "secured":
            if path == peer.flight_path:
                self._agent.prove(peer.leg, path, now)
            self._secured(peer, association)
        elif before == "secured" and association.state == "closed":
            self._peers.unprotect(peer)
            peer.failed = True
            self._emit(LegLeft(peer.leg))

    def _secured(self, peer: SecurePeer, association: Association) -> None:
        assert association.keys is not None
        self._open.pop(peer.leg, None)
        if peer.successor is association:
            peer.association, peer.successor = association, None
        self._peers.protect_with(peer, Protection(association.keys))
        self._emit(LegSecured(peer.leg))

    def _look(self, peer: SecurePeer, now: float) -> None:
        """A client's beginning, retransmissions, and the end of all patience."""
        association = peer.handshaking
        if association is None or peer.begun is None:
            return
        if now - peer.begun > HANDSHAKE_S:
            self._fail(peer, association, f"no DTLS handshake within {HANDSHAKE_S:.0f} s")
            return
        if peer.chosen is None:
            return
        try:
            if association.state == "new" and association.role == "client":
                self._send(peer, association.start())
            else:
                self._send(peer, association.look())
        except DtlsError as error:
            self._fail(peer, association, str(error))

    def _fail(self, peer: SecurePeer, association: Association, reason: str) -> None:
        self._send(peer, association.parting())
        self._open.pop(peer.leg, None)
        self._peers.unprotect(peer)
        peer.failed = True
        peer.inbox.clear()
        self._emit(LegInsecure(peer.leg, reason))

    def part(self, peer: SecurePeer) -> None:
        """Say goodbye to a peer whose leg is closed."""
        self._send(peer, peer.association.close())

    def _send(self, peer: SecurePeer, flight: list[bytes]) -> None:
        if peer.chosen is None:
            return
        if flight:
            peer.flight_path = peer.chosen
        for datagram in flight:
            self._outbox.put(peer.chosen, datagram)
