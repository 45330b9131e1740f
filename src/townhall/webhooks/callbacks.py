"""Status callbacks: sent and forgotten by who sends them, kept until they are delivered or given up.

In order per resource, in parallel between resources, and never in the way of a call: `send` only queues. What
fails is tried again with growing pauses for hours; a receiver that is down delays nobody but itself and gets
what it missed, in order. An `Outbox` keeps them over restarts, so each is delivered at least once; the
idempotency token of a callback is the same at every try. What is given up is a notice: 15003, or 16011 for
conferences.
"""

import asyncio
import contextlib
import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from townhall.twiml.control import FetchFailed, Method, Notice
from townhall.webhooks.client import WebhookClient
from townhall.webhooks.failures import RequestFailed, is_in_vain, is_silent, is_unreachable
from townhall.webhooks.lanes import Lane, Lanes, Pauses
from townhall.webhooks.outbox import Callback, NoOutbox, Outbox, Pairs, encode

_log = logging.getLogger(__name__)

Report = Callable[[str, Notice], None]
"""Takes the resource's SID and what went wrong."""


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    most_waiting: int = 50_000
    """About 1 kB each in memory; beyond it the oldest is given up."""
    most_at_once: int = 64
    most_at_once_per_receiver: int = 16
    pauses: Pauses = field(default_factory=Pauses)
    keep_s: float = 4 * 3600.0
    """How long a callback is tried."""
    drain_s: float = 2.0
    """How long `close` waits for what is under way."""


class CallbackSender:
    """Sends callbacks through a `WebhookClient`; `report` is told of those that were given up.

    `start()` takes over what an earlier process left in the outbox.
    """

    def __init__(
        self,
        client: WebhookClient,
        report: Report,
        settings: CallbackSettings = CallbackSettings(),
        outbox: Outbox | None = None,
    ) -> None:
        self._client = client
        self._report = report
        self._settings = settings
        self._outbox: Outbox = outbox or NoOutbox()
        self._keeps = outbox is not None
        self._lanes = Lanes(settings.pauses, settings.most_at_once_per_receiver)
        self._tasks: set[asyncio.Task[None]] = set()
        self._alarm: asyncio.TimerHandle | None = None
        self._changed = asyncio.Event()
        self._closing = False
        self._closed = False
        self._last_number = 0
        self.delivered = 0
        """How many arrived since the start."""

    @property
    def waiting(self) -> int:
        return len(self._lanes)

    async def start(self) -> None:
        """Send what an earlier process could not. Call it before anything is sent."""
        for kept in await self._outbox.due():
            if kept.consented:
                self._client.consent(kept.url)
            encoded = encode(kept.parameters)
            self._lanes.add(
                Callback(
                    kept.number, kept.resource_sid, kept.url, kept.method, encoded, kept.at, kept.attempts
                )
            )
            self._last_number = max(self._last_number, kept.number)
        if len(self._lanes):
            _log.info("%d callbacks of an earlier run wait to be delivered", len(self._lanes))
        self._pump()

    def send(self, resource_sid: str, url: str, method: Method, parameters: Pairs) -> None:
        """Queue a callback of a call, conference or recording and return at once."""
        if self._closing and not self._keeps:
            self._given_up(resource_sid, FetchFailed(11200, url, "the server stops"))
            return
        # Microseconds, so that numbers go on growing over restarts also when nothing was left.
        self._last_number = number = max(self._last_number + 1, time.time_ns() // 1000)
        callback = Callback(number, resource_sid, url, method, encode(parameters))
        self._outbox.add(
            number,
            resource_sid=resource_sid,
            url=url,
            method=method,
            parameters=parameters,
            consented=self._client.consents(url),
            at=callback.at,
        )
        self._lanes.add(callback)
        while len(self._lanes) > self._settings.most_waiting:
            if (oldest := self._lanes.oldest()) is None:
                break
            reason = f"{self._settings.most_waiting} callbacks are waiting"
            self._drop(oldest, FetchFailed(11200, oldest.url, reason))
        self._pump()

    async def idle(self) -> None:
        """Wait until everything queued so far has been delivered or given up."""
        while len(self._lanes):
            self._changed.clear()
            await self._changed.wait()

    async def close(self) -> None:
        """Send what can be sent without delay; the rest stays in the outbox, or is reported if there is
        none.
        """
        self._closing = True
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._settings.drain_s):
                while self._tasks:
                    await asyncio.wait(tuple(self._tasks))
        self._closed = True
        if self._alarm is not None:
            self._alarm.cancel()
        tasks = tuple(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._keeps:
            if len(self._lanes):
                _log.info("%d callbacks are kept for the next start", len(self._lanes))
            return
        for callback in self._lanes:
            self._given_up(callback.resource_sid, FetchFailed(11200, callback.url, "the server stops"))

    # ---- inside ----

    def _pump(self) -> None:
        """Start whatever may be sent now, and come back when more may be."""
        if self._closed:
            return
        now = asyncio.get_running_loop().time()
        while len(self._tasks) < self._settings.most_at_once and (lane := self._lanes.take(now)):
            task = asyncio.create_task(self._deliver(lane))
            self._tasks.add(task)
            task.add_done_callback(self._finished)
        self._set_alarm(now)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._changed.set()
        if not task.cancelled():
            self._pump()

    def _set_alarm(self, now: float) -> None:
        wake_at = self._lanes.wake_at()
        if self._alarm is not None:
            self._alarm.cancel()
            self._alarm = None
        # While every slot is taken, the end of a task wakes us; while we close, nobody does.
        if wake_at is not None and wake_at > now and not self._closing:
            self._alarm = asyncio.get_running_loop().call_at(wake_at, self._pump)

    async def _deliver(self, lane: Lane) -> None:
        callback = lane.head
        try:
            await self._client.notify(
                callback.url,
                "GET" if callback.method == "GET" else "POST",
                callback.parameters,
                str(uuid.uuid5(uuid.NAMESPACE_OID, f"{callback.resource_sid} {callback.number}")),
            )
        except FetchFailed as failure:
            self._failed(lane, callback, failure)
        except BaseException:
            self._lanes.interrupted(lane)
            raise
        else:
            self.delivered += 1
            self._outbox.done(callback.number)
            self._lanes.delivered(lane)

    def _failed(self, lane: Lane, callback: Callback, failure: FetchFailed) -> None:
        now = asyncio.get_running_loop().time()
        callback.attempts += 1
        if isinstance(failure, RequestFailed) and failure.status is not None:
            self._lanes.answered(lane)
        expiry = datetime.now(UTC) - timedelta(seconds=self._settings.keep_s)
        if is_in_vain(failure) or callback.at <= expiry:
            self._lanes.given_up(lane)
            self._drop(callback, failure)
            return
        self._outbox.failed(callback.number, callback.attempts)
        level = logging.INFO if callback.attempts == 1 else logging.DEBUG
        _log.log(level, "callback of %s is tried again later: %s", callback.resource_sid, failure)
        if not is_unreachable(failure):
            put_off = self._lanes.unanswered if is_silent(failure) else self._lanes.put_off
            put_off(lane, now)
            return
        self._lanes.unreachable(lane, now)
        for expired in self._lanes.expired(lane.receiver, expiry):
            self._drop(expired, failure)

    def _drop(self, callback: Callback, failure: FetchFailed) -> None:
        self._outbox.done(callback.number)
        self._given_up(callback.resource_sid, failure, callback.attempts)
        self._changed.set()

    def _given_up(self, resource_sid: str, failure: FetchFailed, attempts: int = 0) -> None:
        code = 16011 if resource_sid.startswith("CF") else 15003
        tries = f" after {attempts} tries" if attempts > 1 else ""
        message = f"status callback given up{tries}: {failure.message} ({failure.code})"
        self._report(resource_sid, Notice(code, "warning", message, failure.url))
