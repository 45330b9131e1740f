"""One play, or one recorder, of control's that runs in several media processes."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import msgspec

from townhall.media.leg import CommandPort, Outcome, Playback
from townhall.media.protocol import RecorderEnded, TalkerRecorded
from townhall.media.recording import Recorder
from townhall.media.shapes import TICK_S, TICK_SAMPLES


class JointPlayback(Playback):
    """Ends when all its parts have ended: `finished` if one of them was heard to its end."""

    def __init__(self, port: CommandPort, parts: Sequence[Playback]) -> None:
        super().__init__(port, parts[0].number, None)
        self._parts = list(parts)
        for part in parts:
            part.on_end = self._settle
        self._settle()

    def add(self, part: Playback) -> None:
        """One part more, in a process that plays the rest."""
        self._parts.append(part)
        part.on_end = self._settle

    def stop(self) -> None:
        """Silence it at once; nothing when it is over."""
        for part in self._parts:
            part.stop()

    def _settle(self) -> None:
        outcomes = [part.outcome for part in self._parts]
        if None in outcomes:
            return
        ranking: tuple[Outcome, ...] = ("finished", "failed", "stopped")
        outcome = next(each for each in ranking if each in outcomes)
        self.end(outcome, next(part.detail for part in self._parts if part.outcome == outcome))


class RecordedTime:
    """How long a recorder's files are meanwhile, by control's clock: a media process that joins it later has
    to be told. What is left out by pauses does not count. Times are in seconds.
    """

    def __init__(self, began: float) -> None:
        self._began = began
        self._skipping_since: float | None = None

    def skip(self, now: float) -> None:
        """Time stands still until `go_on`."""
        if self._skipping_since is None:
            self._skipping_since = now

    def go_on(self, now: float) -> None:
        if self._skipping_since is not None:
            self._began += now - self._skipping_since
            self._skipping_since = None

    def samples(self, now: float) -> int:
        """In whole ticks, as media processes count."""
        until = now if self._skipping_since is None else self._skipping_since
        return max(0, round((until - self._began) / TICK_S)) * TICK_SAMPLES


class JointRecorder(Recorder):
    """Ends when all its parts have ended. A part that is lost with its process costs what that one recorded,
    and the others go on; a process that has been started again, or takes the lost one's place, records from
    then on (`add`).
    """

    def __init__(self, port: CommandPort, parts: Sequence[Recorder]) -> None:
        super().__init__(port, parts[0].number)
        self._parts: list[Recorder] = []
        self._endings: list[RecorderEnded] = []
        self._clock = asyncio.get_running_loop().time
        self._time = RecordedTime(self._clock())
        self._paused: Literal["skip", "silence"] | None = None
        self.stopping = False
        """It was told to end: no part is to come any more."""
        self.on_part_lost: Callable[[], None] = _nothing
        """A part is lost with its process: another may take its place now."""
        for part in parts:
            self.add(part)

    @property
    def samples(self) -> int:
        """How long it is now, by control's clock."""
        return self._time.samples(self._clock())

    def add(self, part: Recorder) -> None:
        """One part more, which begins now; what it tells is told as from the beginning of the whole."""
        first = self.samples
        self._parts.append(part)
        part.on_talker = partial(self._tell, first)
        part.on_end = partial(self._settle, part, first)
        if part.over:
            self._settle(part, first, None)
        elif self._paused is not None:
            part.pause(self._paused)

    def pause(self, behaviour: Literal["skip", "silence"] = "silence") -> None:
        """Record silence until `resume`, or nothing at all (`skip`)."""
        if self._paused is None:
            self._paused = behaviour
            if behaviour == "skip":
                self._time.skip(self._clock())
        for part in self._parts:
            part.pause(behaviour)

    def resume(self) -> None:
        self._paused = None
        self._time.go_on(self._clock())
        for part in self._parts:
            part.resume()

    def stop(self) -> None:
        """End it; `ended` tells when the files are closed."""
        self.stopping = True
        for part in self._parts:
            part.stop()

    def _tell(self, first: int, event: TalkerRecorded) -> None:
        if self.on_talker is not None:
            self.on_talker(msgspec.structs.replace(event, first=event.first + first))

    def _settle(self, part: Recorder, first: int, ending: RecorderEnded | None) -> None:
        if ending is not None:
            self._endings.append(_later(ending, first))
        self.lost = self.lost or part.lost
        if part.lost and not self.stopping:
            self.on_part_lost()
        if all(each.over for each in self._parts):
            self.end(_merged(self._endings, self.lost), self.lost)


def _later(ending: RecorderEnded, first: int) -> RecorderEnded:
    """What a part tells of its end, as from the beginning of the whole, `first` samples before."""
    talkers = [msgspec.structs.replace(each, first=each.first + first) for each in ending.talkers]
    return msgspec.structs.replace(ending, samples=ending.samples + first, talkers=talkers)


def _merged(endings: list[RecorderEnded], lost: str) -> RecorderEnded | None:
    """How the whole has ended, from how its parts did; None when all of them are lost. What some of them have
    lost is told by `detail`.
    """
    if not endings:
        return None
    worst = next((each for each in endings if each.outcome == "failed"), endings[0])
    return RecorderEnded(
        recorder=endings[0].recorder,
        outcome=worst.outcome,
        samples=max(each.samples for each in endings),
        lost=max(each.lost for each in endings),
        talkers=[talker for each in endings for talker in each.talkers],
        talkers_left_out=sum(each.talkers_left_out for each in endings),
        detail=worst.detail or lost,
    )


def _nothing() -> None:
    """Nobody is to be told."""
