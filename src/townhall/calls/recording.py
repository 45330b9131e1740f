"""The recording desk: starts, pauses and ends recordings, and sees each one through to its file, its record
and its callbacks.

A recording is one task: it waits for the recorder's end, makes the file in a thread, writes down the outcome
and tells it. What a crash left is finished in the same way when the server starts again. A disk that is full
ends no call: the recording is `absent`, or has what was spoken until then, and a notice says why.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from townhall.calls.archive import (
    MediaFormat,
    NoticeBoard,
    RecordingArchive,
    RecordingError,
    RecordingSettings,
)
from townhall.calls.call import Call
from townhall.calls.live_recording import LiveRecording
from townhall.calls.recorded import (
    STORAGE_FAILED,
    Order,
    note_talker,
    read_order,
    recording_parameters,
    write_order,
)
from townhall.media import Leg, Media, StartRecorder, TalkerRecorded
from townhall.store import RecordingRecord, Recordings, StoreError
from townhall.twiml.control import Notice, RecordingPlan
from townhall.webhooks import CallbackSender

__all__ = ["LiveRecording", "RecordingDesk", "RecordingError", "RecordingSettings"]

log = logging.getLogger(__name__)

NameOf = Callable[[int], dict[str, Any]]
"""Who a leg's number is: Call SID, label, number, for the sidecar."""

PauseBehavior = Literal["skip", "silence"]
CLOSE_WITHIN_S = 3.0
SWEEP_EVERY_S = 3600.0


class RecordingDesk:
    """All recordings of the server. `recover` once, before calls are taken."""

    def __init__(
        self,
        settings: RecordingSettings,
        *,
        media: Media,
        records: Recordings,
        callbacks: CallbackSender,
        notices: NoticeBoard,
    ) -> None:
        self._settings = settings
        self._media = media
        self._records = records
        self._callbacks = callbacks
        self._notices = notices
        self._live: dict[str, LiveRecording] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._archive = RecordingArchive(settings, records, notices)
        self._sweeping: asyncio.Task[None] | None = None

    # ---- starting ----

    async def start_call(self, call: Call, plan: RecordingPlan) -> RecordingRecord:
        """Record a call's leg until it is stopped or the call ends.

        Raises `RecordingError`: 21220 for a call that is not in progress, 16108 for one that is recorded in
        this way already.
        """
        live = self.begin_call(call, plan)
        await live.kept
        return live.record

    def begin_call(
        self, call: Call, plan: RecordingPlan, *, limit_s: float = 0.0, speech: bool = False
    ) -> LiveRecording:
        """The same at once, for who can't wait until it is written down."""
        leg = call.audio.leg
        if leg is None or call.over.done() or call.answered_at is None:
            raise RecordingError(
                21220, f"call {call.sid} is {call.status}: only a call in progress can be recorded"
            )
        self._refuse_second(call.sid, plan)
        dual = plan.channels == "dual" and plan.track == "both"
        record = RecordingRecord(
            account_sid=self._settings.account_sid,
            source=plan.source,
            call_sid=call.sid,
            channels=2 if dual else 1,
            track=plan.track,
        )
        command = StartRecorder(
            recorder=0,
            path=str(self._archive.files(record.sid).part),
            kind="leg",
            leg=leg.number,
            track=plan.track,
            channels=2 if dual else 1,
            speech=speech,
            limit_s=limit_s,
        )
        return self._begin(record, plan, command)

    def start_beside(self, call: Call, plan: RecordingPlan) -> str | None:
        """Record a call beside what its document does; the URL, or None with a notice."""
        try:
            return self.begin_call(call, plan).url
        except RecordingError as error:
            self._notices.notice(call.sid, Notice(error.code, "warning", error.message))
            return None

    def stop_beside(self, url: str) -> None:
        """End what `start_beside` began."""
        live = self._live.get(url.rpartition("/")[2])
        if live is not None:
            live.stop()

    def start_conference(
        self,
        conference_sid: str,
        plan: RecordingPlan,
        *,
        first: tuple[str, Leg] | None = None,
        name_of: NameOf = lambda leg: {},
        about: dict[str, str] | None = None,
    ) -> RecordingRecord:
        """Record a conference: its sum, `first` (Call SID and leg) and the rest, or every talker for himself.

        Raises `RecordingError` 16108. `about` goes into the sidecar of a recording with a channel per talker.
        """
        self._refuse_second(conference_sid, plan)
        record = RecordingRecord(
            account_sid=self._settings.account_sid,
            source=plan.source,
            call_sid=first[0] if first else None,
            conference_sid=conference_sid,
            channels=2 if plan.channels == "dual" else 1,
        )
        files = self._archive.files(record.sid)
        talkers = plan.channels == "per-talker"
        command = StartRecorder(
            recorder=0,
            path=str(files.talkers if talkers else files.part),
            kind="talkers" if talkers else "bus",
            bus=conference_sid,
            leg=first[1].number if first else None,
            channels=2 if plan.channels == "dual" else 1,
        )
        return self._begin(record, plan, command, name_of, about).record

    def _refuse_second(self, subject: str, plan: RecordingPlan) -> None:
        for live in self._live.values():
            if live.subject == subject and live.record.source == plan.source and not live.over:
                raise RecordingError(16108, f"{subject} is being recorded already ({live.record.sid})")

    def _begin(
        self,
        record: RecordingRecord,
        plan: RecordingPlan,
        command: StartRecorder,
        name_of: NameOf = lambda leg: {},
        about: dict[str, str] | None = None,
    ) -> LiveRecording:
        record = replace(record, path=f"{record.sid}.wav")
        recorder = self._media.start_recorder(command)
        order = Order.of(plan, about or {})
        live = LiveRecording(record, order, recorder, self.url_of(record.sid))
        if command.kind == "talkers":
            recorder.on_talker = lambda event: self._note_talker(live, event, name_of)
        self._live[record.sid] = live
        log.info("%s: recording %s (%s)", live.subject, record.sid, plan.source)
        self._run(self._see_through(live), f"recording {record.sid}")
        return live

    def _note_talker(self, live: LiveRecording, event: TalkerRecorded, name_of: NameOf) -> None:
        entry = {"file": Path(event.path).name, "first": event.first, **name_of(event.leg)}
        work = asyncio.to_thread(note_talker, self._archive.files(live.record.sid), entry)
        self._run(work, f"talker of {live.record.sid}")

    # ---- while it goes on ----

    def live(self, sid: str) -> LiveRecording:
        """The recording that goes on; raises `RecordingError`: 20404."""
        live = self._live.get(sid)
        if live is None or live.over:
            raise RecordingError(20404, f"recording {sid} does not exist, or has ended")
        return live

    def current(self, subject_sid: str) -> str:
        """What `Twilio.CURRENT` means for a call or conference: the latest that goes on; 20404 without."""
        going = [r for r in self._live.values() if r.subject == subject_sid and not r.over]
        if not going:
            raise RecordingError(20404, f"{subject_sid} is not being recorded")
        return going[-1].record.sid

    async def pause(self, sid: str, behavior: PauseBehavior = "silence") -> RecordingRecord:
        """Raises `RecordingError`: 20404."""
        live = self.live(sid)
        if live.record.status == "paused":
            return live.record
        live.recorder.pause(behavior)
        return await self._become(live, "paused", "paused")

    async def resume(self, sid: str) -> RecordingRecord:
        """Raises `RecordingError`: 20404."""
        live = self.live(sid)
        if live.record.status != "paused":
            return live.record
        live.recorder.resume()
        return await self._become(live, "in-progress", "resumed")

    async def stop(self, sid: str) -> RecordingRecord:
        """End a recording; its file comes a moment later. Raises `RecordingError`: 20404."""
        live = self.live(sid)
        live.stop()
        return await self._become(live, "stopped", "stopped")

    def stop_conference(self, conference_sid: str) -> None:
        """End what is recorded of a conference."""
        for live in self._live.values():
            if live.record.conference_sid == conference_sid:
                live.stop()

    async def _become(self, live: LiveRecording, status: str, event: str) -> RecordingRecord:
        live.record = replace(live.record, status=status)
        await live.kept
        await self._keep(live, status=status)
        self._tell(live, event)
        return live.record

    # ---- its end ----

    async def _see_through(self, live: LiveRecording) -> None:
        sid = live.record.sid
        try:
            await self._keep_first(live)
            ended = await live.recorder.ended()
            if ended is None:
                self._complain(live, f"the end of the recording is lost: {live.recorder.lost}")
            elif ended.outcome == "failed":
                self._complain(live, f"recording ended early: {ended.detail}")
            elif ended.detail:
                self._complain(live, f"some of the recording is missing: {ended.detail}")
            if ended is not None and ended.lost:
                self._complain(live, f"{ended.lost / 8000:.1f} s are silence: the disk was too slow")
            if ended is not None and ended.talkers_left_out:
                self._complain(live, f"{ended.talkers_left_out} talkers have no channel: there were too many")
            await self._finish(live, failed=ended is None or ended.outcome == "failed")
        except Exception:
            # A fault of ours costs this recording, no other and no call.
            log.exception("recording %s ended by a fault of the server", sid)
        finally:
            self._live.pop(sid, None)
            if not live.done.done():
                live.done.set_result(live.record)

    async def _keep_first(self, live: LiveRecording) -> None:
        try:
            await asyncio.to_thread(write_order, self._archive.files(live.record.sid), live.order)
        except OSError as error:
            log.warning("%s: what is to be done with it can't be written: %s", live.record.sid, error)
        try:
            await self._records.add(live.record)
        except StoreError as error:
            log.error("%s: %s", live.record.sid, error)
        live.kept.set_result(None)
        self._tell(live, "started")
        self._tell(live, "in-progress")

    async def _finish(self, live: LiveRecording, failed: bool) -> None:
        await self._keep(live, status="processing")
        record = await self._archive.finish(live.record, live.order, live.discarded, failed)
        live.record = record
        log.info("%s: recording %s is %s, %s s", live.subject, record.sid, record.status, record.duration_s)
        self._tell(live, record.status)

    async def _keep(self, live: LiveRecording, *, status: str) -> None:
        try:
            live.record = await self._records.change(live.record.sid, status=status)
        except StoreError as error:
            log.error("%s: %s", live.record.sid, error)
            live.record = replace(live.record, status=status)

    def _complain(self, live: LiveRecording, message: str) -> None:
        notice = Notice(STORAGE_FAILED, "error", f"{live.record.sid}: {message}")
        self._notices.notice(live.subject, notice)

    def _tell(self, live: LiveRecording, event: str) -> None:
        self._send(live.record, live.order, event)

    def _send(self, record: RecordingRecord, order: Order, event: str) -> None:
        if order.callback_url and event in order.callback_events:
            parameters = recording_parameters(record, self.url_of(record.sid), event)
            self._callbacks.send(record.sid, order.callback_url, order.callback_method, parameters)

    # ---- finished ones ----

    def url_of(self, sid: str) -> str:
        return self._archive.url_of(sid)

    async def delete(self, sid: str) -> None:
        await self._archive.delete(sid)

    async def media(self, sid: str, form: MediaFormat = "wav", channels: int | None = None) -> Path:
        return await self._archive.media(sid, form, channels)

    async def talkers(self, sid: str) -> Path:
        return await self._archive.talkers(sid)

    # ---- the server's beginning and end ----

    async def recover(self) -> None:
        """Begin to finish what the server's last stop left: what was spoken until then is kept, and told."""
        self._run(self._recover(await self._records.unfinished()), "recordings' recovery")
        self._sweeping = asyncio.create_task(self._sweep(), name="recordings' retention")

    async def _recover(self, left: list[RecordingRecord]) -> None:
        for record in left:
            order = await asyncio.to_thread(read_order, self._archive.files(record.sid))
            ended = await self._archive.finish(record, order, discarded=False, failed=False)
            log.warning("recording %s was going on when the server stopped: %s", record.sid, ended.status)
            self._send(ended, order, ended.status)

    async def _sweep(self) -> None:
        while True:
            try:
                await self._archive.sweep()
            except (StoreError, RecordingError, OSError) as error:
                log.warning("old recordings can't be removed: %s", error)
            await asyncio.sleep(SWEEP_EVERY_S)

    async def close(self) -> None:
        """Stop every recording and wait, not for long, until it is finished; `recover` does the rest."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for live in list(self._live.values()):
            live.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CLOSE_WITHIN_S)

    def _run(self, work: Coroutine[Any, Any, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._retire)

    def _retire(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            log.warning("%s: %s", task.get_name(), task.exception())
