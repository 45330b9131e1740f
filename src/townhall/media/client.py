"""Control's client of a media process: starts it, talks to it, starts it again when it dies.

Everything is bounded in time. When the process dies, its legs hear of it through `on_lost`, their plays
end `failed`, and a new process takes over the same ports for new legs. One that hangs is killed, and then
it is the same.
"""

import asyncio
import contextlib
import itertools
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal, ParamSpec

import msgspec

from townhall.media.framing import FramingError, encode, event_reader
from townhall.media.leg import Leg, LegRefusedError, MediaError, Playback, finish
from townhall.media.protocol import (
    Address,
    Command,
    DigitPressed,
    Event,
    LegClosed,
    LegHeld,
    LegInsecure,
    LegLeft,
    LegOpened,
    LegRefused,
    LegResumed,
    LegSecured,
    LegSilent,
    Levels,
    OpenLeg,
    PlayFinished,
    PlayToBus,
    Ready,
    RecorderEnded,
    Shutdown,
    SpeechStarted,
    SpeechStopped,
    StartRecorder,
    Stats,
    TalkerRecorded,
    WatchLevels,
)
from townhall.media.recording import Recorder, lose_recorders, tell_recorder
from townhall.media.settings import MediaSettings

P = ParamSpec("P")

log = logging.getLogger(__name__)

START_TIMEOUT_S = 15.0
OPEN_TIMEOUT_S = 5.0
STOP_TIMEOUT_S = 2.0
RESTART_PAUSES_S = (0.0, 0.2, 1.0, 5.0)
"""Before the first, second, third and every further start in a row."""

STEADY_S = 30.0
"""A process that lived this long has not failed "in a row"."""

LOOK_EVERY_S = 1.0
HUNG_AFTER_S = 20.0
"""A process tells its figures every second. One that tells nothing for so long hangs: it is killed, and all
its calls end, so this is far more than what a crowded machine takes away. It is counted in looks of ours, not
in time: while the machine sleeps, or we do not get to run ourselves, nobody is suspected.
"""

GATHER_S = 0.003
"""Commands wait so long at most for others to go with, and the first after a pause not at all; a tick is 20
ms.
"""

MOST_UNSENT_BYTES = 16 << 20
READ_BYTES = 1 << 16


class MediaProcess:
    """One media process, as control sees it."""

    def __init__(self, settings: MediaSettings, numbers: Iterator[int] | None = None) -> None:
        """`numbers`: of legs, plays and recorders, where several processes must not use the same."""
        self.settings = settings
        self.ports: list[int] = []
        """The RTP ports, known after `start`."""
        self.stats: Stats | None = None
        """The last second's figures."""
        self.on_stats: Callable[[Stats], None] | None = None
        self.on_levels: Callable[[Levels], None] | None = None
        """Told of the levels of the buses that are watched."""
        self.ice_port = 0
        self.fingerprint = ""
        """Of the process's certificate, as in `a=fingerprint`; known after `start`, new after a restart."""
        self.opus = True
        """Whether Opus may be offered and accepted; known after `start`."""
        self.on_started: Callable[[], None] = _nothing
        self.on_died: Callable[[], None] = _nothing
        """The process takes legs, for the first time or again; it is gone, and its legs with it."""
        self.hung_after_s = HUNG_AFTER_S
        self._child: _Child | None = None
        self._numbers = numbers or itertools.count(1)
        self._legs: dict[int, Leg] = {}
        self._opening: dict[int, asyncio.Future[Leg]] = {}
        self._playbacks: dict[int, Playback] = {}
        self._recorders: dict[int, Recorder] = {}
        self._ready = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._stopping = False

    @property
    def legs(self) -> int:
        """How many legs are open, or about to be."""
        return len(self._legs) + len(self._opening)

    @property
    def ready(self) -> bool:
        """Whether the process runs and takes legs."""
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        """The running process's id."""
        return self._child.process.pid if self._child else None

    @property
    def quiet_s(self) -> float:
        """How long it has said nothing, as far as we have looked; 0 while none runs."""
        return self._child.quiet_s if self._child else 0.0

    async def start(self) -> None:
        """Start the process and wait until it takes legs. Raises `MediaError`."""
        await self._spawn()
        self._keeper = asyncio.create_task(self._keep(), name="media process keeper")

    async def stop(self) -> None:
        """End it; legs that are still open are lost. Takes at most about three seconds. Idempotent."""
        self._stopping = True
        self._ready.clear()
        if self._keeper is not None:
            self._keeper.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._keeper
            self._keeper = None
        if self._child is not None:
            await self._child.end()
            self._child = None
        self._lose_everything("the media process was stopped")

    async def open_leg(
        self,
        remote: Address | None = None,
        may_latch: bool = True,
        ip_version: int = 4,
        host: str | None = None,
        latch_from: str | None = None,
        secure: bool = False,
    ) -> Leg:
        """Reserve a port for a leg; the fields are `OpenLeg`'s. Raises `LegRefusedError`, also when the
        process does not answer in time.
        """
        number = next(self._numbers)
        future: asyncio.Future[Leg] = asyncio.get_running_loop().create_future()
        self._opening[number] = future
        try:
            async with asyncio.timeout(OPEN_TIMEOUT_S):
                await self._wait_ready()
                version: Literal[4, 6] = 6 if ip_version == 6 else 4
                self.send(OpenLeg(number, remote, may_latch, version, host, latch_from, secure))
                return await future
        except TimeoutError:
            self._give_up(number)
            raise LegRefusedError(f"the media process did not answer in {OPEN_TIMEOUT_S:.0f} s") from None
        except asyncio.CancelledError:
            self._give_up(number)
            raise
        finally:
            self._opening.pop(number, None)

    async def _wait_ready(self) -> None:
        if self._stopping or self._keeper is None or self._keeper.done():
            raise LegRefusedError("the media process is not running")
        await self._ready.wait()

    def _give_up(self, number: int) -> None:
        """Close a leg that nobody waits for any more."""
        leg = self._legs.pop(number, None) or Leg(self, number, "", 0, 0)
        leg.close()

    def play_to_bus(
        self, bus: str, clips: Sequence[str], owner: Leg | None = None, skip: int = 0
    ) -> Playback:
        """Mix clips once into a bus, without the first `skip` samples; `owner` does not hear it."""
        playback = self.new_playback(None)
        whose = owner.number if owner else None
        self.send(PlayToBus(bus, playback.number, [str(clip) for clip in clips], whose, skip))
        return playback

    def watch_levels(self, bus: str, on: bool) -> None:
        """Have `on_levels` told of a bus's talkers, or no more."""
        self.send(WatchLevels(bus, on))

    def start_recorder(self, command: StartRecorder) -> Recorder:
        """Record from the next tick on; `command.recorder` is filled in here."""
        recorder = Recorder(self, next(self._numbers))
        if self._child is None:
            recorder.end(None, "the media process is not running")
        else:
            self._recorders[recorder.number] = recorder
            self.send(msgspec.structs.replace(command, recorder=recorder.number))
        return recorder

    # What legs ask of us (`CommandPort`).

    def send(self, command: Command) -> None:
        """Queue a command; nothing happens while no process runs."""
        if self._child is not None:
            self._child.send(command)

    def new_playback(self, leg: Leg | None) -> Playback:
        """A registered play with a number of its own."""
        playback = Playback(self, next(self._numbers), leg)
        if self._child is None:
            playback.end("failed", "the media process is not running")
        elif leg is None or not leg.closed:
            self._playbacks[playback.number] = playback
        return playback

    # The process.

    async def _spawn(self) -> None:
        settings = self.settings
        if self.ports:
            settings = msgspec.structs.replace(settings, ports=tuple(self.ports))
        if self.ice_port:
            settings = msgspec.structs.replace(settings, ice_port=self.ice_port)
        child = _Child(settings, self._take)
        self._child = child
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await child.connect()
                waiter = asyncio.ensure_future(self._ready.wait())
                done, _ = await asyncio.wait({waiter, child.reader}, return_when=asyncio.FIRST_COMPLETED)
                waiter.cancel()
        except TimeoutError:
            done = set()
        if not self._ready.is_set() or child.reader in done:
            self._child = None
            code = await child.end()
            raise MediaError(f"the media process did not start (exit code {code}); its output says why")

    async def _keep(self) -> None:
        """Wait for the process's end, tell everybody, start another; for as long as we run."""
        failures = 0
        while True:
            began = time.monotonic()
            if self._child is not None:
                hangs = await self._wait_for_end(self._child)
                self._ready.clear()
                child, self._child = self._child, None
                if hangs:
                    reason = f"the media process said nothing for {self.hung_after_s:g} s and was killed"
                    child.process.kill()
                    self._lose_everything(reason)
                    await child.end()
                else:
                    reason = f"the media process died (exit code {await child.end()})"
                    self._lose_everything(reason)
                failures = 0 if time.monotonic() - began > STEADY_S else failures
                log.error("%s; its calls end, a new one starts", reason)
            await asyncio.sleep(RESTART_PAUSES_S[min(failures, len(RESTART_PAUSES_S) - 1)])
            failures += 1
            try:
                await self._spawn()
            except MediaError as error:
                log.error("%s; trying again", error)
            except OSError as error:
                self._child = None
                log.error("the media process cannot be started: %s; trying again", error)

    async def _wait_for_end(self, child: "_Child") -> bool:
        """Until the process is gone, or (True) has said nothing for too long."""
        child.quiet_s = 0.0
        while not child.reader.done():
            if child.quiet_s >= self.hung_after_s:
                return True
            await asyncio.wait({child.reader}, timeout=LOOK_EVERY_S)
            child.quiet_s += LOOK_EVERY_S
        return False

    def _lose_everything(self, reason: str) -> None:
        self.on_died()
        playbacks, self._playbacks = self._playbacks, {}
        for playback in playbacks.values():
            playback.end("failed", reason)
        recorders, self._recorders = self._recorders, {}
        lose_recorders(recorders, reason)
        for future in self._opening.values():
            if not future.done():
                future.set_exception(LegRefusedError(reason))
        legs, self._legs = self._legs, {}
        for leg in legs.values():
            was_closed = leg.closed
            leg.end(None)
            if leg.on_lost is not None and not was_closed:
                _tell(leg.on_lost, reason)

    # Events.

    def _take(self, event: Event) -> None:
        match event:
            case Ready():
                self.ports = self.ports or event.ports
                self.ice_port, self.fingerprint = event.ice_port, event.fingerprint
                self.opus = event.opus
                self._ready.set()
                self.on_started()
            case LegOpened():
                self._opened(event)
            case LegRefused():
                future = self._opening.get(event.leg)
                if future is not None and not future.done():
                    future.set_exception(LegRefusedError(event.reason))
            case PlayFinished():
                finish(self._playbacks, event)
            case Stats() | Levels():
                self._take_figures(event)
            case TalkerRecorded() | RecorderEnded():
                _tell(tell_recorder, self._recorders, event)
            case LegClosed():
                leg = self._legs.pop(event.leg, None)
                if leg is not None:
                    leg.end(event)
            case _:
                self._take_leg_event(event)

    def _take_figures(self, event: Stats | Levels) -> None:
        if isinstance(event, Stats):
            self.stats = event
            if self.on_stats is not None:
                _tell(self.on_stats, event)
        elif self.on_levels is not None:
            _tell(self.on_levels, event)

    def _opened(self, event: LegOpened) -> None:
        future = self._opening.get(event.leg)
        leg = Leg(self, event.leg, event.host, event.rtp_port, event.rtcp_port, self.fingerprint)
        if future is None or future.done():
            leg.close()
            return
        self._legs[event.leg] = leg
        future.set_result(leg)

    def _take_leg_event(
        self,
        event: DigitPressed
        | LegSilent
        | LegHeld
        | LegResumed
        | SpeechStarted
        | SpeechStopped
        | LegSecured
        | LegInsecure
        | LegLeft,
    ) -> None:
        leg = self._legs.get(event.leg)
        if leg is None or leg.closed:
            return
        match event:
            case DigitPressed() if leg.on_digit is not None:
                _tell(leg.on_digit, event.digit)
            case LegSilent() if leg.on_silent is not None:
                _tell(leg.on_silent)
            case SpeechStarted() | SpeechStopped() if leg.on_speech is not None:
                _tell(leg.on_speech, isinstance(event, SpeechStarted))
            case LegHeld() if leg.on_held is not None:
                _tell(leg.on_held, event.sound)
            case LegResumed() if leg.on_held is not None:
                _tell(leg.on_held, None)
            case LegSecured() if leg.on_secured is not None:
                _tell(leg.on_secured)
            case LegLeft() if leg.on_left is not None:
                _tell(leg.on_left)
            case LegInsecure() if leg.on_insecure is not None:
                _tell(leg.on_insecure, event.reason)
            case _:
                pass


def _nothing() -> None:
    """Nobody is to be told."""


def _tell(callback: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Call somebody's callback; its bug is logged and stays its own."""
    try:
        callback(*args, **kwargs)
    except Exception:
        log.exception("a media callback failed")


class _Child:
    """A started process and the socket to it."""

    def __init__(self, settings: MediaSettings, take: Callable[[Event], None]) -> None:
        self._take = take
        ours, theirs = socket.socketpair()
        try:
            # A session of its own: Ctrl-C at our terminal does not reach it before we have hung up.
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "-m",
                    "townhall.media",
                    str(theirs.fileno()),
                    msgspec.json.encode(settings).decode(),
                ],
                pass_fds=[theirs.fileno(), *([settings.memory] if settings.memory >= 0 else [])],
                stdin=subprocess.DEVNULL,
                # numpy's matrix library would start threads that spin beside the tick.
                env={**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                start_new_session=True,
            )
        except OSError:
            ours.close()
            raise
        finally:
            theirs.close()
        self._socket = ours
        self._writer: asyncio.StreamWriter | None = None
        self._unsent: list[bytes] = []
        self._flushed_at = 0.0
        self.quiet_s = 0.0
        self.reader: asyncio.Task[None]

    async def connect(self) -> None:
        """Begin to read events."""
        stream, self._writer = await asyncio.open_connection(sock=self._socket)
        self.reader = asyncio.create_task(self._read(stream), name="media process events")

    async def _read(self, stream: asyncio.StreamReader) -> None:
        """Until the process closes its end or talks rubbish."""
        frames = event_reader()
        try:
            while data := await stream.read(READ_BYTES):
                self.quiet_s = 0.0
                frames.feed(data)
                while events := frames.take(1024):
                    for event in events:
                        self._take(event)
        except (FramingError, OSError) as error:
            log.error("media process: %s", error)

    def send(self, command: Command) -> None:
        """Queue a command."""
        writer = self._writer
        if writer is None or writer.is_closing():
            return
        if writer.transport.get_write_buffer_size() > MOST_UNSENT_BYTES:
            log.error("the media process reads no commands; giving it up")
            writer.transport.abort()
            return
        # Each write wakes the media process, which preempts us: what comes in quick succession goes in one.
        if not self._unsent:
            loop, quiet_s = asyncio.get_running_loop(), time.monotonic() - self._flushed_at
            if quiet_s >= GATHER_S:
                loop.call_soon(self._flush)
            else:
                loop.call_later(GATHER_S - quiet_s, self._flush)
        self._unsent.append(encode(command))

    def _flush(self) -> None:
        unsent, self._unsent = self._unsent, []
        self._flushed_at = time.monotonic()
        if self._writer is not None and unsent and not self._writer.is_closing():
            self._writer.write(b"".join(unsent))

    async def end(self) -> int | None:
        """Ask it to go, then make it; the exit code."""
        self.send(Shutdown())
        self._flush()
        if self._writer is not None:
            self._writer.close()
        try:
            code = await asyncio.to_thread(self.process.wait, STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = await asyncio.to_thread(self.process.wait)
        if self._writer is not None:
            self.reader.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.reader
        else:
            self._socket.close()
        return code
