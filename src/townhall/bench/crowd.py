"""The media of all phones at once: they send on their own clock in a thread, and count what they get.

Phones speak in four groups 5 ms apart, since real callers do not send all in the same instant. Everything per
packet is done on arrays over all phones; only keys that are being pressed are written row by row.
"""

import struct
import threading
import time
from collections import deque
from dataclasses import dataclass, field

import numpy as np

from townhall.audio import encode_ulaw, sine
from townhall.bench.sourced import ROWS, SourcedSocket
from townhall.media.shapes import NAME_WORDS, Bools, Bytes, Floats, Int64s, Words, name_of

FIRST_ADDRESS = 0x7F80_0001
"""127.128.0.1: the first phone's address; the others follow."""
_GROUPS = 4
_PACKET = 172
_SAMPLES = 160
_TELEPHONE_EVENT = 101


@dataclass(slots=True)
class Window:
    """What the phones got since a moment, one entry for each phone."""

    packets: Int64s
    first: Int64s
    last: Int64s
    loud: Int64s
    """Packets that were not silence."""
    gap_s: Floats
    arrived: Floats

    @classmethod
    def of(cls, phones: int) -> "Window":
        zeros = [np.zeros(phones, np.int64) for _ in range(4)]
        return cls(zeros[0], zeros[1] - 1, zeros[2], zeros[3], np.zeros(phones), np.zeros(phones))

    def count(self, phones: Int64s, sequences: Int64s, loud: Bools, now: float) -> None:
        """Add a batch of packets; a phone may be in it several times, in order."""
        np.add.at(self.packets, phones, 1)
        np.add.at(self.loud, phones, loud)
        known = self.first[phones] >= 0
        last = np.where(known, self.last[phones], sequences)
        # Unrolled against the last number seen, so that it can wrap (RFC 3550 appendix A.1).
        unrolled = last + ((sequences - last + 0x8000) % 0x10000 - 0x8000)
        fresh = phones[~known]
        self.first[fresh] = unrolled[~known]
        np.maximum.at(self.last, phones, unrolled)
        gaps = np.where(known, now - self.arrived[phones], 0.0)
        np.maximum.at(self.gap_s, phones, gaps)
        self.arrived[phones] = now

    @property
    def expected(self) -> Int64s:
        """Packets from the first to the last sequence number, `(phones,)`."""
        return np.where(self.first < 0, 0, self.last - self.first + 1)


@dataclass(slots=True)
class _Press:
    code: int
    timestamp: int = 0
    sent: int = 0
    left: int = field(default=6)


class Crowd:
    """`phones` phones on one UDP port, silent until they are connected. Start it, stop it."""

    def __init__(self, phones: int) -> None:
        self._socket = SourcedSocket()
        self.port = self._socket.port
        self.phones = phones
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="crowd", daemon=True)
        self._sources: Int64s = FIRST_ADDRESS + np.arange(phones)
        self._names: Words = np.zeros((phones, NAME_WORDS), np.uint64)
        self._active: Bools = np.zeros(phones, np.bool_)
        self._talking: Bools = np.zeros(phones, np.bool_)
        self._sequence: Int64s = np.random.default_rng(1).integers(0, 0x8000, phones)
        self._timestamp: Int64s = np.random.default_rng(2).integers(0, 0x8000_0000, phones)
        self._pressing: dict[int, deque[_Press]] = {}
        self._talk = encode_ulaw(sine(440.0, 1.0, 8000)).reshape(-1, _SAMPLES)
        self._data: Bytes = np.zeros((phones, _PACKET), np.uint8)
        self._data[:, 0] = 0x80
        self._data.view(">u4")[:, 2] = np.arange(phones) + 1
        self._window = Window.of(phones)
        self._heard: Bools = np.zeros(phones, np.bool_)
        self._ticks = 0
        self.loud_at = 0.0
        """When anything but silence last came to any phone, in monotonic seconds."""
        self.late_s = 0.0
        """By how much the phones' own clock was late at worst."""

    def address(self, phone: int) -> str:
        number = int(self._sources[phone])
        return ".".join(str(number >> shift & 0xFF) for shift in (24, 16, 8, 0))

    def connect(self, phone: int, remote: tuple[str, int], *, talking: bool = False) -> None:
        with self._lock:
            self._names[phone] = name_of(remote)
            self._talking[phone] = talking
            self._heard[phone] = False
            self._active[phone] = True

    def disconnect(self, phone: int) -> None:
        with self._lock:
            self._active[phone] = False
            self._pressing.pop(phone, None)

    def has_heard(self, phone: int) -> bool:
        """Whether it has heard any sound since it was connected."""
        return bool(self._heard[phone])

    def press(self, phone: int, key: str) -> None:
        """Press a key for 100 ms as an RFC 4733 event."""
        with self._lock:
            self._pressing.setdefault(phone, deque()).append(_Press("0123456789*#".index(key)))

    def begin_window(self) -> None:
        with self._lock:
            self._window = Window.of(self.phones)
            self.late_s = 0.0

    def end_window(self) -> Window:
        """What came since `begin_window`."""
        with self._lock:
            window, self._window = self._window, Window.of(self.phones)
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
                self._send(self._ticks % _GROUPS)
            self._ticks += 1
            deadline += step
            late = time.monotonic() - deadline
            if late > 0:
                self.late_s = max(self.late_s, late)
            if late > 0.5:
                deadline += late
            time.sleep(max(0.0, -late))

    def _send(self, group: int) -> None:
        phones = np.flatnonzero(self._active[group::_GROUPS]) * _GROUPS + group
        if not len(phones):
            return
        self._sequence[phones] = (self._sequence[phones] + 1) & 0xFFFF
        self._timestamp[phones] = (self._timestamp[phones] + _SAMPLES) & 0xFFFF_FFFF
        data = self._data[phones]
        data[:, 1] = 0
        data.view(">u2")[:, 1] = self._sequence[phones]
        data.view(">u4")[:, 1] = self._timestamp[phones]
        talk = self._talk[(self._ticks // _GROUPS) % len(self._talk)]
        data[:, 12:] = np.where(self._talking[phones, None], talk[None, :], np.uint8(0xFF))
        lengths = np.full(len(phones), _PACKET)
        if self._pressing:
            self._write_keys(phones, data, lengths)
        self._socket.send(self._sources[phones], self._names[phones], data, lengths)

    def _write_keys(self, phones: Int64s, data: Bytes, lengths: Int64s) -> None:
        """Put the packets of keys in the place of audio; the end is sent in three packet times."""
        for row, phone in enumerate(phones.tolist()):
            presses = self._pressing.get(phone)
            if not presses:
                continue
            press = presses[0]
            if press.sent == 0:
                press.timestamp = int(self._timestamp[phone])
            ended = press.left <= 3
            press.sent += 0 if press.left < 3 else _SAMPLES
            data[row, 1] = _TELEPHONE_EVENT | (0x80 if press.left == 6 else 0)
            data[row, 4:8] = np.frombuffer(struct.pack("!I", press.timestamp), np.uint8)
            event = struct.pack("!BBH", press.code, ended << 7 | 10, press.sent)
            data[row, 12:16] = np.frombuffer(event, np.uint8)
            lengths[row] = 16
            press.left -= 1
            if press.left == 0:
                presses.popleft()
                if not presses:
                    del self._pressing[phone]

    def _receive(self) -> None:
        count = ROWS
        while count == ROWS:
            arrivals = self._socket.receive()
            count = len(arrivals.lengths)
            phones = arrivals.near - FIRST_ADDRESS
            rows = np.flatnonzero((phones >= 0) & (phones < self.phones) & (arrivals.lengths >= 13))
            if len(rows):
                self._count(phones[rows], arrivals.data[rows], arrivals.lengths[rows], time.monotonic())

    def _count(self, phones: Int64s, data: Bytes, lengths: Int64s, now: float) -> None:
        """Add a batch to the window; a phone may be in it several times, in order."""
        sequences = data[:, 2].astype(np.int64) << 8 | data[:, 3]
        loud = ((data[:, 12:_PACKET] != 0xFF).sum(axis=1) > _SAMPLES // 2) & (lengths == _PACKET)
        self._heard[phones[loud]] = True
        if loud.any():
            self.loud_at = now
        self._window.count(phones, sequences, loud, now)
