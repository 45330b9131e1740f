"""Where callers are queued: carries out what the rules (`townhall.queues`) command.

Nothing is awaited between an event and the last of its commands, so the rules see one event at a time and
nobody is served twice. The queues themselves are kept in the store; who waits in them is gone with his call.
"""

import asyncio
import time
from typing import Any, Protocol

from townhall.calls.bridge import Bridge, pressed_star
from townhall.calls.clips import ClipLibrary
from townhall.calls.control import LiveCall
from townhall.calls.queued import Connection, QueuedStay, Taking
from townhall.errors import TownhallError
from townhall.ids import new_sid
from townhall.queues import (
    MOST_QUEUES,
    CallerJoined,
    CallerLeft,
    CallerPrepared,
    Command,
    Connect,
    Event,
    Prepare,
    Queue,
    Queues,
    Resume,
    TakerJoined,
    TakerLeft,
    TooManyQueues,
)
from townhall.store import QueueRecord
from townhall.twiml.control import (
    CallEnded,
    CallRedirected,
    DialOutcome,
    EnqueueOutcome,
    EnqueuePlan,
    Notice,
    QueueResult,
    QueueTarget,
)

NO_SUCH_QUEUE = 14214
"""The number of a `<Dial><Queue>` that names none; Twilio's pages name no own number for it."""
SYSTEM_ERROR = 12400

_LOOK_AGAIN_S = 1.0


class QueueBook(Protocol):
    """Where queues are kept (`store.queues`)."""

    async def ensure(self, friendly_name: str) -> QueueRecord: ...

    async def list(self) -> list[QueueRecord]: ...


class QueueHall:
    """All queues of the server, and the calls in them."""

    def __init__(self, clips: ClipLibrary, book: QueueBook) -> None:
        self._clips = clips
        self._book = book
        self.queues = Queues(lambda: new_sid("QU"))
        self._stays: dict[str, QueuedStay] = {}
        self._takings: dict[str, Taking] = {}

    async def restore(self) -> None:
        """Take in the queues that were kept, when the server starts."""
        for record in await self._book.list():
            self.adopt(record)

    def adopt(self, record: QueueRecord) -> Queue:
        """Make the queue of a record, or make it as the record says."""
        queue = self.queues.get(record.sid)
        if queue is None:
            return self.queues.create(record.friendly_name, record.max_size, record.sid)
        self.queues.rename(queue, record.friendly_name)
        queue.max_size = record.max_size
        return queue

    def check_room(self) -> None:
        """Raises `TooManyQueues` when no further one can be made."""
        if len(self.queues) >= MOST_QUEUES:
            raise TooManyQueues(f"there are {MOST_QUEUES} queues; remove some that are not needed any more")

    def now(self) -> float:
        """The rules' clock, in seconds."""
        return time.monotonic()

    def stay(self, call_sid: str) -> QueuedStay | None:
        """A caller's time in a queue, while he waits."""
        return self._stays.get(call_sid)

    # ---- a caller's way through ----

    async def enqueue(self, control: LiveCall, plan: EnqueuePlan) -> EnqueueOutcome:
        """Wait in the queue, and talk to who takes the caller out of it."""
        try:
            queue = await self._queue(plan.name)
        except TownhallError as error:
            notice = Notice(SYSTEM_ERROR, "error", f"<Enqueue> {plan.name!r}: {error}")
            return EnqueueOutcome("system-error", error=notice)
        if control.call.over.done():
            return EnqueueOutcome("hangup", interruption=CallEnded())
        if queue.full:
            return EnqueueOutcome("queue-full")
        stay = QueuedStay(control, queue, plan, self._clips, lambda: self._standing(stay))
        self._stays[stay.call_sid] = stay
        control.call.discard_digits()
        stay.start_waiting()
        self.handle(queue, CallerJoined(stay.call_sid))
        try:
            return await self._wait(stay)
        finally:
            self.handle(queue, CallerLeft(stay.call_sid))
            self._stays.pop(stay.call_sid, None)
            stay.sound.stop()

    async def _queue(self, name: str) -> Queue:
        """The queue of this name, made now if there was none."""
        queue = self.queues.find(name)
        if queue is not None:
            return queue
        self.check_room()
        return self.adopt(await self._book.ensure(name))

    async def _wait(self, stay: QueuedStay) -> EnqueueOutcome:
        call, control = stay.control.call, stay.control
        interruption = call.interruption
        ways_out: set[asyncio.Future[Any]] = {stay.connected, stay.went_out, call.over, interruption}
        await asyncio.wait(ways_out, return_when=asyncio.FIRST_COMPLETED)
        if stay.connected.done():
            return await self._talk(stay, stay.connected.result(), interruption)
        if call.over.done():
            return self._outcome(stay, "hangup", CallEnded())
        if interruption.done():
            return self._outcome(stay, "redirected", control.obey(interruption))
        out = stay.went_out.result()
        self.handle(stay.queue, CallerLeft(stay.call_sid))
        stay.sound.stop()
        await stay.sound.ended()
        waited_s = round(time.monotonic() - stay.since)
        return EnqueueOutcome(out.result, stay.queue.sid, waited_s, out.notice)

    async def _talk(
        self, stay: QueuedStay, connection: Connection, interruption: asyncio.Future[CallRedirected]
    ) -> EnqueueOutcome:
        waited_s = round(connection.waited_s)
        await stay.sound.ended()
        try:
            if interruption.done():
                connection.bridge.end(stay.call_sid)
                raise stay.control.obey(interruption)
            await connection.bridge.stay(stay.control)
        except CallEnded as ended:
            return EnqueueOutcome("bridged", stay.queue.sid, waited_s, interruption=ended)
        except CallRedirected as redirected:
            return EnqueueOutcome(
                "redirected-from-bridged", stay.queue.sid, waited_s, interruption=redirected
            )
        return EnqueueOutcome("bridged", stay.queue.sid, waited_s)

    def _outcome(
        self, stay: QueuedStay, result: QueueResult, interruption: CallEnded | CallRedirected
    ) -> EnqueueOutcome:
        waited_s = round(time.monotonic() - stay.since)
        return EnqueueOutcome(result, stay.queue.sid, waited_s, interruption=interruption)

    def _standing(self, stay: QueuedStay) -> list[tuple[str, str]]:
        now, queue = self.now(), stay.queue
        return [
            ("QueuePosition", str(queue.position(stay.call_sid))),
            ("QueueSid", queue.sid),
            ("QueueTime", str(round(now - stay.since))),
            ("AvgQueueTime", str(round(queue.average_wait_s(now)))),
            ("CurrentQueueSize", str(queue.size)),
            ("MaxQueueSize", str(queue.max_size)),
        ]

    # ---- a taker's way through ----

    async def take(
        self,
        control: LiveCall,
        target: QueueTarget,
        *,
        timeout_s: float,
        hangup_on_star: bool = False,
        time_limit_s: float | None = None,
    ) -> DialOutcome:
        """Wait for the queue's head and talk to him; `timeout_s` bounds the waiting, `time_limit_s` the
        talk.
        """
        queue = self.queues.find(target.name)
        if queue is None:
            message = f"<Dial><Queue>: there is no queue {target.name!r}"
            return DialOutcome("failed", error=Notice(NO_SUCH_QUEUE, "error", message))
        try:
            connection = await self._seek(
                Taking(control, queue, target, self._clips), timeout_s, hangup_on_star
            )
        except (CallEnded, CallRedirected) as interruption:
            return DialOutcome("canceled", interruption=interruption)
        if connection is None:
            return DialOutcome("no-answer")
        interrupted: CallEnded | CallRedirected | None = None
        bridge = connection.bridge
        try:
            await bridge.stay(control, hangup_on_star=hangup_on_star, time_limit_s=time_limit_s)
        except (CallEnded, CallRedirected) as interruption:
            interrupted = interruption
        return DialOutcome(
            "completed", connection.other_sid, bridge.duration_s, bridge.complete, interruption=interrupted
        )

    async def _seek(self, taking: Taking, timeout_s: float, hangup_on_star: bool) -> Connection | None:
        """The connection with a caller; None when nobody came in time or the taker pressed `*`."""
        control, queue = taking.control, taking.queue
        if control.call.over.done():
            raise CallEnded
        self._takings[control.call.sid] = taking
        control.call.discard_digits()
        taking.sound.music()
        try:
            self.handle(queue, TakerJoined(control.call.sid, prepares=bool(taking.target.url)))
            return await self._expect(taking, timeout_s, hangup_on_star)
        finally:
            self._takings.pop(control.call.sid, None)
            self.handle(queue, TakerLeft(control.call.sid))
            taking.sound.stop()
            await taking.sound.ended()

    async def _expect(self, taking: Taking, timeout_s: float, hangup_on_star: bool) -> Connection | None:
        call = taking.control.call
        interruption = call.interruption
        star = asyncio.ensure_future(pressed_star(taking.control, hangup_on_star))
        ways_out: set[asyncio.Future[Any]] = {taking.connected, call.over, interruption, star}
        try:
            await asyncio.wait(ways_out, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
            while taking.expecting and not any(way.done() for way in ways_out):
                # A caller hears his document already: he gets his taker, be the time up.
                await asyncio.wait(ways_out, timeout=_LOOK_AGAIN_S, return_when=asyncio.FIRST_COMPLETED)
        finally:
            star.cancel()
        if taking.connected.done() and not interruption.done():
            return taking.connected.result()
        if taking.connected.done():
            taking.connected.result().bridge.end(call.sid)
        if interruption.done():
            raise taking.control.obey(interruption)
        if call.over.done():
            raise CallEnded
        return None

    # ---- the rules' commands ----

    def handle(self, queue: Queue, event: Event) -> None:
        """Tell the rules what happened and carry out what they command, in order."""
        for command in queue.handle(event, self.now()):
            self._carry_out(queue, command)

    def _carry_out(self, queue: Queue, command: Command) -> None:
        stay = self._stays[command.call_sid]
        match command:
            case Prepare(call_sid, taker):
                target = self._takings[taker].target
                stay.prepare(target, taker, lambda: self.handle(queue, CallerPrepared(call_sid)))
            case Resume():
                stay.start_waiting()
            case Connect(call_sid, taker, waited_s):
                taking = self._takings[taker]
                bridge = Bridge(call_sid)
                stay.sound.stop()
                taking.sound.stop()
                stay.connected.set_result(Connection(bridge, taker, waited_s))
                taking.connected.set_result(Connection(bridge, call_sid, waited_s))
