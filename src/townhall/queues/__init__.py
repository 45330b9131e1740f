"""The rules of call queues, as Twilio's `<Enqueue>` and `<Dial><Queue>` have them: events in, commands out.

`Queues` finds or makes a queue by its name, `Queue.handle` decides what an event does: who is next, who takes
whom, who goes back to the head because his taker has gone. Left out: media, webhooks, TwiML, the REST API and
what comes after two were connected; `calls` carries the commands out.
"""

from townhall.queues.commands import Command, Connect, Prepare, Resume
from townhall.queues.events import CallerJoined, CallerLeft, CallerPrepared, Event, TakerJoined, TakerLeft
from townhall.queues.queue import LocalProtocolError, Queue, QueuedCaller
from townhall.queues.registry import MAX_SIZE, MOST_QUEUES, NAME_LENGTH, Queues, TooManyQueues

__all__ = [
    "MAX_SIZE",
    "MOST_QUEUES",
    "NAME_LENGTH",
    "CallerJoined",
    "CallerLeft",
    "CallerPrepared",
    "Command",
    "Connect",
    "Event",
    "LocalProtocolError",
    "Prepare",
    "Queue",
    "QueuedCaller",
    "Queues",
    "Resume",
    "TakerJoined",
    "TakerLeft",
    "TooManyQueues",
]
