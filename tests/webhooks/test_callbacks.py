"""Status callbacks: in order per resource, never in the way, kept until they arrive or are given up."""

import asyncio
from dataclasses import replace

import pytest
from tests.harness.raw_server import answer, raw_server
from tests.harness.server import own_address

from townhall.store import Store
from townhall.webhooks import CallbackSender, CallbackSettings, OriginConsent, Pauses, WebhookClient
from townhall.webhooks.outbox import NoOutbox

ALONE = own_address()
"""Where nobody else takes a port that is free for a while."""
QUICK = CallbackSettings(pauses=Pauses(0.01, 0.02), drain_s=0.2)
HASTY = replace(QUICK, keep_s=0.0)
"""Gives up what fails once."""
CALL = "CA" + "1" * 32
ROOM = "CF" + "2" * 32


@pytest.fixture
async def sender_of(client):
    made = []

    def make(settings=QUICK, outbox=None):
        notices = []
        sender = CallbackSender(client, lambda sid, notice: notices.append((sid, notice)), settings, outbox)
        made.append(sender)
        return sender, notices

    yield make
    for sender in made:
        await sender.close()


@pytest.fixture
async def store(tmp_path):
    opened = await Store.open(f"sqlite:///{tmp_path}/townhall.db")
    yield opened
    await opened.close()


class Noted(NoOutbox):
    """An outbox that keeps nothing but tells when a try has failed."""

    def __init__(self):
        self.tried = asyncio.Event()

    def failed(self, number, attempts):
        self.tried.set()


async def test_callbacks_of_a_resource_arrive_in_order(sender_of):
    async def slow_at_first(asked):
        await asyncio.sleep(0.02 if dict(asked.form)["n"] == "0" else 0)
        return answer("ok", 200, "text/plain")

    sender, notices = sender_of()
    async with raw_server(slow_at_first) as server:
        for n in range(10):
            sender.send(CALL, server.url("/status"), "POST", (("n", str(n)),))
        await sender.idle()
    assert [dict(asked.form)["n"] for asked in server.asked] == [str(n) for n in range(10)]
    assert server.connections == 1
    assert notices == []


async def test_slow_resource_does_not_delay_another(sender_of):
    release, quick_came = asyncio.Event(), asyncio.Event()

    async def handler(asked):
        if asked.target == "/slow":
            await release.wait()
        else:
            quick_came.set()
        return answer("", 204)

    sender, _ = sender_of()
    async with raw_server(handler) as server:
        sender.send(CALL, server.url("/slow"), "POST", ())
        sender.send(ROOM, server.url("/quick"), "POST", ())
        await quick_came.wait()
        release.set()
        await sender.idle()


async def test_dead_receiver_delays_nobody_else(sender_of, unused_tcp_port):
    # Two at once in all: the dead one must not hold both.
    sender, notices = sender_of(replace(QUICK, most_at_once=2, pauses=Pauses(60.0, 60.0)))
    for n in range(50):
        sender.send(f"CA{n:032x}", f"http://{ALONE}:{unused_tcp_port}/", "POST", ())
    came, all_came = [], asyncio.Event()

    async def handler(asked):
        came.append(asked)
        if len(came) == 50:
            all_came.set()
        return answer("", 200)

    async with raw_server(handler) as server:
        for n in range(50):
            sender.send(f"CA{n:032x}", server.url("/"), "POST", ())
        await all_came.wait()
    assert sender.waiting == 50
    assert notices == []


async def test_receiver_that_was_down_gets_what_it_missed_in_order(sender_of, unused_tcp_port):
    outbox = Noted()
    sender, notices = sender_of(outbox=outbox)
    url = f"http://{ALONE}:{unused_tcp_port}/"
    for n in range(20):
        sender.send(CALL if n % 2 else ROOM, url, "POST", (("n", str(n)),))
    await outbox.tried.wait()
    async with raw_server(lambda asked: answer("", 200), host=ALONE, port=unused_tcp_port) as server:
        await sender.idle()
    came = [int(dict(asked.form)["n"]) for asked in server.asked]
    assert [n for n in came if n % 2] == list(range(1, 20, 2))
    assert [n for n in came if not n % 2] == list(range(0, 20, 2))
    assert notices == []


@pytest.mark.parametrize(("sid", "code"), [(CALL, 15003), (ROOM, 16011)])
async def test_callback_that_is_given_up_is_reported_once(sender_of, sid, code):
    sender, notices = sender_of(HASTY)
    async with raw_server(lambda asked: answer("", 500)) as server:
        sender.send(sid, server.url("/status"), "POST", ())
        await sender.idle()
    assert len(server.asked) == 1
    assert [(who, notice.code, notice.level) for who, notice in notices] == [(sid, code, "warning")]


@pytest.mark.parametrize(
    ("status", "tries"), [(400, 1), (404, 1), (410, 1), (408, 2), (425, 2), (429, 2), (500, 2), (503, 2)]
)
async def test_bad_answer_is_tried_again_only_if_it_may_pass(sender_of, status, tries):
    answers = [answer("", status), answer("", 200)]
    sender, notices = sender_of()
    async with raw_server(lambda asked: answers.pop(0)) as server:
        sender.send(CALL, server.url("/status"), "GET", (("A", "b"),))
        await sender.idle()
    assert [asked.query for asked in server.asked] == [[("A", "b")]] * tries
    assert len(notices) == (1 if tries == 1 else 0)
    tokens = {asked.headers["i-twilio-idempotency-token"] for asked in server.asked}
    assert len(tokens) == 1


async def test_address_that_nobody_consented_to_is_not_tried_again():
    client = WebhookClient("12345", OriginConsent([]))
    notices = []
    sender = CallbackSender(client, lambda sid, notice: notices.append(notice), QUICK)
    sender.send(CALL, "http://127.0.0.1:1/", "POST", ())
    sender.send(CALL, "nonsense", "POST", ())
    await sender.idle()
    await client.close()
    assert ["TOWNHALL_WEBHOOK_INNER_ORIGINS" in notice.message for notice in notices] == [True, False]


async def test_requests_at_once_are_bounded(sender_of):
    under_way, most, as_many_as_may = 0, 0, asyncio.Event()

    async def handler(asked):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        if most == 3:
            as_many_as_may.set()
        await as_many_as_may.wait()
        await asyncio.sleep(0.001)
        under_way -= 1
        return answer("", 200)

    sender, notices = sender_of(replace(QUICK, most_at_once=3))
    async with raw_server(handler) as server:
        for n in range(30):
            sender.send(f"CA{n:032x}", server.url("/status"), "POST", ())
        await sender.idle()
    assert (len(server.asked), most, notices) == (30, 3, [])


async def test_full_queue_gives_up_the_oldest(sender_of, store):
    sender, notices = sender_of(replace(QUICK, most_waiting=3), store.outbox)
    asked_first, release = asyncio.Event(), asyncio.Event()

    async def handler(asked):
        asked_first.set()
        await release.wait()
        return answer("", 200)

    async with raw_server(handler) as server:
        sender.send(CALL, server.url("/0"), "POST", ())
        await asked_first.wait()
        for n in range(1, 5):
            sender.send(CALL if n == 1 else ROOM, server.url(f"/{n}"), "POST", ())
        release.set()
        await sender.idle()
    assert [notice.url for _, notice in notices] == [server.url("/1"), server.url("/3")]
    assert {asked.target for asked in server.asked} == {"/0", "/2", "/4"}
    await store.outbox.settled()
    assert await store.outbox.due() == []


async def test_close_without_an_outbox_drains_what_is_quick_and_reports_the_rest(sender_of):
    async def handler(asked):
        if asked.target == "/never":
            await asyncio.Event().wait()
        return answer("", 200)

    sender, notices = sender_of(replace(QUICK, drain_s=3.0))
    async with raw_server(handler) as server:
        for n in range(3):
            sender.send(CALL, server.url(f"/{n}"), "POST", ())
        sender.send(ROOM, server.url("/never"), "POST", ())
        await sender.close()
        sender.send(CALL, server.url("/late"), "POST", ())
    assert {"/0", "/1", "/2"} <= {asked.target for asked in server.asked}
    assert "/late" not in {asked.target for asked in server.asked}
    assert {sid for sid, _ in notices} == {ROOM, CALL}


async def test_stop_loses_nothing_and_the_next_start_goes_on_in_order(sender_of, store, unused_tcp_port):
    url = f"http://{ALONE}:{unused_tcp_port}/"
    first, notices = sender_of(outbox=store.outbox)
    await first.start()
    for n in range(5):
        first.send(CALL, url, "POST", (("n", str(n)), ("Name", "Zoë \udcff")))
    await first.close()
    first.send(CALL, url, "POST", (("n", "5"),))
    await store.outbox.settled()
    assert notices == []

    second, notices = sender_of(outbox=store.outbox)
    async with raw_server(lambda asked: answer("", 200), host=ALONE, port=unused_tcp_port) as server:
        await second.start()
        second.send(CALL, url, "POST", (("n", "6"),))
        await second.idle()
    await second.close()
    assert [dict(asked.form)["n"] for asked in server.asked] == [str(n) for n in range(7)]
    assert dict(server.asked[0].form)["Name"] == "Zoë ?"
    assert notices == []
    await store.outbox.settled()
    assert await store.outbox.due() == []


async def test_consent_is_kept_with_the_callback(store):
    async with raw_server(lambda asked: answer("", 200)) as server:
        url = server.url("/")
        before = WebhookClient("12345", OriginConsent([server.url("")]))
        sender = CallbackSender(before, lambda sid, notice: None, replace(QUICK, drain_s=0.0), store.outbox)
        sender.send(CALL, url, "POST", ())
        await sender.close()
        await before.close()
        await store.outbox.settled()
        (kept,) = await store.outbox.due()
        assert kept.consented
        after = WebhookClient("12345", OriginConsent([]))
        sender = CallbackSender(after, lambda sid, notice: None, QUICK, store.outbox)
        await sender.start()
        await sender.idle()
        await sender.close()
        await after.close()
    assert len(server.asked) == 1
