"""Queues and their Members: who waits in which order; and taking one out to a document of one's own."""

from starlette.responses import Response

from townhall.api.asking import Ask, route
from townhall.api.engine import sentence
from townhall.api.errors import APIError
from townhall.api.paging import cut, listing, page_request
from townhall.api.params import NAME_LENGTH, Parameters
from townhall.api.render import Resource, account_uri, answer, date_of, deleted
from townhall.calls.queue_desk import MemberView, QueueChanges, QueueError, QueueView
from townhall.store import Page
from townhall.twiml.control import DocumentRequest

LARGEST_QUEUE = 5000


def render(view: QueueView, account_sid: str) -> Resource:
    queue = view.record
    return {
        "date_updated": date_of(queue.updated_at),
        "current_size": view.current_size,
        "friendly_name": queue.friendly_name,
        "uri": account_uri(account_sid, "Queues", queue.sid),
        "account_sid": account_sid,
        "average_wait_time": view.average_wait_time_s,
        "sid": queue.sid,
        "date_created": date_of(queue.created_at),
        "max_size": queue.max_size,
    }


def render_member(member: MemberView, account_sid: str) -> Resource:
    return {
        "call_sid": member.call_sid,
        "date_enqueued": date_of(member.date_enqueued),
        "position": member.position,
        "uri": account_uri(account_sid, "Queues", member.queue_sid, "Members", member.call_sid),
        "wait_time": member.wait_time_s,
        "queue_sid": member.queue_sid,
    }


def _refused(ask: Ask, error: QueueError) -> APIError:
    return ask.not_found() if error.code == 20404 else APIError(error.code, sentence(error.message))


async def list_(ask: Ask) -> Response:
    desk, asked = ask.engine.switchboard.queues, page_request(ask.query)
    found = await ask.engine.store.queues.page(limit=asked.size, token=asked.token)
    page = Page([desk.view(record) for record in found.records], found.next_token, found.previous_token)
    return listing(
        "queues",
        page,
        asked,
        uri=ask.uri("Queues"),
        query=ask.query,
        filters=(),
        render=lambda view: render(view, ask.engine.account_sid),
    )


async def create(ask: Ask) -> Response:
    form = await ask.form()
    name = form.required("FriendlyName", most=NAME_LENGTH, code=20002)
    size = form.number("MaxSize", 1, LARGEST_QUEUE)
    try:
        view = await ask.engine.switchboard.queues.create(name, size)
    except QueueError as error:
        raise _refused(ask, error) from error
    return answer(render(view, ask.engine.account_sid), 201)


async def fetch(ask: Ask) -> Response:
    try:
        view = await ask.engine.switchboard.queues.get(ask.named("queue"))
    except QueueError as error:
        raise _refused(ask, error) from error
    return answer(render(view, ask.engine.account_sid))


async def update(ask: Ask) -> Response:
    desk, sid, changes = ask.engine.switchboard.queues, ask.named("queue"), _changes(await ask.form())
    try:
        view = await (desk.update(sid, **changes) if changes else desk.get(sid))
    except QueueError as error:
        raise _refused(ask, error) from error
    return answer(render(view, ask.engine.account_sid))


def _changes(form: Parameters) -> QueueChanges:
    changes = QueueChanges()
    name = form.text("FriendlyName", most=NAME_LENGTH, code=20002)
    if name is not None:
        changes["friendly_name"] = name
    size = form.number("MaxSize", 1, LARGEST_QUEUE)
    if size is not None:
        changes["max_size"] = size
    return changes


async def delete(ask: Ask) -> Response:
    try:
        await ask.engine.switchboard.queues.delete(ask.named("queue"))
    except QueueError as error:
        raise _refused(ask, error) from error
    return deleted()


async def members(ask: Ask) -> Response:
    sid, asked = ask.named("queue"), page_request(ask.query)
    try:
        waiting = ask.engine.switchboard.queues.members(sid)
    except QueueError as error:
        raise _refused(ask, error) from error
    return listing(
        "queue_members",
        cut(waiting, lambda member: member.call_sid, asked),
        asked,
        uri=ask.uri("Queues", sid, "Members"),
        query=ask.query,
        filters=(),
        render=lambda member: render_member(member, ask.engine.account_sid),
    )


async def fetch_member(ask: Ask) -> Response:
    try:
        member = ask.engine.switchboard.queues.member(ask.named("queue"), ask.named("who"))
    except QueueError as error:
        raise _refused(ask, error) from error
    return answer(render_member(member, ask.engine.account_sid))


async def dequeue(ask: Ask) -> Response:
    form = await ask.form()
    url, method = form.url("Url"), form.method("Method")
    if not url:
        raise APIError(21205, "Url is missing; send the URL of the TwiML that the caller is to run")
    try:
        member = ask.engine.switchboard.queues.dequeue(
            ask.named("queue"), ask.named("who"), DocumentRequest(url, method)
        )
    except QueueError as error:
        raise _refused(ask, error) from error
    return answer(render_member(member, ask.engine.account_sid))


ROUTES = [
    route("/Accounts/{account}/Queues", get=list_, post=create),
    route("/Accounts/{account}/Queues/{queue}", get=fetch, post=update, delete=delete),
    route("/Accounts/{account}/Queues/{queue}/Members", get=members),
    route("/Accounts/{account}/Queues/{queue}/Members/{who}", get=fetch_member, post=dequeue),
]
