"""Datagrams that go out one by one: answers to checks, and handshakes. A few a tick."""

import numpy as np

from townhall.ice import Path
from townhall.media.shapes import NAME_WORDS, Outgoing

MOST_DATAGRAMS = 1024
"""Between two sendings; the budgets of those who put them in stay far below."""


class Outbox:
    """Collects; `take` makes one batch of it all."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Path, bytes]] = []

    def put(self, path: Path, datagram: bytes) -> None:
        """One datagram to where a path's packets come from."""
        if len(self._waiting) < MOST_DATAGRAMS:
            self._waiting.append((path, datagram))

    def take(self) -> Outgoing | None:
        """What waits, sorted by socket; None: nothing."""
        if not self._waiting:
            return None
        waiting, self._waiting = self._waiting, []
        waiting.sort(key=lambda item: item[0][0])
        lengths = np.array([len(datagram) for _, datagram in waiting])
        data = np.zeros((len(waiting), int(lengths.max())), np.uint8)
        for row, (_, datagram) in zip(data, waiting, strict=True):
            row[: len(datagram)] = np.frombuffer(datagram, np.uint8)
        names = np.frombuffer(b"".join(path[1] for path, _ in waiting), np.uint64)
        sockets = np.array([path[0] for path, _ in waiting], np.int32)
        return Outgoing(data, lengths, names.reshape(-1, NAME_WORDS), sockets)
