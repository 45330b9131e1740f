"""All legs of the process as arrays: one row, a *slot*, per leg.

A slot is used again after its leg has closed; a leg's number never is. Everything the tick needs is a
column here, so that one numpy step serves every leg.
"""

import secrets
from collections.abc import Iterator

import numpy as np

from townhall.errors import TownhallError
from townhall.media.shapes import NAME_WORDS, TICK_SAMPLES, Words

LONGEST_PTIME = 60
FIFO_BYTES = TICK_SAMPLES * LONGEST_PTIME // 20 + TICK_SAMPLES
"""A frame fits on top of an almost full packet of the longest ptime."""

CNAME_ALPHABET = np.frombuffer(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", np.uint8)

FIRST_SEQUENCE_NUMBERS = 0x7FFF
"""A stream's first number has its highest bit clear: a receiver that misses the first packets would else not
know whether SRTP's rollover counter has advanced, and take no packet for good (RFC 3711, section 3.3.1).
"""


class LegTableFull(TownhallError):
    """Every slot has a leg."""


class Legs:
    """The columns. `capacity` is fixed: rows that were never used cost no memory until they are touched."""

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.slot_of: dict[int, int] = {}
        self._free = list(range(capacity - 1, -1, -1))

        self.number = np.full(capacity, -1, np.int64)
        self.used = np.zeros(capacity, np.bool_)
        self.connected = np.zeros(capacity, np.bool_)

        # Network: sockaddr rows as the kernel writes them, see `shapes`.
        self.socket = np.zeros(capacity, np.int32)
        self.name = np.zeros((capacity, NAME_WORDS), np.uint64)
        self.has_remote = np.zeros(capacity, np.bool_)
        self.agreed_name = np.zeros((capacity, NAME_WORDS), np.uint64)
        """The remote address of the last offer or answer; `name` differs from it once the leg has latched."""
        self.may_latch = np.zeros(capacity, np.bool_)
        self.settled = np.zeros(capacity, np.bool_)
        """Something came from the agreed address, or the leg has latched: its source is fixed."""
        self.wanted = np.zeros(capacity, np.bool_)
        """What is sent is known to be wanted where it goes, see `proof`."""
        self.unwanted_ticks = np.zeros(capacity, np.int64)
        self.withheld = np.zeros(capacity, np.bool_)
        self.moves = 0
        """How often a `name` has changed: whoever keeps some of them looks here."""
        self.rtcp_name = np.zeros((capacity, NAME_WORDS), np.uint64)
        self.rtcp_mux = np.zeros(capacity, np.bool_)

        # What offer and answer agreed on.
        self.law = np.zeros(capacity, np.uint8)
        """Of G.711: 0 is µ-law, 1 A-law; 0 for others."""
        self.form = np.zeros(capacity, np.int8)
        """A `forms.Form`."""
        self.wide = np.zeros(capacity, np.bool_)
        """Its form is not G.711."""
        self.quality = np.zeros(capacity, np.int8)
        """Of a wide leg: what its encoder is set to, see `wide_codecs.quality_of`."""
        self.tick_units = np.full(capacity, TICK_SAMPLES, np.uint32)
        """RTP timestamp units of a tick: 160, for Opus 960."""
        self.event_units = np.full(capacity, TICK_SAMPLES, np.uint32)
        """The same of the clock that telephone events count their duration in."""
        self.payload_type = np.zeros(capacity, np.uint8)
        self.event_type = np.full(capacity, -1, np.int16)
        self.ptime = np.full(capacity, 20, np.int32)
        self.sends = np.zeros(capacity, np.bool_)
        self.receives = np.zeros(capacity, np.bool_)

        # Sending.
        self.ssrc = np.zeros(capacity, np.uint32)
        self.sequence_number = np.zeros(capacity, np.uint16)
        self.timestamp = np.zeros(capacity, np.uint32)
        self.marker = np.zeros(capacity, np.bool_)
        self.fifo = np.zeros((capacity, FIFO_BYTES), np.uint8)
        self.fifo_fill = np.zeros(capacity, np.int64)
        self.packets_sent = np.zeros(capacity, np.int64)
        self.octets_sent = np.zeros(capacity, np.int64)
        self.pressing = np.zeros(capacity, np.bool_)
        """An RFC 4733 event of ours is on its way in place of audio."""

        # Receiving.
        self.packets_received = np.zeros(capacity, np.int64)
        self.packets_dropped = np.zeros(capacity, np.int64)
        self.remote_ssrc = np.zeros(capacity, np.int64)
        """-1 until the first packet."""
        self.last_packet = np.zeros(capacity)
        self.silence_limit = np.zeros(capacity)
        self.silent_told = np.zeros(capacity, np.bool_)
        self.decoded = np.zeros(capacity, np.bool_)
        """Somebody listens to its uplink: the bus, a whisper's target, or the in-band digit detector."""

        # Place in the mix.
        self.bus = np.full(capacity, -1, np.int32)
        self.hears = np.zeros(capacity, np.bool_)
        self.heard = np.zeros(capacity, np.bool_)
        self.whisper_to = np.full(capacity, -1, np.int32)
        self.play = np.full(capacity, -1, np.int32)
        """Row of the play that the leg hears instead of its bus; -1: none."""

        # RTCP.
        self.cname = np.zeros((capacity, 16), np.uint8)
        self.next_report = np.full(capacity, np.inf)
        self.sent_at_report = np.zeros(capacity, np.int64)
        self.last_sr = np.zeros(capacity, np.uint32)
        self.last_sr_at = np.zeros(capacity)

    def __len__(self) -> int:
        return len(self.slot_of)

    def __iter__(self) -> Iterator[int]:
        return iter(list(self.slot_of))

    def add(self, number: int, now: float) -> int:
        """A fresh slot for leg `number`. Raises `LegTableFull`."""
        if not self._free:
            raise LegTableFull(f"all {self.capacity} legs are taken")
        slot = self._free.pop()
        self.slot_of[number] = slot
        self.number[slot] = number
        self.used[slot] = True
        self._clear(slot)
        noise = secrets.token_bytes(26)
        self.ssrc[slot], self.timestamp[slot] = np.frombuffer(noise, np.uint32, 2)
        self.sequence_number[slot] = np.frombuffer(noise, np.uint16, 1, 8)[0] & FIRST_SEQUENCE_NUMBERS
        self.cname[slot] = CNAME_ALPHABET[np.frombuffer(noise, np.uint8, 16, 10) & 63]
        self.last_packet[slot] = now
        return slot

    def point_at(self, slot: int, name: Words) -> None:
        """What the leg is sent goes to `name` from now on."""
        self.name[slot] = name
        self.moves += 1

    def remove(self, number: int) -> int:
        """Free the leg's slot; the slot's figures stay readable until the next `add`."""
        slot = self.slot_of.pop(number)
        self.used[slot] = self.connected[slot] = False
        self.whisper_to[self.whisper_to == slot] = -1
        self._clear(slot)
        self._free.append(slot)
        return slot

    def _clear(self, slot: int) -> None:
        for column in (
            self.connected,
            self.has_remote,
            self.may_latch,
            self.settled,
            self.wanted,
            self.withheld,
            self.rtcp_mux,
            self.wide,
            self.sends,
            self.receives,
            self.pressing,
            self.silent_told,
            self.decoded,
            self.hears,
            self.heard,
        ):
            column[slot] = False
        for counter in (self.packets_received, self.packets_dropped, self.packets_sent, self.octets_sent):
            counter[slot] = 0
        for place in (self.bus, self.whisper_to, self.play, self.event_type):
            place[slot] = -1
        self.name[slot] = self.agreed_name[slot] = self.rtcp_name[slot] = 0
        self.remote_ssrc[slot] = -1
        self.marker[slot] = True
        self.fifo_fill[slot] = 0
        self.law[slot] = self.form[slot] = self.quality[slot] = 0
        self.tick_units[slot] = self.event_units[slot] = TICK_SAMPLES
        self.sent_at_report[slot] = 0
        self.unwanted_ticks[slot] = 0
        self.next_report[slot] = np.inf
        self.last_sr[slot] = 0
