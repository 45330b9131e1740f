"""`<Record>` on a live call: beep, listen, and end with a key, silence, the greatest length or the hang-up.

Silence is judged by the media process's speech detector, which is sure of it after 0.6 seconds; they count
for the attribute's `timeout`.
"""

import asyncio
import contextlib
from typing import Any, Protocol

from townhall.calls.archive import RecordingError
from townhall.calls.call import Call
from townhall.calls.live_recording import LiveRecording
from townhall.calls.recording import RecordingDesk
from townhall.media import Leg
from townhall.twiml.control import CallRedirected, Notice, RecordOutcome, RecordPlan

SURE_OF_SILENCE_S = 0.6
"""How long it has been silent when `on_speech(False)` comes."""

FINISHED_WITHIN_S = 8.0
"""What the document waits for the file; its duration is not exact when it takes longer."""

HANGUP = "hangup"


class Recordable(Protocol):
    """The part of `LiveCall` that is needed here."""

    call: Call

    async def beep(self) -> None: ...

    def report(self, notice: Notice) -> None: ...

    def obey(self, interruption: asyncio.Future[CallRedirected]) -> CallRedirected: ...


class _Ear:
    """Whether the caller speaks, and since when he does not."""

    def __init__(self, leg: Leg) -> None:
        self.spoke = False
        self.changed = asyncio.Event()
        self._leg = leg
        self._before = leg.on_speech
        self._speaking = False
        self._silent_since = asyncio.get_running_loop().time()
        leg.on_speech = self._hear

    def close(self) -> None:
        self._leg.on_speech = self._before

    def patience_s(self, timeout_s: int) -> float | None:
        """Seconds until he has been silent too long; None while there is no such time."""
        if not timeout_s or self._speaking:
            return None
        silent_s = asyncio.get_running_loop().time() - self._silent_since
        return max(0.0, timeout_s - silent_s)

    def _hear(self, speaking: bool) -> None:
        self._speaking = speaking
        self.spoke = self.spoke or speaking
        self._silent_since = asyncio.get_running_loop().time() - SURE_OF_SILENCE_S
        self.changed.set()


async def record_message(
    control: Recordable, leg: Leg, desk: RecordingDesk, plan: RecordPlan
) -> RecordOutcome | None:
    """See `CallControl.record`."""
    call = control.call
    call.discard_digits()
    if plan.play_beep:
        await control.beep()
    try:
        live = desk.begin_call(call, plan.recording, limit_s=plan.max_length_s, speech=True)
    except RecordingError as error:
        control.report(Notice(error.code, "error", error.message))
        return None
    ear = _Ear(leg)
    try:
        digits = await _listen(control, plan, live, ear)
    finally:
        ear.close()
        live.discarded = not ear.spoke
        live.stop()
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FINISHED_WITHIN_S):
            await asyncio.shield(live.done)
    if live.record.status == "absent" or not ear.spoke:
        return None
    return RecordOutcome(live.record.sid, live.url, live.record.duration_s or 0, digits)


async def _listen(control: Recordable, plan: RecordPlan, live: LiveRecording, ear: _Ear) -> str:
    """Until it is over; the key that ended it, `hangup`, or nothing. Raises `CallRedirected`."""
    call = control.call
    interruption = call.interruption
    key = asyncio.ensure_future(_ending_key(call, plan.finish_on_key))
    recorded = asyncio.ensure_future(live.recorder.ended())
    try:
        while True:
            ear.changed.clear()
            heard = asyncio.ensure_future(ear.changed.wait())
            enders: set[asyncio.Future[Any]] = {key, recorded, call.over, interruption}
            patience_s = ear.patience_s(plan.timeout_s)
            await asyncio.wait(enders | {heard}, timeout=patience_s, return_when=asyncio.FIRST_COMPLETED)
            heard.cancel()
            if key.done():
                return key.result()
            if call.over.done():
                return HANGUP
            if interruption.done():
                raise control.obey(interruption)
            if recorded.done() or (ear.patience_s(plan.timeout_s) == 0.0):
                return ""
    finally:
        key.cancel()
        recorded.cancel()


async def _ending_key(call: Call, keys: str) -> str:
    while True:
        key: str = await call.digits.get()
        if key in keys:
            return key
