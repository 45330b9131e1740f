"""A call as the API writes it, and where it is found: live ones in the switchboard, all of them in the store.

The store's account is complete to the moment: what happened before the request came is written down first.
Only a live call's status is the call's own, for the store does not follow every step.
"""

import re
from dataclasses import replace

from townhall.api.asking import Ask
from townhall.api.render import API_VERSION, Resource, account_uri, date_of, seconds_of, subresources
from townhall.calls import Call
from townhall.store import CallRecord

LIVE = ("queued", "ringing", "in-progress")
FINAL = ("completed", "busy", "failed", "no-answer", "canceled")
STATUSES = LIVE + FINAL
SUBRESOURCES = {"events": "Events", "notifications": "Notifications", "recordings": "Recordings"}

_NANP = re.compile(r"\+1([2-9]\d{2})([2-9]\d{2})(\d{4})", re.ASCII)


def render(call: CallRecord, account_sid: str) -> Resource:
    path = ("Calls", call.sid)
    return {
        "sid": call.sid,
        "date_created": date_of(call.started_at),
        "date_updated": date_of(call.updated_at),
        "parent_call_sid": call.parent_call_sid,
        "account_sid": call.account_sid,
        "to": call.to,
        "to_formatted": _formatted(call.to),
        "from": call.from_,
        "from_formatted": _formatted(call.from_),
        "phone_number_sid": call.phone_number_sid,
        "status": call.status,
        "start_time": None if call.status == "queued" else date_of(call.started_at),
        "end_time": date_of(call.ended_at),
        "duration": seconds_of(call.duration_s) if call.status in FINAL else None,
        "price": None,
        "price_unit": "USD",
        "direction": call.direction,
        "answered_by": None,
        "api_version": API_VERSION,
        "forwarded_from": call.forwarded_from,
        "group_sid": None,
        "caller_name": call.caller_name,
        "queue_time": str(call.queue_time_ms),
        "trunk_sid": call.trunk_sid,
        "uri": account_uri(account_sid, *path),
        "subresource_uris": subresources(account_sid, SUBRESOURCES, *path),
    }


async def find(ask: Ask, sid: str) -> CallRecord:
    """The call of this SID; raises `APIError` 20404."""
    # Looked up first: one that ends while the store is read is still told with its last status.
    live = ask.engine.switchboard.known(sid)
    await ask.engine.store.settled()
    record = await ask.engine.store.calls.get(sid)
    if record is not None:
        return with_status(record, live)
    if live is None:
        raise ask.not_found()
    return of_live(live)


def with_status(record: CallRecord, live: Call | None) -> CallRecord:
    """The record with the status of this moment, if the call was live when it was read."""
    if live is None or record.ended_at is not None or record.status == live.status:
        return record
    return replace(record, status=live.status, duration_s=live.duration_s)


def of_live(call: Call) -> CallRecord:
    """What the store will say of a call that it does not know yet."""
    return CallRecord(
        sid=call.sid,
        account_sid=call.account_sid,
        from_=call.from_,
        to=call.to,
        direction=call.direction,
        status=call.status,
        started_at=call.started_at,
        parent_call_sid=call.parent_call_sid,
        updated_at=call.started_at,
    )


def _formatted(party: str) -> str:
    """The national form of a North American number; everything else as it is."""
    match = _NANP.fullmatch(party)
    return f"({match[1]}) {match[2]}-{match[3]}" if match else party
