"""Control's side of a recorder: a handle that sends commands and is told of the end."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Literal

from townhall.media.leg import CommandPort
from townhall.media.protocol import (
    PauseRecorder,
    RecorderEnded,
    ResumeRecorder,
    StopRecorder,
    TalkerRecorded,
)


class Recorder:
    """One run of a recorder. Ends by `stop`, with its leg, at its limit, by a fault of the disk, or with the
    media process.
    """

    def __init__(self, port: CommandPort, number: int) -> None:
        self.number = number
        self.on_talker: Callable[[TalkerRecorded], None] | None = None
        """Told of each leg that a recorder of talkers begins a file for."""
        self.on_end: Callable[[RecorderEnded | None], None] = lambda event: None
        self.lost = ""
        """Why nobody knows how it ended: the media process died."""
        self._port = port
        self._ended: asyncio.Future[RecorderEnded | None] = asyncio.get_running_loop().create_future()

    async def ended(self) -> RecorderEnded | None:
        """Wait until its files are closed; None when the media process died, which leaves them as they are.

        Cancelling the waiter does not stop the recorder.
        """
        return await asyncio.shield(self._ended)

    @property
    def over(self) -> bool:
        return self._ended.done()

    def pause(self, behaviour: Literal["skip", "silence"] = "silence") -> None:
        """Record silence until `resume`, or nothing at all (`skip`)."""
        self._port.send(PauseRecorder(self.number, behaviour))

    def resume(self) -> None:
        self._port.send(ResumeRecorder(self.number))

    def stop(self) -> None:
        """End it; `ended` tells when the files are closed."""
        self._port.send(StopRecorder(self.number))

    def end(self, event: RecorderEnded | None, lost: str = "") -> None:
        """Told by the client; the first one counts."""
        if not self._ended.done():
            self.lost = lost
            self._ended.set_result(event)
            self.on_end(event)


def further_part(path: str, first: int) -> str:
    """The file of what is recorded from sample `first` on, where the recorder of `path` was lost."""
    return f"{path}s/{first:012d}"


def tell_recorder(recorders: dict[int, Recorder], event: TalkerRecorded | RecorderEnded) -> None:
    """Pass an event on to the recorder it is about."""
    if isinstance(event, RecorderEnded):
        ended = recorders.pop(event.recorder, None)
        if ended is not None:
            ended.end(event)
    else:
        recorder = recorders.get(event.recorder)
        if recorder is not None and recorder.on_talker is not None:
            recorder.on_talker(event)


def lose_recorders(recorders: Mapping[int, Recorder], reason: str) -> None:
    """The media process is gone, and with it all recorders."""
    for recorder in recorders.values():
        recorder.end(None, reason)
