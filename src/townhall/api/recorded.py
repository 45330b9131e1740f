"""A recording as the API writes it: as one of the account's, of a call's or of a conference's."""

from townhall.api.render import API_VERSION, Resource, account_uri, date_of, seconds_of
from townhall.store import RecordingRecord

FILTERS = ("DateCreated", "DateCreated<", "DateCreated>")
FILTERS_OF_ALL = (*FILTERS, "CallSid", "ConferenceSid", "IncludeSoftDeleted")


def render(record: RecordingRecord, account_sid: str, base_url: str) -> Resource:
    uri = account_uri(account_sid, "Recordings", record.sid)
    return {
        **_common(record, account_sid),
        "uri": uri,
        "subresource_uris": {},
        "media_url": base_url + uri.removesuffix(".json"),
    }


def render_of_call(record: RecordingRecord, account_sid: str) -> Resource:
    uri = account_uri(account_sid, "Calls", str(record.call_sid), "Recordings", record.sid)
    return {**_common(record, account_sid), "uri": uri, "track": record.track}


def render_of_conference(record: RecordingRecord, account_sid: str) -> Resource:
    uri = account_uri(account_sid, "Conferences", str(record.conference_sid), "Recordings", record.sid)
    return {**_common(record, account_sid), "uri": uri}


def _common(record: RecordingRecord, account_sid: str) -> Resource:
    return {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "call_sid": record.call_sid,
        "conference_sid": record.conference_sid,
        "date_created": date_of(record.created_at),
        "date_updated": date_of(record.updated_at),
        "start_time": date_of(record.start_time),
        "duration": seconds_of(record.duration_s),
        "sid": record.sid,
        "price": None,
        "price_unit": None,
        "status": record.status,
        "channels": record.channels,
        "source": record.source,
        "error_code": record.error_code,
        "encryption_details": None,
    }
