"""Whether one more caller can be taken: places in all, places of one source, and how set-ups keep up.

Whoever is in stays in; it is the next one who is refused, with a reason for the log. Pure: `now` is a
parameter, in monotonic seconds.
"""

from collections import Counter
from collections.abc import Container
from dataclasses import dataclass

from townhall.sip.shares import source_key

JUDGED_FROM = 50
"""So many must wait for their set-up before it is called crowded: a few that wait long are no crowd."""
WAITS_AT_MOST_S = 0.5
CROWD_OF_SOURCE = 5
"""So many of one source at most are counted for the crowd that keeps others out."""


@dataclass(frozen=True, slots=True, eq=False)
class Ticket:
    """One caller's way through."""

    source: str
    since: float


class Turnstile:
    """`trunks`: hosts that stand for many callers, and are held to no share."""

    def __init__(self, most_calls: int, most_of_source: int, trunks: Container[str] = ()) -> None:
        self.trunks = trunks
        self._most_calls = most_calls
        self._most_of_source = most_of_source
        self._sources: Counter[str] = Counter()
        self._waiting: dict[Ticket, None] = {}
        self._waiting_of: Counter[str] = Counter()
        self._crowd = 0
        """How many wait, a flood from one source counting for few."""

    def why_not(self, host: str, calls: int, now: float) -> str:
        """Why nobody from this host can be taken beside so many calls; empty when he can."""
        if calls >= self._most_calls:
            return f"{calls} calls are all that the server takes"
        held = self._sources[source_key(host)]
        if held >= self._most_of_source and host not in self.trunks:
            return f"{held} calls are all that one source may hold"
        if len(self._waiting) < JUDGED_FROM:
            return ""
        oldest_s = now - next(iter(self._waiting)).since
        is_part_of_it = self._waiting_of[source_key(host)] >= CROWD_OF_SOURCE
        if oldest_s > WAITS_AT_MOST_S and (is_part_of_it or self._crowd >= JUDGED_FROM):
            return f"{len(self._waiting)} calls wait to be set up, the first for {oldest_s:.1f} s"
        return ""

    def enter(self, host: str, now: float) -> Ticket:
        """A caller has come: he counts for his source until he leaves, and waits until he is set up."""
        ticket = Ticket(source_key(host), now)
        self._sources[ticket.source] += 1
        self._waiting[ticket] = None
        self._crowd += self._waiting_of[ticket.source] < CROWD_OF_SOURCE
        self._waiting_of[ticket.source] += 1
        return ticket

    def set_up(self, ticket: Ticket) -> None:
        """The server knows where his call leads, and lets it ring; or it was refused."""
        if ticket not in self._waiting:
            return
        del self._waiting[ticket]
        self._waiting_of[ticket.source] -= 1
        self._crowd -= self._waiting_of[ticket.source] < CROWD_OF_SOURCE
        if not self._waiting_of[ticket.source]:
            del self._waiting_of[ticket.source]

    def leave(self, ticket: Ticket) -> None:
        """His call is over. Once for each ticket."""
        self.set_up(ticket)
        self._sources[ticket.source] -= 1
        if not self._sources[ticket.source]:
            del self._sources[ticket.source]
