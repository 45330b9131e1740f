"""The live stream's memory: the latest events, numbered, for all clients together. No I/O.

Every client keeps nothing but the number of the last event it was sent, so a slow one costs no memory: when
what it lacks has been forgotten it gets a snapshot instead. Levels are not numbered; there is only the latest
of each conference.
"""

import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

MOST_FRAMES = 4_096
MOST_BYTES = 2_000_000
"""Some thousands who come or go, or the roster of several thousand at once."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One event, as it goes out. `lines`: which lines' moderators may see it."""

    number: int
    lines: frozenset[str]
    text: bytes


@dataclass(slots=True)
class Feed:
    """`epoch` names this run of the server: numbers of another one mean nothing."""

    epoch: str
    newest: int = 0
    levels: dict[str, Frame] = field(default_factory=dict)
    """Conference SID → the latest levels."""
    _frames: deque[Frame] = field(default_factory=deque)
    _bytes: int = 0
    _levels_told: int = 0

    def tell(self, event: str, data: dict[str, Any], lines: tuple[str, ...]) -> None:
        self.newest += 1
        text = message(event, data, self.id_of(self.newest))
        self._frames.append(Frame(self.newest, frozenset(lines), text))
        self._bytes += len(text)
        while len(self._frames) > MOST_FRAMES or self._bytes > MOST_BYTES:
            self._bytes -= len(self._frames.popleft().text)

    def tell_levels(self, sid: str, data: dict[str, Any], lines: tuple[str, ...]) -> None:
        self._levels_told += 1
        self.levels[sid] = Frame(self._levels_told, frozenset(lines), message("levels", data))

    def forget_levels(self, sid: str) -> None:
        self.levels.pop(sid, None)

    def since(self, number: int) -> list[Frame] | None:
        """The events after this one; None when some of them have been forgotten."""
        missing = self.newest - number
        if missing < 0 or missing > len(self._frames):
            return None
        return [self._frames[at] for at in range(len(self._frames) - missing, len(self._frames))]

    def id_of(self, number: int) -> str:
        return f"{self.epoch}-{number}"

    def number_of(self, id_: str) -> int | None:
        """The number in a `Last-Event-ID`, if we can go on from there."""
        epoch, _, number = id_.partition("-")
        if epoch != self.epoch or not number.isascii() or not number.isdigit() or len(number) > 15:
            return None
        return None if self.since(int(number)) is None else int(number)


def message(event: str, data: dict[str, Any], id_: str | None = None) -> bytes:
    """One server-sent event (HTML Standard, "Server-sent events")."""
    head = f"id: {id_}\n" if id_ else ""
    return f"{head}event: {event}\ndata: {compact(data)}\n\n".encode()


def compact(data: dict[str, Any]) -> str:
    """JSON on one line; what is no Unicode text stays escaped, so it can always be encoded."""
    return json.dumps(data, separators=(",", ":"))
