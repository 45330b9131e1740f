"""Secure media and an engine on a virtual network and a virtual clock, with browsers around them.

Handshakes are OpenSSL's and take the time they take; the rig waits for events by ticking, never for the
clock.
"""

from collections.abc import Callable

import numpy as np

from townhall.bench.web.peer import WebPeer
from townhall.ice import new_credentials
from townhall.media.engine import Engine
from townhall.media.network import LocalPort
from townhall.media.protocol import Address, ConnectLeg, Event, LegOpened, OpenLeg, SecureLeg
from townhall.media.secure import SecureMedia, new_certificate
from townhall.media.secure.dtls import make_context
from townhall.media.secure.srtp import MOST_TRAILER, Rows, protect, unprotect
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, TICK_SAMPLES, Outgoing, Received, address_of, name_of
from townhall.rtp import RTPPacket, build_packet, parse_packet

SERVER = new_certificate()
BROWSER = new_certificate()
BROWSER_CONTEXT = make_context(BROWSER)
STRIDE = 1600


class VirtualBrowser:
    """A browser: its transport, where it is, and what it has heard."""

    def __init__(self, rig: "SecureRig", leg: int, address: Address) -> None:
        self.rig = rig
        self.leg = leg
        self.address = address
        self.local = new_credentials()
        """The server's."""
        self.peer = WebPeer(BROWSER_CONTEXT, new_credentials(), self.local, SERVER.fingerprint)
        self.talking = False
        self.ssrc = 0x5000 + leg
        self.sequence_number = 0
        self.heard: list[RTPPacket] = []
        self.reports: list[bytes] = []
        self.sent: list[bytes] = []
        """Every protected datagram."""

    def tell(self, **changes: object) -> None:
        """`SecureLeg` to the server; `changes` are lies."""
        fields: dict = {
            "local_ufrag": self.local.ufrag,
            "local_pwd": self.local.pwd,
            "remote_ufrag": self.peer.local.ufrag,
            "remote_pwd": self.peer.local.pwd,
            "fingerprint": BROWSER.fingerprint,
            "role": "server",
        }
        self.rig.handle(SecureLeg(self.leg, **(fields | changes)))

    def restart(self) -> None:
        """An ICE restart: new credentials on both sides."""
        self.local = new_credentials()
        self.peer.expect(new_credentials(), self.local)
        self.tell()

    def packet(self, payload: bytes, **fields: int) -> bytes:
        """The next RTP packet, protected."""
        self.sequence_number += 1
        usual = {
            "payload_type": 0,
            "sequence_number": self.sequence_number,
            "timestamp": self.sequence_number * TICK_SAMPLES,
            "ssrc": self.ssrc,
        }
        return self.protect(build_packet(RTPPacket(payload=payload, **(usual | fields))))

    def protect(self, packet: bytes, rtcp: bool = False) -> bytes:
        """A packet as it goes over the network."""
        assert self.peer.protection is not None
        rows = Rows(np.zeros((1, len(packet) + MOST_TRAILER), np.uint8))
        rows.data[0, : len(packet)] = np.frombuffer(packet, np.uint8)
        rows.lengths[0] = len(packet)
        assert protect(rows, [self.peer.protection.outbound], rtcp).all()
        self.sent.append(rows.data[0, : rows.lengths[0]].tobytes())
        return self.sent[-1]

    def say(self, *datagrams: bytes) -> None:
        """Send datagrams to the server, from where the browser is."""
        self.rig.inject(*((self.address, datagram) for datagram in datagrams))

    def take(self, datagram: bytes) -> None:
        """What the server has sent."""
        if 128 <= datagram[0] < 192:
            self._listen(datagram)
        else:
            self.say(*self.peer.receive(datagram, self.rig.now))

    def _listen(self, datagram: bytes) -> None:
        assert self.peer.protection is not None, "sound before the handshake was through"
        rows = Rows(np.frombuffer(datagram, np.uint8).reshape(1, -1).copy())
        rows.lengths[0] = len(datagram)
        rtcp = 192 <= datagram[1] < 224
        assert unprotect(rows, [0], [self.peer.protection.inbound], rtcp).all(), (
            "the server's packet is no good"
        )
        plain = rows.data[0, : rows.lengths[0]].tobytes()
        if rtcp:
            self.reports.append(plain)
        else:
            self.heard.append(parse_packet(plain))

    def look(self) -> None:
        """20 ms of its life."""
        self.say(*self.peer.look(self.rig.now))
        if self.talking and self.peer.protection is not None:
            self.say(self.packet(bytes([0x90]) * TICK_SAMPLES))


class SecureRig:
    """The server's side and the network."""

    PLAIN = LocalPort("127.0.0.1", 20000, 4)
    BROWSERS = LocalPort("127.0.0.1", 20064, 4, secure=True)

    def __init__(self, capacity: int = 64) -> None:
        self.engine = Engine(MediaSettings(max_legs=capacity), [self.PLAIN, self.BROWSERS], seed=1)
        self.secure = SecureMedia(capacity, range(1, 2), SERVER)
        self.now = 1000.0
        self.tick_s = TICK_S
        """0 while a test waits for OpenSSL's own timer."""
        self.browsers: dict[Address, VirtualBrowser] = {}
        self.events: list[Event] = []
        self.stray: list[tuple[Address, bytes]] = []
        """What was sent where no browser is."""
        self.lose: Callable[[bytes], bool] = lambda datagram: False
        """Whether the network loses a datagram of the server's."""
        self._waiting: list[tuple[Address, bytes]] = []

    def handle(self, command: object) -> None:
        """A command, to both as the loop does it."""
        self.secure.handle(command, self.now)
        self.engine.handle(command, self.now)
        self._collect()

    def _collect(self) -> None:
        for source in (self.secure.events, self.engine.events):
            self.events += source
            source.clear()

    def events_of(self, kind: type, leg: int | None = None) -> list:
        """What has happened of one kind."""
        return [event for event in self.events if isinstance(event, kind) and leg in (None, event.leg)]

    def call(self, leg: int = 1, address: Address | None = None, **lies: object) -> VirtualBrowser:
        """A browser whose SDP has been exchanged; nothing has been sent yet."""
        at = address or ("192.0.2.1", 40000 + leg)
        self.handle(OpenLeg(leg, secure=True))
        assert isinstance(self.events[-1], LegOpened), self.events[-1]
        browser = self.browsers[at] = VirtualBrowser(self, leg, at)
        browser.tell(**lies)
        self.handle(ConnectLeg(leg, "PCMU", 0, None, rtcp_mux=True, telephone_event=101))
        return browser

    def connect(self, leg: int = 1, **fields: object) -> VirtualBrowser:
        """A browser that is secured."""
        browser = self.call(leg, **fields)
        self.tick_until(lambda: browser.peer.protection is not None and self.secured(leg))
        return browser

    def secured(self, leg: int) -> bool:
        """Whether the server has said so."""
        return any(type(event).__name__ == "LegSecured" for event in self.events_of(object, leg))

    def move(self, browser: VirtualBrowser, address: Address) -> None:
        """The browser's network changes."""
        del self.browsers[browser.address]
        browser.address = address
        self.browsers[address] = browser
        browser.peer.check_now()

    def inject(self, *datagrams: tuple[Address, bytes]) -> None:
        """Datagrams that the server finds at its next tick."""
        self._waiting += datagrams

    def tick(self, count: int = 1) -> None:
        """Steps of 20 ms."""
        for _ in range(count):
            for browser in list(self.browsers.values()):
                browser.look()
            waiting, self._waiting = self._waiting, []
            if waiting:
                for part in self.secure.receive(self._batch(waiting), self.now):
                    self.engine.receive(part, self.now)
            for out in self.engine.tick(self.now, self.now):
                for part in self.secure.send(out):
                    self._deliver(part)
            self._deliver(self.secure.answers(self.now))
            self._deliver(self.secure.work(self.now, float("inf")))
            self._collect()
            self.now += self.tick_s

    def tick_until(self, happened: Callable[[], object], most: int = 200) -> None:
        """Tick until it has happened."""
        for _ in range(most):
            if happened():
                return
            self.tick()
        raise AssertionError(f"it has not happened in {most} ticks; events: {self.events}")

    def _batch(self, datagrams: list[tuple[Address, bytes]]) -> Received:
        data = np.zeros((len(datagrams), STRIDE), np.uint8)
        for row, (_, datagram) in zip(data, datagrams, strict=True):
            row[: len(datagram)] = np.frombuffer(datagram[:STRIDE], np.uint8)
        return Received(
            data,
            np.array([len(datagram) if len(datagram) <= STRIDE else 0 for _, datagram in datagrams]),
            np.stack([name_of(address) for address, _ in datagrams]),
            np.ones(len(datagrams), np.int32),
            np.full(len(datagrams), self.now),
        )

    def _deliver(self, out: Outgoing | None) -> None:
        if out is None:
            return
        assert (out.sockets == 1).all(), "a browser is sent to from the browsers' port only"
        for row, length in enumerate(out.lengths.tolist()):
            datagram = out.data[row, :length].tobytes()
            address = address_of(out.names[row])
            if self.lose(datagram):
                continue
            if address in self.browsers:
                self.browsers[address].take(datagram)
            else:
                self.stray.append((address, datagram))

    def close(self) -> None:
        """End the engine's threads."""
        self.engine.close()
