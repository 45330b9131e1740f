"""What becomes of calls when the server is stopped, crashes, or loses its media process."""

import asyncio
import json
import os
import signal
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness.moderator import Moderator
from tests.harness.server import TownhallServer

from townhall.phone import Phone, PhoneSettings


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[TownhallServer]:
    """A server that may be harmed."""
    with TownhallServer(tmp_path) as server:
        yield server


def calls_on_record(server: TownhallServer) -> list[tuple[str, str]]:
    with sqlite3.connect(server.data_dir / "townhall.db") as database:
        return list(database.execute("SELECT status, cause FROM calls ORDER BY started_at"))


def media_pid(server: TownhallServer) -> int:
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    found = [int(pid) for pid in children if b"townhall.media" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(found) == 1
    return found[0]


def phone(server: TownhallServer, name: str, transport: str = "udp") -> Phone:
    assert transport in ("udp", "tcp")
    kind = "tcp" if transport == "tcp" else "udp"
    return Phone(PhoneSettings(host=server.address, user=name, tone_hz=500, transport=kind))


async def test_sigterm_hangs_up_every_call_and_leaves(own_server: TownhallServer) -> None:
    async with phone(own_server, "udp") as one, phone(own_server, "tcp", "tcp") as two:
        calls = [await p.call(own_server.sip_uri("1000")) for p in (one, two)]
        await asyncio.to_thread(own_server.stop)
        assert {(await call.ended(30)).cause for call in calls} == {"bye"}
    assert [status for status, _ in calls_on_record(own_server)] == ["completed", "completed"]


async def test_sigterm_leaves_the_console_with_the_end_of_its_conferences(own_server: TownhallServer) -> None:
    async with phone(own_server, "caller") as caller, Moderator(own_server) as operator:
        call = await caller.call(own_server.sip_uri("1000"))
        await call.press("3")
        await operator.sign_in_as_operator()
        await operator.sees(lambda: operator.person("Town Hall", "caller"), within_s=30)
        await asyncio.to_thread(own_server.stop)
    [journal] = (own_server.data_dir / "console").glob("CF*.jsonl")
    facts = [json.loads(line)["fact"] for line in journal.read_text().splitlines()]
    assert facts[-2:] == ["Left", "Ended"]


async def test_crash_of_the_server_loses_no_call_that_was_answered(own_server: TownhallServer) -> None:
    async with phone(own_server, "caller") as caller:
        call = await caller.call(own_server.sip_uri("1000"))
        own_server.kill()
        assert [status for status, _ in calls_on_record(own_server)] == ["in-progress"]
        await asyncio.to_thread(own_server.start)
        assert [status for status, _ in calls_on_record(own_server)] == ["failed"]
        await call.hang_up()


async def test_death_of_the_media_process_ends_its_calls_and_new_ones_work(
    own_server: TownhallServer,
) -> None:
    async with phone(own_server, "unlucky") as unlucky, phone(own_server, "later") as later:
        call = await unlucky.call(own_server.sip_uri("1000"))
        await call.press("3")
        await call.hears("music", within_s=30)
        os.kill(media_pid(own_server), signal.SIGKILL)
        assert (await call.ended(30)).cause == "bye"
        second = await later.call(own_server.sip_uri("1000"))
        await second.press("3")
        await second.hears("music", within_s=30)
        await second.hang_up()
    [(status, cause), _] = calls_on_record(own_server)
    assert status == "completed"
    assert "media" in cause
