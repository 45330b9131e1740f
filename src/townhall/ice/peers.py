"""What a lite agent knows of one peer: credentials of at most two generations, and the paths it came by."""

from dataclasses import dataclass, field

from townhall.ice.checks import Check
from townhall.ice.credentials import Credentials

Path = tuple[int, bytes]
"""A local socket and a source address, in whatever form the caller has them."""

MOST_PATHS = 8
"""Of one peer: a browser with IPv4, IPv6, a VPN and a mobile network has four or so."""

UNPROVED_S = 10.0
"""For so long in all its life a peer is sent to where nothing shows that anybody listens: an agent that
checks nothing itself would be a cannon in the hands of whoever forges the source of a check (RFC 8445
section 19.5.1).
"""


@dataclass(slots=True)
class Generation:
    """The credentials of one offer and answer; an ICE restart brings the next."""

    peer: int
    local: Credentials
    remote: Credentials

    @property
    def key(self) -> bytes:
        """Of the checks that come to us."""
        return self.local.pwd.encode()


@dataclass(slots=True)
class PathState:
    """A path that an authenticated check has come by."""

    generation: Generation
    seen: float
    """When the last one came."""
    nominated_at: float = -1.0
    proved: bool = False
    """What we sent there has been read there."""
    check: Check | None = None
    """Ours, to prove it, still unanswered."""
    ask_at: float = 0.0


@dataclass(slots=True)
class Peer:
    """One browser. `generations` holds the one in use first, then the one it is to be replaced by."""

    number: int
    generations: list[Generation]
    paths: dict[Path, PathState] = field(default_factory=dict)
    chosen: Path | None = None
    unproved_s: float = 0.0
    counted_at: float = 0.0
    """Up to when `unproved_s` has been counted."""

    def doubtful(self) -> list[Path]:
        """Paths that the peer is, or wants to be, sent to, and that nothing has proved yet."""
        return [
            path
            for path, state in self.paths.items()
            if not state.proved and (state.nominated_at >= 0 or path == self.chosen)
        ]

    def best(self) -> Path | None:
        """Where to send: the path nominated last, else the one that was checked last.

        Nominated again means chosen again: a browser that nominates every path that works has the last word
        with its last check, and one whose address has changed nominates the new path only.
        """
        fit = [path for path, state in self.paths.items() if state.proved or self.unproved_s < UNPROVED_S]
        return max(fit, key=lambda path: self._rank(self.paths[path]), default=None)

    @staticmethod
    def _rank(state: PathState) -> tuple[bool, float]:
        nominated = state.nominated_at >= 0
        return nominated, state.nominated_at if nominated else state.seen

    def oldest(self) -> Path:
        """The path that must go when there are too many: never the chosen one."""
        others = [path for path in self.paths if path != self.chosen]
        return min(others, key=lambda path: self.paths[path].seen)
