"""A recording that goes on, as the desk keeps it."""

import asyncio
from dataclasses import dataclass, field

from townhall.calls.recorded import Order
from townhall.media import Recorder
from townhall.store import RecordingRecord


@dataclass(eq=False)
class LiveRecording:
    """A recording that goes on, or is being finished."""

    record: RecordingRecord
    order: Order
    recorder: Recorder
    url: str
    done: "asyncio.Future[RecordingRecord]" = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )
    """The record as it is in the end."""
    kept: "asyncio.Future[None]" = field(default_factory=lambda: asyncio.get_running_loop().create_future())
    """Done when the store has it."""
    stopping: bool = False
    """It was told to end."""
    discarded: bool = False
    """Nobody spoke: there is nothing to keep."""

    def stop(self) -> None:
        self.stopping = True
        self.recorder.stop()

    @property
    def over(self) -> bool:
        """Whether no sound is added any more."""
        return self.stopping or self.recorder.over

    @property
    def subject(self) -> str:
        """The call or conference."""
        return self.record.conference_sid or self.record.call_sid or ""
