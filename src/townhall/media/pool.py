"""Several media processes that look like one: more cores for the same conferences.

A leg lives in the process that had the fewest when it came. A bus may have legs in all of them: `spanning`
says what they must be told of each other, `exchange` is the memory through which they hear each other. What
is played into a bus is played by every process that has legs there, so nobody waits for it and nobody hears
it twice. Recorders of a bus run in one of them, which hears the whole, and go on in another when that one
dies; recorders of talkers run in all. When a process dies, or hangs and is killed for it (`client`), its legs
are lost, and no others.
"""

import asyncio
import itertools
import logging
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import msgspec

from townhall.media.client import MediaProcess
from townhall.media.division import divided, summed
from townhall.media.exchange import new_memory
from townhall.media.joint import JointPlayback, JointRecorder
from townhall.media.leg import Leg, LegRefusedError, Playback
from townhall.media.protocol import Address, CloseLeg, Command, Levels, SetMix, StartRecorder, Stats
from townhall.media.recorders import MOST_TALKERS
from townhall.media.recording import Recorder, further_part
from townhall.media.settings import MediaSettings
from townhall.media.shapes import TICK_S, TICK_SAMPLES
from townhall.media.spanning import Order, Spanning

log = logging.getLogger(__name__)

ROWS_A_WORKER = 2048
"""Buses that may span processes at a time, and whispers between them, for each process."""
SILENT_AFTER_S = 3.0
"""A process tells its figures every second; one that has not for so long gets new legs last.

It is killed only much later (`HUNG_AFTER_S`).
"""


class MediaPool:
    """See `Media`; `settings` are those of all processes together."""

    def __init__(self, settings: MediaSettings, workers: int) -> None:
        self.settings = settings
        self.ports: list[int] = []
        self.stats: Stats | None = None
        self.on_stats: Callable[[Stats], None] | None = None
        self.on_levels: Callable[[Levels], None] | None = None
        self.fingerprint = ""
        self.opus = True
        self._count = workers
        self._memory = -1
        self._numbers = itertools.count(1)
        self.workers: list[_Worker] = []
        self._spanning = Spanning(workers * ROWS_A_WORKER)
        self._stats: dict[int, Stats] = {}
        self._watched: set[str] = set()
        self._plays: dict[str, list[_BusPlay]] = {}
        self._levels: dict[str, dict[int, Levels]] = {}
        self._talkers: dict[JointRecorder, _Talkers] = {}

    @property
    def pids(self) -> list[int]:
        """The running processes' ids."""
        return [worker.pid for worker in self.workers if worker.pid is not None]

    async def start(self) -> None:
        """Start all processes. Raises `MediaError`; then none is left."""
        rows = self._count * ROWS_A_WORKER
        shares = divided(self.settings, self._count)
        self._memory = new_memory(self._count, rows)
        for index, settings in enumerate(shares):
            settings = msgspec.structs.replace(settings, memory=self._memory, memory_rows=rows)
            worker = _Worker(settings, self._numbers, partial(self._route, index))
            worker.on_died = partial(self._died, index)
            worker.on_stats = partial(self._take_stats, index)
            worker.on_levels = partial(self._take_levels, index)
            self.workers.append(worker)
        first, *others = self.workers
        try:
            await first.start()  # makes the certificate, where there is none yet
            await _all(worker.start() for worker in others)
        except BaseException:
            await self.stop()
            raise
        for worker in self.workers:
            worker.on_started = partial(self._started, worker)
        self.ports = [port for worker in self.workers for port in worker.ports]
        self.fingerprint = first.fingerprint
        self.opus = all(worker.opus for worker in self.workers)

    async def stop(self) -> None:
        """End them all; legs that are still open are lost. Idempotent."""
        await _all(worker.stop() for worker in self.workers)
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    async def open_leg(
        self,
        remote: Address | None = None,
        may_latch: bool = True,
        ip_version: int = 4,
        host: str | None = None,
        latch_from: str | None = None,
        secure: bool = False,
    ) -> Leg:
        """A leg in the process that has the fewest, or in the first of the others that takes it.

        Raises `LegRefusedError` when none does.
        """
        refusal = LegRefusedError("the media processes are not running")
        for worker in sorted(self.workers, key=partial(_reluctance, secure=secure)):
            try:
                leg = await worker.open_leg(remote, may_latch, ip_version, host, latch_from, secure)
            except LegRefusedError as error:
                refusal = error
                continue
            if not leg.closed:
                self._spanning.opened(leg.number, self.workers.index(worker))
            return leg
        raise refusal

    def play_to_bus(self, bus: str, clips: Sequence[str], owner: Leg | None = None) -> Playback:
        """Mix clips once into a bus; `owner` does not hear it."""
        here = [self.workers[index] for index in self._spanning.workers_of(bus)] or self.workers[:1]
        whole = JointPlayback(here[0], [worker.play_to_bus(bus, clips, owner) for worker in here])
        if whole.outcome is None:
            play = _BusPlay(whole, clips, owner, asyncio.get_running_loop().time())
            self._plays.setdefault(bus, []).append(play)
            whole.on_end = partial(self._play_ended, bus, play)
        return whole

    def _play_ended(self, bus: str, play: "_BusPlay") -> None:
        self._plays[bus].remove(play)
        if not self._plays[bus]:
            del self._plays[bus]

    def _play_rest(self, bus: str, worker: "_Worker") -> None:
        """A process has its first leg in a bus: what plays there goes on in it as well."""
        now = asyncio.get_running_loop().time()
        for play in self._plays[bus]:
            skip = int((now - play.began) / TICK_S) * TICK_SAMPLES
            play.whole.add(worker.play_to_bus(bus, play.clips, play.owner, skip))

    def watch_levels(self, bus: str, on: bool) -> None:
        """Have `on_levels` told of a bus's talkers, or no more."""
        (self._watched.add if on else self._watched.discard)(bus)
        if not on:
            self._levels.pop(bus, None)
        for worker in self.workers:
            worker.watch_levels(bus, on)

    def start_recorder(self, command: StartRecorder) -> Recorder:
        """Record from the next tick on; `command.recorder` is filled in."""
        if command.kind == "talkers":
            return self._start_talkers(command)
        home = self._spanning.worker_of(command.leg or 0)
        if command.kind == "leg" or command.bus is None:
            return self.workers[home or 0].start_recorder(command)
        there = self._spanning.workers_of(command.bus)
        # A channel of its own is only for a voice that is at hand.
        index = home if home is not None and command.channels == 2 else there[0] if there else home or 0
        return self._start_bus(command, command.bus, index)

    # ---- recorders of a bus ----

    def _start_bus(self, command: StartRecorder, bus: str, index: int) -> Recorder:
        """In one process, and when that is lost, in another one."""
        if not self.workers[index].ready:
            index = next((place for place, worker in enumerate(self.workers) if worker.ready), index)
        places = [index]
        recorder = JointRecorder(self.workers[index], [self._start_part(command, bus, index)])

        def go_on() -> None:
            there = [each for each in self._spanning.workers_of(bus) if self.workers[each].ready]
            if there:
                path = further_part(command.path, recorder.samples)
                places[:] = there[:1]
                recorder.add(self._start_part(msgspec.structs.replace(command, path=path), bus, places[0]))

        recorder.on_part_lost = go_on
        recorder.on_end = lambda _: self._order(self._spanning.part(bus, places[0]))
        return recorder

    def _start_part(self, command: StartRecorder, bus: str, index: int) -> Recorder:
        part = self.workers[index].start_recorder(command)
        if not part.over:
            self._order(self._spanning.join(bus, index))
        return part

    # ---- recorders of talkers ----

    def _start_talkers(self, command: StartRecorder) -> Recorder:
        running = [worker for worker in self.workers if worker.ready] or self.workers[:1]
        talkers = _Talkers(command)
        recorder = JointRecorder(running[0], [worker.start_recorder(talkers.next()) for worker in running])
        if not recorder.over:
            self._talkers[recorder] = talkers
            recorder.on_end = lambda _: self._forget(recorder)
        return recorder

    def _forget(self, recorder: JointRecorder) -> None:
        self._talkers.pop(recorder, None)

    # ---- what workers say ----

    def _route(self, worker: int, command: Command) -> None:
        """A leg of `worker` says what is to be done; others may have to know."""
        match command:
            case SetMix(bus=bus) if bus in self._plays and worker not in self._spanning.workers_of(bus):
                self._order(self._spanning.mix(command))
                self._play_rest(bus, self.workers[worker])
            case SetMix():
                self._order(self._spanning.mix(command))
            case CloseLeg():
                self.workers[worker].post(command)
                self._order(self._spanning.closed(command.leg))
            case _:
                self.workers[worker].post(command)

    def _order(self, orders: list[Order]) -> None:
        for worker, command in orders:
            self.workers[worker].post(command)

    def _died(self, index: int) -> None:
        self._order(self._spanning.lost(index))
        self._stats.pop(index, None)
        self.stats = summed(list(self._stats.values()))
        for levels in self._levels.values():
            levels.pop(index, None)

    def _started(self, worker: "_Worker") -> None:
        """It has been started again and knows nothing yet."""
        for bus in self._watched:
            worker.watch_levels(bus, True)
        for recorder, talkers in self._talkers.items():
            if not recorder.stopping:
                recorder.add(worker.start_recorder(talkers.next()))

    def _take_stats(self, index: int, stats: Stats) -> None:
        self._stats[index] = stats
        self.stats = summed(list(self._stats.values()))
        if self.on_stats is not None and self.stats is not None:
            self.on_stats(self.stats)

    def _take_levels(self, index: int, levels: Levels) -> None:
        if levels.bus not in self._watched or self.on_levels is None:
            return
        latest = self._levels.setdefault(levels.bus, {})
        latest[index] = levels
        here = [latest[each] for each in self._spanning.workers_of(levels.bus) if each in latest]
        legs, dbov = [leg for each in here for leg in each.legs], [each for one in here for each in one.dbov]
        self.on_levels(Levels(levels.bus, legs, dbov))


class _Worker(MediaProcess):
    """One of them; what its legs command goes by way of the pool."""

    def __init__(
        self, settings: MediaSettings, numbers: Iterator[int], route: Callable[[Command], None]
    ) -> None:
        super().__init__(settings, numbers)
        self._route = route

    @property
    def stuck(self) -> bool:
        """Whether it runs, and yet says nothing: it would keep whoever asks it for a leg waiting."""
        return self.quiet_s > SILENT_AFTER_S

    def send(self, command: Command) -> None:
        self._route(command)

    def post(self, command: Command) -> None:
        """Queue a command for the process itself."""
        super().send(command)


@dataclass(eq=False, slots=True)
class _BusPlay:
    """What plays in a bus, since `began` in the loop's seconds."""

    whole: JointPlayback
    clips: Sequence[str]
    owner: Leg | None
    began: float


class _Talkers:
    """A recorder of talkers: its command, and how many parts have been made of it."""

    def __init__(self, command: StartRecorder) -> None:
        self._command = command
        self._parts = 0

    def next(self) -> StartRecorder:
        """For one process more; its files are numbered behind those of the others."""
        first = 1 + self._parts * MOST_TALKERS
        self._parts += 1
        return msgspec.structs.replace(self._command, numbered_from=first)


def _reluctance(worker: _Worker, secure: bool) -> tuple[bool, bool, bool, bool, int]:
    """By what the process for a new leg is chosen, the least first."""
    busy = bool(worker.stats and worker.stats.refusal)
    return not worker.ready, secure and not worker.ice_port, worker.stuck, busy, worker.legs


async def _all(works: Iterable[Awaitable[None]]) -> None:
    """Wait for all of them, then raise the first error."""
    done = await asyncio.gather(*works, return_exceptions=True)
    for outcome in done:
        if isinstance(outcome, BaseException):
            raise outcome
