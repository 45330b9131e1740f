"""The media process's real-time loop: commands at once, a tick every 20 ms on absolute deadlines.

The deadlines are the multiples of 20 ms of the system's steady clock, so that several media processes tick
together. After a stall the missed ticks are skipped and counted, never sent in a burst. Between ticks the
loop sleeps in `select` on the control socket, so a command acts within the millisecond. The cyclic garbage
collector runs only where time is left.
"""

import bisect
import gc
import logging
import math
import os
import resource
import secrets
import select
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from townhall.errors import TownhallError
from townhall.media.engine import Engine
from townhall.media.framing import command_reader, encode
from townhall.media.heap import keep_freed_memory
from townhall.media.protocol import TICK_EDGES_MS, Command, Event, Ready, SecureLeg, Shutdown, Stats
from townhall.media.secure import SecureMedia, certificate_at, new_certificate
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, Received
from townhall.media.sockets import Sockets

log = logging.getLogger(__name__)

COMMANDS_A_WAKE = 256
COMMANDS_A_LOOK = 8
"""Between looks at the clock."""

READ_BYTES = 1 << 16
MOST_UNSENT_BYTES = 16 << 20
"""Events that control has not read; beyond it, it is stuck and the process ends."""

TICKS_REMEMBERED = 500
TICKS_JUDGED_FROM = 100
TICKS_A_SECOND = 50
SLOWEST_FIGURES_S = 2.0
"""Apart, at most, are the figures of every second, however slow the ticks: a process that tells none for long
is taken to hang.
"""
COLLECT_TICKS = 25
COLLECT_ALL_TICKS = 3000
"""Once a minute what has outlived the short collections; what was there at the start is frozen."""

CLOCK_ERROR = 1e-6
"""In ticks: more than a division may be wrong after years, and far less than anybody waits."""

HANDSHAKE_SHARE = 0.5
"""Of the time that a tick leaves over: DTLS handshakes have it, one step at least in every tick."""


class ControlGone(TownhallError):
    """The control socket has closed or is stuck."""


class Loop:
    """Drives one engine. `run` returns when control says so or goes away."""

    def __init__(self, settings: MediaSettings, control: socket.socket) -> None:
        self._settings = settings
        self._control = control
        self._control.setblocking(False)
        self._sockets = Sockets(settings)
        self._engine = Engine(settings, self._sockets.local, secrets.randbits(32))
        certificate = (
            certificate_at(Path(settings.certificate)) if settings.certificate else new_certificate()
        )
        self._fingerprint = certificate.fingerprint
        self._secure = SecureMedia(settings.max_legs, self._sockets.ice, certificate)
        self._commands = command_reader()
        self._unsent = bytearray()
        self._running = True
        self._figures = TickFigures()
        self._figures_due = 0.0
        self._sent = 0

    def run(self) -> None:
        """Until `Shutdown` or the control socket's end."""
        if self._settings.real_time:
            ask_for_real_time()
        keep_freed_memory()
        sys.setswitchinterval(0.0005)  # the loader thread must not keep the tick waiting for 5 ms
        opus = self._engine.uplinks.has_opus()
        self._emit([Ready(self._sockets.ports, self._sockets.ice_port, self._fingerprint, opus)])
        gc.collect()
        gc.freeze()
        gc.disable()
        try:
            self._run()
        except ControlGone as error:
            log.info("media process ends: %s", error)
        finally:
            self._sockets.close()
            self._engine.close()

    def _run(self) -> None:
        beat = beat_at(time.monotonic()) + 1
        self._figures_due = beat * TICK_S + SLOWEST_FIGURES_S
        while self._running:
            now, deadline = time.monotonic(), beat * TICK_S
            if now < deadline:
                self._wait(now, deadline)
                continue
            missed = beat_at(now) - beat
            beat += missed
            self._tick(now, beat, missed)
            beat += 1
            self._after_tick(beat * TICK_S)
            if missed:  # no time to wait in: commands are heard all the same, for some of them end legs
                self._wait(now, now)

    def _wait(self, now: float, deadline: float) -> None:
        """Sleep until commands come, at most until `deadline`; carry out what fits before it."""
        writers = [self._control] if self._unsent else []
        seconds = 0.0 if self._commands.pending else deadline - now
        readable, _, _ = select.select([self._control], writers, [], seconds)
        if writers:
            self._flush()
        if readable:
            self._read()
        for _ in range(COMMANDS_A_WAKE // COMMANDS_A_LOOK):
            now = time.monotonic()
            commands = self._commands.take(COMMANDS_A_LOOK)
            for command in commands:
                self._handle(command, now)
            if len(commands) < COMMANDS_A_LOOK or now >= deadline:
                break
        self._emit(self._take_events())

    def _handle(self, command: Command, now: float) -> None:
        if isinstance(command, Shutdown):
            self._running = False
        if not isinstance(command, SecureLeg) or command.leg in self._engine.legs.slot_of:
            self._secure.handle(command, now)
        self._engine.handle(command, now)

    def _read(self) -> None:
        try:
            data = self._control.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            raise ControlGone(f"control socket: {error.strerror}") from None
        if not data:
            raise ControlGone("control socket closed")
        self._commands.feed(data)

    def _tick(self, now: float, beat: int, missed: int) -> None:
        cpu = time.thread_time()
        engine, secure = self._engine, self._secure

        def take(batch: Received) -> None:
            for part in secure.receive(batch, now):
                engine.receive(part, now)

        self._sockets.receive(take)
        if missed:  # what came meanwhile is there: nobody's voice has a hole to be filled
            self._figures.late += missed
            engine.skip(missed)
        for batch in engine.tick(now, time.time(), beat):
            for part in secure.send(batch):
                self._sent += self._sockets.send(part)
        answers = secure.answers(now)
        if answers is not None:
            self._sockets.send(answers)
        self._figures.add(time.monotonic() - now, time.thread_time() - cpu)

    def _after_tick(self, deadline: float) -> None:
        """Off the critical part: handshakes, events, the second's figures, garbage."""
        now = time.monotonic()
        flights = self._secure.work(now, now + (deadline - now) * HANDSHAKE_SHARE)
        if flights is not None:
            self._sockets.send(flights)
        self._emit(self._take_events())
        figures = self._figures
        if figures.ticks % TICKS_A_SECOND == 0 or now > self._figures_due:
            self._figures_due = now + SLOWEST_FIGURES_S
            self._engine.refusal = figures.refusal(self._settings.busy_share)
            self._emit([self._stats()])
        if figures.ticks % COLLECT_TICKS == 0 and deadline - time.monotonic() > TICK_S / 2:
            gc.collect(2 if figures.ticks % COLLECT_ALL_TICKS == 0 else 0)

    def _stats(self) -> Stats:
        engine, figures = self._engine, self._figures
        usage = resource.getrusage(resource.RUSAGE_SELF)
        p50, p99, most = figures.wall_ms()
        return Stats(
            legs=len(engine.legs),
            ticks=figures.ticks,
            tick_p50_ms=p50,
            tick_p99_ms=p99,
            tick_max_ms=most,
            ticks_late=figures.late,
            packets_received=engine.receiver.received,
            packets_sent=self._sent,
            unknown_source=engine.receiver.unknown_source
            + engine.reports.unknown_source
            + self._secure.unknown_source,
            malformed=engine.receiver.malformed
            + engine.reports.malformed
            + self._secure.malformed
            + self._secure.refused,
            cpu_s=usage.ru_utime + usage.ru_stime,
            refusal=engine.refusal,
            tick_counts=figures.counts,
        )

    def _take_events(self) -> list[Event]:
        events: list[Event] = []
        for source in (self._secure.events, self._engine.events):
            events += source
            source.clear()  # the list itself is held by those who add to it
        return events

    def _emit(self, events: list[Event]) -> None:
        for event in events:
            self._unsent += encode(event)
        if self._unsent:
            self._flush()

    def _flush(self) -> None:
        try:
            sent = self._control.send(self._unsent)
        except (BlockingIOError, InterruptedError):
            sent = 0
        except OSError as error:
            raise ControlGone(f"control socket: {error.strerror}") from None
        del self._unsent[:sent]
        if len(self._unsent) > MOST_UNSENT_BYTES:
            raise ControlGone("control reads no events")


def beat_at(now: float) -> int:
    """The number of the tick whose time has come last: `now` is the system's steady clock, so the beats of
    all media processes of a machine fall together and have the same numbers.
    """
    return math.floor(now / TICK_S + CLOCK_ERROR)


class TickFigures:
    """How long the last ticks took."""

    def __init__(self) -> None:
        self.ticks = 0
        self.late = 0
        self.counts = [0] * (len(TICK_EDGES_MS) + 1)
        """Of all ticks, see `Stats.tick_counts`."""
        self._wall = np.zeros(TICKS_REMEMBERED)
        self._cpu = np.zeros(TICKS_REMEMBERED)

    def add(self, wall_s: float, cpu_s: float) -> None:
        """One tick more."""
        place = self.ticks % TICKS_REMEMBERED
        self._wall[place], self._cpu[place] = wall_s, cpu_s
        self.counts[bisect.bisect_left(TICK_EDGES_MS, 1000 * wall_s)] += 1
        self.ticks += 1

    def wall_ms(self) -> tuple[float, float, float]:
        """Median, 99th percentile and longest of the last ticks."""
        wall = self._wall[: min(self.ticks, TICKS_REMEMBERED)]
        p50, p99 = np.percentile(wall, (50, 99)) * 1000
        return float(p50), float(p99), float(wall.max() * 1000)

    def refusal(self, share: float) -> str:
        """Why no more legs should come; empty when they may.

        Judged by the ticks' own CPU time: time that other processes took from us would not come back by
        refusing a caller.
        """
        if self.ticks < TICKS_JUDGED_FROM:
            return ""
        busy = float(np.percentile(self._cpu[: min(self.ticks, TICKS_REMEMBERED)], 99))
        if busy < share * TICK_S:
            return ""
        return f"the tick needs {busy * 1000:.1f} of its 20 ms; no new legs above {share:.0%}"


def ask_for_real_time() -> None:
    """Real-time scheduling, else a better nice value, else neither."""
    attempts: list[Callable[[], object]] = [lambda: os.nice(-10)]
    if hasattr(os, "sched_setscheduler"):
        # The loader thread must not inherit it: it may decode for seconds.
        policy = os.SCHED_FIFO | getattr(os, "SCHED_RESET_ON_FORK", 0)
        attempts.insert(0, lambda: os.sched_setscheduler(0, policy, os.sched_param(10)))
    for attempt in attempts:
        try:
            attempt()
        except OSError:
            continue
        return
    log.info("no real-time scheduling: not permitted")
