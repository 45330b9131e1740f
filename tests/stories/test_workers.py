"""One conference in two media processes: everybody hears everybody, and one may die without the other."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.harness.documents import conference, role
from tests.harness.numbers import install
from tests.harness.server import TownhallServer
from tests.harness.sounds import is_beep
from tests.harness.story import Story
from tests.harness.webhook import Webhook


@pytest.fixture
def two(tmp_path: Path, webhook: Webhook) -> Iterator[TownhallServer]:
    """A server with two media processes: callers are in one and the other by turns."""
    install(tmp_path / "townhall.db", webhook)
    settings = {"webhook_inner_origins": webhook.url, "media_workers": "2", "rtp_ports": "20000-20015"}
    with TownhallServer(tmp_path, **settings) as server:
        yield server


@pytest.fixture
async def story(two: TownhallServer, webhook: Webhook) -> AsyncIterator[Story]:
    async with Story(two, webhook) as story:
        yield story
    print(two.log)


def media_pids(server: TownhallServer) -> list[int]:
    """In the order in which they were started."""
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    found = [int(pid) for pid in children if b"townhall.media" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return sorted(found)


async def test_callers_in_two_processes_hear_each_other_whatever_their_roles(story: Story) -> None:
    assert len(media_pids(story.server)) == 2
    for name in ("ann", "ben"):
        await story.call(name, role("speaker", story.room))
    await story.call("joe", role("listener", story.room))
    await story.call("mod", role("moderator", story.room))
    everybody = {"ann": "ben mod", "ben": "ann mod", "joe": "ann ben mod", "mod": "ann ben"}
    await story.hear(everybody)
    assert (await asyncio.to_thread(story.server.health))["media"]["legs"] == 4
    assert "4 in 2 processes" in (await asyncio.to_thread(story.server.command, "status")).stdout
    coach = conference(story.room, beep="false", coach=await sid_of(story, "ben"))
    await story.call("coach", coach)
    await story.hear(everybody | {"ben": "ann mod coach", "coach": "ann ben mod"})
    marks = {name: story.callers[name].call.mark() for name in ("ann", "ben", "joe", "mod")}
    await story.call("eve", conference(story.room, beep="onEnter", muted=True))
    for name, mark in marks.items():
        await story.callers[name].call.hears(is_beep, since=mark)
    await story.callers["mod"].hang_up()
    await story.all_ended("ann", "ben", "joe")


async def sid_of(story: Story, caller: str) -> str:
    return (await story.requested("/voice", caller)).parameters["CallSid"]


async def test_death_of_one_process_costs_its_callers_and_the_conference_goes_on(story: Story) -> None:
    for name in ("ann", "ben", "cat", "dan"):
        await story.call(name, role("moderator", story.room, end_conference_on_exit=False))
    await story.hear({"ann": "ben cat dan", "ben": "ann cat dan", "cat": "ann ben dan", "dan": "ann ben cat"})
    pids = media_pids(story.server)
    os.kill(pids[1], signal.SIGKILL)
    await story.all_ended("ben", "dan")
    await story.hear({"ann": "cat", "cat": "ann"})
    await story.logged("its calls end, a new one starts")
    async with asyncio.timeout(20):
        while (await asyncio.to_thread(story.server.health))["media"]["processes"] < 2:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    for name in ("eve", "fay"):
        await story.call(name, role("speaker", story.room))
    await story.hear({"ann": "cat eve fay", "cat": "ann eve fay", "eve": "ann cat fay", "fay": "ann cat eve"})
