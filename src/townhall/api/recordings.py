"""Recordings: of the account, of a call, of a conference; their sound as WAV and MP3.

The same path with another suffix is another thing: `.json` tells of a recording, `.wav`, `.mp3` and none are
its sound. A recording with a channel per talker (ours) has `Talkers.json` besides, which names them.
"""

from collections.abc import Sequence
from dataclasses import replace

from starlette.responses import FileResponse, Response

from townhall.api import callrecords, conferences
from townhall.api.asking import Ask, route
from townhall.api.engine import refused, sentence
from townhall.api.errors import APIError
from townhall.api.paging import listing, page_request
from townhall.api.placing import recording_callbacks, recording_form
from townhall.api.recorded import (
    FILTERS,
    FILTERS_OF_ALL,
    render,
    render_of_call,
    render_of_conference,
)
from townhall.api.render import Resource, answer, deleted
from townhall.calls.archive import RecordingError
from townhall.calls.moderation import ModerationError
from townhall.calls.recording import RecordingDesk
from townhall.store import RecordingRecord
from townhall.twiml.control import RecordingSource

CURRENT = "Twilio.CURRENT"
FROM_OUTSIDE: RecordingSource = "StartConferenceRecordingAPI"
EVENTS = frozenset({"in-progress", "completed", "absent"})
"""What `RecordingStatusCallbackEvent` of a call's recording may hold."""


def _desk(ask: Ask) -> RecordingDesk:
    return ask.engine.switchboard.recordings


def _refused(error: RecordingError, ask: Ask) -> APIError:
    return ask.not_found() if error.code == 20404 else APIError(error.code, sentence(error.message))


async def _subject(ask: Ask) -> dict[str, str]:
    """The call or conference in the path, which must exist; nothing for the account's recordings."""
    if "call" in ask.request.path_params:
        return {"call_sid": (await callrecords.find(ask, ask.named("call"))).sid}
    if "conference" in ask.request.path_params:
        return {"conference_sid": (await conferences.find(ask, ask.named("conference"))).sid}
    return {}


def _parts(subject: dict[str, str]) -> tuple[str, ...]:
    """The path of what is recorded."""
    names = {"call_sid": "Calls", "conference_sid": "Conferences"}
    return tuple(part for field, sid in subject.items() for part in (names[field], sid))


def _rendered(ask: Ask, record: RecordingRecord) -> Resource:
    """As the resource that the path names writes it."""
    if "call" in ask.request.path_params:
        return render_of_call(record, ask.engine.account_sid)
    if "conference" in ask.request.path_params:
        return render_of_conference(record, ask.engine.account_sid)
    return render(record, ask.engine.account_sid, ask.engine.base_url)


# ---- telling ----


async def list_(ask: Ask) -> Response:
    query, asked, subject = ask.query, page_request(ask.query), await _subject(ask)
    created = query.days("DateCreated", times=not subject)
    filters: Sequence[str] = FILTERS if subject else FILTERS_OF_ALL
    wanted = subject or {
        field: value
        for field, value in (
            ("call_sid", query.sid("CallSid", "CA")),
            ("conference_sid", query.sid("ConferenceSid", "CF")),
        )
        if value
    }
    page = await ask.engine.store.recordings.page(
        call_sid=wanted.get("call_sid"),
        conference_sid=wanted.get("conference_sid"),
        created_since=created.since,
        created_before=created.until,
        include_deleted=not subject and query.flag("IncludeSoftDeleted") is True,
        limit=asked.size,
        token=asked.token,
    )
    return listing(
        "recordings",
        page,
        asked,
        uri=ask.uri(*_parts(subject), "Recordings"),
        query=query,
        filters=filters,
        render=lambda record: _rendered(ask, record),
    )


async def _found(ask: Ask) -> RecordingRecord:
    subject, sid = await _subject(ask), ask.named("recording")
    record = await ask.engine.store.recordings.get(sid)
    if record is None or any(getattr(record, field) != value for field, value in subject.items()):
        raise ask.not_found()
    if record.status == "deleted" and (subject or ask.query.flag("IncludeSoftDeleted") is not True):
        raise ask.not_found()
    return record


async def fetch(ask: Ask) -> Response:
    return answer(_rendered(ask, await _found(ask)))


async def fetch_or_hear(ask: Ask) -> Response:
    """Without `.json` the path means the sound."""
    return await fetch(ask) if ask.path.endswith(".json") else await media(ask)


async def media(ask: Ask) -> Response:
    sid, _, suffix = ask.named("recording").partition(".")
    channels = ask.query.number("RequestedChannels", 1, 2)
    if suffix not in ("", "wav", "mp3"):
        raise ask.not_found()
    try:
        if suffix == "mp3":
            return FileResponse(await _desk(ask).media(sid, "mp3", channels), media_type="audio/mpeg")
        return FileResponse(await _desk(ask).media(sid, "wav", channels), media_type="audio/x-wav")
    except RecordingError as error:
        raise _refused(error, ask) from error


async def talkers(ask: Ask) -> Response:
    """Who is on which channel of a recording with a channel per talker (ours)."""
    try:
        path = await _desk(ask).talkers(ask.named("recording"))
    except RecordingError as error:
        raise _refused(error, ask) from error
    return FileResponse(path, media_type="application/json")


async def delete(ask: Ask) -> Response:
    record = await _found(ask)
    try:
        await _desk(ask).delete(record.sid)
    except RecordingError as error:
        raise _refused(error, ask) from error
    return deleted()


# ---- recording ----


async def create(ask: Ask) -> Response:
    form = await ask.form()
    plan = recording_form(form, "StartCallRecordingAPI", recording_callbacks(form, EVENTS), trims=False)
    record = await callrecords.find(ask, ask.named("call"))
    call = ask.engine.switchboard.live(record.sid)
    if call is None or call.status != "in-progress":
        raise APIError(21220, f"Call {record.sid} is {record.status}; record it while it is in progress")
    try:
        started = await _desk(ask).start_call(call, plan)
    except RecordingError as error:
        raise _refused(error, ask) from error
    return answer(_rendered(ask, started), 201)


async def create_of_conference(ask: Ask) -> Response:
    """Record a conference that goes on (ours), until it is stopped or the conference ends."""
    form = await ask.form()
    plan = recording_form(form, FROM_OUTSIDE, recording_callbacks(form, EVENTS), trims=True)
    try:
        conference = ask.engine.moderation.conference(ask.named("conference"))
    except ModerationError as error:
        raise refused(error) from error
    if conference.status != "in-progress":
        raise APIError(16001, f"Conference {conference.sid} has not started; record it when it has")
    try:
        started = _desk(ask).start_conference(conference.sid, replace(plan, channels="mono"))
        await _desk(ask).live(started.sid).kept
    except RecordingError as error:
        raise _refused(error, ask) from error
    return answer(_rendered(ask, started), 201)


async def update(ask: Ask) -> Response:
    form, subject = await ask.form(), await _subject(ask)
    status = form.choice("Status", ("paused", "in-progress", "stopped"))
    if status is None:
        raise APIError(20001, "Status is missing; send paused, in-progress, stopped")
    silence = (form.choice("PauseBehavior", ("skip", "silence")) or "silence") == "silence"
    desk = _desk(ask)
    try:
        if ask.named("recording") == CURRENT:
            sid = desk.current(next(iter(subject.values())))
        else:
            record = await _found(ask)
            sid = record.sid
            if record.status not in ("in-progress", "paused"):
                raise APIError(16114, f"Recording {sid} is {record.status}; it has ended")
        # What a document has begun ends with the conference, as on Twilio.
        if status == "stopped" and "call_sid" not in subject and desk.live(sid).record.source != FROM_OUTSIDE:
            raise APIError(20001, f"Recording {sid} ends with its conference; send paused or in-progress")
        if status == "paused":
            changed = await desk.pause(sid, "silence" if silence else "skip")
        else:
            changed = await (desk.resume(sid) if status == "in-progress" else desk.stop(sid))
    except RecordingError as error:
        raise _refused(error, ask) from error
    return answer(_rendered(ask, changed))


ROUTES = [
    route("/Accounts/{account}/Recordings", get=list_),
    route("/Accounts/{account}/Recordings/{recording}", get=fetch_or_hear, delete=delete),
    route("/Accounts/{account}/Recordings/{recording}/Talkers", get=talkers),
    route("/Accounts/{account}/Calls/{call}/Recordings", get=list_, post=create),
    route("/Accounts/{account}/Calls/{call}/Recordings/{recording}", get=fetch, post=update, delete=delete),
    route("/Accounts/{account}/Conferences/{conference}/Recordings", get=list_, post=create_of_conference),
    route(
        "/Accounts/{account}/Conferences/{conference}/Recordings/{recording}",
        get=fetch,
        post=update,
        delete=delete,
    ),
]
