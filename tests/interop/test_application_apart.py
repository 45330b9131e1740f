"""The conference application in a process of its own: it shares nothing with the engine but HTTP."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.harness.server import AUTH_TOKEN, TownhallServer
from tests.harness.story import Story

NUMBER = "4000"
_SCRIPT = Path(__file__).parents[1] / "harness" / "application_apart.py"


@pytest.fixture(scope="module")
def modules(server: TownhallServer) -> Iterator[list[str]]:
    """What of ours the process has loaded; it serves the number while the tests run."""
    command = [sys.executable, str(_SCRIPT), "127.0.0.1", AUTH_TOKEN, NUMBER]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline())
        server.command("number", "add", NUMBER, f"{told['url']}/menu")
        yield told["modules"]
        process.terminate()


def test_application_loads_nothing_of_the_engine(modules: list[str]) -> None:
    assert "townhall.app" in modules
    assert [name for name in modules if name != "townhall" and not name.startswith("townhall.app")] == []


async def test_application_apart_leads_callers_through_menu_and_pin(story: Story, modules: list[str]) -> None:
    for name in ("listener", "speaker", "moderator"):
        await story.dial(name, NUMBER)
    callers = story.callers
    await asyncio.gather(*(caller.call.hears("sound") for caller in callers.values()))
    await callers["listener"].press("1")
    await callers["speaker"].press("2")
    await asyncio.gather(*(callers[name].call.hears("music") for name in ("listener", "speaker")))
    await callers["moderator"].press("3")
    asked = await callers["moderator"].call.hears("sound")
    await callers["moderator"].call.hears("silence", since=asked)
    await callers["moderator"].press("2718#")
    await story.hear({"listener": "speaker moderator", "speaker": "moderator", "moderator": "speaker"})
    await callers["moderator"].hang_up()
    await story.all_ended("listener", "speaker")
