"""Keys, and SigningKeys, their older twin: API keys that clients use in place of the account's auth token.

The secret is shown once, in the answer that creates the key. Keys are managed with the account's own
credentials only.
"""

from starlette.responses import Response

from townhall.api.asking import Ask, Handler, route
from townhall.api.paging import listing, page_request
from townhall.api.params import NAME_LENGTH
from townhall.api.render import Resource, answer, date_of, deleted
from townhall.store import APIKey


def render(key: APIKey) -> Resource:
    return {
        "sid": key.sid,
        "friendly_name": key.friendly_name,
        "date_created": date_of(key.created_at),
        "date_updated": date_of(key.updated_at),
    }


async def create(ask: Ask) -> Response:
    ask.for_the_account_alone()
    name = (await ask.form()).text("FriendlyName", most=NAME_LENGTH, code=20002)
    key, secret = await ask.engine.store.api_keys.create(name or "")
    return answer({**render(key), "secret": secret}, 201)


def list_as(name: str, path: str) -> Handler:
    """The list under one of its two names."""

    async def list_(ask: Ask) -> Response:
        ask.for_the_account_alone()
        asked = page_request(ask.query)
        page = await ask.engine.store.api_keys.page(limit=asked.size, token=asked.token)
        return listing(name, page, asked, uri=ask.uri(path), query=ask.query, filters=(), render=render)

    return list_


async def _found(ask: Ask) -> APIKey:
    ask.for_the_account_alone()
    key = await ask.engine.store.api_keys.get(ask.named("sid"))
    if key is None:
        raise ask.not_found()
    return key


async def fetch(ask: Ask) -> Response:
    return answer(render(await _found(ask)))


async def update(ask: Ask) -> Response:
    key = await _found(ask)
    name = (await ask.form()).text("FriendlyName", most=NAME_LENGTH, code=20002)
    if name is not None:
        key = await ask.engine.store.api_keys.change(key.sid, friendly_name=name)
    return answer(render(key))


async def delete(ask: Ask) -> Response:
    key = await _found(ask)
    await ask.engine.store.api_keys.remove(key.sid)
    return deleted()


ROUTES = [
    route("/Accounts/{account}/Keys", get=list_as("keys", "Keys"), post=create),
    route("/Accounts/{account}/Keys/{sid}", get=fetch, post=update, delete=delete),
    route("/Accounts/{account}/SigningKeys", get=list_as("signing_keys", "SigningKeys"), post=create),
    route("/Accounts/{account}/SigningKeys/{sid}", get=fetch, post=update, delete=delete),
]
