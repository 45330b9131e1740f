"""ICE between the packets and the peers: which of a batch's checks are looked at, and what follows from
them.
"""

import struct
from collections import Counter
from collections.abc import Callable

import numpy as np

from townhall.ice import (
    Address,
    ConsentLost,
    IceLite,
    Message,
    Path,
    PathChosen,
    PathLost,
    PathVerified,
    StunError,
    parse,
)
from townhall.media.protocol import Event, LegSilent
from townhall.media.secure.outbox import Outbox
from townhall.media.secure.peers import SecurePeers
from townhall.media.shapes import FAMILY_V4, Int64s, Received

CHECKS_A_TICK = 256
"""From paths that are verified: a browser sends one every few seconds."""
CHECKS_OF_A_PATH = 4
STRANGERS_A_TICK = 256
"""From anywhere else: read as far as the name of whom they are for. When more come, chance decides, so that
a flood delays a new browser and does not keep it out.
"""
ADMITTED_A_TICK = 96
"""Of these, checks that name a peer and so cost an HMAC."""
ADMITTED_OF_A_PEER = 8
"""So that one caller who checks from everywhere leaves room for the others."""
REFUSED_A_TICK = 16
"""Answers to others: who floods from forged sources makes us no mirror."""

ALIVE_SHARES = 100
"""Ticks in which every peer's packets are once counted as a sign of life: two seconds."""


class Connectivity:
    """Drives the agent; `passed_over` counts checks that no budget was left for."""

    def __init__(self, peers: SecurePeers, outbox: Outbox, emit: Callable[[Event], None]) -> None:
        self.agent = IceLite()
        self.passed_over = 0
        self.malformed = 0
        self._peers = peers
        self._outbox = outbox
        self._emit = emit
        self._random = np.random.default_rng()
        self._share = 0
        self._of_name: Counter[bytes] = Counter()
        self._admitted = self._refused = self._strangers = self._checks = 0

    def begin_tick(self) -> None:
        """A new budget."""
        self._of_name.clear()
        self._admitted = self._refused = self._strangers = self._checks = 0

    def receive(self, batch: Received, which: Int64s, now: float) -> None:
        """Take in STUN datagrams, the rows `which` of a batch."""
        known = self._peers.sources.find(batch.sockets[which], batch.names[which]) >= 0
        for row in self._affordable(batch, which[known]):
            self._take(batch, row, now, stranger=False)
        strangers = which[~known]
        room = STRANGERS_A_TICK - self._strangers
        if len(strangers) > room:
            self.passed_over += len(strangers) - room
            strangers = np.sort(self._random.choice(strangers, room, replace=False))
        self._strangers += len(strangers)
        for row in strangers.tolist():
            self._take(batch, row, now, stranger=True)

    def _affordable(self, batch: Received, which: Int64s) -> list[int]:
        """Of the checks by verified paths: a few of each, and not too many in all."""
        taken: list[int] = []
        counts: dict[bytes, int] = {}
        for row in which[: 16 * CHECKS_A_TICK].tolist():
            name = batch.names[row].tobytes()
            counts[name] = counts.get(name, 0) + 1
            if counts[name] <= CHECKS_OF_A_PATH and self._checks < CHECKS_A_TICK:
                self._checks += 1
                taken.append(row)
        self.passed_over += len(which) - len(taken)
        return taken

    def _take(self, batch: Received, row: int, now: float, stranger: bool) -> None:
        try:
            message = parse(batch.data[row, : int(batch.lengths[row])].tobytes())
        except StunError:
            self.malformed += 1
            return
        if stranger and message.kind != "request":
            return
        admitted = message.username is not None and self.agent.knows(message.username)
        if not self._afford(stranger, admitted, message):
            self.passed_over += 1
            return
        name = batch.names[row].tobytes()
        path: Path = (int(batch.sockets[row]), name)
        answer = self.agent.receive(message, path, source_in(name), now)
        if answer is not None:
            self._outbox.put(path, answer)
        self.follow(now)

    def _afford(self, stranger: bool, admitted: bool, message: Message) -> bool:
        """Whether there is budget left for an answer."""
        if admitted and stranger:
            name = (message.username or b"").partition(b":")[0]  # what follows is the sender's to invent
            self._of_name[name] += 1
            if self._of_name[name] > ADMITTED_OF_A_PEER:
                return False
            self._admitted += 1
            return self._admitted <= ADMITTED_A_TICK
        if admitted:
            return True
        self._refused += message.kind == "request"
        return self._refused <= REFUSED_A_TICK or message.kind != "request"

    def look(self, now: float) -> None:
        """Once a tick: signs of life, and their absence."""
        peers, share = self._peers, self._share
        self._share = (share + 1) % ALIVE_SHARES
        lately = peers.last_packet[share::ALIVE_SHARES] > now - 2.5
        for row in np.flatnonzero(lately & peers.sendable[share::ALIVE_SHARES]).tolist():
            peer = peers.at[share + row * ALIVE_SHARES]
            if peer is not None and peer.chosen is not None:
                self.agent.alive(peer.leg, peer.chosen, now)
        for path, request in self.agent.look(now):
            self._outbox.put(path, request)
        self.follow(now)

    def follow(self, now: float) -> None:
        """Bring the peers' columns up to date with what the agent says."""
        events = self.agent.events
        if not events:
            return
        self.agent.events = []
        for event in events:
            peer = self._peers.of_leg.get(event.peer)
            if peer is None:
                continue
            match event:
                case PathVerified():
                    self._peers.open_path(peer, event.path)
                    peer.begun = now if peer.begun is None else peer.begun
                case PathLost():
                    self._peers.close_path(peer, event.path)
                case PathChosen():
                    self._peers.choose(peer, event.path)
                case ConsentLost():
                    self._emit(LegSilent(peer.leg, event.seconds))


def source_in(name: bytes) -> Address:
    """The packed address and port of a name's bytes."""
    (port,) = struct.unpack_from("!H", name, 2)
    (family,) = struct.unpack_from("=H", name)
    return (name[4:8] if family == FAMILY_V4 else name[8:24]), port
