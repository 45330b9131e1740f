"""Accounts: there is one, the server's own. Sub-accounts and another status of it are left out.

Its answer holds the auth token, so an API key may not read it.
"""

from starlette.responses import Response

from townhall.api.asking import Ask, route
from townhall.api.errors import APIError
from townhall.api.paging import cut, listing, page_request
from townhall.api.params import NAME_LENGTH
from townhall.api.render import API_VERSION, Resource, answer, date_of, subresources
from townhall.store import AccountRecord

SUBRESOURCES = {
    "applications": "Applications",
    "calls": "Calls",
    "conferences": "Conferences",
    "incoming_phone_numbers": "IncomingPhoneNumbers",
    "keys": "Keys",
    "notifications": "Notifications",
    "queues": "Queues",
    "recordings": "Recordings",
    "signing_keys": "SigningKeys",
}
STATUSES = ("active", "suspended", "closed")
FILTERS = ("FriendlyName", "Status")


def render(account: AccountRecord, ask: Ask) -> Resource:
    sid = ask.engine.account_sid
    return {
        "auth_token": ask.engine.auth_token,
        "date_created": date_of(account.created_at),
        "date_updated": date_of(account.updated_at),
        "friendly_name": account.friendly_name,
        "owner_account_sid": sid,
        "sid": sid,
        "status": "active",
        "subresource_uris": subresources(sid, SUBRESOURCES),
        "type": "Full",
        "uri": f"/{API_VERSION}/Accounts/{sid}.json",
    }


async def list_(ask: Ask) -> Response:
    ask.for_the_account_alone()
    query, asked = ask.query, page_request(ask.query)
    name, status = query.text("FriendlyName"), query.choice("Status", STATUSES)
    account = await ask.engine.store.account.get()
    fits = name in (None, account.friendly_name) and status in (None, "active")
    return listing(
        "accounts",
        cut([account] if fits else [], lambda _: ask.engine.account_sid, asked),
        asked,
        uri=f"/{API_VERSION}/Accounts.json",
        query=query,
        filters=FILTERS,
        render=lambda found: render(found, ask),
    )


async def create(ask: Ask) -> Response:
    raise APIError(20006, "This server has one account; run another server for another account")


async def fetch(ask: Ask) -> Response:
    ask.for_the_account_alone()
    return answer(render(await ask.engine.store.account.get(), ask))


async def update(ask: Ask) -> Response:
    ask.for_the_account_alone()
    form = await ask.form()
    status = form.choice("Status", STATUSES)
    if status not in (None, "active"):
        raise APIError(20001, f"This server's account cannot be {status}; stop the server instead")
    name = form.text("FriendlyName", most=NAME_LENGTH, code=20002)
    account = await (ask.engine.store.account.rename(name) if name else ask.engine.store.account.get())
    return answer(render(account, ask))


ROUTES = [
    route("/Accounts", get=list_, post=create),
    route("/Accounts/{account}", get=fetch, post=update),
]
