"""RTCP of all legs: a report every five seconds or so, BYE at the end, and what the peers report.

The interval is drawn between half and one and a half of its mean (RFC 3550 section 6.3.1), so that the
legs' reports spread over the ticks by themselves. Peers' BYE is ignored: a call ends by SIP.
"""

import numpy as np

from townhall.media.legs import Legs
from townhall.media.network import Network
from townhall.media.proof import prove
from townhall.media.shapes import Bools, Bytes, Floats, Int64s, Outgoing, Received, Words, address_of
from townhall.rtp.rtcp import Heard, SenderInfo, build_compounds, ntp_time, parse_compounds
from townhall.rtp.source import Sources

INTERVAL_S = 5.0
LATCHES_PER_BATCH = 8


class Reports:
    """Sends and reads reports; `sockets` is the number of RTP sockets, RTCP sockets come behind them."""

    def __init__(self, legs: Legs, network: Network, sources: Sources, sockets: int, seed: int) -> None:
        self.malformed = 0
        self.unknown_source = 0
        self._legs = legs
        self._network = network
        self._sources = sources
        self._sockets = sockets
        self._random = np.random.default_rng(seed)

    def schedule(self, slot: int, now: float) -> None:
        """First report of a leg: after half the interval, as the standard has it."""
        if np.isinf(self._legs.next_report[slot]):
            self._legs.next_report[slot] = now + INTERVAL_S * self._random.uniform(0.25, 0.75)

    def take(self, batch: Received, now: float) -> None:
        """Take in RTCP datagrams, from RTCP sockets or multiplexed on RTP sockets (RFC 5761)."""
        compounds = parse_compounds(batch.data, batch.lengths)
        own = batch.sockets >= self._sockets
        rtp_sockets = np.where(own, batch.sockets - self._sockets, batch.sockets)
        slots = np.where(
            own,
            self._network.find_reports(rtp_sockets, batch.names),
            self._network.find(rtp_sockets, batch.names),
        )
        self.malformed += int(np.count_nonzero(~compounds.valid))
        strangers = np.flatnonzero(own & (slots < 0) & compounds.valid)
        if strangers.size:
            self._recognise(batch, rtp_sockets, compounds.ssrc, slots, strangers)
        self.unknown_source += int(np.count_nonzero(slots < 0))
        rows = np.flatnonzero((slots >= 0) & compounds.valid)
        known = slots[rows]
        self._legs.last_packet[known] = now
        doubted = np.flatnonzero(~self._legs.wanted[known])
        for slot, row in zip(known[doubted].tolist(), rows[doubted].tolist(), strict=True):
            if _same_host(self._legs.name[slot], batch.names[row]):
                prove(self._legs, np.array([slot]))
        reporting = compounds.is_sender_report[rows]
        self._legs.last_sr[known[reporting]] = compounds.ntp_middle[rows[reporting]]
        self._legs.last_sr_at[known[reporting]] = now

    def _recognise(
        self,
        batch: Received,
        sockets: Int64s,
        ssrcs: "np.ndarray[tuple[int], np.dtype[np.uint32]]",
        slots: Int64s,
        strangers: Int64s,
    ) -> None:
        """Reports from an unexpected port, by NAT: known by the SSRC of the leg's stream and its host. A
        few a batch.
        """
        legs = self._legs
        for row in strangers[:LATCHES_PER_BATCH].tolist():
            same = legs.used & (legs.socket == sockets[row]) & (legs.remote_ssrc == int(ssrcs[row]))
            for slot in np.flatnonzero(same)[:1].tolist():
                if _same_host(legs.name[slot], batch.names[row]):
                    self._network.expect_reports(slot, batch.names[row].copy())
                    slots[row] = slot

    def due(self, now: float, wallclock: float) -> list[Outgoing]:
        """The reports to send now; at most four batches, one per form of report."""
        legs = self._legs
        due = np.flatnonzero(legs.next_report <= now)
        if not due.size:
            return []
        legs.next_report[due] = now + INTERVAL_S * self._random.uniform(0.5, 1.5, len(due))
        due = due[legs.connected[due] & legs.has_remote[due] & ~legs.withheld[due]]
        sends = legs.packets_sent[due] > legs.sent_at_report[due]
        hears = self._sources.active[due]
        legs.sent_at_report[due] = legs.packets_sent[due]
        batches = []
        for sending in (False, True):
            for hearing in (False, True):
                slots = due[(sends == sending) & (hears == hearing)]
                if slots.size:
                    batches.append(
                        self._outgoing(slots, self._build(slots, sending, hearing, now, wallclock))
                    )
        return batches

    def goodbye(self, slot: int, now: float, wallclock: float) -> Outgoing:
        """The last report of a leg, with BYE."""
        slots = np.array([slot])
        return self._outgoing(
            slots,
            self._build(
                slots,
                bool(self._legs.packets_sent[slot]),
                bool(self._sources.active[slot]),
                now,
                wallclock,
                True,
            ),
        )

    def _build(
        self, slots: Int64s, sending: bool, hearing: bool, now: float, wallclock: float, bye: bool = False
    ) -> Bytes:
        legs = self._legs
        sender = heard = None
        if sending:
            sender = SenderInfo(
                ntp_time(wallclock),
                legs.timestamp[slots],
                legs.packets_sent[slots].astype(np.uint32),
                legs.octets_sent[slots].astype(np.uint32),
            )
        if hearing:
            heard = Heard(
                legs.remote_ssrc[slots].astype(np.uint32),
                self._sources.report(slots),
                legs.last_sr[slots],
                _delay(legs.last_sr[slots] != 0, now - legs.last_sr_at[slots]),
            )
        return build_compounds(legs.ssrc[slots], legs.cname[slots], sender, heard, bye=bye)

    def _outgoing(self, slots: Int64s, data: Bytes) -> Outgoing:
        legs = self._legs
        mux = legs.rtcp_mux[slots]
        sockets = legs.socket[slots] + np.where(mux, 0, self._sockets)
        names: Words = np.where(mux[:, None], legs.name[slots], legs.rtcp_name[slots])
        order = np.argsort(sockets, kind="stable")
        lengths = np.full(len(slots), data.shape[1], np.int64)
        return Outgoing(data[order], lengths, names[order], sockets[order].astype(np.int32))


def _delay(known: Bools, seconds: Floats) -> "np.ndarray[tuple[int], np.dtype[np.uint32]]":
    """DLSR in 1/65536 seconds, 0 where no sender report has come."""
    return np.where(known, np.clip(seconds, 0, 65535) * 65536, 0).astype(np.uint32)


def _same_host(a: Words, b: Words) -> bool:
    """Whether two names have one IP address."""
    return address_of(a)[0] == address_of(b)[0]
