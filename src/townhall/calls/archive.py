"""Finished recordings: making them, handing out their sound, removing them."""

import asyncio
import logging
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, Protocol

from townhall.calls.recorded import STORAGE_FAILED, Order, SilentError, finish_order
from townhall.errors import TownhallError
from townhall.recordings import RecordingFileError, RecordingFiles, render
from townhall.store import RecordingRecord, Recordings, StoreError
from townhall.twiml.control import Notice

log = logging.getLogger(__name__)

MediaFormat = Literal["wav", "mp3"]
SWEPT_AT_ONCE = 200


class RecordingError(TownhallError):
    """What was asked of a recording cannot be done; `code` is Twilio's number."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


class NoticeBoard(Protocol):
    """Where the error log is kept (`townhall.calls.journal`)."""

    def notice(self, resource_sid: str, notice: Notice) -> None: ...


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    account_sid: str
    directory: Path
    base_url: str
    """Where clients reach this server, for `RecordingUrl`."""
    keep_days: int = 0
    """Finished recordings are removed after so many days; 0: never."""


class RecordingArchive:
    def __init__(self, settings: RecordingSettings, records: Recordings, notices: NoticeBoard) -> None:
        self._settings = settings
        self._records = records
        self._notices = notices
        self._renderings: dict[Path, asyncio.Task[None]] = {}

    def files(self, sid: str) -> RecordingFiles:
        return RecordingFiles(self._settings.directory, sid)

    async def finish(
        self, record: RecordingRecord, order: Order, discarded: bool, failed: bool
    ) -> RecordingRecord:
        """Make the file; the record with its outcome, written down."""
        changes: dict[str, Any]
        files = self.files(record.sid)
        try:
            done = await asyncio.to_thread(finish_order, files, order, discarded)
            changes = {"status": "completed", "duration_s": done.seconds, "channels": done.channels}
        except SilentError as error:
            code = STORAGE_FAILED if failed else error.code
            changes = {"status": "absent", "duration_s": 0, "error_code": code}
        except (RecordingFileError, OSError) as error:
            message = f"recording {record.sid} could not be finished: {error}"
            self._notices.notice(
                record.conference_sid or record.call_sid or record.sid,
                Notice(STORAGE_FAILED, "error", message),
            )
            changes = {"status": "absent", "duration_s": 0, "error_code": STORAGE_FAILED}
        try:
            return await self._records.change(record.sid, **changes)
        except StoreError as error:
            log.error("%s: %s", record.sid, error)
            return replace(record, **changes)

    def url_of(self, sid: str) -> str:
        """`RecordingUrl`: without a suffix."""
        return f"{self._settings.base_url}/2010-04-01/Accounts/{self._settings.account_sid}/Recordings/{sid}"

    async def delete(self, sid: str) -> None:
        """Remove the sound; the record stays as `deleted`. Raises `RecordingError`: 20404, 16114."""
        record = await self._records.get(sid)
        if record is None or record.status == "deleted":
            raise RecordingError(20404, f"recording {sid} does not exist, or was deleted")
        if record.status not in ("completed", "absent"):
            raise RecordingError(16114, f"recording {sid} is {record.status}: stop it before it is deleted")
        await asyncio.to_thread(self.files(sid).remove)
        await self._records.change(sid, status="deleted")

    async def media(self, sid: str, form: MediaFormat = "wav", channels: int | None = None) -> Path:
        """The file of a finished recording. `channels` is Twilio's `RequestedChannels`: 1, 2, or as it is.

        Raises `RecordingError`: 20404 when there is none (yet), 16113 when there is no dual version.
        """
        record = await self._records.get(sid)
        files = self.files(sid)
        if record is None or record.status != "completed" or not files.wav.exists():
            raise RecordingError(20404, f"recording {sid} has no media")
        if channels == 2 and record.channels != 2:
            raise RecordingError(16113, f"recording {sid} has {record.channels} channels, no dual version")
        mixed = 1 if channels == 1 and record.channels > 1 else None
        if form == "wav" and mixed is None:
            return files.wav
        target = files.rendering(form, mixed)
        if not target.exists():
            await self._render(files.wav, target, form, mixed)
        return target

    async def talkers(self, sid: str) -> Path:
        """The JSON file that names the channels of a recording with one per talker; raises `RecordingError`
        20404.
        """
        record = await self._records.get(sid)
        sidecar = self.files(sid).sidecar
        if record is None or record.status != "completed" or not sidecar.exists():
            raise RecordingError(20404, f"recording {sid} has no channels per talker")
        return sidecar

    async def _render(self, source: Path, target: Path, form: MediaFormat, channels: int | None) -> None:
        task = self._renderings.get(target)
        if task is None:
            work = asyncio.to_thread(render, source, target, form, channels)
            task = self._renderings[target] = asyncio.create_task(work)
            task.add_done_callback(lambda _: self._renderings.pop(target, None))
        try:
            await asyncio.shield(task)
        except RecordingFileError as error:
            raise RecordingError(STORAGE_FAILED, str(error)) from error

    async def sweep(self) -> int:
        """Remove the sound of recordings that have been kept long enough; how many."""
        if not self._settings.keep_days:
            return 0
        before = datetime.now(UTC) - timedelta(days=self._settings.keep_days)
        removed, token = 0, None
        while True:
            page = await self._records.page(created_before=before, limit=SWEPT_AT_ONCE, token=token)
            for record in page.records:
                if record.status in ("completed", "absent"):
                    await self.delete(record.sid)
                    removed += 1
            token = page.next_token
            if token is None:
                break
        if removed:
            log.info("%d recordings older than %d days removed", removed, self._settings.keep_days)
        return removed
