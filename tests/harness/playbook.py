"""A script for a state machine: `>> event` happens, `<< command` must come out next, and nothing else may.

with Playbook(conference) as play:
    play >> ParticipantJoined("ann") << StartWaiting("ann")
"""

from types import TracebackType
from typing import Self

from townhall.conference import Command, Conference, Event


class Playbook:
    """Feeds `conference` and holds every command to the script; `leave_out` types are passed over."""

    def __init__(self, conference: Conference, leave_out: tuple[type, ...] = ()) -> None:
        self.conference = conference
        self.now = 0.0
        self._leave_out = leave_out
        self._pending: list[Command] = []

    def __rshift__(self, event: Event) -> Self:
        self._nothing_pending()
        self.now += 1.0
        commands = self.conference.handle(event, self.now)
        self._pending = [command for command in commands if not isinstance(command, self._leave_out)]
        return self

    def __lshift__(self, expected: Command) -> Self:
        assert self._pending, f"nothing came out, expected {expected}"
        actual = self._pending.pop(0)
        assert actual == expected
        return self

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._nothing_pending()

    def _nothing_pending(self) -> None:
        assert not self._pending, f"the script does not expect {self._pending}"
