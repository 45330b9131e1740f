"""The network between the phones and the server: sends each datagram at its time, keeps all that come.

A loopback address for each phone, a few UDP ports for all, in a thread. Everything is encoded, encrypted and
put in order beforehand, and decrypted and decoded afterwards, so that nothing but sending and receiving goes
on while it counts. Browsers' checks and handshakes are the exception; they go by `WebPeer`.
"""

import threading
import time
from dataclasses import dataclass

import numpy as np

from townhall.bench.phones.sourced import ROWS, Arrivals, SourcedSockets
from townhall.bench.sound.talk import STRIDE, Packets
from townhall.bench.web.peer import WebPeer
from townhall.media.loop import ask_for_real_time
from townhall.media.secure.srtp import Rows, protect, unprotect
from townhall.media.shapes import NAME_WORDS, Bytes, Floats, Int64s, Words, name_of

FIRST_ADDRESS = 0x7F84_0001
"""127.132.0.1: the first phone's address; the others follow."""
_PHONES_A_SOCKET = 32
"""A listener's packet every tick, all at once, and room for a thread that comes late."""
_STEP_S = 0.001
_LOOK_S = 0.02
_HANDSHAKE_STRIDE = 1600
_HELLO = b"\x80\0" + bytes(9) + b"\xff" + b"\xff" * 160
"""Of another source (SSRC) than what is said later, so that nothing of it is remembered."""


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """Datagrams and when each is to be sent (monotonic seconds), earliest first."""

    at_s: Floats
    phones: Int64s
    data: Bytes
    lengths: Int64s

    @classmethod
    def of(cls, parts: list[tuple[int, Floats, Packets, Int64s]]) -> "Plan":
        """Of (phone, times, its packets, which of them is sent at each time)."""
        phones = np.concatenate([np.full(len(at_s), phone) for phone, at_s, _, _ in parts])
        at_s = np.concatenate([at_s for _, at_s, _, _ in parts])
        data = np.concatenate([packets.data[which] for _, _, packets, which in parts])
        lengths = np.concatenate([packets.lengths[which] for _, _, packets, which in parts])
        order = np.argsort(at_s, kind="stable")
        return cls(at_s[order], phones[order], data[order], lengths[order])


@dataclass(frozen=True, slots=True, eq=False)
class Came:
    """What came, in order. `at_s`: when the kernel had it, monotonic seconds."""

    at_s: Floats
    data: Bytes
    lengths: Int64s

    @classmethod
    def joined(cls, parts: "list[Came]") -> "Came":
        return cls(
            np.concatenate([part.at_s for part in parts]),
            np.concatenate([part.data for part in parts]),
            np.concatenate([part.lengths for part in parts]),
        )


class Wire:
    """`phones` phones. Start it, `connect` each, `play` a plan, stop it, read what came."""

    def __init__(self, phones: int) -> None:
        self._sockets = SourcedSockets(_HANDSHAKE_STRIDE, -(-phones // _PHONES_A_SOCKET))
        self.phones = phones
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wire", daemon=True)
        self._sources: Int64s = FIRST_ADDRESS + np.arange(phones)
        self._names: Words = np.zeros((phones, NAME_WORDS), np.uint64)
        self._peers: list[WebPeer | None] = [None] * phones
        self._plan: Plan | None = None
        self._sent = 0
        self._late: list[Floats] = []
        self._near: list[Int64s] = []
        self._came: list[Came] = []
        self._all: tuple[Int64s, Came] | None = None
        self.heard_at: Floats = np.full(phones, np.inf)
        """When the first sound packet came to each, in monotonic seconds."""

    def address(self, phone: int) -> str:
        number = int(self._sources[phone])
        return ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))

    def port(self, phone: int) -> int:
        return self._sockets.ports[phone // _PHONES_A_SOCKET]

    def connect(self, phone: int, remote: tuple[str, int]) -> None:
        """Where a phone's packets go; shows the server where they come from (one silent packet)."""
        with self._lock:
            self._names[phone] = name_of(remote)
            self._say(phone, [_HELLO])

    def secure(self, phone: int, peer: WebPeer, remote: tuple[str, int]) -> None:
        """The same for a browser, whose checks begin at once."""
        with self._lock:
            self._names[phone] = name_of(remote)
            self._peers[phone] = peer

    def is_secure(self, phone: int) -> bool:
        """Whether a browser may send sound."""
        peer = self._peers[phone]
        return peer is not None and peer.protection is not None

    def failure(self, phone: int) -> str:
        """Why a browser will hear nothing."""
        peer = self._peers[phone]
        return peer.failure if peer else ""

    def protected(self, phone: int, packets: Packets) -> Packets:
        """A browser's packets as they go over the wire; others stay as they are."""
        peer = self._peers[phone]
        if peer is None or peer.protection is None:
            return packets
        rows = Rows(packets.data.copy())
        rows.lengths[:] = packets.lengths
        protect(rows, [peer.protection.outbound] * len(packets.lengths), False)
        return Packets(rows.data, rows.lengths.astype(np.int64))

    def play(self, plan: Plan) -> None:
        """Send a plan."""
        with self._lock:
            self._plan, self._sent = plan, 0

    @property
    def late_ms(self) -> Floats:
        """How late each datagram of the plan was sent, of those that are sent."""
        return 1000 * np.concatenate(self._late) if self._late else np.zeros(0)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._sockets.close()

    def came(self, phone: int) -> Came:
        """What came to a phone, decrypted; to be asked once, after `stop`."""
        if not self._near:
            return Came(np.zeros(0), np.zeros((0, STRIDE), np.uint8), np.zeros(0, np.int64))
        if self._all is None:
            self._all = np.concatenate(self._near), Came.joined(self._came)
            self._came.clear()
        near, every = self._all
        mine = np.flatnonzero(near == phone)
        found = Came(every.at_s[mine], every.data[mine], every.lengths[mine])
        peer = self._peers[phone]
        return found if peer is None or peer.protection is None else _decrypted(found, peer)

    def _run(self) -> None:
        ask_for_real_time()
        look_at = 0.0
        while not self._stopping.is_set():
            with self._lock:
                self._receive()
                self._send()
                if time.monotonic() >= look_at:
                    look_at = time.monotonic() + _LOOK_S
                    self._look()
            time.sleep(self._pause())

    def _pause(self) -> float:
        plan = self._plan
        if plan is None or self._sent >= len(plan.at_s):
            return _STEP_S
        return min(_STEP_S, max(0.0, float(plan.at_s[self._sent]) - time.monotonic()))

    def _send(self) -> None:
        plan = self._plan
        if plan is None:
            return
        now = time.monotonic()
        until = int(np.searchsorted(plan.at_s, now, "right"))
        if until > self._sent:
            due = slice(self._sent, until)
            order = np.argsort(plan.phones[due] // _PHONES_A_SOCKET, kind="stable") + self._sent
            phones, lengths = plan.phones[order], plan.lengths[order]
            data = plan.data[order, : int(lengths.max())]
            which = phones // _PHONES_A_SOCKET
            self._sockets.send(self._sources[phones], self._names[phones], data, lengths, which)
            self._late.append(now - plan.at_s[due])
            self._sent = until

    def _receive(self) -> None:
        count = ROWS
        while count == ROWS:
            arrivals = self._sockets.receive()
            count = len(arrivals.lengths)
            if count:
                self._keep(arrivals)

    def _keep(self, arrivals: Arrivals) -> None:
        near = arrivals.near - FIRST_ADDRESS
        ours = (near >= 0) & (near < self.phones) & (arrivals.lengths > 12)
        sound = arrivals.data[:, 0] >= 128
        for row in np.flatnonzero(ours & ~sound).tolist():
            self._take(int(near[row]), arrivals.data[row, : int(arrivals.lengths[row])].tobytes())
        rtcp = (arrivals.data[:, 1] >= 192) & (arrivals.data[:, 1] < 224)
        rows = np.flatnonzero(ours & sound & ~rtcp & (arrivals.lengths <= STRIDE))
        if len(rows):
            self.heard_at[near[rows]] = np.minimum(self.heard_at[near[rows]], arrivals.at[rows])
            self._near.append(near[rows])
            self._came.append(
                Came(arrivals.at[rows], arrivals.data[rows, :STRIDE].copy(), arrivals.lengths[rows])
            )

    def _take(self, phone: int, datagram: bytes) -> None:
        peer = self._peers[phone]
        if peer is not None:
            self._say(phone, peer.receive(datagram, time.monotonic()))

    def _look(self) -> None:
        now = time.monotonic()
        for phone, peer in enumerate(self._peers):
            if peer is not None:
                self._say(phone, peer.look(now))

    def _say(self, phone: int, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            data = np.frombuffer(datagram, np.uint8).reshape(1, -1)
            at = slice(phone, phone + 1)
            which = np.array([phone // _PHONES_A_SOCKET])
            self._sockets.send(self._sources[at], self._names[at], data, np.array([len(datagram)]), which)


def _decrypted(came: Came, peer: WebPeer) -> Came:
    assert peer.protection is not None
    rows = Rows(np.ascontiguousarray(came.data))
    rows.lengths[:] = came.lengths
    count = len(came.lengths)
    genuine = unprotect(rows, range(count), [peer.protection.inbound] * count, False)
    return Came(came.at_s[genuine], rows.data[genuine], rows.lengths[genuine].astype(np.int64))
