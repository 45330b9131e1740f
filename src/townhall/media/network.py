"""Where legs are: which port each one has, whose packets are theirs, and where theirs go (symmetric RTP,
RFC 4961).

A leg's packets are known by their source. The address in the SDP is expected from the start. Behind NAT
the packets come from
elsewhere: a leg that may latch takes the first valid stream from an unknown source on its port as its
own, as long as nothing has come from the agreed address. Where the host is known that the stream must
come from (a phone's own SIP came from there), nobody else's is taken, and nobody else's legs stand in its
way: a port has at most one leg for each such host that has yet to latch, or one leg for any host. So there is
never a doubt whose stream it is, and no two legs of a port have the same source. A latched source stays until
the peer's address changes in a later offer or answer.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from townhall.errors import TownhallError
from townhall.media.legs import Legs
from townhall.media.lookup import AddressTable
from townhall.media.proof import prove
from townhall.media.protocol import Address
from townhall.media.shapes import (
    Int64s,
    Slots,
    Words,
    name_of,
    virtual_name,
    with_port_after,
)

LATCH_PATIENCE_S = 10.0
"""A leg that has sent nothing for this long gives up its claim when another one needs the port."""


_HOST_ONLY = ~np.uint64(0xFFFF0000)
"""The bits of a name's first word without the port."""


class NoPortError(TownhallError):
    """No port can take the leg; the message says why."""


@dataclass(frozen=True, slots=True)
class LocalPort:
    """One RTP socket; its index in the list is the socket's number."""

    host: str
    port: int
    ip_version: int
    secure: bool = False
    """The one port of all browsers; what passes it is encrypted below the engine."""


class Network:
    """Ports and sources of all legs."""

    def __init__(self, legs: Legs, local: Sequence[LocalPort]) -> None:
        self.local = list(local)
        self._legs = legs
        self._rtp = AddressTable()
        self._rtcp = AddressTable()
        self._crowd = np.zeros(len(local), np.int64)
        self._waiting = np.full(len(local), -1, np.int64)
        """Per socket: the slot of the leg that has yet to latch on to any host."""
        self._claims = AddressTable()
        """Hosts, without a port, that a leg has yet to latch on to."""
        self._host_claims = np.zeros(len(local), np.int64)
        self._latch_from: dict[int, Words] = {}
        self._claimed_at: dict[int, float] = {}
        """By slot, of the legs that have yet to latch."""

    def open(
        self,
        slot: int,
        remote: Address | None,
        may_latch: bool,
        ip_version: int,
        host: str | None,
        now: float,
        latch_from: str | None = None,
    ) -> LocalPort:
        """Give the leg a port: the emptiest that fits. Raises `NoPortError`.

        `latch_from`: the numeric host that the leg may latch on to; None: any.
        """
        fitting = [
            index
            for index, port in enumerate(self.local)
            if port.ip_version == ip_version and (host is None or port.host == host) and not port.secure
        ]
        if not fitting:
            raise NoPortError(f"no RTP port is bound for IPv{ip_version}{f' on {host}' if host else ''}")
        if remote is not None and not _unspecified(remote):
            name = name_of(remote)
            owners = self._rtp.find(np.array(fitting, np.int32), np.tile(name, (len(fitting), 1)))
            free = [index for index, owner in zip(fitting, owners.tolist(), strict=True) if owner < 0]
            if not free:
                raise NoPortError(f"every RTP port has a leg with {remote[0]} port {remote[1]} already")
            fitting = free
        self._latch_from.pop(slot, None)
        if may_latch:
            if latch_from is not None:
                self._latch_from[slot] = _host_only(name_of((latch_from, 1)).reshape(1, -1))[0]
            fitting = self._unclaimed(fitting, slot, now)
        socket = min(fitting, key=lambda index: int(self._crowd[index]))
        self._legs.socket[slot] = socket
        self._legs.may_latch[slot] = may_latch
        self._crowd[socket] += 1
        if may_latch:
            self._claim(socket, slot, now)
        if remote is not None and not _unspecified(remote):
            self._point_at(slot, name_of(remote))
        return self.local[socket]

    def open_secure(self, slot: int, leg: int) -> LocalPort:
        """Give a browser's leg its port and a name of its own. Raises `NoPortError`.

        The name never changes: where the browser is, ICE knows, below the engine.
        """
        socket = next((index for index, port in enumerate(self.local) if port.secure), -1)
        if socket < 0:
            raise NoPortError("no port is bound for browsers; TOWNHALL_ICE_PORT says which")
        legs, name = self._legs, virtual_name(leg)
        legs.socket[slot] = socket
        legs.may_latch[slot] = False
        legs.rtcp_mux[slot] = legs.has_remote[slot] = True
        legs.agreed_name[slot] = legs.rtcp_name[slot] = name
        legs.point_at(slot, name)
        self._crowd[socket] += 1
        self._rtp.add(socket, name, slot)
        return self.local[socket]

    def _unclaimed(self, fitting: list[int], slot: int, now: float) -> list[int]:
        """The ports where the leg may wait to latch; else that of the oldest claim, if it has run out."""
        wanted = self._latch_from.get(slot)
        if wanted is None:
            owners = self._waiting[fitting]
            barred = self._host_claims[fitting] > 0
            # Some ports are kept for those whose host is known: forged proxies must not take all.
            barred |= len(fitting) >= 4 and np.count_nonzero(owners >= 0) >= len(fitting) * 7 // 8
        else:
            sockets = np.array(fitting, np.int32)
            owners = self._claims.find(sockets, np.tile(wanted, (len(fitting), 1)))
            barred = self._waiting[fitting] >= 0
        free = [index for index, no in zip(fitting, barred | (owners >= 0), strict=True) if not no]
        if free:
            return free
        claims = [
            (self._claimed_at[owner], index)
            for index, owner in zip(fitting, owners.tolist(), strict=True)
            if owner >= 0
        ]
        since, oldest = min(claims, default=(now, -1))
        if now - since < LATCH_PATIENCE_S:
            raise NoPortError("every RTP port has a leg whose first packet has yet to come")
        self._unclaim(int(owners[fitting.index(oldest)]))
        return [oldest]

    def _claim(self, socket: int, slot: int, now: float) -> None:
        wanted = self._latch_from.get(slot)
        if wanted is None:
            if self._waiting[socket] >= 0 or self._host_claims[socket]:
                return
            self._waiting[socket] = slot
        elif self._waiting[socket] < 0 and self._claims.owner(socket, wanted) < 0:
            self._claims.add(socket, wanted, slot)
            self._host_claims[socket] += 1
        else:
            return
        self._claimed_at[slot] = now

    def _unclaim(self, slot: int) -> None:
        """The leg has latched, or has no need to, or has waited long enough."""
        if self._claimed_at.pop(slot, None) is None:
            return
        if slot in self._latch_from:
            self._claims.remove(slot)
            self._host_claims[self._legs.socket[slot]] -= 1
        else:
            self._waiting[self._waiting == slot] = -1

    def agree(
        self, slot: int, remote: Address | None, remote_rtcp: Address | None, rtcp_mux: bool, now: float
    ) -> None:
        """Take in what an offer or answer said. A changed address ends an earlier latch; 0.0.0.0 (hold)
        changes nothing, and a secure leg has no address here. Raises ValueError when there is none.
        """
        legs = self._legs
        if self.local[int(legs.socket[slot])].secure:
            return
        if remote is None:
            raise ValueError("no address")
        legs.rtcp_mux[slot] = rtcp_mux
        if _unspecified(remote):
            return
        name = name_of(remote)
        if not np.array_equal(name, legs.agreed_name[slot]):
            socket = int(legs.socket[slot])
            self._rtp.remove(slot)
            legs.settled[slot] = False
            if legs.may_latch[slot] and slot not in self._claimed_at:
                self._claim(socket, slot, now)
            self._point_at(slot, name)
        if remote_rtcp is not None and not rtcp_mux:
            self.expect_reports(slot, name_of(remote_rtcp))

    def _point_at(self, slot: int, name: Words) -> None:
        """Send to `name` and expect packets from there, unless another leg of the port has it."""
        legs = self._legs
        legs.agreed_name[slot] = name
        legs.point_at(slot, name)
        legs.has_remote[slot] = True
        self._rtp.add(int(legs.socket[slot]), name, slot)
        self.expect_reports(slot, with_port_after(name))

    def expect_reports(self, slot: int, name: Words) -> None:
        """Where the leg's RTCP goes and comes from."""
        self._legs.rtcp_name[slot] = name
        self._rtcp.remove(slot)
        self._rtcp.add(int(self._legs.socket[slot]), name, slot)

    def close(self, slot: int) -> None:
        """Forget the leg's port and sources."""
        socket = int(self._legs.socket[slot])
        self._crowd[socket] -= 1
        self._unclaim(slot)
        self._latch_from.pop(slot, None)
        self._rtp.remove(slot)
        self._rtcp.remove(slot)

    def find(self, sockets: Slots, names: Words) -> Int64s:
        """Slots of RTP datagrams `(n,)`, -1 for unknown sources."""
        return self._rtp.find(sockets, names)

    def find_reports(self, sockets: Slots, names: Words) -> Int64s:
        """Slots of RTCP datagrams; `sockets` are the RTP sockets they belong to."""
        return self._rtcp.find(sockets, names)

    def settle(self, slots: Slots) -> None:
        """Packets have come from where these legs were expected: they need no claim to latch any more."""
        self._legs.settled[slots] = True
        prove(self._legs, slots)
        for slot in slots.tolist():
            self._unclaim(slot)

    def claimants(self, sockets: Slots, names: Words) -> Int64s:
        """Per datagram of an unknown source: the leg that may latch on to it, -1 for none."""
        slots = self._waiting[sockets]
        if self._latch_from:
            slots = np.where(slots >= 0, slots, self._claims.find(sockets, _host_only(names)))
        legs = self._legs
        able = (slots >= 0) & legs.connected[slots] & legs.receives[slots] & ~legs.settled[slots]
        return np.where(able, slots, -1)

    def latch(self, slot: int, name: Words) -> bool:
        """Bind the leg to the source of a valid packet; False when another leg has that source."""
        legs = self._legs
        socket = int(legs.socket[slot])
        if self._rtp.owner(socket, name) >= 0:
            return False
        self._rtp.remove(slot)
        self._rtp.add(socket, name, slot)
        legs.point_at(slot, name)
        legs.has_remote[slot] = True
        if not legs.rtcp_mux[slot]:
            self.expect_reports(slot, with_port_after(name))
        self.settle(np.array([slot]))
        return True


def _host_only(names: Words) -> Words:
    """Names `(n, NAME_WORDS)` without their ports."""
    hosts = names.copy()
    hosts[:, 0] &= _HOST_ONLY
    return hosts


def _unspecified(address: Address) -> bool:
    """0.0.0.0 or `::`: the old way to say hold (RFC 3264 section 8.4)."""
    return address[0] in ("0.0.0.0", "::") or address[1] == 0
