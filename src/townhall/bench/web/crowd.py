"""The transport and sound of all browsers at once: Opus under SRTP on one UDP port, on a clock of their own.

Like `crowd`, for browsers: what is sent and received is encrypted and decrypted in batches; checks and
handshakes go one by one. Talkers send a tone, the others silence, both encoded beforehand, so that the load
maker costs little.
"""

import time

import numpy as np

from townhall.audio import sine
from townhall.audio.opus import OpusEncoder, load_opus
from townhall.bench.phones.clocked import FIRST_ADDRESS, GROUPS, ClockedCrowd
from townhall.bench.phones.sourced import ROWS, Arrivals, SourcedSockets
from townhall.bench.web.peer import WebPeer
from townhall.media.secure.srtp import Handle, Rows, protect, unprotect
from townhall.media.shapes import Bools, Bytes, Int64s, name_of

_STRIDE = 1600
_SAMPLES = 960
"""20 ms of Opus' clock."""
_HEADER = 12
_RATE = 16_000
_FRAME = _RATE // 50
LEAST_SOUND = 24
"""Bytes of an Opus packet that is more than silence."""


class WebCrowd(ClockedCrowd):
    """`browsers` browsers on one UDP port, each with an address of its own. Start it, stop it."""

    def __init__(self, browsers: int) -> None:
        super().__init__("web crowd", browsers, SourcedSockets(_STRIDE), _SAMPLES)
        self._peers: list[WebPeer | None] = [None] * browsers
        self._outbound: list[Handle] = [None] * browsers
        self._inbound: list[Handle] = [None] * browsers
        self._secured: Bools = np.zeros(browsers, np.bool_)
        self._talking: Bools = np.zeros(browsers, np.bool_)
        self._payload_type: Bytes = np.zeros(browsers, np.uint8)
        self._talk, self._silence = _frames(True), _frames(False)
        self._rows = Rows(np.zeros((browsers, _STRIDE), np.uint8))
        self._arrived: Rows | None = None

    def connect(
        self, browser: int, peer: WebPeer, remote: tuple[str, int], payload_type: int, *, talking: bool
    ) -> None:
        """Begin with checks; sound follows by itself."""
        name = name_of(remote)
        self.heard_at[browser] = np.inf

        def order() -> None:
            self._names[browser] = name
            self._payload_type[browser] = payload_type
            self._talking[browser] = talking
            self._secured[browser] = False
            self._peers[browser] = peer

        self._order(order)

    def disconnect(self, browser: int) -> None:
        """Fall silent."""

        def order() -> None:
            self._peers[browser] = None
            self._secured[browser] = False

        self._order(order)

    def failure(self, browser: int) -> str:
        """Why a browser will hear nothing."""
        peer = self._peers[browser]
        return peer.failure if peer else ""

    # -- out -----------------------------------------------------------------

    def _speak(self, group: int, frame: int) -> None:
        self._look(group)
        browsers = np.flatnonzero(self._secured[group::GROUPS]) * GROUPS + group
        if not len(browsers):
            return
        self._next(browsers)
        count, data = len(browsers), self._rows.data
        data[:count, 0] = 0x80
        data[:count, 1] = self._payload_type[browsers]
        data.view(">u2")[:count, 1] = self._sequence[browsers]
        data.view(">u4")[:count, 1] = self._timestamp[browsers]
        data.view(">u4")[:count, 2] = browsers + 1
        for talking, frames in ((True, self._talk), (False, self._silence)):
            payload = np.frombuffer(frames[frame % len(frames)], np.uint8)
            rows = np.flatnonzero(self._talking[browsers] == talking)
            data[rows, _HEADER : _HEADER + len(payload)] = payload
            self._rows.lengths[rows] = _HEADER + len(payload)
        protect(self._rows, [self._outbound[browser] for browser in browsers.tolist()], False)
        lengths = self._rows.lengths[:count].astype(np.int64)
        longest = int(lengths.max())
        names = self._names[browsers]
        self._sockets.send(
            self._sources[browsers], names, data[:count, :longest], lengths, self._which[browsers]
        )

    def _look(self, group: int) -> None:
        now = time.monotonic()
        for browser in range(group, self.count, GROUPS):
            peer = self._peers[browser]
            if peer is not None:
                self._send(browser, peer.look(now))

    def _send(self, browser: int, datagrams: list[bytes]) -> None:
        for datagram in datagrams:
            data = np.frombuffer(datagram, np.uint8).reshape(1, -1)
            at = slice(browser, browser + 1)
            self._sockets.send(
                self._sources[at], self._names[at], data, np.array([len(datagram)]), self._which[at]
            )

    # -- in ------------------------------------------------------------------

    def _listen(self) -> None:
        count = ROWS
        while count == ROWS:
            arrivals = self._sockets.receive()
            count = len(arrivals.lengths)
            browsers = arrivals.near - FIRST_ADDRESS
            ours = (browsers >= 0) & (browsers < self.count) & (arrivals.lengths > _HEADER)
            sound = arrivals.data[:, 0] >= 128
            for row in np.flatnonzero(ours & ~sound).tolist():
                datagram = arrivals.data[row, : int(arrivals.lengths[row])].tobytes()
                self._take(int(browsers[row]), datagram)
            rtcp = (arrivals.data[:, 1] >= 192) & (arrivals.data[:, 1] < 224)
            rows = np.flatnonzero(ours & sound & ~rtcp)
            rows = rows[self._secured[browsers[rows]]]
            if len(rows):
                self._hear(arrivals, rows, browsers[rows])

    def _take(self, browser: int, datagram: bytes) -> None:
        peer = self._peers[browser]
        if peer is None:
            return
        self._send(browser, peer.receive(datagram, time.monotonic()))
        if peer.protection is not None and not self._secured[browser]:
            self._outbound[browser] = peer.protection.outbound
            self._inbound[browser] = peer.protection.inbound
            self._secured[browser] = True

    def _hear(self, arrivals: Arrivals, rows: Int64s, browsers: Int64s) -> None:
        """Decrypt and count a batch; a browser may be in it several times, in order."""
        if self._arrived is None or not self._arrived.covers(arrivals.data):
            self._arrived = Rows(arrivals.data)
        self._arrived.lengths[rows] = arrivals.lengths[rows]
        handles = [self._inbound[browser] for browser in browsers.tolist()]
        genuine = unprotect(self._arrived, rows.tolist(), handles, False)
        rows, browsers = rows[genuine], browsers[genuine]
        loud = self._arrived.lengths[rows] - _HEADER >= LEAST_SOUND
        at = arrivals.at[rows]
        hearing = browsers[loud]
        self.heard_at[hearing] = np.minimum(self.heard_at[hearing], at[loud])
        timestamps = arrivals.data.view(">u4")[rows, 1].astype(np.int64)
        self._window.count(browsers, timestamps, loud, at)


def _frames(loud: bool) -> list[bytes]:
    """Half a second of a tone, or of silence, as Opus."""
    encoder = OpusEncoder(load_opus(), _RATE, bitrate=32_000, voice=True)
    wave = sine(440.0, 0.5, _RATE) if loud else np.zeros(_RATE // 2, np.int16)
    return [encoder.encode(frame) for frame in wave.reshape(-1, _FRAME)]
