"""The queues by name and by SID. A queue that was made stays until it is removed; only an empty one can be.

Names are trimmed, case-sensitive and unique, 1 to 64 characters.
"""

from collections.abc import Callable, Iterator

from townhall.errors import TownhallError
from townhall.queues.queue import LocalProtocolError, Queue

MAX_SIZE = 1000
"""Twilio's default of `MaxSize`."""
NAME_LENGTH = 64
MOST_QUEUES = 10_000
"""Ours: `<Enqueue>` makes queues on demand, and its name may come from a caller."""


class TooManyQueues(TownhallError):
    """No queue can be made on demand any more."""


class Queues:
    """`new_sid` makes a Queue SID."""

    def __init__(self, new_sid: Callable[[], str]) -> None:
        self._new_sid = new_sid
        self._by_sid: dict[str, Queue] = {}
        self._by_name: dict[str, Queue] = {}

    def __len__(self) -> int:
        return len(self._by_sid)

    def __iter__(self) -> Iterator[Queue]:
        """All queues, the newest first."""
        return iter(list(reversed(self._by_sid.values())))

    def get(self, sid: str) -> Queue | None:
        return self._by_sid.get(sid)

    def find(self, name: str) -> Queue | None:
        return self._by_name.get(name.strip())

    def create(self, name: str, max_size: int = MAX_SIZE, sid: str | None = None) -> Queue:
        """A new queue of a name that no other has. `sid`: of one that was kept from an earlier run.

        Raises `TooManyQueues`, and `LocalProtocolError` for a name that is taken.
        """
        name = name.strip()
        if name in self._by_name:
            raise LocalProtocolError(f"there is a queue {name!r} already")
        if len(self._by_sid) >= MOST_QUEUES:
            raise TooManyQueues(f"there are {MOST_QUEUES} queues; remove some that are not needed any more")
        queue = Queue(sid or self._new_sid(), name, max_size)
        self._by_sid[queue.sid] = queue
        self._by_name[name] = queue
        return queue

    def rename(self, queue: Queue, name: str) -> None:
        """Raises `LocalProtocolError` for a name that another queue has."""
        name = name.strip()
        if self._by_name.get(name, queue) is not queue:
            raise LocalProtocolError(f"there is a queue {name!r} already")
        del self._by_name[queue.name]
        queue.name = name
        self._by_name[name] = queue

    def remove(self, queue: Queue) -> None:
        """Raises `LocalProtocolError` unless nobody waits in it and nobody dials it."""
        if queue.size or queue.takers:
            raise LocalProtocolError(f"queue {queue.sid} is not empty")
        del self._by_sid[queue.sid]
        del self._by_name[queue.name]
