"""One run: many conferences at once, in each somebody talks through a weather and somebody listens."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from townhall.bench.server.api import API
from townhall.bench.server.subject import ADDRESS, BenchFailed, Subject
from townhall.bench.sound.rooms import NUMBER, Browsers, Rooms, Telephones, Tokens
from townhall.bench.sound.speech import Utterance
from townhall.bench.sound.talk import Codec, Heard, Opus, Packets, listen
from townhall.bench.sound.weather import passage
from townhall.bench.sound.wire import Plan, Wire
from townhall.bench.web.calling import WebCall
from townhall.media.shapes import Floats, Int64s

_AT_ONCE = 8
_READY_WITHIN_S = 60.0
_SETTLED_S = 1.0
_TAIL_S = 1.0
_SILENT_EVERY = 25
"""Packets of silence from who listens: two a second, so that nobody takes him for gone."""


@dataclass(frozen=True, slots=True)
class Case:
    """Who talks in one conference, all of them through one weather; one more listens."""

    weather: str
    talkers: Sequence[Utterance]
    seed: int
    phase_ms: float
    """By how much later than others its talkers begin, 0 to 20: where they stand in the server's ticks."""


@dataclass(frozen=True, slots=True, eq=False)
class Told:
    """What came of a case. `said_at`: when each talker began, monotonic seconds."""

    case: Case
    said_at: Sequence[float]
    heard: Heard


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    told: Sequence[Told]
    late_ms: Floats
    """How late each packet was sent."""
    ticks_late: int
    tick_max_ms: float


class Say:
    """Encodes each utterance once."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._said: dict[str, list[bytes]] = {}

    def __call__(self, utterance: Utterance) -> list[bytes]:
        payloads = self._said.get(utterance.name)
        if payloads is None:
            payloads = self._codec.encode(utterance.samples)
            self._said[utterance.name] = payloads
        return payloads


async def run_cases(
    subject: Subject,
    rooms: Rooms,
    codec: Codec,
    say: Say,
    cases: Sequence[Case],
    tell: Callable[[float], None],
) -> Run:
    """Play the cases, all at once; raises `BenchFailed`. Who speaks Opus is a browser, others are phones."""
    seats = _seat(cases)
    for number, case in enumerate(cases):
        for phone in seats[number]:
            rooms.put(phone, f"sound-{codec.payload_type}-{number}", talks=phone != seats[number][-1])
        for utterance in case.talkers:
            await asyncio.to_thread(say, utterance)
    wire = Wire(seats[-1][-1] + 1)
    wire.start()
    calls: list[WebCall] = []
    telephones, browsers = Telephones(wire), None
    try:
        await telephones.start()
        if isinstance(codec, Opus):
            browsers = await _browsers(wire, subject, rooms)
            calls = await _call_browsers(wire, browsers, tell)
        else:
            await _call_telephones(wire, telephones, subject, tell)
        await _until_ready(wire, codec, subject)
        plan, said_at = await asyncio.to_thread(_plan, wire, codec, say, cases, seats)
        ticks_late, tick_max_ms = await _play(wire, plan, subject, tell)
    finally:
        if browsers is not None:
            await asyncio.gather(*(browsers.hang_up(call) for call in calls))
        await telephones.stop()
        wire.stop()
    told = await asyncio.to_thread(_told, wire, codec, cases, seats, said_at)
    return Run(told, wire.late_ms, ticks_late, tick_max_ms)


def _seat(cases: Sequence[Case]) -> list[list[int]]:
    """The phones of each case, its listener last."""
    first, seats = 0, []
    for case in cases:
        seats.append(list(range(first, first + len(case.talkers) + 1)))
        first = seats[-1][-1] + 1
    return seats


async def _call_telephones(
    wire: Wire, telephones: Telephones, subject: Subject, tell: Callable[[float], None]
) -> None:
    for first in range(0, wire.phones, _AT_ONCE):
        some = range(first, min(first + _AT_ONCE, wire.phones))
        await asyncio.gather(*(telephones.call(phone, subject.uri(NUMBER)) for phone in some))
        tell(0.3 * some[-1] / wire.phones)


async def _browsers(wire: Wire, subject: Subject, rooms: Rooms) -> Browsers:
    api = API(ADDRESS, subject.http_port)
    await api.open()
    try:
        return Browsers(wire, subject, await Tokens.for_application(api, rooms.url))
    finally:
        api.close()


async def _call_browsers(wire: Wire, browsers: Browsers, tell: Callable[[float], None]) -> list[WebCall]:
    calls: list[WebCall] = []
    for first in range(0, wire.phones, _AT_ONCE):
        some = range(first, min(first + _AT_ONCE, wire.phones))
        answers = await asyncio.gather(*(browsers.call(phone, NUMBER, talking=False) for phone in some))
        calls.extend(call for call in answers if call is not None)
        tell(0.3 * some[-1] / wire.phones)
    if len(calls) < wire.phones:
        await asyncio.gather(*(browsers.hang_up(call) for call in calls))
        raise BenchFailed(f"{wire.phones - len(calls)} browsers were not answered: {dict(browsers.failures)}")
    return calls


async def _until_ready(wire: Wire, codec: Codec, subject: Subject) -> None:
    """Wait until every phone gets sound, and a little longer."""
    until = time.monotonic() + _READY_WITHIN_S
    while not np.isfinite(wire.heard_at).all():
        if time.monotonic() > until:
            silent = np.flatnonzero(~np.isfinite(wire.heard_at))
            why = {wire.failure(int(phone)) for phone in silent}
            raise BenchFailed(f"{len(silent)} of {wire.phones} phones hear nothing: {why}\n{subject.tail()}")
        await asyncio.sleep(0.05)  # told in another thread
    await asyncio.sleep(_SETTLED_S)


def _plan(
    wire: Wire, codec: Codec, say: Say, cases: Sequence[Case], seats: list[list[int]]
) -> tuple[Plan, list[list[float]]]:
    """All that is to be sent, beginning soon after this returns, and when each talker begins."""
    parts: list[tuple[int, Floats, Packets, Int64s]] = []
    for case, phones in zip(cases, seats, strict=True):
        for number, (phone, utterance) in enumerate(zip(phones, case.talkers, strict=False)):
            payloads = say(utterance)
            through = passage(case.weather, len(payloads), case.seed + number)
            packets = wire.protected(phone, Packets.of(codec, payloads, phone))
            parts.append((phone, (through.at_ms + case.phase_ms) / 1000, packets, through.numbers))
        silence = codec.encode(np.zeros(_SILENT_EVERY * codec.rate // 50, np.int16))
        count = len(say(case.talkers[0])) // _SILENT_EVERY
        packets = wire.protected(phones[-1], Packets.of(codec, silence[-1:] * count, phones[-1]))
        at_s = np.arange(count, dtype=np.float64) * (0.02 * _SILENT_EVERY)
        parts.append((phones[-1], at_s, packets, np.arange(count)))
    plan = Plan.of(parts)
    began = time.monotonic() + 0.3
    plan = Plan(plan.at_s + began, plan.phones, plan.data, plan.lengths)
    return plan, [[began + case.phase_ms / 1000] * len(case.talkers) for case in cases]


async def _play(wire: Wire, plan: Plan, subject: Subject, tell: Callable[[float], None]) -> tuple[int, float]:
    """Ticks of the server that were late, and its longest one."""
    wire.play(plan)
    late, longest = 0, 0.0
    began, ended = time.monotonic(), float(plan.at_s[-1]) + _TAIL_S
    while (now := time.monotonic()) < ended:
        tell(0.3 + 0.7 * (now - began) / (ended - began))
        await asyncio.sleep(1.0)
        stats = await subject.stats()
        late, longest = late + stats.ticks_late, max(longest, stats.tick_max_ms)
    return late, longest


def _told(
    wire: Wire, codec: Codec, cases: Sequence[Case], seats: list[list[int]], said_at: list[list[float]]
) -> list[Told]:
    told = []
    for case, phones, moments in zip(cases, seats, said_at, strict=True):
        came = wire.came(phones[-1])
        heard = listen(codec, came.data, came.lengths, came.at_s)
        if heard is None:
            raise BenchFailed(f"the listener of {case.weather!r} heard nothing")
        told.append(Told(case, moments, heard))
    return told
