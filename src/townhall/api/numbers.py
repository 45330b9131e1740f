"""IncomingPhoneNumbers: the numbers of `townhall number`, seen from outside.

"Buying" a number declares that SIP may dial it: an extension, a number in E.164 form, or a word. `AreaCode`,
which would have one chosen, is left out, and so is what is for text messages, addresses and emergencies.
"""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response

from townhall.api.asking import Ask, route
from townhall.api.engine import sentence
from townhall.api.errors import APIError
from townhall.api.paging import cut, listing, page_request
from townhall.api.params import NAME_LENGTH, Parameters, quoted
from townhall.api.render import API_VERSION, Resource, account_uri, answer, date_of, deleted
from townhall.api.webhooked import read_webhooks
from townhall.store import DuplicateError, Number

FILTERS = ("PhoneNumber", "FriendlyName", "Beta", "Origin")
ORIGIN = "hosted"
_DIALLED = re.compile(r"[A-Za-z0-9+*#._-]{1,64}")


def render(number: Number, account_sid: str) -> Resource:
    return {
        "account_sid": account_sid,
        "address_sid": None,
        "address_requirements": "none",
        "api_version": API_VERSION,
        "beta": False,
        "capabilities": {"voice": True, "sms": False, "mms": False, "fax": False},
        "date_created": date_of(number.created_at),
        "date_updated": date_of(number.updated_at),
        "friendly_name": number.friendly_name or number.number,
        "identity_sid": None,
        "phone_number": number.number,
        "origin": ORIGIN,
        "sid": number.sid,
        "sms_application_sid": None,
        "sms_fallback_method": "POST",
        "sms_fallback_url": "",
        "sms_method": "POST",
        "sms_url": "",
        "status_callback": number.status_callback or "",
        "status_callback_method": number.status_callback_method,
        "trunk_sid": None,
        "uri": account_uri(account_sid, "IncomingPhoneNumbers", number.sid),
        "voice_receive_mode": "voice",
        "voice_application_sid": number.voice_application_sid,
        "voice_caller_id_lookup": False,
        "voice_fallback_method": number.voice_fallback_method,
        "voice_fallback_url": number.voice_fallback_url or "",
        "voice_method": number.voice_method,
        "voice_url": number.voice_url,
        "emergency_status": "Inactive",
        "emergency_address_sid": None,
        "emergency_address_status": "unregistered",
        "bundle_sid": None,
        "status": "in-use",
        "type": "local",
    }


async def list_(ask: Ask) -> Response:
    query, asked = ask.query, page_request(ask.query)
    fits = _filter(query)
    rows = [number for number in await ask.engine.store.numbers.list() if fits(number)]
    rows.sort(key=lambda number: (number.created_at, number.sid), reverse=True)
    return listing(
        "incoming_phone_numbers",
        cut(rows, lambda number: number.sid, asked),
        asked,
        uri=ask.uri("IncomingPhoneNumbers"),
        query=query,
        filters=FILTERS,
        render=lambda number: render(number, ask.engine.account_sid),
    )


def _filter(query: Parameters) -> Callable[[Number], bool]:
    pattern, name = query.text("PhoneNumber", most=64), query.text("FriendlyName")
    beta, origin = query.flag("Beta"), query.choice("Origin", ("twilio", "hosted"))
    parts = [re.escape(part) for part in pattern.split("*")] if pattern else []
    wanted = re.compile(".".join(parts)) if parts else None

    def fits(number: Number) -> bool:
        return (
            (wanted is None or wanted.search(number.number) is not None)
            and name in (None, number.friendly_name or number.number)
            and beta is not True
            and origin in (None, ORIGIN)
        )

    return fits


async def create(ask: Ask) -> Response:
    form = await ask.form()
    dialled = form.raw("PhoneNumber")
    if not dialled:
        raise APIError(21421, "PhoneNumber is missing; send the number or extension that phones are to dial")
    read = _read(ask, form)
    await _check_application(ask, read)
    number = await _stored(ask.engine.store.numbers.add(Number(**{"voice_url": "", **read})))
    return answer(render(number, ask.engine.account_sid), 201)


async def _found(ask: Ask) -> Number:
    number = await ask.engine.store.numbers.by_sid(ask.named("sid"))
    if number is None:
        raise ask.not_found()
    return number


async def fetch(ask: Ask) -> Response:
    return answer(render(await _found(ask), ask.engine.account_sid))


async def update(ask: Ask) -> Response:
    number = await _found(ask)
    changes = _read(ask, await ask.form())
    await _check_application(ask, changes)
    if changes:
        number = await _stored(ask.engine.store.numbers.change(number.number, **changes))
    return answer(render(number, ask.engine.account_sid))


async def delete(ask: Ask) -> Response:
    number = await _found(ask)
    await ask.engine.store.numbers.remove(number.number)
    return deleted()


async def _stored(work: Awaitable[Number]) -> Number:
    """What the store made of it; a number that is taken is Twilio's 21422."""
    try:
        return await work
    except DuplicateError as error:
        raise APIError(21422, sentence(str(error))) from error


async def _check_application(ask: Ask, read: dict[str, Any]) -> None:
    sid = read.get("voice_application_sid")
    if sid and await ask.engine.store.applications.get(sid) is None:
        raise APIError(21218, f"VoiceApplicationSid {sid} does not exist; create the application first")


def _read(ask: Ask, form: Parameters) -> dict[str, Any]:
    read = read_webhooks(ask, form)
    number = form.raw("PhoneNumber")
    if number:
        if not _DIALLED.fullmatch(number):
            raise APIError(
                21421, f"PhoneNumber is {quoted(number)}; send 1 to 64 letters, digits or + * # . _ -"
            )
        read["number"] = number
    name = form.text("FriendlyName", most=NAME_LENGTH, code=20002)
    if name is not None:
        read["friendly_name"] = name
    application = form.sid("VoiceApplicationSid", "AP", code=21218)
    if application is not None:
        read["voice_application_sid"] = application or None
    if form.raw("TrunkSid"):
        raise APIError(
            20001, "TrunkSid is not supported; give the number a VoiceUrl, and trunks by `townhall trunk`"
        )
    form.choice("VoiceReceiveMode", ("voice",))
    form.flag("VoiceCallerIdLookup")
    return read


ROUTES = [
    route("/Accounts/{account}/IncomingPhoneNumbers", get=list_, post=create),
    route("/Accounts/{account}/IncomingPhoneNumbers/{sid}", get=fetch, post=update, delete=delete),
]
