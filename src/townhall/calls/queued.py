"""One call's time in a queue: a caller who waits and what he hears, or a taker who waits for a caller."""

import asyncio
import logging
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from townhall.calls.bridge import Bridge
from townhall.calls.clips import ClipLibrary
from townhall.calls.control import LiveCall
from townhall.queues import Queue
from townhall.twiml import QueueWait, run_wait_document
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    DocumentRequest,
    EnqueuePlan,
    FetchFailed,
    Notice,
    QueueTarget,
)

log = logging.getLogger(__name__)

MUSIC_INSTEAD_S = 10.0
"""So long the default music stands in for a `waitUrl` that failed, before it is asked for again."""

WHISPER_FAILED = 14211


@dataclass(frozen=True, slots=True)
class Connection:
    """Who talks to whom, from the queue's point of view."""

    bridge: Bridge
    other_sid: str
    waited_s: float


@dataclass(frozen=True, slots=True)
class WentOut:
    """Why a caller left on account of his wait document."""

    result: Literal["leave", "error", "system-error"]
    notice: Notice | None = None


class QueueSound:
    """What one call hears while it waits; one thing at a time."""

    def __init__(self, control: LiveCall, clips: ClipLibrary, on_fault: Callable[[], None]) -> None:
        self.control = control
        self._clips = clips
        self._on_fault = on_fault
        self._task: asyncio.Task[None] | None = None

    def play(self, work: Coroutine[Any, Any, None]) -> None:
        """Let the call hear this instead of what it heard."""
        self.stop()
        self._task = asyncio.create_task(self._heard(work), name=f"queue of {self.control.call.sid}")

    def music(self) -> None:
        self.play(self.control.play_forever(self._clips.hold_music))

    def stop(self) -> None:
        """Silence at once, mid-word; the task that played ends on its own a moment later."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            self.control.silence()

    async def ended(self) -> None:
        if self._task is not None:
            await asyncio.wait({self._task})

    async def _heard(self, work: Coroutine[Any, Any, None]) -> None:
        try:
            # A hang-up or a redirection is obeyed by the call's own task.
            await work
        except (CallEnded, CallRedirected):
            return
        except Exception:
            log.exception("%s: a fault of the server in the queue's sound", self.control.call.sid)
            self._on_fault()


@dataclass(eq=False)
class QueuedStay:
    """A caller in a queue, until he is connected or has left."""

    control: LiveCall
    queue: Queue
    plan: EnqueuePlan
    clips: ClipLibrary
    standing: Callable[[], list[tuple[str, str]]]
    """The parameters that tell a wait document how he stands."""
    enqueued_at: datetime = field(default_factory=lambda: datetime.now(UTC))
    since: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        loop = asyncio.get_running_loop()
        self.connected: asyncio.Future[Connection] = loop.create_future()
        self.went_out: asyncio.Future[WentOut] = loop.create_future()
        self.sound = QueueSound(self.control, self.clips, lambda: self._go_out(WentOut("system-error")))
        self._wait: QueueWait | None = None

    @property
    def call_sid(self) -> str:
        return self.control.call.sid

    def start_waiting(self) -> None:
        """The wait document, the default music or silence, from the beginning."""
        if self.plan.wait_url:
            self.sound.play(self._documents(self.plan.wait_url))
        elif self.plan.wait_url is None:
            self.sound.music()
        else:
            self.sound.stop()

    def prepare(self, target: QueueTarget, taker_sid: str, prepared: Callable[[], None]) -> None:
        """Let him hear his taker's document; `prepared` is called when he has or when it failed, not when his
        call has ended or gone elsewhere.
        """
        assert target.url is not None
        parameters = (
            ("QueueSid", self.queue.sid),
            ("QueueTime", str(round(time.monotonic() - self.since))),
            ("DequeingCallSid", taker_sid),
        )
        self.sound.play(self._whisper(DocumentRequest(target.url, target.method, parameters), prepared))

    async def _documents(self, url: str) -> None:
        if self._wait is None:
            request = DocumentRequest(url, self.plan.wait_method)
            self._wait = QueueWait(self.control, request, self.standing)
        while True:
            try:
                await self._wait.run()
                return self._go_out(WentOut("leave"))
            except FetchFailed as failure:
                notice = Notice(failure.code, "error", f"waitUrl: {failure.message}", failure.url)
                if not self._wait.worked:
                    return self._go_out(WentOut("error", notice))
                self.control.report(notice)
            await self._music_instead()

    async def _music_instead(self) -> None:
        """One who has waited does not lose his place to a webhook that is down for a moment."""
        try:
            async with asyncio.timeout(MUSIC_INSTEAD_S):
                await self.control.play_forever(self.clips.hold_music)
        except TimeoutError:
            return

    async def _whisper(self, request: DocumentRequest, prepared: Callable[[], None]) -> None:
        try:
            await run_wait_document(self.control, request, loop_audio=False)
        except FetchFailed as failure:
            message = f"<Queue url>: {failure.message}; the two are connected without it"
            self.control.report(Notice(WHISPER_FAILED, "error", message, failure.url))
        prepared()

    def _go_out(self, out: WentOut) -> None:
        if not self.went_out.done():
            self.went_out.set_result(out)


@dataclass(eq=False)
class Taking:
    """A call that dials a queue, until it is connected or gives up."""

    control: LiveCall
    queue: Queue
    target: QueueTarget
    clips: ClipLibrary

    def __post_init__(self) -> None:
        self.connected: asyncio.Future[Connection] = asyncio.get_running_loop().create_future()
        self.sound = QueueSound(self.control, self.clips, lambda: None)

    @property
    def expecting(self) -> bool:
        """Whether a caller is being prepared for him."""
        sid = self.control.call.sid
        return any(caller.taker == sid for caller in self.queue.callers)
