"""How often a PIN may be guessed: per caller and per line, across calls.

A PIN of four digits falls to 10,000 guesses, and a caller's number is easily forged, so limits per caller
alone stop nobody. Two limits stand together:

* **Per caller**: three wrong PINs are free, then each doubles the time until the next may be tried, from 30
  seconds to 4 hours. The right PIN clears the caller.
* **Per line and PIN**: strangers, all together, may be wrong 20 times at once, and after that as often as
  keeps the chance that anybody finds the PIN in a month of ceaseless guessing near 1 in 100. So the pause
  grows with how easy the PIN is: 7 hours for four digits, 43 minutes for five, 4 minutes for six, seconds for
  eight. A caller who at last gets it right has his own mistakes taken off the line's account.

The second limit would let a guesser lock the moderator out. Therefore whoever gave this PIN rightly within
the last 180 days is *known* and stands outside the line's limit, under his own only; a PIN of six digits or
more makes the lock a matter of minutes for everybody else; and a new PIN starts with a clean account. A
caller is known by his number, for a direct SIP call together with the address it came from; withheld numbers
are never known.

A guess that comes too early is refused whether it is right or not, so it teaches nothing. The decisions are
pure functions of two tallies and the time; `PinGuard` keeps the tallies, keyed by digests that reveal neither
PIN nor caller.
"""

import asyncio
import hashlib
import hmac
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from townhall.app.lines import Role
from townhall.app.tallies import Tallies, Tally

log = logging.getLogger(__name__)

FREE_GUESSES = 3
FIRST_DELAY_S = 30.0
LONGEST_DELAY_S = 4 * 3600.0
FORGIVEN_AFTER_S = 7 * 86400.0
KNOWN_FOR_S = 180 * 86400.0
LINE_BURST = 20
MONTH_S = 30 * 86400.0
RISK_A_MONTH = 0.01


@dataclass(frozen=True, slots=True)
class Guess:
    """Who tries to get past which PIN. `caller` is empty when the number is withheld."""

    line: str
    role: Role
    pin: str
    """The right PIN, not the one that was entered."""
    caller: str

    def __repr__(self) -> str:
        return f"Guess(line={self.line!r}, role={self.role!r})"


@dataclass(frozen=True, slots=True)
class Verdict:
    """`refused`: too early, and nothing is said about the PIN. `wait_s`: until the caller may try again."""

    outcome: Literal["right", "wrong", "refused"]
    wait_s: float = 0.0


class GuessGuard(Protocol):
    async def wait_s(self, guess: Guess) -> float:
        """Seconds until this caller may enter a PIN; 0: now."""

    async def judge(self, guess: Guess, right: bool) -> Verdict:
        """Decide about an entered PIN and remember it. `right`: whether it is the one."""


def caller_wait_s(caller: Tally, now: float) -> float:
    """Seconds until the caller's own limit allows another guess."""
    if caller.wrong < FREE_GUESSES:
        return 0.0
    delay = min(FIRST_DELAY_S * 2 ** min(caller.wrong - FREE_GUESSES, 30), LONGEST_DELAY_S)
    return max(0.0, caller.wrong_at + delay - now)


def line_wait_s(line: Tally, digits: int, now: float) -> float:
    """Seconds until the line's limit allows a stranger another guess at a PIN of so many digits."""
    over = _level(line, digits, now) + 1 - LINE_BURST
    return max(0.0, over * _pause_s(digits))


def is_known(caller: Tally, now: float) -> bool:
    """Whether the caller gave this PIN rightly not long ago."""
    return caller.right_at is not None and 0 <= now - caller.right_at < KNOWN_FOR_S


def decide(caller: Tally, line: Tally, right: bool, digits: int, now: float) -> tuple[Verdict, Tally, Tally]:
    """The verdict on one guess, and the tallies of caller and line after it. Times are seconds since the
    epoch.
    """
    if caller.wrong and now - caller.wrong_at > FORGIVEN_AFTER_S:
        caller = replace(caller, wrong=0)
    known = is_known(caller, now)
    wait_s = total_wait_s(caller, line, digits, now)
    if wait_s > 0:
        return Verdict("refused", wait_s), caller, line
    level = _level(line, digits, now)
    if right:
        cleared = Tally(wrong=0, wrong_at=caller.wrong_at, right_at=now)
        return Verdict("right"), cleared, Tally(wrong=max(0.0, level - caller.wrong), wrong_at=now)
    caller = replace(caller, wrong=caller.wrong + 1, wrong_at=now)
    if not known:
        line = Tally(wrong=level + 1, wrong_at=now)
    return Verdict("wrong", total_wait_s(caller, line, digits, now)), caller, line


def total_wait_s(caller: Tally, line: Tally, digits: int, now: float) -> float:
    """Seconds until both limits allow the caller another guess."""
    by_line = 0.0 if is_known(caller, now) else line_wait_s(line, digits, now)
    return max(caller_wait_s(caller, now), by_line)


def _pause_s(digits: int) -> float:
    return float(MONTH_S / (RISK_A_MONTH * 10 ** min(digits, 12)))


def _level(line: Tally, digits: int, now: float) -> float:
    """Wrong guesses on the line's account; it drains with time."""
    return max(0.0, line.wrong - max(0.0, now - line.wrong_at) / _pause_s(digits))


class PinGuard:
    """The default guard. `file`: where the tallies outlive a restart; None keeps them in memory only."""

    def __init__(
        self, secret: str = "", file: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self._secret = (secret or secrets.token_hex(16)).encode()
        self._tallies = Tallies(file)
        self._clock = clock
        self._deciding = asyncio.Lock()

    async def wait_s(self, guess: Guess) -> float:
        line = self._tallies.line(self._keys(guess)[0])
        return total_wait_s(self._caller(guess), line, len(guess.pin), self._clock())

    async def judge(self, guess: Guess, right: bool) -> Verdict:
        """One guess at a time: many calls at once get no more guesses than one after the other."""
        async with self._deciding:
            line_key, caller_key = self._keys(guess)
            now, digits = self._clock(), len(guess.pin)
            old_line = self._tallies.line(line_key)
            verdict, caller, line = decide(self._caller(guess), old_line, right, digits, now)
            if verdict.outcome != "refused":
                await self._tallies.put(line_key, line, caller_key if guess.caller else None, caller)
            if line_wait_s(line, digits, now) and not line_wait_s(old_line, digits, now):
                log.warning(
                    "line %s: somebody guesses the %s PIN; unknown callers must wait. Choose a longer one.",
                    guess.line,
                    guess.role,
                )
            return verdict

    def _caller(self, guess: Guess) -> Tally:
        """All who withhold their number look alike: none answers for another, the line's limit is theirs."""
        return self._tallies.caller(self._keys(guess)[1]) if guess.caller else Tally()

    def _keys(self, guess: Guess) -> tuple[str, str]:
        line = self._digest(guess.line, guess.role, guess.pin)
        return line, self._digest(line, guess.caller)

    def _digest(self, *parts: str) -> str:
        return hmac.new(self._secret, "\0".join(parts).encode(), hashlib.sha256).hexdigest()[:32]
