"""A crowd in a process of its own, so that nothing else the load maker does makes its phones late.

Signalling two thousand calls keeps an interpreter busy, and a thread beside it waits whenever the interpreter
is held: a hundred milliseconds and more while its garbage is collected, or while its holder was put aside for
another process. In a process of its own the crowd's clock waits for nobody. Orders go there over a pair of
sockets; what phones first heard, and recordings, lie in memory that both have, so that nothing big is sent.
"""

import contextlib
import socket
import subprocess
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from typing import Any

import numpy as np

from townhall.bench.phones.recording import Recording
from townhall.bench.phones.shared import SharedFile, recording_bytes, recording_in, told_bytes, told_in
from townhall.bench.phones.voices import FRAMES
from townhall.bench.phones.window import Window
from townhall.bench.server.processes import PHONES
from townhall.bench.server.subject import BenchFailed
from townhall.media.shapes import Bytes, Floats

_WITHIN_S = 60.0
"""It answers at once, but on a machine that is very busy."""
_GONE_WITHIN_S = 10.0


class CrowdApart:
    """What `Crowd` is, elsewhere; it runs when it is made, until `stop`. Every method but `stop` raises
    `BenchFailed` when its process has ended.
    """

    def __init__(self, phones: int, said: Mapping[int, Bytes] | None = None) -> None:
        """`said`: see `Crowd`. Waits for the process to be ready: half a second, on a busy machine more."""
        self.count = phones
        self._recording: Recording | None = None
        shared = SharedFile(told_bytes(phones))
        self._told: Floats = told_in(shared.path, phones)
        near, far = socket.socketpair()
        self._channel = Connection(near.detach())
        with far, contextlib.closing(shared):
            self._process = subprocess.Popen(
                [sys.executable, "-m", PHONES, f"{far.fileno()}"],
                pass_fds=(far.fileno(),),
                stdin=subprocess.DEVNULL,
            )
            far.close()  # so that its end is told
            try:
                self._places: list[tuple[str, int]] = self._ask(phones, dict(said or {}), shared.path)
            except BenchFailed:
                self.stop()
                raise

    @property
    def loud_at(self) -> float:
        """When anything but silence last came to any phone, in monotonic seconds."""
        return float(self._told[-1])

    def address(self, phone: int) -> str:
        """Where it is."""
        return self._places[phone][0]

    def port(self, phone: int) -> int:
        """Where it takes its sound."""
        return self._places[phone][1]

    def has_heard(self, phone: int) -> bool:
        """Whether it has heard any sound since it was connected."""
        return bool(self._told[phone] < np.inf)

    def connect(self, phone: int, remote: tuple[str, int]) -> None:
        """Begin to send, and to hear."""
        self._told[phone] = np.inf
        self._tell("connect", phone, remote)

    def disconnect(self, phone: int) -> None:
        self._tell("disconnect", phone)

    def press(self, phone: int, key: str) -> None:
        """Press a key for 100 ms as an RFC 4733 event."""
        self._tell("press", phone, key)

    def begin_window(self) -> None:
        self._tell("begin_window")

    def end_window(self) -> Window:
        """What came since `begin_window`."""
        window: Window = self._ask("end_window")
        return window

    def begin_recording(self, seconds: float) -> None:
        """Keep what comes to each phone from now on, at most so many seconds."""
        frames = round(seconds * FRAMES)
        with contextlib.closing(SharedFile(recording_bytes(self.count, frames))) as shared:
            self._recording = recording_in(shared.path, self.count, frames)
            self._recording.at[:], self._recording.first[:] = np.nan, -1
            self._ask("begin_recording", shared.path, frames)

    def end_recording(self) -> Recording:
        """What came since `begin_recording`."""
        recording, self._recording = self._recording, None
        assert recording is not None
        recording.seconds_at = self._ask("end_recording")
        return recording

    def stop(self) -> None:
        self._channel.close()
        try:
            self._process.wait(_GONE_WITHIN_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _tell(self, *order: object) -> None:
        try:
            self._channel.send(order)
        except OSError as error:
            raise BenchFailed(f"the phones' process has ended: {error}") from error

    def _ask(self, *order: object) -> Any:
        self._tell(*order)
        try:
            if self._channel.poll(_WITHIN_S):
                return self._channel.recv()
        except (OSError, EOFError) as error:
            raise BenchFailed(f"the phones' process has ended: {error}") from error
        raise BenchFailed(f"the phones' process has not answered {order[0]!r} within {_WITHIN_S:g} s")
