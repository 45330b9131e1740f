"""Queues from outside the call: what the REST API lists, makes, changes and removes, whom it takes out."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol, TypedDict, Unpack

from townhall.calls.queued import QueuedStay
from townhall.calls.queueing import QueueBook, QueueHall
from townhall.errors import TownhallError
from townhall.queues import CallerLeft, LocalProtocolError, Queue
from townhall.store import DuplicateError, QueueRecord, StoreError, UnknownRecordError
from townhall.twiml.control import CallRedirected, DocumentRequest

FRONT = "Front"
"""Stands for the Call SID of the queue's head."""


class QueueError(TownhallError):
    """What was asked of a queue cannot be done; `code` is Twilio's number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True, slots=True)
class QueueView:
    """A queue as it stands now."""

    record: QueueRecord
    current_size: int
    average_wait_time_s: int


@dataclass(frozen=True, slots=True)
class MemberView:
    """A caller who waits; `position` 1 is the head."""

    queue_sid: str
    call_sid: str
    date_enqueued: datetime
    position: int
    wait_time_s: int


Members = list[MemberView]


class QueueChanges(TypedDict, total=False):
    friendly_name: str
    max_size: int


class QueueShelf(QueueBook, Protocol):
    """Where queues are kept (`store.queues`)."""

    async def add(self, record: QueueRecord) -> QueueRecord: ...

    async def get(self, sid: str) -> QueueRecord | None: ...

    async def change(self, sid: str, /, **changes: Unpack[QueueChanges]) -> QueueRecord: ...

    async def remove(self, sid: str) -> None: ...


class QueueDesk:
    """Every method raises `QueueError`: 20404 for what there is not, 20001 for a value that cannot be, 20409
    for a name that is taken or a queue that is not empty.
    """

    def __init__(self, hall: QueueHall, shelf: QueueShelf) -> None:
        self._hall = hall
        self._shelf = shelf

    def view(self, record: QueueRecord) -> QueueView:
        """A stored queue with what is known of it now."""
        queue = self._hall.queues.get(record.sid)
        if queue is None:
            return QueueView(record, 0, 0)
        return QueueView(record, queue.size, round(queue.average_wait_s(self._hall.now())))

    async def list(self) -> list[QueueView]:
        return [self.view(record) for record in await self._shelf.list()]

    async def get(self, sid: str) -> QueueView:
        record = await self._shelf.get(sid)
        if record is None:
            raise _no_queue(sid)
        return self.view(record)

    async def create(self, friendly_name: str, max_size: int | None = None) -> QueueView:
        name = " ".join(friendly_name.split())
        record = QueueRecord(name) if max_size is None else QueueRecord(name, max_size)
        try:
            self._hall.check_room()
            await self._shelf.add(record)
        except TownhallError as error:
            raise _refused(error) from error
        self._hall.adopt(record)
        return self.view(record)

    async def update(self, sid: str, **changes: Unpack[QueueChanges]) -> QueueView:
        """A smaller `max_size` turns nobody out."""
        if "friendly_name" in changes:
            changes["friendly_name"] = " ".join(changes["friendly_name"].split())
        try:
            record = await self._shelf.change(sid, **changes)
        except TownhallError as error:
            raise _refused(error) from error
        self._hall.adopt(record)
        return self.view(record)

    async def delete(self, sid: str) -> None:
        queue = self._queue(sid)
        try:
            self._hall.queues.remove(queue)
            await self._shelf.remove(sid)
        except LocalProtocolError as error:
            raise QueueError(
                20409, f"queue {sid} has calls in it; only an empty one can be deleted"
            ) from error
        except TownhallError as error:
            raise _refused(error) from error

    # ---- who waits ----

    def members(self, sid: str) -> Members:
        """Everybody who waits in the queue, the head first."""
        queue = self._queue(sid)
        return [self._member(queue, place, caller.call_sid) for place, caller in enumerate(queue.callers, 1)]

    def member(self, sid: str, who: str) -> MemberView:
        """The caller of this Call SID, or the head (`Front`)."""
        queue = self._queue(sid)
        call_sid = self._who(queue, who)
        return self._member(queue, queue.position(call_sid), call_sid)

    def dequeue(self, sid: str, who: str, request: DocumentRequest) -> MemberView:
        """Have a caller leave the queue and run this document now; returns how he stood.

        He is out of the queue before this returns, so that the next `Front` is the next one.
        """
        member = self.member(sid, who)
        stay = self._stay(member.call_sid)
        self._hall.handle(stay.queue, CallerLeft(member.call_sid))
        stay.control.call.redirect(CallRedirected(request))
        return member

    def _queue(self, sid: str) -> Queue:
        queue = self._hall.queues.get(sid)
        if queue is None:
            raise _no_queue(sid)
        return queue

    def _who(self, queue: Queue, who: str) -> str:
        if who.lower() == FRONT.lower():
            if not queue.size:
                raise QueueError(20404, f"nobody waits in queue {queue.sid}")
            return queue.callers[0].call_sid
        if queue.caller(who) is None:
            raise QueueError(20404, f"call {who} is not in queue {queue.sid}, or has just left")
        return who

    def _stay(self, call_sid: str) -> QueuedStay:
        stay = self._hall.stay(call_sid)
        if stay is None:
            raise QueueError(20404, f"call {call_sid} has just left")
        return stay

    def _member(self, queue: Queue, position: int, call_sid: str) -> MemberView:
        stay = self._stay(call_sid)
        waited_s = round(self._hall.now() - stay.since)
        return MemberView(queue.sid, call_sid, stay.enqueued_at, position, waited_s)


def _no_queue(sid: str) -> QueueError:
    return QueueError(20404, f"there is no queue {sid}")


def _refused(error: TownhallError) -> QueueError:
    if isinstance(error, UnknownRecordError):
        return QueueError(20404, str(error))
    if isinstance(error, DuplicateError):
        return QueueError(20409, str(error))
    if isinstance(error, StoreError):
        return QueueError(20001, str(error))
    return QueueError(20429, str(error))
