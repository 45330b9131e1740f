"""Which numbers may be called over any trunk: premium and emergency numbers, and how many calls a minute.

Toll fraud is calls to numbers that pay whoever holds them. The defaults refuse what such a call would use:
premium-rate and satellite ranges, and bursts. Emergency numbers are refused too, as nobody could say where
the caller is.
"""

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from townhall.routing.errors import CallRefused

EMERGENCY = frozenset(
    {"000", "100", "101", "102", "103", "104", "108", "110", "111", "112", "113", "114", "115", "117",
     "118", "119", "120", "122", "123", "190", "191", "192", "193", "911", "999"}
)  # fmt: skip
"""Short numbers of police, fire and ambulance around the world."""

PREMIUM = (
    "+1900", "+1976", "+3089", "+3190", "+3289", "+3290", "+3380", "+3381", "+3382", "+3389", "+34803",
    "+34806", "+34807", "+34905", "+36900", "+39199", "+39892", "+39899", "+4190", "+43900", "+43901",
    "+43930", "+43931", "+43939", "+449", "+4487", "+4590", "+46900", "+46939", "+46944", "+47820", "+47829",
    "+4870", "+49137", "+49190", "+49900", "+61190", "+7809", "+870", "+878", "+881", "+882", "+883", "+888",
    "+979",
)  # fmt: skip
"""Premium-rate ranges, satellites (+870, +881) and international networks, all of them dear."""

WINDOW_S = 60.0


@dataclass(frozen=True, slots=True)
class PermissionSettings:
    premium: bool = False
    emergency: bool = False
    calls_per_minute: int = 60
    """To numbers, over trunks; phones of the house and SIP addresses are not counted."""


class RatedTrunk(Protocol):
    """A trunk with a limit of its own; None: as many as the server takes."""

    @property
    def sid(self) -> str: ...
    @property
    def calls_a_minute(self) -> int | None: ...


class CallPermissions:
    """The rules and the last minute's calls."""

    def __init__(self, settings: PermissionSettings) -> None:
        self._settings = settings
        self._placed: dict[str, deque[float]] = {}

    def check(self, number: str) -> None:
        """Raise `CallRefused` (13225) when a number may not be called."""
        if not self._settings.emergency and number.lstrip("+") in EMERGENCY:
            raise CallRefused(
                13225,
                f"{number} is an emergency number, which this server may not call "
                "(TOWNHALL_CALL_EMERGENCY=true allows it)",
            )
        if not self._settings.premium and number.startswith(PREMIUM):
            raise CallRefused(
                13225,
                f"{number} is a premium-rate or satellite number (TOWNHALL_CALL_PREMIUM=true allows them)",
            )

    def count(self, now: float) -> None:
        """One more call to a number; raises `CallRefused` (20429) when the minute has had its share."""
        limit = self._settings.calls_per_minute
        if not self._take("", limit, now):
            raise CallRefused(
                20429,
                f"{limit} calls to numbers were placed within a minute, "
                "which is all that TOWNHALL_CALLS_PER_MINUTE allows; try again later",
            )

    def has_room(self, trunk: RatedTrunk, now: float) -> bool:
        """Whether a trunk may carry one more call in this minute."""
        return trunk.calls_a_minute is None or self._recent(trunk.sid, now) < trunk.calls_a_minute

    def take_room(self, trunk: RatedTrunk, now: float) -> bool:
        """Count one more call over a trunk; False when it has had its share."""
        return trunk.calls_a_minute is None or self._take(trunk.sid, trunk.calls_a_minute, now)

    def _take(self, who: str, limit: int, now: float) -> bool:
        if self._recent(who, now) >= limit:
            return False
        self._placed[who].append(now)
        return True

    def _recent(self, who: str, now: float) -> int:
        placed = self._placed.setdefault(who, deque())
        while placed and now - placed[0] >= WINDOW_S:
            placed.popleft()
        return len(placed)
