"""A call: who talks to whom, what it runs, and how it ended.

It holds state and decides nothing: the document's verbs act on it through `control`, the conference through
`hall`.
"""

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from townhall.calls.negotiation import CallAudio
from townhall.calls.parameters import voice_parameters
from townhall.signalling.protocols import CallInvite, CallSession
from townhall.twiml.control import CallRedirected, Method
from townhall.webhooks import Cookies

if TYPE_CHECKING:
    from townhall.calls.plan import OutboundPlan

log = logging.getLogger(__name__)

_DIGITS_KEPT = 128
_SAME_PRESS_S = 0.4

Listener = Callable[["Call", str], None]
"""Told of each step of a call: `initiated` (the first INVITE goes out), then its statuses as they come,
`ringing`, `in-progress`, and one of the final ones at the end."""

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True, slots=True)
class Route:
    """Where a number leads: the voice URL and its fallback, as absolute URLs, and who is told of the end."""

    voice_url: str
    voice_method: Method = "POST"
    fallback_url: str | None = None
    fallback_method: Method = "POST"
    status_callback: str | None = None
    status_callback_method: Method = "POST"
    tells_when_full: bool = False
    """Whether its document has words for callers for whom there is no room (`ServerFull`)."""


@dataclass(eq=False)
class Call:
    sid: str
    account_sid: str
    from_: str
    to: str
    audio: CallAudio
    route: Route | None = None
    """Where the number that was called leads; None for a call of ours."""
    invite: CallInvite | None = None
    """How a call came in; None for a call of ours."""
    session: CallSession | None = None
    """With the phone or browser; None for a call of ours before its first INVITE. A call that is tried over
    several ways has one after the other."""
    plan: "OutboundPlan | None" = None
    """What a call of ours is for."""
    parent_call_sid: str | None = None
    """The call whose `<Dial>` made this one."""
    own_parameters: list[tuple[str, str]] = field(default_factory=list)
    direction: str = "inbound"
    status: str = "ringing"
    cookies: Cookies = field(default_factory=Cookies)
    started_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    answered_at: datetime | None = None
    over: asyncio.Future[str] = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Done when the call is over, with the cause in words."""
    ended_by_api: bool = False
    sip_status: int | None = None
    """The last SIP status of a call of ours: 200, or why nobody answered."""
    interruption: asyncio.Future[CallRedirected] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    """Done when the API gave the call another document; whoever obeys it puts a fresh one in its place."""

    def __post_init__(self) -> None:
        self.digits: asyncio.Queue[str] = asyncio.Queue(_DIGITS_KEPT)
        self.listeners: list[Listener] = []
        self.early_media = False
        """Whether a call of ours has sent sound before its answer."""
        self.on_early_media: Callable[[], None] | None = None
        self._told_end = False
        self._last_press: tuple[str, str, float] = ("", "", 0.0)

    @property
    def call_id(self) -> str:
        """The SIP Call-ID; empty before there is one."""
        return self.session.call_id if self.session is not None else ""

    @property
    def parameters(self) -> list[tuple[str, str]]:
        return [
            *voice_parameters(
                call_sid=self.sid,
                account_sid=self.account_sid,
                from_=self.from_,
                to=self.to,
                status=self.status,
                direction=self.direction,
            ),
            *([("ParentCallSid", self.parent_call_sid)] if self.parent_call_sid else []),
            *self.own_parameters,
        ]

    @property
    def duration_s(self) -> int:
        """Whole seconds since the answer; 0 for a call that never was."""
        return round((datetime.now(UTC) - self.answered_at).total_seconds()) if self.answered_at else 0

    def take_session(self, session: CallSession) -> None:
        """What the peer offers, answers and presses within the session reaches this call."""
        self.session = session
        session.on_offer = self.audio.renegotiate
        session.on_answer = self.audio.accept
        session.on_digit = lambda digit, duration_ms: self.press(digit, "info")

    def end(self, cause: str) -> None:
        """Note that the call is over; whatever it runs stops at its next step. The first cause counts."""
        if not self.over.done():
            if self.status == "in-progress":
                self.status = "completed"
            self.over.set_result(cause)

    def hears_early(self) -> None:
        """Early media came in: there is something to hear before the answer."""
        self.early_media = True
        if self.on_early_media is not None:
            self.on_early_media()

    def became(self, status: str) -> None:
        """Note a status (`initiated` is told, and never one), and tell the listeners; a final one once."""
        if self._told_end:
            return
        self._told_end = status in FINAL
        if status != "initiated":
            self.status = status
        for listener in list(self.listeners):
            try:
                listener(self, status)
            except Exception:
                # Whoever listens must not end the call.
                log.exception("%s: a listener failed at %s", self.sid, status)

    async def hang_up(self, reason_header: str | None = None) -> None:
        """BYE, CANCEL while a call of ours rings, or a refusal of one that came in and was not answered."""
        if self.session is not None:
            await self.session.hang_up(reason_header)

    def redirect(self, to: CallRedirected) -> None:
        """Leave the running document wherever it is and run this one; the last word counts."""
        if self.interruption.done():
            self.interruption = asyncio.get_running_loop().create_future()
        self.interruption.set_result(to)

    def press(self, digit: str, way: str) -> None:
        """A key came in by one way (`media`, `info`). Phones that send both ways press only once."""
        last_digit, last_way, last_at = self._last_press
        now = time.monotonic()
        if digit == last_digit and way != last_way and now - last_at < _SAME_PRESS_S:
            return
        self._last_press = (digit, way, now)
        if not self.digits.full():
            self.digits.put_nowait(digit)

    def discard_digits(self) -> None:
        while not self.digits.empty():
            self.digits.get_nowait()
