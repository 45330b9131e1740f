"""The phones' process: a crowd that does as `CrowdApart` tells it.

    python -m townhall.bench.phones FILE

`FILE` is a descriptor of its end of a pair of sockets. First comes how many phones there are, what they say
and where to tell what they hear; then orders, until the other end is closed.
"""

import gc
import sys
from multiprocessing.connection import Connection
from typing import Any

from townhall.bench.phones.clocked import hurry
from townhall.bench.phones.crowd import Crowd
from townhall.bench.phones.shared import recording_in, told_in
from townhall.media.shapes import Floats


class Phones:
    """One method for each order; what it returns is the answer, where one is awaited."""

    def __init__(self, crowd: Crowd) -> None:
        self._crowd = crowd
        self.connect, self.disconnect, self.press = crowd.connect, crowd.disconnect, crowd.press
        self.begin_window, self.end_window = crowd.begin_window, crowd.end_window

    def begin_recording(self, path: str, frames: int) -> bool:
        self._crowd.record(recording_in(path, self._crowd.count, frames))
        return True

    def end_recording(self) -> list[Floats]:
        return self._crowd.end_recording().seconds_at


ANSWERED = {"end_window", "begin_recording", "end_recording"}


def serve(channel: Connection) -> None:
    phones, said, told = channel.recv()
    crowd = Crowd(phones, said, told_in(told, phones))
    crowd.start()
    try:
        channel.send([(crowd.address(phone), crowd.port(phone)) for phone in range(phones)])
        orders = Phones(crowd)
        while True:
            name, *arguments = channel.recv()
            answer: Any = getattr(orders, name)(*arguments)
            if name in ANSWERED:
                channel.send(answer)
    except (EOFError, ConnectionError):
        return
    finally:
        crowd.stop()


if __name__ == "__main__":
    hurry()
    gc.disable()  # nothing here goes in circles, and nobody may be kept waiting
    serve(Connection(int(sys.argv[1])))
