"""Conferences: fetch, list, end, announce to all. They are made by joining and never deleted.

What is told here is the store's account, which is complete to the moment: everything a conference did before
the request came is written down first. Ending a conference that is over changes nothing and answers 200;
announcing to one, or locking it, is 404 with 16022. Ours, where Twilio has nothing: `Locked`, and `locked` in
a conference that is live; the levels are in `levels`.
"""

from collections.abc import Sequence

from starlette.responses import Response

from townhall.api.asking import Ask, route
from townhall.api.engine import refused
from townhall.api.errors import APIError
from townhall.api.paging import listing, page_request
from townhall.api.render import API_VERSION, Resource, account_uri, answer, date_of, subresources
from townhall.calls.moderation import ModerationError
from townhall.store import ConferenceFilter, ConferenceRecord
from townhall.twiml.control import DocumentRequest

REGION = "us1"
"""What clients expect to read; there is one region here."""
STATUSES = ("init", "in-progress", "completed")
REASONS = frozenset(
    {
        "conference-ended-via-api",
        "participant-with-end-conference-on-exit-left",
        "participant-with-end-conference-on-exit-kicked",
        "last-participant-kicked",
        "last-participant-left",
    }
)
FILTERS: Sequence[str] = (
    "DateCreated", "DateCreated<", "DateCreated>", "DateUpdated", "DateUpdated<", "DateUpdated>",
    "FriendlyName", "Status",
)  # fmt: skip


def render(conference: ConferenceRecord, ask: Ask) -> Resource:
    account_sid, path = ask.engine.account_sid, ("Conferences", conference.sid)
    live = ask.engine.switchboard.hall.conferences.get(conference.sid)
    ours = {} if live is None else {"locked": live.locked}
    return {
        "account_sid": account_sid,
        "date_created": date_of(conference.created_at),
        "date_updated": date_of(conference.updated_at),
        "api_version": API_VERSION,
        "friendly_name": conference.friendly_name,
        "region": REGION,
        "sid": conference.sid,
        "status": conference.status,
        "uri": account_uri(account_sid, *path),
        "subresource_uris": subresources(
            account_sid, {"participants": "Participants", "recordings": "Recordings"}, *path
        ),
        # What a crash ended has no reason that Twilio knows.
        "reason_conference_ended": conference.reason_ended if conference.reason_ended in REASONS else None,
        "call_sid_ending_conference": conference.call_sid_ending,
        **ours,
    }


async def find(ask: Ask, sid: str) -> ConferenceRecord:
    """The conference of this SID, live or over, also when its first participant is only being called."""
    await ask.engine.store.settled()
    record = await ask.engine.store.conferences.get(sid)
    if record is None:
        record = ask.engine.expected_conference(sid)
    if record is None:
        raise ask.not_found()
    return record


async def fetch(ask: Ask) -> Response:
    return answer(render(await find(ask, ask.named("conference")), ask))


async def list_(ask: Ask) -> Response:
    query, asked = ask.query, page_request(ask.query)
    created, updated = query.days("DateCreated"), query.days("DateUpdated")
    status = query.choice("Status", STATUSES)
    name = query.text("FriendlyName")
    await ask.engine.store.settled()
    wanted = ConferenceFilter(
        friendly_name=name,
        status=status,
        created_since=created.since,
        created_before=created.until,
        updated_since=updated.since,
        updated_before=updated.until,
    )
    page = await ask.engine.store.conferences.page(wanted, limit=asked.size, token=asked.token)
    return listing(
        "conferences",
        page,
        asked,
        uri=ask.uri("Conferences"),
        query=query,
        filters=FILTERS,
        render=lambda record: render(record, ask),
    )


async def update(ask: Ask) -> Response:
    sid = ask.named("conference")
    form = await ask.form()
    end = form.choice("Status", ("completed",)) is not None
    locked = form.flag("Locked")
    url, method = form.url("AnnounceUrl"), form.method("AnnounceMethod")
    if url == "":
        raise APIError(21205, "AnnounceUrl is empty; send the URL of an audio file or of TwiML")
    record = await find(ask, sid)
    try:
        if locked is not None:
            ask.engine.moderation.lock(sid, locked)
        if url:
            ask.engine.moderation.announce(sid, DocumentRequest(url, method))
        if end and record.status != "completed":
            ask.engine.moderation.end(sid)
    except ModerationError as error:
        # It may have ended while we looked: that is what was wanted.
        if url or locked is not None or error.code != 16022:
            raise refused(error) from error
    return answer(render(await find(ask, sid), ask))


ROUTES = [
    route("/Accounts/{account}/Conferences", get=list_),
    route("/Accounts/{account}/Conferences/{conference}", get=fetch, post=update),
]
