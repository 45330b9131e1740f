"""The phones' media, all at once: what they say, the keys they press, what they get, and recordings of it.

Everything per packet is done on arrays over all phones; only keys that are being pressed are written row by
row. Nothing is decoded while the measurement runs: recordings keep the packets as they came.
"""

import struct
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from townhall.bench.phones.clocked import FIRST_ADDRESS as FIRST_ADDRESS
from townhall.bench.phones.clocked import GROUPS, ClockedCrowd
from townhall.bench.phones.recording import Recording
from townhall.bench.phones.sourced import ROWS, SourcedSockets
from townhall.bench.phones.voices import FRAMES
from townhall.media.shapes import Bools, Bytes, Floats, Int64s, name_of

_PACKET = 172
_SAMPLES = 160
_HEADER = 12
_SILENCE = 0xFF
_TELEPHONE_EVENT = 101
_PHONES_A_SOCKET = 64
_LOUD_STEP = 8
"""Every so manieth sample says whether a packet is silence."""
SENT_REMEMBERED = 64
"""Beginnings of a second that a group sent, of which the times are kept."""


@dataclass(slots=True)
class _Press:
    code: int
    timestamp: int = 0
    sent: int = 0
    left: int = field(default=6)


class Crowd(ClockedCrowd):
    """`phones` phones, silent until they are connected. Start it, stop it."""

    def __init__(
        self, phones: int, said: Mapping[int, Bytes] | None = None, told: Floats | None = None
    ) -> None:
        """`said`: what a phone says, a second of µ-law again and again, `(FRAMES, 160)`; else nothing.
        `told`: where it tells `heard_at` and, in one more place, `loud_at`, `(phones + 1,)`.
        """
        sockets = SourcedSockets(count=-(-phones // _PHONES_A_SOCKET))
        super().__init__("crowd", phones, sockets, _SAMPLES)
        said = said or {}
        self._active: Bools = np.zeros(phones, np.bool_)
        self._pressing: dict[int, deque[_Press]] = {}
        self._said = np.array(list(said.values()) or np.zeros((0, FRAMES, _SAMPLES)), np.uint8)
        self._saying: Int64s = np.full(phones, -1)
        self._saying[list(said)] = np.arange(len(said))
        self._data: Bytes = np.full((phones, _PACKET), _SILENCE, np.uint8)
        self._data[:, :2] = (0x80, 0)
        self._data.view(">u4")[:, 2] = np.arange(phones) + 1
        self._seconds_at = [deque[float](maxlen=SENT_REMEMBERED) for _ in range(GROUPS)]
        self._recording: Recording | None = None
        told = np.zeros(phones + 1) if told is None else told
        told[:-1] = np.inf
        self.heard_at, self._loud_at = told[:-1], told[-1:]

    @property
    def loud_at(self) -> float:
        """When anything but silence last came to any phone, in monotonic seconds."""
        return float(self._loud_at[0])

    def connect(self, phone: int, remote: tuple[str, int]) -> None:
        """Begin to send, and to hear."""
        name = name_of(remote)
        self.heard_at[phone] = np.inf

        def order() -> None:
            self._names[phone] = name
            self._active[phone] = True

        self._order(order)

    def disconnect(self, phone: int) -> None:
        def order() -> None:
            self._active[phone] = False
            self._pressing.pop(phone, None)

        self._order(order)

    def press(self, phone: int, key: str) -> None:
        """Press a key for 100 ms as an RFC 4733 event."""
        press = _Press("0123456789*#".index(key))
        self._order(lambda: self._pressing.setdefault(phone, deque()).append(press))

    def begin_recording(self, seconds: float) -> None:
        """Keep what comes to each phone from now on, at most so many seconds."""
        self.record(Recording.of(self.count, round(seconds * FRAMES)))

    def record(self, recording: Recording) -> None:
        """Keep it in this one."""

        def order() -> None:
            self._recording = recording

        self._order(order)

    def end_recording(self) -> Recording:
        """What came since `begin_recording`."""
        return self._ask(self._end_recording)

    def _end_recording(self) -> Recording:
        recording, self._recording = self._recording, None
        assert recording is not None
        recording.seconds_at = [np.array(times) for times in self._seconds_at]
        return recording

    def _speak(self, group: int, frame: int) -> None:
        phones = np.flatnonzero(self._active[group::GROUPS]) * GROUPS + group
        place = frame % FRAMES
        if not len(phones):
            return
        self._next(phones)
        data = self._data[phones]
        data.view(">u2")[:, 1] = self._sequence[phones]
        data.view(">u4")[:, 1] = self._timestamp[phones]
        saying = self._saying[phones]
        rows = np.flatnonzero(saying >= 0)
        data[rows, _HEADER:] = self._said[saying[rows], place]
        lengths = np.full(len(phones), _PACKET)
        if self._pressing:
            self._write_keys(phones, data, lengths)
        if place == 0:
            self._seconds_at[group].append(time.monotonic())
        self._sockets.send(self._sources[phones], self._names[phones], data, lengths, self._which[phones])

    def _write_keys(self, phones: Int64s, data: Bytes, lengths: Int64s) -> None:
        """Put the packets of keys in the place of audio; the end is sent in three packet times."""
        for row in np.flatnonzero(np.isin(phones, list(self._pressing))).tolist():
            phone = int(phones[row])
            presses = self._pressing[phone]
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

    def _listen(self) -> None:
        count = ROWS
        while count == ROWS:
            arrivals = self._sockets.receive()
            count = len(arrivals.lengths)
            phones = arrivals.near - FIRST_ADDRESS
            ours = (phones >= 0) & (phones < self.count)
            sound = (arrivals.lengths == _PACKET) & (arrivals.data[:, 1] & 0x7F == 0)
            rows = np.flatnonzero(ours & sound)
            if len(rows):
                self._count(phones[rows], arrivals.data[rows, :_PACKET], arrivals.at[rows])

    def _count(self, phones: Int64s, data: Bytes, at: Floats) -> None:
        """Add a batch to the window; a phone may be in it several times, in order."""
        timestamps = data.view(">u4")[:, 1].astype(np.int64)
        sampled = data[:, _HEADER::_LOUD_STEP] | 0x80  # both zeros of µ-law are silence
        loud = np.count_nonzero(sampled != _SILENCE, axis=1) > _SAMPLES // _LOUD_STEP // 2
        if loud.any():
            hearing = phones[loud]
            self.heard_at[hearing] = np.minimum(self.heard_at[hearing], at[loud])
            self._loud_at[0] = at[loud].max()
        self._window.count(phones, timestamps, loud, at)
        if self._recording is not None:
            self._recording.keep(phones, timestamps, data[:, _HEADER:], at)
