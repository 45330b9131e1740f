"""Calls create and update: what a call runs (`Url`, `Twiml`, `ApplicationSid`) and what is done to it.

`Url` beats `Twiml`; with `ApplicationSid` the other URL parameters do not count. `MachineDetection`,
`AsyncAmd`, `Byoc`, `CallToken`, `CallReason` and `ClientNotificationUrl` are accepted and mean nothing here.
"""

from dataclasses import replace

from starlette.responses import Response

from townhall.api.asking import Ask
from townhall.api.callrecords import FINAL, find, of_live, render
from townhall.api.errors import APIError
from townhall.api.params import Parameters
from townhall.api.placing import LONGEST_CALL_S, read_placing, refused_call
from townhall.api.render import answer
from townhall.calls import Call, Route
from townhall.calls.plan import OutboundPlan
from townhall.routing import CallRefused
from townhall.twiml import InlineDocument
from townhall.twiml.control import CallCallbacks, DocumentRequest, Method

LONGEST_TWIML = 4000
RECORDING_EVENTS = frozenset({"in-progress", "completed", "absent"})


async def create(ask: Ask) -> Response:
    form = await ask.form()
    placing = read_placing(form, recording_events=RECORDING_EVENTS)
    program, fallback, callback = await _program(ask, form)
    plan = OutboundPlan(
        to=placing.to,
        from_=placing.from_,
        program=program,
        fallback=fallback,
        caller_id=placing.caller_id,
        timeout_s=placing.timeout_s,
        time_limit_s=placing.time_limit_s,
        send_digits=placing.send_digits,
        sip_auth=placing.sip_auth,
        status_callback=callback or placing.status_callback,
        record=placing.record,
    )
    try:
        call = await ask.engine.switchboard.place(plan)
    except CallRefused as error:
        raise refused_call(error) from error
    return answer(render(of_live(call), ask.engine.account_sid), 201)


async def _program(
    ask: Ask, form: Parameters
) -> tuple[DocumentRequest | InlineDocument, DocumentRequest | None, CallCallbacks | None]:
    application_sid = form.sid("ApplicationSid", "AP", code=21218)
    if application_sid:
        application = await ask.engine.store.applications.get(application_sid)
        if application is None or not application.voice_url:
            raise APIError(21218, f"ApplicationSid {application_sid} has no VoiceUrl, or does not exist")
        told = application.status_callback
        return (
            DocumentRequest(application.voice_url, _method(application.voice_method)),
            _fallback(application.voice_fallback_url, application.voice_fallback_method),
            CallCallbacks(told, _method(application.status_callback_method)) if told else None,
        )
    document = _document(form)
    if document is None:
        raise APIError(21205, "The call has nothing to run; send Url, Twiml or ApplicationSid")
    return document, _fallback(form.url("FallbackUrl"), form.method("FallbackMethod")), None


def _document(form: Parameters) -> DocumentRequest | InlineDocument | None:
    url, method, twiml = form.url("Url"), form.method("Method"), form.raw("Twiml")
    if url:
        return DocumentRequest(url, method)
    if not twiml:
        return None
    if len(twiml) > LONGEST_TWIML:
        raise APIError(
            32018, f"Twiml has {len(twiml)} characters; send at most {LONGEST_TWIML}, or a Url instead"
        )
    return InlineDocument(twiml)


async def update(ask: Ask) -> Response:
    sid, form = ask.named("call"), await ask.form()
    status = form.choice("Status", ("canceled", "completed"))
    document, limit_s = _document(form), form.number("TimeLimit", 1, LONGEST_CALL_S)
    change = _route_change(form)
    record = await find(ask, sid)
    call = ask.engine.switchboard.live(sid)
    if call is None or record.status in FINAL:
        if not (status or document or limit_s or change):
            return answer(render(record, ask.engine.account_sid))
        raise APIError(21220, f"Call {sid} is over ({record.status}); a call that is live can be changed")
    if document is not None and status is None and call.status != "in-progress":
        raise APIError(21220, f"Call {sid} is {call.status}; redirect it once it is in progress")
    _apply_route(call, change)
    if limit_s is not None:
        ask.engine.switchboard.limit(call, limit_s)
    if status == "completed" or (status == "canceled" and call.status in ("queued", "ringing")):
        await ask.engine.switchboard.complete(call)
    elif document is not None and status is None:
        ask.engine.switchboard.redirect(call, document)
    return answer(render(await find(ask, sid), ask.engine.account_sid))


def _route_change(form: Parameters) -> dict[str, str | None]:
    """What `FallbackUrl`, `StatusCallback` and their methods change; an empty URL unsets one."""
    change: dict[str, str | None] = {}
    for parameter, field in (("FallbackUrl", "fallback_url"), ("StatusCallback", "status_callback")):
        if (url := form.url(parameter)) is not None:
            change[field] = url or None
    for parameter, field in (
        ("FallbackMethod", "fallback_method"),
        ("StatusCallbackMethod", "status_callback_method"),
    ):
        if (method := form.given_method(parameter)) is not None:
            change[field] = method
    return change


def _apply_route(call: Call, change: dict[str, str | None]) -> None:
    if change:
        call.route = replace(call.route or Route(voice_url=""), **change)  # type: ignore[arg-type]


def _fallback(url: str | None, method: str) -> DocumentRequest | None:
    return DocumentRequest(url, _method(method)) if url else None


def _method(stored: str) -> Method:
    return "GET" if stored == "GET" else "POST"
