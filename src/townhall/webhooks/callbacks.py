"""Status callbacks: sent and forgotten by who sends them; in order per resource, in parallel between
resources.

A call never waits for a callback. The queue is bounded and lives in memory: `send` is the seam behind which a
durable one can stand. A callback that fails is tried again a few times, then it is a notice (15003; 16011 for
conferences).
"""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from townhall.twiml.control import FetchFailed, Method, Notice
from townhall.webhooks.client import WebhookClient

_log = logging.getLogger(__name__)

Report = Callable[[str, Notice], None]
"""Takes the resource's SID and what went wrong."""


@dataclass(frozen=True, slots=True)
class CallbackSettings:
    most_waiting: int = 10_000
    most_at_once: int = 20
    retry_delays_s: tuple[float, ...] = (1.0, 4.0)
    drain_s: float = 2.0
    """How long `close` waits for what is under way."""


@dataclass(frozen=True, slots=True)
class _Callback:
    url: str
    method: Method
    parameters: tuple[tuple[str, str], ...]


class CallbackSender:
    """Sends callbacks through a `WebhookClient`; `report` is told of those that failed."""

    def __init__(
        self, client: WebhookClient, report: Report, settings: CallbackSettings = CallbackSettings()
    ) -> None:
        self._client = client
        self._report = report
        self._settings = settings
        self._waiting: dict[str, deque[_Callback]] = {}
        self._count = 0
        self._slots = asyncio.Semaphore(settings.most_at_once)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._closing = asyncio.Event()

    def send(
        self, resource_sid: str, url: str, method: Method, parameters: tuple[tuple[str, str], ...]
    ) -> None:
        """Queue a callback of a call or conference and return at once."""
        if self._closing.is_set() or self._count >= self._settings.most_waiting:
            reason = "the server stops" if self._closing.is_set() else f"{self._count} callbacks are waiting"
            self._failed(resource_sid, FetchFailed(11200, url, f"callback dropped: {reason}"))
            return
        self._count += 1
        self._waiting.setdefault(resource_sid, deque()).append(_Callback(url, method, parameters))
        if resource_sid not in self._tasks:
            self._tasks[resource_sid] = asyncio.create_task(self._send_in_order(resource_sid))

    async def idle(self) -> None:
        """Wait until everything queued so far has been sent or has failed."""
        while self._tasks:
            await asyncio.wait(tuple(self._tasks.values()))

    async def close(self) -> None:
        """Take no more, send what can be sent without delay, and report the rest."""
        self._closing.set()
        try:
            async with asyncio.timeout(self._settings.drain_s):
                await self.idle()
        except TimeoutError:
            tasks = tuple(self._tasks.values())
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        for resource_sid, callbacks in self._waiting.items():
            for callback in callbacks:
                failure = FetchFailed(11200, callback.url, "callback dropped: the server stops")
                self._failed(resource_sid, failure)
        self._waiting.clear()

    async def _send_in_order(self, resource_sid: str) -> None:
        queue = self._waiting[resource_sid]
        try:
            while queue:
                await self._send_one(resource_sid, queue[0])
                queue.popleft()
                self._count -= 1
            del self._waiting[resource_sid]
        finally:
            del self._tasks[resource_sid]

    async def _send_one(self, resource_sid: str, callback: _Callback) -> None:
        for delay_s in (*self._settings.retry_delays_s, None):
            try:
                async with self._slots:
                    await self._client.notify(callback.url, callback.method, callback.parameters)
                return
            except FetchFailed as failure:
                if delay_s is None or self._closing.is_set() or failure.code in _POINTLESS:
                    self._failed(resource_sid, failure)
                    return
            await self._wait_unless_closing(delay_s)

    async def _wait_unless_closing(self, delay_s: float) -> None:
        try:
            async with asyncio.timeout(delay_s):
                await self._closing.wait()
        except TimeoutError:
            return

    def _failed(self, resource_sid: str, failure: FetchFailed) -> None:
        code = 16011 if resource_sid.startswith("CF") else 15003
        message = f"status callback failed: {failure.message} ({failure.code})"
        _log.warning("%s: %s %s", resource_sid, failure.url, message)
        self._report(resource_sid, Notice(code, "warning", message, failure.url))


_POINTLESS = frozenset({11100, 11215, 11216, 11243})
"""Failures that a further try would only repeat."""
