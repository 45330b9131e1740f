"""Calls: place, fetch, list, redirect, end, and delete the record of one that is over; with the webhook
requests that were made for each (`Events`).
"""

from typing import Any
from urllib.parse import urlencode

from starlette.responses import Response

from townhall.api.asking import Ask, route
from townhall.api.calling import create, update
from townhall.api.callrecords import FINAL, LIVE, STATUSES, find, of_live, render, with_status
from townhall.api.errors import APIError
from townhall.api.paging import cut, listing, page_request
from townhall.api.params import Parameters
from townhall.api.render import Resource, answer, date_of, deleted
from townhall.store import CallFilter, CallRecord, EventRecord, Page

FILTERS = (
    "To", "From", "ParentCallSid", "Status",
    "StartTime", "StartTime<", "StartTime>", "EndTime", "EndTime<", "EndTime>",
)  # fmt: skip


async def list_(ask: Ask) -> Response:
    query, asked = ask.query, page_request(ask.query)
    status = query.choice("Status", STATUSES)
    live = {call.sid: call for call in ask.engine.switchboard.all_known()}
    await ask.engine.store.settled()
    page: Page[CallRecord]
    if status in LIVE:
        page = cut(_live(ask, query, status), lambda record: record.sid, asked)
    else:
        started, ended = query.days("StartTime", times=True), query.days("EndTime", times=True)
        wanted = CallFilter(
            to=query.text("To"),
            from_=query.text("From"),
            parent_call_sid=query.text("ParentCallSid"),
            status=status,
            started_since=started.since,
            started_before=started.until,
            ended_since=ended.since,
            ended_before=ended.until,
        )
        found = await ask.engine.store.calls.page(wanted, limit=asked.size, token=asked.token)
        records = [with_status(record, live.get(record.sid)) for record in found.records]
        page = Page(records, found.next_token, found.previous_token)
    account = ask.engine.account_sid
    return listing(
        "calls",
        page,
        asked,
        uri=ask.uri("Calls"),
        query=query,
        filters=FILTERS,
        render=lambda record: render(record, account),
    )


def _live(ask: Ask, query: Parameters, status: str | None) -> list[CallRecord]:
    """Live calls of one status, newest first: the switchboard knows each step, the store does not."""
    started, ended = query.days("StartTime", times=True), query.days("EndTime", times=True)
    wanted = {
        field: value
        for name, field in (("To", "to"), ("From", "from_"), ("ParentCallSid", "parent_call_sid"))
        if (value := query.text(name)) is not None
    }
    records = [of_live(call) for call in ask.engine.switchboard.all_known() if call.status == status]
    return sorted(
        (
            record
            for record in records
            if record.started_at in started
            and None in ended
            and all(getattr(record, field) == value for field, value in wanted.items())
        ),
        key=lambda record: (record.started_at, record.sid),
        reverse=True,
    )


async def fetch(ask: Ask) -> Response:
    return answer(render(await find(ask, ask.named("call")), ask.engine.account_sid))


async def delete(ask: Ask) -> Response:
    record = await find(ask, ask.named("call"))
    if record.status not in FINAL or ask.engine.switchboard.known(record.sid) is not None:
        raise APIError(20009, f"Call {record.sid} is {record.status}; it can be deleted when it is over")
    await ask.engine.store.calls.remove(record.sid)
    return deleted()


async def events(ask: Ask) -> Response:
    record, asked = await find(ask, ask.named("call")), page_request(ask.query)
    made = await ask.engine.store.events.list(record.sid)
    numbered = list(enumerate(made))
    page = cut(numbered, lambda pair: str(pair[0]), asked)
    return listing(
        "events",
        page,
        asked,
        uri=ask.uri("Calls", record.sid, "Events"),
        query=ask.query,
        filters=(),
        render=lambda pair: _event(pair[1]),
    )


def _event(event: EventRecord) -> Resource:
    parameters: dict[str, Any] = dict(event.parameters)
    return {
        "request": {
            "method": event.method,
            "url": event.url,
            "parameters": parameters,
            "body": urlencode(event.parameters),
            "date_created": date_of(event.at),
        },
        "response": {
            "response_code": event.status,
            "content_type": event.content_type,
            "response_body": event.body,
            "error": event.error,
            "request_duration": event.duration_ms,
            "date_created": date_of(event.at),
        },
    }


ROUTES = [
    route("/Accounts/{account}/Calls", get=list_, post=create),
    route("/Accounts/{account}/Calls/{call}", get=fetch, post=update, delete=delete),
    route("/Accounts/{account}/Calls/{call}/Events", get=events),
]
