"""What was requested for whom: each webhook request of a call is kept (Twilio's Call Events), and a line of
the error log carries the request that it is about.
"""

from collections import OrderedDict
from dataclasses import dataclass
from typing import TypedDict

from townhall.store import EventRecord, Store
from townhall.twiml.control import Notice
from townhall.webhooks import Exchanged
from townhall.webhooks.forms import form_encoded

MOST_KEPT = 2000
"""Calls and conferences whose last request is remembered for their notices."""
_MOST_BYTES = 8192


@dataclass(frozen=True, slots=True)
class _Request:
    """A resource's last one, encoded as a notice has it: that takes a fifth of the memory."""

    url: str
    method: str
    variables: bytes
    headers: bytes
    body: bytes


class RequestFields(TypedDict, total=False):
    request_method: str
    request_variables: str
    response_headers: str
    response_body: str


class RequestLog:
    """`watch` is told of every request; `about` finds the one that a notice is about."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._last: OrderedDict[str, _Request] = OrderedDict()

    def watch(self, exchanged: Exchanged) -> None:
        told = dict(exchanged.parameters)
        call_sid = told.get("CallSid")
        # A conference's callback names the participant it is about, and is the conference's request still.
        of_conference = "StatusCallbackEvent" in told and "ConferenceSid" in told
        self._remember([sid for sid in (call_sid, told.get("ConferenceSid")) if sid], exchanged)
        if call_sid and not of_conference:
            self._store.events.add(
                EventRecord(
                    call_sid=call_sid,
                    method=exchanged.method,
                    url=exchanged.url,
                    parameters=tuple(exchanged.parameters),
                    status=exchanged.status,
                    content_type=exchanged.content_type,
                    body=_text(exchanged.body[:_MOST_BYTES]),
                    error=exchanged.error,
                    duration_ms=round(exchanged.duration_s * 1000),
                )
            )

    def about(self, resource_sid: str, notice: Notice) -> RequestFields:
        """The request fields of a notice: its resource's last request, unless it names another URL."""
        last = self._last.get(resource_sid)
        if last is None or (notice.url and _page_of(notice.url) != _page_of(last.url)):
            return {}
        return {
            "request_method": last.method,
            "request_variables": last.variables.decode("ascii"),
            "response_headers": last.headers.decode("ascii"),
            "response_body": _text(last.body),
        }

    def _remember(self, sids: list[str], exchanged: Exchanged) -> None:
        request = _Request(
            exchanged.url,
            exchanged.method,
            form_encoded(exchanged.parameters),
            form_encoded(exchanged.headers),
            exchanged.body[:_MOST_BYTES],
        )
        for sid in sids:
            self._last.pop(sid, None)
            self._last[sid] = request
            if len(self._last) > MOST_KEPT:
                self._last.popitem(last=False)


def _page_of(url: str) -> str:
    return url.partition("#")[0].partition("?")[0]


def _text(body: bytes) -> str:
    return body.decode("utf-8", "replace")
