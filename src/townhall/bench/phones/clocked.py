"""What phones and browsers have in common: many on a few sockets, with a clock of their own in a thread.

They speak in four groups 5 ms apart, since real callers do not send all in the same instant. Whoever uses a
crowd never waits for its thread: what is to change is put into a queue that the thread empties four times a
packet. How late the thread was is kept, since what a late crowd measures says little of the server.
"""

import os
import threading
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

import numpy as np

from townhall.bench.phones.sourced import SourcedSockets
from townhall.bench.phones.window import Window
from townhall.media.shapes import NAME_WORDS, Int64s, Words

FIRST_ADDRESS = 0x7F80_0001
"""127.128.0.1: the first one's address; the others follow."""
GROUPS = 4
STEP_S = 0.02 / GROUPS
_WITHIN_S = 60.0
_MOST_LATE_S = 0.5
"""A crowd that is later gives up what it should have sent meanwhile."""

T = TypeVar("T")


class ClockedCrowd(ABC):
    """`count` phones with an address each. Start it, stop it."""

    def __init__(self, name: str, count: int, sockets: SourcedSockets, frame_units: int) -> None:
        """`frame_units`: by how much the RTP timestamp grows in 20 ms."""
        self.count = count
        self.heard_at = np.full(count, np.inf)
        """When each first heard any sound since it was connected, in monotonic seconds."""
        self._sockets = sockets
        self._sources: Int64s = FIRST_ADDRESS + np.arange(count)
        self._which: Int64s = np.arange(count) * len(sockets.ports) // max(1, count)
        self._names: Words = np.zeros((count, NAME_WORDS), np.uint64)
        self._sequence: Int64s = np.random.default_rng(1).integers(0, 0x8000, count)
        self._timestamp: Int64s = np.random.default_rng(2).integers(0, 0x8000_0000, count)
        self._frame_units = frame_units
        self._window = Window.of(count, frame_units)
        self._orders: deque[Callable[[], None]] = deque()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._late_s: list[float] = []
        self._ticks = 0
        """Of 5 ms: a group's turn each."""

    def address(self, number: int) -> str:
        """Where one of them is."""
        source = int(self._sources[number])
        return ".".join(str(source >> shift & 0xFF) for shift in (24, 16, 8, 0))

    def port(self, number: int) -> int:
        """Where it takes its sound."""
        return self._sockets.ports[int(self._which[number])]

    def has_heard(self, number: int) -> bool:
        """Whether it has heard any sound since it was connected."""
        return bool(self.heard_at[number] < np.inf)

    def begin_window(self) -> None:
        self._order(self._begin_window)

    def end_window(self) -> Window:
        """What came since `begin_window`."""
        return self._ask(self._end_window)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()
        self._sockets.close()

    def _begin_window(self) -> None:
        self._window = Window.of(self.count, self._frame_units)
        self._window.dropped = self._sockets.dropped()
        self._late_s = []

    def _end_window(self) -> Window:
        window = self._window
        window.late_s = np.array(self._late_s or [0.0])
        window.dropped = self._sockets.dropped() - window.dropped
        self._begin_window()
        return window

    def _order(self, order: Callable[[], None]) -> None:
        """Have it done in the crowd's thread."""
        self._orders.append(order)

    def _ask(self, question: Callable[[], T]) -> T:
        """Have it done in the crowd's thread and wait for what it gives."""
        answer: Future[T] = Future()
        self._orders.append(lambda: answer.set_result(question()))
        return answer.result(_WITHIN_S)

    def _run(self) -> None:
        hurry()
        deadline = time.monotonic()
        while not self._stopping.is_set():
            self._late_s.append(max(0.0, time.monotonic() - deadline))
            while self._orders:
                self._orders.popleft()()
            self._speak(self._ticks % GROUPS, self._ticks // GROUPS)
            self._listen()
            self._ticks += 1
            deadline += STEP_S
            late = time.monotonic() - deadline
            if late > _MOST_LATE_S:
                deadline += late
            time.sleep(max(0.0, -late))

    def _next(self, numbers: Int64s) -> None:
        """Count these on by a packet."""
        self._sequence[numbers] = (self._sequence[numbers] + 1) & 0xFFFF
        self._timestamp[numbers] = (self._timestamp[numbers] + self._frame_units) & 0xFFFF_FFFF

    @abstractmethod
    def _speak(self, group: int, frame: int) -> None:
        """Send what a group has to say; `frame` counts the packets since the start."""

    @abstractmethod
    def _listen(self) -> None:
        """Take in what has come."""


def hurry() -> None:
    """Run this thread before others where the system lets us, but after the media process: real phones do not
    wait for the server's processor either.
    """
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(5))
    except OSError:
        return
