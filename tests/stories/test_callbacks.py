"""Callbacks of real calls: to a receiver that is in trouble, over a crash of the server."""

import asyncio
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from tests.harness.server import ACCOUNT_SID, AUTH_TOKEN, TownhallServer
from tests.harness.webhook import Answer, Webhook

from townhall.phone import Phone, PhoneSettings
from townhall.store import Number, Store

PASSES_AT_ONCE = Answer(status=204)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[TownhallServer]:
    """A server that may be harmed."""
    with TownhallServer(tmp_path) as server:
        yield server


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook(AUTH_TOKEN) as webhook:
        yield webhook


def database_of(server: TownhallServer) -> Path:
    return server.data_dir / "townhall.db"


async def install(server: TownhallServer, webhook: Webhook) -> None:
    store = await Store.open(f"sqlite:///{database_of(server)}")
    await store.numbers.add(Number("2000", f"{webhook.url}/voice", status_callback=f"{webhook.url}/status"))
    await store.close()


async def call(server: TownhallServer) -> None:
    """A call that the number's document ends."""
    async with Phone(PhoneSettings(host=server.address, user="ann", tone_hz=500)) as phone:
        made = await phone.call(server.sip_uri("2000"))
        await made.ended(30)


def wait_until_kept(server: TownhallServer, count: int) -> None:
    """Another process's disk can only be looked at."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with sqlite3.connect(database_of(server)) as database:
            (found,) = database.execute("SELECT count(*) FROM outbox").fetchone()
        database.close()
        if found == count:
            return
        time.sleep(0.02)
    raise AssertionError(f"{found} callbacks are kept, expected {count}")


async def test_callback_that_was_refused_comes_after_a_crash_of_the_server(
    own_server: TownhallServer, webhook: Webhook
) -> None:
    webhook.on("/voice", "<Response><Say>Hi</Say><Hangup/></Response>")
    webhook.on("/status", Answer(status=503))
    await install(own_server, webhook)
    await call(own_server)
    refused = await webhook.next_request("/status")
    await asyncio.to_thread(wait_until_kept, own_server, 1)
    own_server.kill()

    webhook.on("/status", PASSES_AT_ONCE)
    crashed_at = time.monotonic()
    await asyncio.to_thread(own_server.start)
    came = await webhook.next_request("/status", accept=lambda request: request.at > crashed_at)
    assert came.signed
    assert came.parameters == refused.parameters
    assert came.headers["i-twilio-idempotency-token"] == refused.headers["i-twilio-idempotency-token"]
    assert (came.parameters["CallStatus"], came.parameters["SequenceNumber"]) == ("completed", "0")
    assert came.parameters["SipResponseCode"] == "200"
    await asyncio.to_thread(wait_until_kept, own_server, 0)


async def test_call_has_its_requests_as_events(own_server: TownhallServer, webhook: Webhook) -> None:
    webhook.on("/voice", "<Response><Hangup/></Response>")
    webhook.on("/status", PASSES_AT_ONCE)
    await install(own_server, webhook)
    await call(own_server)
    told = await webhook.next_request("/status")

    path = f"/2010-04-01/Accounts/{ACCOUNT_SID}/Calls/{told.parameters['CallSid']}/Events.json"
    async with httpx2.AsyncClient(auth=(ACCOUNT_SID, AUTH_TOKEN)) as client:
        for _ in range(200):  # the answer to the callback is written down after the webhook gave it
            found = (await client.get(own_server.url + path)).json()["events"]
            if len(found) == 2:
                break
            await asyncio.sleep(0.05)
    assert [event["request"]["url"] for event in found] == [f"{webhook.url}/voice", f"{webhook.url}/status"]
    assert found[0]["response"]["response_body"] == "<Response><Hangup/></Response>"
    assert found[1]["response"]["response_code"] == 204
    assert found[1]["request"]["parameters"] == told.parameters
