"""Recordings when the disk is full or can't be written, and when everything is killed at once."""

import asyncio
import os
import resource
import signal
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from tests.harness.documents import role
from tests.harness.numbers import install
from tests.harness.recordings import download, read
from tests.harness.server import TownhallServer
from tests.harness.story import Story
from tests.harness.webhook import Answer, Webhook, WebhookRequest

SECOND = 16_000
"""Bytes of a mono recording."""


@pytest.fixture
def own_server(tmp_path: Path, webhook: Webhook) -> Iterator[TownhallServer]:
    """A server that may be harmed."""
    install(tmp_path / "townhall.db", webhook)
    with TownhallServer(tmp_path, webhook_inner_origins=webhook.url) as server:
        yield server


@pytest.fixture
async def own_story(own_server: TownhallServer, webhook: Webhook) -> AsyncIterator[Story]:
    async with Story(own_server, webhook) as story:
        story.on("/recording", Answer(b"", "text/plain"))
        yield story
    print(own_server.log)  # shown when the test has failed


def recorded(story: Story) -> dict[str, object]:
    return {
        "record": "record-from-start",
        "recording_status_callback": story.url("/recording"),
        "recording_status_callback_event": "in-progress completed absent",
        "trim": "do-not-trim",
    }


async def two_in_a_recorded_room(story: Story, room: str, one: str, other: str) -> None:
    await story.call(one, role("moderator", room, **recorded(story)))
    await story.call(other, role("speaker", room, **recorded(story)))


async def told(story: Story, status: str, sid: str | None = None) -> WebhookRequest:
    def wanted(request: WebhookRequest) -> bool:
        given = request.parameters
        return given["RecordingStatus"] == status and sid in (None, given["RecordingSid"])

    return await story.webhook.next_request(story.path("/recording"), 20.0, accept=wanted)


def media_pid(server: TownhallServer) -> int:
    children = Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()
    found = [int(pid) for pid in children if b"townhall.media" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    assert len(found) == 1
    return found[0]


def let_files_grow(pid: int, most_bytes: int) -> None:
    """From now on the kernel refuses the process any byte beyond, as it does on a full disk."""
    resource.prlimit(pid, resource.RLIMIT_FSIZE, (most_bytes, resource.RLIM_INFINITY))


def notices(server: TownhallServer) -> list[str]:
    with sqlite3.connect(server.data_dir / "townhall.db") as database:
        return [message for (message,) in database.execute("SELECT message FROM notices")]


async def file_of(story: Story, sid: str, least_bytes: int) -> Path:
    """The file of a recording that goes on, once it has grown so far."""
    part = story.server.data_dir / "recordings" / f"{sid}.part"
    async with asyncio.timeout(20):
        while not part.exists() or part.stat().st_size < least_bytes:  # noqa: ASYNC110  (a file tells nobody)
            await asyncio.sleep(0.05)
    return part


async def test_recording_that_meets_the_end_of_the_disk_keeps_what_it_has_and_ends_no_call(
    own_story: Story,
) -> None:
    story = own_story
    let_files_grow(media_pid(story.server), 2 * SECOND)
    await two_in_a_recorded_room(story, "first", "ann", "ben")
    first = (await told(story, "in-progress")).parameters["RecordingSid"]
    done = (await told(story, "completed", first)).parameters
    let_files_grow(media_pid(story.server), resource.RLIM_INFINITY)
    await two_in_a_recorded_room(story, "second", "cleo", "dan")
    begun = await story.webhook.next_request(
        story.path("/recording"), 20.0, accept=lambda request: request.parameters["RecordingSid"] != first
    )
    await story.hear({"ann": "ben", "ben": "ann", "cleo": "dan", "dan": "cleo"})
    sound = read(await asyncio.to_thread(download, done["RecordingUrl"]))
    assert 1.0 < sound.seconds <= 2.0
    tones = {name: story.callers[name].tone_hz for name in ("ann", "ben")}
    assert sound.names(tones, share=0.6) == {"ann", "ben"}
    assert any(first in notice and "File too large" in notice for notice in notices(story.server))
    await story.callers["cleo"].hang_up()
    second = await told(story, "completed", begun.parameters["RecordingSid"])
    assert int(second.parameters["RecordingDuration"]) >= 1


async def test_recording_that_can_not_be_written_is_absent_and_ends_no_call(own_story: Story) -> None:
    story = own_story
    folder = story.server.data_dir / "recordings"
    folder.write_text("no folder")
    await two_in_a_recorded_room(story, story.room, "ann", "ben")
    absent = (await told(story, "absent")).parameters
    assert absent["ErrorCode"] == "12400"
    await story.hear({"ann": "ben", "ben": "ann"})
    assert any(absent["RecordingSid"] in notice for notice in notices(story.server))


async def test_what_was_spoken_until_everything_was_killed_plays_and_is_found_again(own_story: Story) -> None:
    story = own_story
    await two_in_a_recorded_room(story, story.room, "ann", "ben")
    begun = (await told(story, "in-progress")).parameters
    part = await file_of(story, begun["RecordingSid"], 2 * SECOND)
    media = media_pid(story.server)
    os.kill(story.server.pid, signal.SIGSTOP)  # so that it can't tidy up what the media process leaves
    os.kill(media, signal.SIGKILL)
    story.server.kill()
    tones = {name: caller.tone_hz for name, caller in story.callers.items()}
    sound = read(part.read_bytes())
    assert sound.seconds > 1.9
    assert sound.names(tones, share=0.7) == {"ann", "ben"}
    await asyncio.to_thread(story.server.start)
    done = (await told(story, "completed")).parameters
    assert done["RecordingSid"] == begun["RecordingSid"]
    found = read(await asyncio.to_thread(download, done["RecordingUrl"]))
    assert found.seconds >= sound.seconds
    assert found.names(tones, share=0.7) == {"ann", "ben"}
    assert not part.exists()


async def test_recording_is_finished_when_the_server_is_stopped(own_story: Story) -> None:
    story = own_story
    await two_in_a_recorded_room(story, story.room, "ann", "ben")
    sid = (await told(story, "in-progress")).parameters["RecordingSid"]
    await file_of(story, sid, 2 * SECOND)
    await asyncio.to_thread(story.server.stop)
    wav = story.server.data_dir / "recordings" / f"{sid}.wav"
    assert read(wav.read_bytes()).seconds > 1.5
    await asyncio.to_thread(story.server.start)
    await told(story, "completed", sid)
