"""Call progress: who subscribed to a call is told of `initiated`, `ringing`, `answered` and `completed`.

Follows Twilio's "Call status callbacks": a call of ours tells the events that were subscribed to, a number's
(or application's) `StatusCallback` is told of the end only, and `completed` stands for every way to end. A
call that was canceled before anybody was called tells nothing. `SequenceNumber` counts from 0 what was sent.
"""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime

from townhall.calls.call import FINAL, Call
from townhall.twiml.control import CallCallbacks, Method

Send = Callable[[str, str, Method, tuple[tuple[str, str], ...]], None]
"""Queues a callback: resource, URL, method, parameters."""

_EVENTS = {"initiated": "initiated", "ringing": "ringing", "in-progress": "answered"}
_SIP_RESPONSES = {"canceled": 487, "busy": 486, "no-answer": 480}
"""What ended a call that came in, as far as its status tells."""


def tell_progress(call: Call, send: Send) -> None:
    """Tell whoever subscribed to this call of its steps, from now on."""
    call.listeners.append(_Progress(send))


def subscription_of(call: Call) -> CallCallbacks | None:
    """Who is told of a call's progress now: the API may have changed the URL since the call began."""
    planned = call.plan.status_callback if call.plan is not None else None
    route = call.route
    if route is None or not route.status_callback:
        return planned
    if planned is None:
        return CallCallbacks(route.status_callback, route.status_callback_method)
    return replace(planned, url=route.status_callback, method=route.status_callback_method)


class _Progress:
    """The listener of one call."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._sequence_number = 0
        self._initiated = False

    def __call__(self, call: Call, step: str) -> None:
        self._initiated = self._initiated or step == "initiated"
        if step == "canceled" and call.plan is not None and not self._initiated:
            return
        event = "completed" if step in FINAL else _EVENTS.get(step)
        subscription = subscription_of(call)
        if subscription is None or event not in subscription.events:
            return
        told = [
            ("CallStatus", step),
            ("Timestamp", format_datetime(datetime.now(UTC))),
            ("CallbackSource", "call-progress-events"),
            ("SequenceNumber", str(self._sequence_number)),
        ]
        if event == "completed":
            told += _at_the_end(call)
        self._sequence_number += 1
        names = {name for name, _ in told}  # a browser's page cannot say in our place how long it called
        parameters = [*(pair for pair in call.parameters if pair[0] not in names), *told]
        self._send(call.sid, subscription.url, subscription.method, tuple(parameters))


def _at_the_end(call: Call) -> list[tuple[str, str]]:
    seconds = call.duration_s
    # `Duration` is in whole minutes begun, as a bill counts them.
    parameters = [("CallDuration", str(seconds)), ("Duration", str(-(-seconds // 60)))]
    status = 200 if call.answered_at else call.sip_status or _SIP_RESPONSES.get(call.status)
    return [*parameters, *([("SipResponseCode", str(status))] if status else [])]
