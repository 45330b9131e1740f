"""SIPp is called: the odd ways in which callees answer, played from `callees/`."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from tests.harness.remote_control import RemoteControl
from tests.harness.story import Story

CALLEES = Path(__file__).parent / "callees"
WITHIN_S = 60
ANSWERED = ["forked", "reliable_early_media"]


class Callee:
    """SIPp, waiting for one call at an address of its own."""

    def __init__(self, story: Story, scenario: str, directory: Path) -> None:
        self._story = story
        self._scenario = scenario
        self._directory = directory

    async def called(self, **parameters: Any) -> str:
        """Have the server call it; returns the call's SID."""
        address = self._story.server.address
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.bind((address, 0))
            port = probe.getsockname()[1]
        self._process = await asyncio.create_subprocess_exec(
            "sipp",
            *("-sf", str(CALLEES / f"{self._scenario}.xml"), "-i", address, "-mi", address, "-p", str(port)),
            *("-m", "1", "-nostdin", "-timeout", str(WITHIN_S), "-timeout_error", "-recv_timeout", "30000"),
            *("-trace_err", "-error_file", str(self._directory / "errors.log")),
            *("-trace_msg", "-message_file", str(self._directory / "messages.log")),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            cwd=self._directory,
        )
        given = {"twiml": '<Response><Pause length="1"/></Response>', **parameters}
        to = f"sip:callee@{address}:{port}"
        call = await RemoteControl(self._story).do(
            lambda client: client.calls.create(to=to, from_="+15550100", **given)
        )
        return str(call.sid)

    async def done(self) -> None:
        """Wait until the scenario has gone as it should."""
        output, _ = await self._process.communicate()
        files = [self._directory / name for name in ("errors.log", "messages.log")]
        said = "\n".join(file.read_text(errors="replace") for file in files if file.exists())
        assert self._process.returncode == 0, f"{said[-12000:]}\n{output.decode(errors='replace')[-1500:]}"


async def status_of(story: Story, sid: str) -> str:
    """The call's status once it is over."""
    remote = RemoteControl(story)
    async with asyncio.timeout(30):
        while True:
            call = await remote.do(lambda client: client.calls(sid).fetch())
            if call.status not in ("queued", "ringing", "in-progress"):
                return str(call.status)
            await asyncio.sleep(0.05)


def test_every_scenario_is_played() -> None:
    assert sorted([*ANSWERED, "answer_after_cancel", "busy"]) == sorted(f.stem for f in CALLEES.glob("*.xml"))


@pytest.mark.parametrize("scenario", ANSWERED)
async def test_callee_who_answers_in_an_odd_way_is_talked_to(
    story: Story, tmp_path: Path, scenario: str
) -> None:
    callee = Callee(story, scenario, tmp_path)
    sid = await callee.called()
    await callee.done()
    assert await status_of(story, sid) == "completed"


async def test_callee_who_answers_too_late_is_hung_up_on(story: Story, tmp_path: Path) -> None:
    callee = Callee(story, "answer_after_cancel", tmp_path)
    sid = await callee.called(timeout=1)
    await callee.done()
    assert await status_of(story, sid) == "no-answer"


async def test_callee_who_is_busy_is_left_alone(story: Story, tmp_path: Path) -> None:
    callee = Callee(story, "busy", tmp_path)
    sid = await callee.called()
    await callee.done()
    assert await status_of(story, sid) == "busy"
