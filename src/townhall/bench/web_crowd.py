"""The transport and sound of all browsers at once: Opus under SRTP on one UDP port, on a clock of their own.

Like `crowd`, for browsers: what is sent and received is encrypted and decrypted in batches; checks and
handshakes go one by one. Talkers send a tone, the others silence, both encoded beforehand, so that the load
maker costs little.
"""

import threading
import time

import numpy as np

from townhall.audio import sine
from townhall.audio.opus import OpusEncoder, load_opus
from townhall.bench.crowd import FIRST_ADDRESS, Window
from townhall.bench.sourced import ROWS, Arrivals, SourcedSocket
from townhall.bench.web_peer import WebPeer
from townhall.media.secure.srtp import Handle, Rows, protect, unprotect
from townhall.media.shapes import NAME_WORDS, Bools, Bytes, Floats, Int64s, Words, name_of

_GROUPS = 4
_STRIDE = 1600
_SAMPLES = 960
"""20 ms of Opus' clock."""
_HEADER = 12
_RATE = 16_000
_FRAME = _RATE // 50
LEAST_SOUND = 24
"""Bytes of an Opus packet that is more than silence."""


class WebCrowd:
    """`browsers` browsers on one UDP port, each with an address of its own. Start it, stop it."""

    def __init__(self, browsers: int) -> None:
        self._socket = SourcedSocket(_STRIDE)
        self.port = self._socket.port
        self.browsers = browsers
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="web crowd", daemon=True)
        self._sources: Int64s = FIRST_ADDRESS + np.arange(browsers)
        self._names: Words = np.zeros((browsers, NAME_WORDS), np.uint64)
        self._peers: list[WebPeer | None] = [None] * browsers
        self._outbound: list[Handle] = [None] * browsers
        self._inbound: list[Handle] = [None] * browsers
        self._secured: Bools = np.zeros(browsers, np.bool_)
        self._talking: Bools = np.zeros(browsers, np.bool_)
        self._payload_type: Bytes = np.zeros(browsers, np.uint8)
        self._sequence: Int64s = np.random.default_rng(1).integers(0, 0x8000, browsers)
        self._timestamp: Int64s = np.random.default_rng(2).integers(0, 0x8000_0000, browsers)
        self._talk, self._silence = _frames(True), _frames(False)
        self._rows = Rows(np.zeros((browsers, _STRIDE), np.uint8))
        self._arrived: Rows | None = None
        self._window = Window.of(browsers)
        self.heard_at: Floats = np.full(browsers, np.inf)
        """When each first heard any sound, in monotonic seconds."""
        self._ticks = 0
        self.late_s = 0.0
        """By how much the browsers' own clock was late at worst."""

    def address(self, browser: int) -> str:
        number = int(self._sources[browser])
        return ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))

    def connect(
        self, browser: int, peer: WebPeer, remote: tuple[str, int], payload_type: int, *, talking: bool
    ) -> None:
        """Begin with checks; sound follows by itself."""
        with self._lock:
            self._names[browser] = name_of(remote)
            self._payload_type[browser] = payload_type
            self._talking[browser] = talking
            self._secured[browser] = False
            self.heard_at[browser] = np.inf
            self._peers[browser] = peer

    def disconnect(self, browser: int) -> None:
        """Fall silent."""
        with self._lock:
            self._peers[browser] = None
            self._secured[browser] = False

    def failure(self, browser: int) -> str:
        """Why a browser will hear nothing."""
        peer = self._peers[browser]
        return peer.failure if peer else ""

    def begin_window(self) -> None:
        with self._lock:
            self._window = Window.of(self.browsers)
            self.late_s = 0.0

    def end_window(self) -> Window:
        """What came since `begin_window`."""
        with self._lock:
            window, self._window = self._window, Window.of(self.browsers)
        return window

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        step = 0.02 / _GROUPS
        deadline = time.monotonic()
        while not self._stopping.is_set():
            with self._lock:
                self._receive()
                self._speak(self._ticks % _GROUPS)
                self._look(self._ticks % _GROUPS)
            self._ticks += 1
            deadline += step
            late = time.monotonic() - deadline
            if late > 0:
                self.late_s = max(self.late_s, late)
            if late > 0.5:
                deadline += late
            time.sleep(max(0.0, -late))

    # -- out -----------------------------------------------------------------

    def _speak(self, group: int) -> None:
        browsers = np.flatnonzero(self._secured[group::_GROUPS]) * _GROUPS + group
        if not len(browsers):
            return
        self._sequence[browsers] = (self._sequence[browsers] + 1) & 0xFFFF
        self._timestamp[browsers] = (self._timestamp[browsers] + _SAMPLES) & 0xFFFF_FFFF
        count, data = len(browsers), self._rows.data
        data[:count, 0] = 0x80
        data[:count, 1] = self._payload_type[browsers]
        data.view(">u2")[:count, 1] = self._sequence[browsers]
        data.view(">u4")[:count, 1] = self._timestamp[browsers]
        data.view(">u4")[:count, 2] = browsers + 1
        frame = self._ticks // _GROUPS
        for talking, frames in ((True, self._talk), (False, self._silence)):
            payload = np.frombuffer(frames[frame % len(frames)], np.uint8)
            rows = np.flatnonzero(self._talking[browsers] == talking)
            data[rows, _HEADER : _HEADER + len(payload)] = payload
            self._rows.lengths[rows] = _HEADER + len(payload)
        protect(self._rows, [self._outbound[browser] for browser in browsers.tolist()], False)
        lengths = self._rows.lengths[:count].astype(np.int64)
        longest = int(lengths.max())
        self._socket.send(self._sources[browsers], self._names[browsers], data[:count, :longest], lengths)

    def _look(self, group: int) -> None:
        now = time.monotonic()
        for browser in range(group, self.browsers, _GROUPS):
            peer = self._peers[browser]
            if peer is not None:
                self._send(browser, peer.look(now))

    def _send(self, browser: int, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            data = np.frombuffer(datagram, np.uint8).reshape(1, -1)
            at = slice(browser, browser + 1)
            self._socket.send(self._sources[at], self._names[at], data, np.array([len(datagram)]))

    # -- in ------------------------------------------------------------------

    def _receive(self) -> None:
        count = ROWS
        while count == ROWS:
            arrivals = self._socket.receive()
            count = len(arrivals.lengths)
            browsers = arrivals.near - FIRST_ADDRESS
            ours = (browsers >= 0) & (browsers < self.browsers) & (arrivals.lengths > _HEADER)
            sound = arrivals.data[:, 0] >= 128
            for row in np.flatnonzero(ours & ~sound).tolist():
                datagram = arrivals.data[row, : int(arrivals.lengths[row])].tobytes()
                self._take(int(browsers[row]), datagram)
            rtcp = (arrivals.data[:, 1] >= 192) & (arrivals.data[:, 1] < 224)
            rows = np.flatnonzero(ours & sound & ~rtcp)
            rows = rows[self._secured[browsers[rows]]]
            if len(rows):
                self._listen(arrivals, rows, browsers[rows])

    def _take(self, browser: int, datagram: bytes) -> None:
        peer = self._peers[browser]
        if peer is None:
            return
        self._send(browser, peer.receive(datagram, time.monotonic()))
        if peer.protection is not None and not self._secured[browser]:
            self._outbound[browser] = peer.protection.outbound
            self._inbound[browser] = peer.protection.inbound
            self._secured[browser] = True

    def _listen(self, arrivals: Arrivals, rows: Int64s, browsers: Int64s) -> None:
        """Decrypt and count a batch; a browser may be in it several times, in order."""
        if self._arrived is None or not self._arrived.covers(arrivals.data):
            self._arrived = Rows(arrivals.data)
        self._arrived.lengths[rows] = arrivals.lengths[rows]
        handles = [self._inbound[browser] for browser in browsers.tolist()]
        genuine = unprotect(self._arrived, rows.tolist(), handles, False)
        rows, browsers = rows[genuine], browsers[genuine]
        loud = self._arrived.lengths[rows] - _HEADER >= LEAST_SOUND
        now = time.monotonic()
        first = browsers[loud]
        self.heard_at[first] = np.minimum(self.heard_at[first], now)
        data = arrivals.data
        self._window.count(browsers, data[rows, 2].astype(np.int64) << 8 | data[rows, 3], loud, now)


def _frames(loud: bool) -> list[bytes]:
    """Half a second of a tone, or of silence, as Opus."""
    encoder = OpusEncoder(load_opus(), _RATE, bitrate=32_000, voice=True)
    wave = sine(440.0, 0.5, _RATE) if loud else np.zeros(_RATE // 2, np.int16)
    return [encoder.encode(frame) for frame in wave.reshape(-1, _FRAME)]
