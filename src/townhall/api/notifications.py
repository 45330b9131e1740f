"""Notifications: the error log, of the whole account or of one call. Read-only.

Errors of documents and callbacks, in Twilio's numbers. What a request sent and got stands in the single fetch
only, as at Twilio.
"""

from starlette.responses import Response

from townhall.api import callrecords
from townhall.api.asking import Ask, route
from townhall.api.errors import MORE_INFO
from townhall.api.paging import listing, page_request
from townhall.api.render import API_VERSION, Resource, account_uri, answer, date_of
from townhall.store import NoticeFilter, NoticeRecord

FILTERS = ("Log", "MessageDate", "MessageDate<", "MessageDate>")
LEVELS = {"0": "error", "1": "warning"}
LOGS = {level: number for number, level in LEVELS.items()}


def render(notice: NoticeRecord, account_sid: str, call_sid: str | None = None) -> Resource:
    """`call_sid`: below which call it was asked for."""
    parts = ("Calls", call_sid) if call_sid else ()
    return {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "call_sid": notice.resource_sid if notice.resource_sid.startswith("CA") else None,
        "date_created": date_of(notice.at),
        "date_updated": date_of(notice.at),
        "error_code": str(notice.code),
        "log": LOGS[notice.level],
        "message_date": date_of(notice.at),
        "message_text": notice.message,
        "more_info": MORE_INFO.format(notice.code),
        "request_method": notice.request_method,
        "request_url": notice.url or None,
        "sid": notice.sid,
        "uri": account_uri(account_sid, *parts, "Notifications", notice.sid),
    }


def render_whole(notice: NoticeRecord, account_sid: str, call_sid: str | None = None) -> Resource:
    return {
        **render(notice, account_sid, call_sid),
        "request_variables": notice.request_variables,
        "response_body": notice.response_body,
        "response_headers": notice.response_headers,
    }


async def list_(ask: Ask) -> Response:
    call_sid = await _call(ask)
    query, asked = ask.query, page_request(ask.query)
    log, dates = query.choice("Log", tuple(LEVELS)), query.days("MessageDate")
    await ask.engine.store.settled()
    level = LEVELS[log] if log else None
    wanted = NoticeFilter(call_sid, level, dates.since, dates.until)
    page = await ask.engine.store.notices.page(wanted, limit=asked.size, token=asked.token)
    return listing(
        "notifications",
        page,
        asked,
        uri=ask.uri(*(("Calls", call_sid) if call_sid else ()), "Notifications"),
        query=query,
        filters=FILTERS,
        render=lambda notice: render(notice, ask.engine.account_sid, call_sid),
    )


async def fetch(ask: Ask) -> Response:
    call_sid = await _call(ask)
    await ask.engine.store.settled()
    notice = await ask.engine.store.notices.get(ask.named("sid"))
    if notice is None or call_sid not in (None, notice.resource_sid):
        raise ask.not_found()
    return answer(render_whole(notice, ask.engine.account_sid, call_sid))


async def _call(ask: Ask) -> str | None:
    """The call in the path, if there is one."""
    if "call" not in ask.request.path_params:
        return None
    return (await callrecords.find(ask, ask.named("call"))).sid


ROUTES = [
    route("/Accounts/{account}/Notifications", get=list_),
    route("/Accounts/{account}/Notifications/{sid}", get=fetch),
    route("/Accounts/{account}/Calls/{call}/Notifications", get=list_),
    route("/Accounts/{account}/Calls/{call}/Notifications/{sid}", get=fetch),
]
