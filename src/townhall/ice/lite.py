"""An ICE-lite agent for any number of peers on one port (RFC 8445 sections 2.5 and 7.3, RFC 7675).

A peer is known by the username fragment that we gave it, so it may come from anywhere and go on elsewhere:
the path that it nominated last is the one it is sent to. A path is in use from its first authenticated
check and for as long as it shows signs of life. Nothing is ever sent where no check came from, and only for
a while where nothing has shown that what we send is read.
"""

import secrets
from collections import deque
from dataclasses import dataclass

from townhall.ice.answers import fault_of, refusal, success
from townhall.ice.checks import Check
from townhall.ice.credentials import Credentials, IceError
from townhall.ice.message import Address, Message, StunError
from townhall.ice.peers import MOST_PATHS, Generation, Path, PathState, Peer

CONSENT_S = 15.0
"""Without a sign of life for so long, a path is dead: browsers check every 2.5 to 6 seconds. RFC 7675
section 5.1 has 30 for those who ask for consent themselves; a lite agent is asked.
"""
HELD_S = 5.0
"""A path that showed life so lately is its peer's: nobody else's check takes it."""

ASK_AGAIN_S = 0.5
LOOKS_A_SECOND = 50


@dataclass(frozen=True, slots=True)
class PathVerified:
    """An authenticated check came by a new path: what comes there is the peer's."""

    peer: int
    path: Path


@dataclass(frozen=True, slots=True)
class PathLost:
    """Nothing more is taken from this path."""

    peer: int
    path: Path


@dataclass(frozen=True, slots=True)
class PathChosen:
    """What is sent to the peer goes here from now on; None: nowhere."""

    peer: int
    path: Path | None


@dataclass(frozen=True, slots=True)
class ConsentLost:
    """The peer's last path is dead; it may come back with a check."""

    peer: int
    seconds: float
    """Since its last sign of life."""


IceEvent = PathVerified | PathLost | PathChosen | ConsentLost


class IceLite:
    """See the module. `events` fills up; whoever drives the agent empties it."""

    def __init__(self) -> None:
        self.events: list[IceEvent] = []
        self.refused = 0
        """Requests that were answered with an error."""
        self._tie_breaker = secrets.randbits(64)
        self._peers: dict[int, Peer] = {}
        self._by_ufrag: dict[bytes, Generation] = {}
        self._owners: dict[Path, Peer] = {}
        self._ring: deque[int] = deque()
        """Peers in the order in which they are looked at for signs of life."""
        self._unproved: dict[int, Peer] = {}
        self._asked: dict[bytes, tuple[Peer, Path]] = {}

    def __len__(self) -> int:
        return len(self._peers)

    # -- peers ---------------------------------------------------------------

    def admit(self, peer: int, local: Credentials, remote: Credentials, now: float) -> None:
        """Expect a peer's checks; again with other credentials for an ICE restart, in which the old ones
        serve until the peer nominates a path with the new. Raises `IceError`.
        """
        local.check()
        remote.check()
        ufrag = local.ufrag.encode()
        generation = self._by_ufrag.get(ufrag)
        if generation is not None and generation.peer != peer:
            raise IceError("another peer has this ice-ufrag already")
        if generation is not None:
            generation.local, generation.remote = local, remote
            return
        generation = Generation(peer, local, remote)
        known = self._peers.get(peer)
        if known is None:
            self._peers[peer] = Peer(peer, [generation])
            self._ring.append(peer)
        else:
            for superseded in known.generations[1:]:
                self._forget(known, superseded)
            known.generations.append(generation)
            self._choose(known, now)
        self._by_ufrag[ufrag] = generation

    def dismiss(self, peer: int) -> None:
        """Forget a peer and its paths. Nothing when it is unknown."""
        known = self._peers.pop(peer, None)
        if known is None:
            return
        for generation in list(known.generations):
            self._forget(known, generation)
        self._unproved.pop(peer, None)

    def chosen(self, peer: int) -> Path | None:
        """Where a peer is sent to, if anywhere."""
        known = self._peers.get(peer)
        return known.chosen if known else None

    def _forget(self, peer: Peer, generation: Generation) -> None:
        peer.generations.remove(generation)
        del self._by_ufrag[generation.local.ufrag.encode()]
        for path in [path for path, state in peer.paths.items() if state.generation is generation]:
            self._lose(peer, path)

    # -- what comes ----------------------------------------------------------

    def knows(self, username: bytes) -> bool:
        """Whether a request with this USERNAME is for one of our peers: a flood's are not, and cost no
        HMAC.
        """
        return username.partition(b":")[0] in self._by_ufrag

    def receive(self, message: Message, path: Path, source: Address, now: float) -> bytes | None:
        """Take in one message that came by `path` from `source`; the datagram to answer with, if any."""
        if message.kind == "request":
            return self._request(message, path, source, now)
        if message.kind != "indication":
            self._answer(message, path, now)
        return None

    def _request(self, message: Message, path: Path, source: Address, now: float) -> bytes | None:
        username = message.username or b""
        generation = self._by_ufrag.get(username.partition(b":")[0]) if b":" in username else None
        key = generation.key if generation else None
        fault = fault_of(message, key)
        if fault is not None:
            self.refused += 1
            return refusal(message, fault, key)
        assert generation is not None
        assert key is not None
        peer = self._peers[generation.peer]
        if not self._verify(peer, generation, path, now):
            return None
        if message.use_candidate:
            peer.paths[path].nominated_at = now
            for old in peer.generations[: peer.generations.index(generation)]:
                self._forget(peer, old)
        self._choose(peer, now)
        return success(message, source, key)

    def _verify(self, peer: Peer, generation: Generation, path: Path, now: float) -> bool:
        """Note an authenticated check; False when the path is somebody else's, or the peer has too many."""
        state = peer.paths.get(path)
        if state is not None:
            state.seen = now
            if peer.generations.index(generation) > peer.generations.index(state.generation):
                state.generation = generation
            return True
        owner = self._owners.get(path)
        if owner is not None and now - owner.paths[path].seen < HELD_S:
            return False
        if len(peer.paths) >= MOST_PATHS:
            oldest = peer.oldest()
            if now - peer.paths[oldest].seen < HELD_S:
                return False  # nobody moves so fast; each new path costs work
            self._lose(peer, oldest)
        if owner is not None:
            self._lose(owner, path)
            self._choose(owner, now)
        peer.paths[path] = PathState(generation, now, ask_at=now)
        self._owners[path] = peer
        self.events.append(PathVerified(peer.number, path))
        return True

    def _answer(self, message: Message, path: Path, now: float) -> None:
        """The answer to a check of ours: somebody reads what we send there."""
        asked = self._asked.get(message.transaction)
        if asked is None or asked[1] != path:
            return
        peer, _ = asked
        check = peer.paths[path].check
        assert check is not None
        try:
            check.answered(message)
        except StunError:
            return
        self.prove(peer.number, path, now)

    def prove(self, peer: int, path: Path, now: float) -> None:
        """What we sent to this path has been read there: it answered us, or a handshake went through it."""
        known = self._peers.get(peer)
        state = known.paths.get(path) if known else None
        if known is None or state is None or state.proved:
            return
        self._count(known, now)
        state.proved = True
        self._stop_asking(state)
        self._choose(known, now)

    def alive(self, peer: int, path: Path, now: float) -> None:
        """Something else than a check has shown life: an authenticated packet."""
        known = self._peers.get(peer)
        if known is not None and path in known.paths:
            known.paths[path].seen = now

    # -- time ----------------------------------------------------------------

    def look(self, now: float) -> list[tuple[Path, bytes]]:
        """Called some 50 times a second: drops what is dead, a share of the peers at a time. The checks of
        ours that are to be sent.
        """
        for _ in range(-(-len(self._ring) // LOOKS_A_SECOND)):
            number = self._ring.popleft()
            peer = self._peers.get(number)
            if peer is not None:
                self._ring.append(number)
                self._drop_dead(peer, now)
        requests: list[tuple[Path, bytes]] = []
        for peer in list(self._unproved.values()):
            request = self._ask(peer, now)
            if request is not None:
                requests.append(request)
        return requests

    def _drop_dead(self, peer: Peer, now: float) -> None:
        dead = [path for path, state in peer.paths.items() if now - state.seen >= CONSENT_S]
        if not dead:
            return
        last = max(state.seen for state in peer.paths.values())
        for path in dead:
            self._lose(peer, path)
        self._choose(peer, now)
        if not peer.paths:
            self.events.append(ConsentLost(peer.number, round(now - last, 1)))

    def _ask(self, peer: Peer, now: float) -> tuple[Path, bytes] | None:
        """The next check of ours for an unproved path that the peer wants to be sent to."""
        self._choose(peer, now)  # the chosen one's time may be up
        doubtful = peer.doubtful()
        if not doubtful:
            del self._unproved[peer.number]
            return None
        path = min(doubtful, key=lambda path: peer.paths[path].ask_at)
        state = peer.paths[path]
        if now < state.ask_at:
            return None
        state.ask_at = now + ASK_AGAIN_S
        if state.check is None:
            credentials = state.generation
            transaction = secrets.token_bytes(12)
            state.check = Check(
                credentials.local, credentials.remote, transaction, self._tie_breaker, controlling=False
            )
            self._asked[transaction] = (peer, path)
        return path, state.check.request()

    def _count(self, peer: Peer, now: float) -> None:
        """Count the time in which the peer was sent to where nothing is proved."""
        chosen = peer.paths.get(peer.chosen) if peer.chosen is not None else None
        if chosen is not None and not chosen.proved:
            peer.unproved_s += now - peer.counted_at
        peer.counted_at = now

    # -- paths ---------------------------------------------------------------

    def _choose(self, peer: Peer, now: float) -> None:
        self._count(peer, now)
        best = peer.best()
        if best != peer.chosen:
            peer.chosen = best
            self.events.append(PathChosen(peer.number, best))
        if peer.doubtful():
            self._unproved[peer.number] = peer

    def _lose(self, peer: Peer, path: Path) -> None:
        """Give a path up; `_choose` must follow where the peer lives on."""
        self._stop_asking(peer.paths.pop(path))
        del self._owners[path]
        self.events.append(PathLost(peer.number, path))

    def _stop_asking(self, state: PathState) -> None:
        if state.check is not None:
            del self._asked[state.check.transaction]
            state.check = None
