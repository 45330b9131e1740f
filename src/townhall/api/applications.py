"""Applications: voice URLs under a SID, for numbers (`VoiceApplicationSid`) and calls (`ApplicationSid`).

What is for text messages is accepted and answered empty: there are none here.
"""

from typing import Any

from starlette.responses import Response

from townhall.api.asking import Ask, route
from townhall.api.paging import listing, page_request
from townhall.api.params import NAME_LENGTH, Parameters
from townhall.api.render import API_VERSION, Resource, account_uri, answer, date_of, deleted
from townhall.api.webhooked import read_webhooks
from townhall.store import Application

FILTERS = ("FriendlyName",)


def render(application: Application, account_sid: str) -> Resource:
    return {
        "account_sid": account_sid,
        "api_version": API_VERSION,
        "date_created": date_of(application.created_at),
        "date_updated": date_of(application.updated_at),
        "friendly_name": application.friendly_name,
        "message_status_callback": None,
        "sid": application.sid,
        "sms_fallback_method": "POST",
        "sms_fallback_url": None,
        "sms_method": "POST",
        "sms_status_callback": None,
        "sms_url": None,
        "status_callback": application.status_callback,
        "status_callback_method": application.status_callback_method,
        "uri": account_uri(account_sid, "Applications", application.sid),
        "voice_caller_id_lookup": application.voice_caller_id_lookup,
        "voice_fallback_method": application.voice_fallback_method,
        "voice_fallback_url": application.voice_fallback_url,
        "voice_method": application.voice_method,
        "voice_url": application.voice_url or None,
        "public_application_connect_enabled": application.public_application_connect_enabled,
    }


async def list_(ask: Ask) -> Response:
    query, asked = ask.query, page_request(ask.query)
    name = query.text("FriendlyName")
    page = await ask.engine.store.applications.page(friendly_name=name, limit=asked.size, token=asked.token)
    return listing(
        "applications",
        page,
        asked,
        uri=ask.uri("Applications"),
        query=query,
        filters=FILTERS,
        render=lambda application: render(application, ask.engine.account_sid),
    )


async def create(ask: Ask) -> Response:
    application = await ask.engine.store.applications.add(Application(**_read(ask, await ask.form())))
    return answer(render(application, ask.engine.account_sid), 201)


async def _found(ask: Ask) -> Application:
    application = await ask.engine.store.applications.get(ask.named("sid"))
    if application is None:
        raise ask.not_found()
    return application


async def fetch(ask: Ask) -> Response:
    return answer(render(await _found(ask), ask.engine.account_sid))


async def update(ask: Ask) -> Response:
    application = await _found(ask)
    changes = _read(ask, await ask.form())
    if changes:
        application = await ask.engine.store.applications.change(application.sid, **changes)
    return answer(render(application, ask.engine.account_sid))


async def delete(ask: Ask) -> Response:
    application = await _found(ask)
    await ask.engine.store.applications.remove(application.sid)
    return deleted()


def _read(ask: Ask, form: Parameters) -> dict[str, Any]:
    """What the form says of an application, under the store's names."""
    read = read_webhooks(ask, form)
    name = form.text("FriendlyName", most=NAME_LENGTH, code=20002)
    if name is not None:
        read["friendly_name"] = name
    for parameter, field in (
        ("VoiceCallerIdLookup", "voice_caller_id_lookup"),
        ("PublicApplicationConnectEnabled", "public_application_connect_enabled"),
    ):
        if (flag := form.flag(parameter)) is not None:
            read[field] = flag
    return read


ROUTES = [
    route("/Accounts/{account}/Applications", get=list_, post=create),
    route("/Accounts/{account}/Applications/{sid}", get=fetch, post=update, delete=delete),
]
