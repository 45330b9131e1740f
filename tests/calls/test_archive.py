"""Finished recordings: their sound in every form, their end, and how long they are kept."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import soundfile

from townhall.audio import sine
from townhall.calls.archive import RecordingArchive, RecordingError, RecordingSettings
from townhall.calls.recorded import Order
from townhall.recordings.wave import WaveWriter
from townhall.store import RecordingRecord, Store
from townhall.twiml.control import Notice


class Notices:
    def __init__(self) -> None:
        self.codes: list[int] = []

    def notice(self, resource_sid: str, notice: Notice) -> None:
        self.codes.append(notice.code)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = await Store.open(f"sqlite+aiosqlite:///{tmp_path}/test.db")
    yield store
    await store.close()


@pytest.fixture
def archive(store: Store, tmp_path: Path) -> RecordingArchive:
    settings = RecordingSettings("AC1", tmp_path / "recordings", "https://town.example", keep_days=30)
    settings.directory.mkdir()
    return RecordingArchive(settings, store.recordings, Notices())


async def kept(store: Store, archive: RecordingArchive, channels: int = 1, age_days: float = 0.0) -> str:
    """A finished recording of a second."""
    made = datetime.now(UTC) - timedelta(days=age_days)
    record = replace(
        RecordingRecord("AC1", "Conference"), channels=channels, status="completed", created_at=made
    )
    await store.recordings.add(record)
    with WaveWriter(archive.files(record.sid).wav, channels) as out:
        out.write(sine(440, 1.0).reshape(-1, 1).repeat(channels, axis=1))
    return record.sid


@pytest.mark.parametrize(
    ("channels", "form", "asked", "given"),
    [
        (1, "wav", None, 1), (1, "wav", 1, 1), (2, "wav", None, 2), (2, "wav", 1, 1), (2, "wav", 2, 2),
        (5, "wav", None, 5), (5, "wav", 1, 1), (1, "mp3", None, 1), (2, "mp3", None, 2), (2, "mp3", 1, 1),
        (5, "mp3", None, 1),
    ],
)  # fmt: skip
async def test_media_has_the_channels_asked_for(store, archive, channels, form, asked, given) -> None:
    sid = await kept(store, archive, channels)
    path = await archive.media(sid, form, asked)
    assert soundfile.info(path).channels == given
    assert await archive.media(sid, form, asked) == path


@pytest.mark.parametrize("channels", [1, 5])
async def test_dual_form_of_what_is_not_dual_is_16113(store, archive, channels: int) -> None:
    sid = await kept(store, archive, channels)
    with pytest.raises(RecordingError) as refused:
        await archive.media(sid, "wav", 2)
    assert refused.value.code == 16113


async def test_many_who_ask_at_once_have_it_rendered_once(store, archive) -> None:
    sid = await kept(store, archive)
    paths = await asyncio.gather(*(archive.media(sid, "mp3") for _ in range(20)))
    assert len(set(paths)) == 1


@pytest.mark.parametrize("status", ["in-progress", "processing", "absent", "deleted"])
async def test_media_of_what_is_not_completed_is_20404(store, archive, status: str) -> None:
    sid = await kept(store, archive)
    await store.recordings.change(sid, status=status)
    with pytest.raises(RecordingError) as refused:
        await archive.media(sid)
    assert refused.value.code == 20404


async def test_deleting_removes_every_form_and_keeps_the_record(store, archive, tmp_path: Path) -> None:
    sid = await kept(store, archive, 2)
    for form, channels in (("mp3", None), ("wav", 1), ("mp3", 1)):
        await archive.media(sid, form, channels)
    await archive.delete(sid)
    assert list((tmp_path / "recordings").iterdir()) == []
    assert (await store.recordings.get(sid)).status == "deleted"
    with pytest.raises(RecordingError) as refused:
        await archive.delete(sid)
    assert refused.value.code == 20404


async def test_recording_that_goes_on_can_not_be_deleted(store, archive) -> None:
    sid = await kept(store, archive)
    await store.recordings.change(sid, status="in-progress")
    with pytest.raises(RecordingError) as refused:
        await archive.delete(sid)
    assert refused.value.code == 16114


async def test_sweep_removes_what_is_older_than_its_days_and_nothing_else(store, archive) -> None:
    old, young, running = [await kept(store, archive, age_days=days) for days in (31, 29, 40)]
    await store.recordings.change(running, status="in-progress")
    assert await archive.sweep() == 1
    statuses = [(await store.recordings.get(sid)).status for sid in (old, young, running)]
    assert statuses == ["deleted", "completed", "in-progress"]


async def test_nothing_recorded_is_absent_and_says_why(store, archive) -> None:
    record = await store.recordings.add(RecordingRecord("AC1", "RecordVerb", call_sid="CA1"))
    absent = await archive.finish(record, Order(), discarded=False, failed=False)
    assert (absent.status, absent.error_code) == ("absent", 16101)
    failed = await archive.finish(record, Order(), discarded=False, failed=True)
    assert failed.error_code == 12400
    silent = await archive.finish(record, Order(), discarded=True, failed=False)
    assert silent.error_code == 16102
