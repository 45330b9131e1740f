"""Status callbacks: in order per resource, never in the way, bounded, failures reported."""

import asyncio

import pytest
from tests.harness.raw_server import answer, raw_server

from townhall.webhooks import CallbackSender
from townhall.webhooks.callbacks import CallbackSettings

QUICK = CallbackSettings(retry_delays_s=(0.0, 0.0), drain_s=0.2)
CALL = "CA" + "1" * 32
ROOM = "CF" + "2" * 32


@pytest.fixture
def sender_of(client):
    def make(settings=QUICK):
        notices = []
        return CallbackSender(client, lambda sid, notice: notices.append((sid, notice)), settings), notices

    return make


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


@pytest.mark.parametrize(("sid", "code"), [(CALL, 15003), (ROOM, 16011)])
async def test_callback_that_fails_every_time_is_reported_once(sender_of, sid, code):
    sender, notices = sender_of()
    async with raw_server(lambda asked: answer("", 500)) as server:
        sender.send(sid, server.url("/status"), "POST", ())
        await sender.idle()
    assert len(server.asked) == 3
    assert [(who, notice.code, notice.level) for who, notice in notices] == [(sid, code, "warning")]


async def test_requests_at_once_are_bounded(sender_of):
    under_way, most = 0, 0

    async def handler(asked):
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.001)
        under_way -= 1
        return answer("", 200)

    sender, notices = sender_of(CallbackSettings(most_at_once=3))
    async with raw_server(handler) as server:
        for n in range(30):
            sender.send(f"CA{n:032x}", server.url("/status"), "POST", ())
        await sender.idle()
    assert (len(server.asked), most, notices) == (30, 3, [])


async def test_callback_succeeds_at_a_later_try(sender_of):
    answers = [answer("", 500), answer("", 200)]
    sender, notices = sender_of()
    async with raw_server(lambda asked: answers.pop(0)) as server:
        sender.send(CALL, server.url("/status"), "GET", (("A", "b"),))
        await sender.idle()
    assert [asked.query for asked in server.asked] == [[("A", "b")], [("A", "b")]]
    assert notices == []


async def test_full_queue_drops_and_reports(sender_of):
    sender, notices = sender_of(CallbackSettings(most_waiting=3, retry_delays_s=()))
    async with raw_server(lambda asked: answer("", 200)) as server:
        for _ in range(5):
            sender.send(CALL, server.url("/status"), "POST", ())
        await sender.idle()
    assert (len(server.asked), len(notices)) == (3, 2)


async def test_close_drains_what_is_quick_and_reports_the_rest(sender_of):
    async def handler(asked):
        if asked.target == "/never":
            await asyncio.Event().wait()
        return answer("", 200)

    sender, notices = sender_of()
    async with raw_server(handler) as server:
        for n in range(3):
            sender.send(CALL, server.url(f"/{n}"), "POST", ())
        sender.send(ROOM, server.url("/never"), "POST", ())
        await sender.close()
        sender.send(CALL, server.url("/late"), "POST", ())
    assert {"/0", "/1", "/2"} <= {asked.target for asked in server.asked}
    assert "/late" not in {asked.target for asked in server.asked}
    assert {sid for sid, _ in notices} == {ROOM, CALL}
