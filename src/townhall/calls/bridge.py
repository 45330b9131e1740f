"""Two calls that hear each other: what `<Dial>` and a queue make of two live calls.

Each call stays in the bridge in its own task, as its `<Dial>` or `<Enqueue>` goes on from there. Whoever
leaves first ends it for both.
"""

import asyncio
import time
from typing import Any, Literal

from townhall.calls.control import LiveCall
from townhall.twiml.control import CallEnded

Left = Literal["other", "star", "time_limit"]
"""How a call came out of a bridge alive: the other one left, he pressed `*`, or his time was up."""


class Bridge:
    """A mix of two. `await bridge.stay(control)` in each call's task."""

    def __init__(self, name: str) -> None:
        """`name`: of the media bus, unique among those that are open: the SID of one of the two will do."""
        self.bus = f"bridge {name}"
        self.over: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        """Done when somebody has left, with his Call SID."""
        self._since: dict[str, float] = {}
        self._until: float | None = None

    @property
    def duration_s(self) -> int:
        """Whole seconds that both were in it, until now or the end; 0 if they never were."""
        until = time.monotonic() if self._until is None else self._until
        return round(until - max(self._since.values())) if self.complete else 0

    @property
    def complete(self) -> bool:
        """Whether two have been in it."""
        return len(self._since) > 1

    def end(self, call_sid: str = "") -> None:
        """Part the two; the first word counts."""
        if not self.over.done():
            self._until = time.monotonic()
            self.over.set_result(call_sid)

    async def stay(
        self, control: LiveCall, *, hangup_on_star: bool = False, time_limit_s: float | None = None
    ) -> Left:
        """Talk until somebody leaves.

        Raises `CallEnded` when this call is over and `CallRedirected` when it was given another document.
        """
        call, leg = control.call, control.leg
        interruption = call.interruption
        call.discard_digits()
        star = asyncio.ensure_future(pressed_star(control, hangup_on_star))
        enders: set[asyncio.Future[Any]] = {self.over, call.over, interruption, star}
        try:
            if not self.over.done():
                self._since[call.sid] = time.monotonic()
                leg.set_mix(self.bus, hears=True, heard=True)
            await asyncio.wait(enders, timeout=time_limit_s, return_when=asyncio.FIRST_COMPLETED)
            if call.over.done():
                raise CallEnded
            if interruption.done():
                raise control.obey(interruption)
            if self.over.done():
                return "other"
            return "star" if star.done() else "time_limit"
        finally:
            star.cancel()
            self.end(call.sid)
            leg.set_mix(None)


async def pressed_star(control: LiveCall, hangup_on_star: bool) -> None:
    """Keys mean nothing to us between two who talk, but for `*` with `hangupOnStar`."""
    while await control.call.digits.get() != "*" or not hangup_on_star:
        pass
