"""Session timers: who keeps a call alive, and what happens when nobody does (RFC 4028).

We answer what the peer asks for and never ask by ourselves; a smaller interval than ours is refused with 422.
"""

from collections.abc import Callable
from dataclasses import dataclass

from townhall.sip.message import Request, Response
from townhall.sip.transaction import Timer, TimerQueue


@dataclass(frozen=True, slots=True)
class SessionInterval:
    """An agreed interval in seconds and which end of the last transaction refreshes."""

    seconds: int
    refresher: str

    @property
    def header(self) -> tuple[str, str]:
        return "Session-Expires", f"{self.seconds};refresher={self.refresher}"


class IntervalTooSmall(Exception):
    """The peer asks for less than our minimum: answer 422 with Min-SE."""


def answer_interval(request: Request, minimum_s: int) -> SessionInterval | None:
    """What a UAS puts into its 2xx (section 9); None when the request asks for no timer.

    Raises IntervalTooSmall when the peer knows timers and asks for less than `minimum_s`.
    """
    asked = request.session_expires
    if asked is None:
        return None
    peer_knows = "timer" in request.supported or "timer" in request.require
    if asked.delta_s < minimum_s:
        if peer_knows:
            raise IntervalTooSmall
        return SessionInterval(minimum_s, "uas")  # a proxy asked; only we can refresh
    if not peer_knows:
        return SessionInterval(asked.delta_s, "uas")
    return SessionInterval(asked.delta_s, asked.refresher or "uac")


def interval_headers(request: Request, interval: SessionInterval | None) -> list[tuple[str, str]]:
    """The headers of a 2xx for an agreed interval; Require makes the peer's duty binding (section 9)."""
    if interval is None:
        return []
    headers = [interval.header]
    if interval.refresher == "uac" or "timer" in request.supported:
        headers.append(("Require", "timer"))
    return headers


def interval_of(response: Response) -> SessionInterval | None:
    """What the UAS's 2xx to a request of ours settled (section 7.2)."""
    agreed = response.session_expires
    return None if agreed is None else SessionInterval(agreed.delta_s, agreed.refresher or "uac")


class SessionTimer:
    """Calls `refresh(now)` at half of the interval when that is our duty, else `expire(now)` when the peer
    failed.
    """

    def __init__(
        self, timers: TimerQueue, refresh: Callable[[float], None], expire: Callable[[float], None]
    ) -> None:
        self.seconds: int | None = None
        self.we_refresh = False
        self._timers = timers
        self._refresh = refresh
        self._expire = expire
        self._running: list[Timer] = []

    def agree(self, interval: SessionInterval | None, *, we_are: str, now: float) -> None:
        """Start anew after a 2xx; `we_are` is "uac" or "uas" in its transaction. None ends the timers."""
        self.stop()
        self.seconds = None if interval is None else interval.seconds
        if interval is None:
            return
        self.we_refresh = interval.refresher == we_are
        # Section 10: the one who waits hangs up a little before the end, so that both agree that it was the
        # end.
        margin = min(32.0, interval.seconds / 3)
        self._running = [self._timers.start(now + interval.seconds - margin, self._expire)]
        if self.we_refresh:
            self._running.append(self._timers.start(now + interval.seconds / 2, self._refresh))

    def request_headers(self) -> tuple[tuple[str, str], ...]:
        """What our own re-INVITE or UPDATE says, so that the roles stay as they are."""
        if self.seconds is None:
            return ()
        refresher = "uac" if self.we_refresh else "uas"
        return (("Session-Expires", f"{self.seconds};refresher={refresher}"),)

    def stop(self) -> None:
        for timer in self._running:
            timer.cancel()
        self._running = []
