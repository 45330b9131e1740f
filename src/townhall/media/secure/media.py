"""The browsers' media as a whole: what the loop calls between the sockets and the engine.

`handle` takes the commands that the engine takes too, `receive` what came, `send` what the engine made;
`answers` and `work` give what is to be sent besides. The times are monotonic seconds.
"""

import numpy as np

from townhall.errors import TownhallError
from townhall.ice import Credentials
from townhall.media.protocol import CloseLeg, Command, Event, LegInsecure, SecureLeg
from townhall.media.secure.certificate import Certificate
from townhall.media.secure.connectivity import Connectivity
from townhall.media.secure.dtls import Association, make_context, read_fingerprint
from townhall.media.secure.handshakes import Handshakes
from townhall.media.secure.inbound import Inbound
from townhall.media.secure.outbound import Outbound
from townhall.media.secure.outbox import Outbox
from townhall.media.secure.peers import SecurePeer, SecurePeers
from townhall.media.shapes import Outgoing, Received


class SecureMedia:
    """See the module. `events` fills up as things happen; whoever drives it empties it."""

    def __init__(self, capacity: int, sockets: range, certificate: Certificate) -> None:
        """`capacity`: the most legs; `sockets`: the indices of the browsers' ports, the first of which is
        how the engine knows them all.
        """
        self.events: list[Event] = []
        self._sockets = sockets
        self._context = make_context(certificate)
        self._peers = SecurePeers(capacity)
        self._outbox = Outbox()
        self._inbound = Inbound(self._peers, sockets.start)
        self._outbound = Outbound(self._peers, sockets.start)
        self._connectivity = Connectivity(self._peers, self._outbox, self._emit)
        self._handshakes = Handshakes(self._peers, self._connectivity.agent, self._outbox, self._emit)
        self._closing: list[SecurePeer] = []

    def __len__(self) -> int:
        return len(self._peers)

    @property
    def unknown_source(self) -> int:
        """Datagrams that came by no path that ICE has verified, and were no checks."""
        return self._inbound.unknown_source

    @property
    def refused(self) -> int:
        """Packets that were forged or replayed, or more than a browser may send."""
        return self._inbound.refused + self._inbound.crowded

    @property
    def malformed(self) -> int:
        """Datagrams that are nothing we know."""
        return self._inbound.malformed + self._connectivity.malformed

    def _emit(self, event: Event) -> None:
        self.events.append(event)

    # -- commands ------------------------------------------------------------

    def handle(self, command: Command, now: float) -> None:
        """Carry out one command; most are not for us."""
        match command:
            case SecureLeg():
                try:
                    self._secure(command, now)
                except TownhallError as error:
                    self._emit(LegInsecure(command.leg, str(error)))
            case CloseLeg():
                peer = self._peers.of_leg.get(command.leg)
                if peer is not None:
                    # The engine's goodbye is still to be sent, with the next tick.
                    self._closing.append(peer)
            case _:
                pass

    def _secure(self, command: SecureLeg, now: float) -> None:
        fingerprint = read_fingerprint(command.fingerprint)
        peer = self._peers.of_leg.get(command.leg)
        if peer is None:
            association = Association(self._context, command.role, command.fingerprint)
            peer = self._peers.add(command.leg, association)
            self._handshakes.expect(peer)
        elif fingerprint != (peer.successor or peer.association).fingerprint or peer.failed:
            self._succeed(peer, command, now)
        local = Credentials(command.local_ufrag, command.local_pwd)
        remote = Credentials(command.remote_ufrag, command.remote_pwd)
        self._connectivity.agent.admit(command.leg, local, remote, now)
        self._connectivity.follow(now)

    def _succeed(self, peer: SecurePeer, command: SecureLeg, now: float) -> None:
        """Another certificate, or another try: another association, beside the one in use."""
        peer.successor = Association(self._context, command.role, command.fingerprint)
        peer.begun, peer.failed = now if peer.paths else None, False
        peer.inbox.clear()
        self._handshakes.expect(peer)

    # -- packets -------------------------------------------------------------

    def receive(self, batch: Received, now: float) -> list[Received]:
        """Take in a batch in which the rows of our sockets stand last; what the engine is to take in, under
        the names that it knows: at most two batches.
        """
        ours = int(np.count_nonzero(self._is_ours(batch)))
        if not ours:
            return [batch]
        begin = len(batch.lengths) - ours
        found = self._inbound.sort(batch, begin, now)
        if found.stun.size:
            self._connectivity.receive(batch, found.stun, now)
        if found.dtls.size:
            self._handshakes.receive(batch, found.dtls)
        parts = [] if found.media is None else [found.media]
        if begin:
            plain = slice(0, begin)
            parts.insert(
                0,
                Received(
                    batch.data[plain],
                    batch.lengths[plain],
                    batch.names[plain],
                    batch.sockets[plain],
                    batch.arrived[plain],
                ),
            )
        return parts

    def _is_ours(self, batch: Received) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
        return (batch.sockets >= self._sockets.start) & (batch.sockets < self._sockets.stop)

    def send(self, out: Outgoing) -> list[Outgoing]:
        """Of a batch sorted by socket, what is to be sent in its place; valid until the next call."""
        plain, encrypted = self._outbound.split(out)
        return encrypted if plain is None else [plain, *encrypted]

    # -- time ----------------------------------------------------------------

    def answers(self, now: float) -> Outgoing | None:
        """Once a tick, when the engine's packets are out: answers to checks, and checks of ours."""
        self._connectivity.look(now)
        self._connectivity.begin_tick()
        for peer in self._closing:
            if self._peers.of_leg.get(peer.leg) is peer:
                self._dismiss(peer, now)
        self._closing = []
        return self._outbox.take()

    def _dismiss(self, peer: SecurePeer, now: float) -> None:
        self._handshakes.part(peer)
        self._handshakes.forget(peer)
        self._connectivity.agent.dismiss(peer.leg)
        self._connectivity.follow(now)
        self._peers.remove(peer)

    def work(self, now: float, until: float) -> Outgoing | None:
        """Go on with handshakes, in time that nobody else needs: until the clock says `until`, one step at
        least.
        """
        self._handshakes.work(now, until)
        self._connectivity.follow(now)
        return self._outbox.take()
