"""What a conference, or many, cost and deliver: the window in which it is measured, and the figures of it.

The window only gathers: CPU times, tick times, packets, and the last seconds of every phone's sound. What
they come to is reckoned when the phones are gone, so that the reckoning disturbs nobody.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import numpy as np

from townhall.bench.load.lowest import FloorShare
from townhall.bench.phones.apart import CrowdApart
from townhall.bench.phones.audience import Audience
from townhall.bench.phones.hearing import FRAMES_RECORDED, Heard, WhoHearsWhom, compare, listen
from townhall.bench.phones.recording import Recording
from townhall.bench.phones.window import Window
from townhall.bench.server.processes import Shares, shares, spent
from townhall.bench.server.subject import Subject
from townhall.bench.server.ticks import Ticks, ticks_between
from townhall.media.shapes import Int64s

RECORDED_S = FRAMES_RECORDED / 50
GAP_AIM_MS = 60.0
LATE_AIM_MS = 10.0
"""At 99 % of the load maker's steps; beyond it phones sent when real ones would not have."""
OTHERS_AIM = 0.15
"""Of a core: what other processes may take, that the figures still say something of the server."""
FLOOR_LEAST = 0.98
_SETTLE_WITHIN_S = 12
_LOUD_LEAST, _LOUD_MOST = 25, 46
"""Packets a second that are not silence, where talkers speak 0.6 s of it; prompts and music have others."""


class LoadFigures(msgspec.Struct, frozen=True):
    """One window. CPU in cores; times in milliseconds."""

    callers: int
    conferences: int
    talkers: int
    """In each conference."""
    seconds: float
    # Who hears whom
    pairs: int
    """Of a phone and a talker whom it ought to hear."""
    pairs_unheard: int
    pairs_wrong: int
    """Somebody was heard who ought not to be: oneself, or somebody of another conference."""
    phones_right: int
    """Phones that hear all they ought to and nobody else."""
    phones_unsteady: int
    """Phones that did not hear the same in both of the last two seconds, by 26 dB: a hole, a slip, something
    that nobody said, or a delay or level that was being adapted.
    """
    # Packets
    packets_expected: int
    packets_missed: int
    phones_with_misses: int
    gap_p50_ms: float
    """The median over all phones of each one's longest wait for a packet."""
    gap_max_ms: float
    phones_with_gaps: int
    """Phones that once waited longer than 60 ms."""
    # From mouth to ear, without the packet's own 20 ms
    delays_measured: int
    delay_p50_ms: float
    delay_p99_ms: float
    delay_max_ms: float
    # The media processes
    ticks: int
    tick_p50_ms: float
    tick_p99_ms: float
    tick_p999_ms: float
    tick_max_ms: float
    ticks_late: int
    """Ticks that were skipped, since they would have begun more than 20 ms late."""
    media_cpu: float
    media_cpu_each: tuple[float, ...]
    control_cpu: float
    floor_cpu: float | None
    ratio: float | None
    """`media_cpu` over `floor_cpu`; None where no floor was measured."""
    floor_moved: float | None
    """The share of its packets that the floor had time for: less than 1 on a machine that is too busy."""
    # The load maker
    load_maker_cpu: float
    load_maker_late_p99_ms: float
    load_maker_late_max_ms: float
    load_maker_dropped: int
    """Packets that came and found no room in the load maker's own buffers."""
    others_cpu: float
    """What processes that have nothing to do with all this took."""


@dataclass(frozen=True, slots=True)
class Gathered:
    """A window as it was gathered."""

    phones: Int64s
    """Those who are in the conferences."""
    seconds: float
    window: Window
    recording: Recording
    ticks: Ticks
    shares: Shares


async def settle(
    crowd: CrowdApart, audience: Audience, phones: Int64s, tell: Callable[[float], None]
) -> None:
    """Wait until everybody hears talk, and not the menu or music; some seconds at most."""
    hears = audience.expected(phones).any(axis=1)
    calm = 0
    for second in range(_SETTLE_WITHIN_S):
        crowd.begin_window()
        await asyncio.sleep(1.0)
        loud = crowd.end_window().loud[phones]
        talk = ((loud >= _LOUD_LEAST) & (loud <= _LOUD_MOST)) | ~hears
        calm = calm + 1 if talk.all() else 0
        tell(float(talk.mean()) if calm < 2 else 1.0)
        if calm == 2 or (second > _SETTLE_WITHIN_S // 2 and talk.mean() > 0.99):
            return


async def gather(
    subject: Subject, crowd: CrowdApart, phones: Int64s, seconds: float, tell: Callable[[float], None]
) -> Gathered:
    """Measure what these phones get for so many seconds (at least three)."""
    seconds = max(seconds, RECORDED_S + 0.5)
    crowd.begin_window()
    first, first_stats = spent(subject.pid), await subject.stats()
    loop = asyncio.get_running_loop()
    began, recording = loop.time(), False
    while (elapsed := loop.time() - began) < seconds:
        if not recording and elapsed >= seconds - RECORDED_S - 0.3:
            crowd.begin_recording(RECORDED_S)
            recording = True
        tell(elapsed / seconds)
        await asyncio.sleep(0.1)
    last, last_stats = spent(subject.pid), await subject.stats()
    window = crowd.end_window()
    return Gathered(
        phones,
        last.at - first.at,
        window,
        crowd.end_recording(),
        ticks_between(first_stats, last_stats),
        shares(first, last),
    )


def hear(gathered: Gathered, audience: Audience) -> Heard:
    """Listen to what the phones got; takes a second for every 500 of them or so."""
    return listen(
        gathered.recording,
        gathered.phones,
        audience.voices,
        audience.expected(gathered.phones),
        audience.beacons(gathered.phones),
    )


def figures_of(gathered: Gathered, audience: Audience, floor: FloorShare | None) -> LoadFigures:
    """Reckon it out."""
    phones, window, ticks, parts = gathered.phones, gathered.window, gathered.ticks, gathered.shares
    heard = hear(gathered, audience)
    who: WhoHearsWhom = compare(heard.voices, audience.expected(phones))
    expected = np.maximum(window.expected[phones], round(0.98 * gathered.seconds * 50))
    missed = np.maximum(0, expected - window.packets[phones])
    gaps = 1000 * window.gap_s[phones]
    delays = heard.delay_ms[np.isfinite(heard.delay_ms)]
    p50, p99 = np.percentile(delays, (50, 99)) if len(delays) else (0.0, 0.0)
    media_cpu = sum(parts.media)
    return LoadFigures(
        callers=len(phones),
        conferences=len(np.unique(phones // audience.callers)),
        talkers=audience.talkers,
        seconds=round(gathered.seconds, 2),
        pairs=who.pairs,
        pairs_unheard=who.unheard,
        pairs_wrong=who.wrong,
        phones_right=who.phones_right,
        phones_unsteady=int((~heard.steady).sum()),
        packets_expected=int(expected.sum()),
        packets_missed=int(missed.sum()),
        phones_with_misses=int((missed > 0).sum()),
        gap_p50_ms=float(np.median(gaps)),
        gap_max_ms=float(gaps.max()),
        phones_with_gaps=int((gaps > GAP_AIM_MS).sum()),
        delays_measured=len(delays),
        delay_p50_ms=float(p50),
        delay_p99_ms=float(p99),
        delay_max_ms=float(delays.max()) if len(delays) else 0.0,
        ticks=ticks.ticks,
        tick_p50_ms=ticks.p50_ms,
        tick_p99_ms=ticks.p99_ms,
        tick_p999_ms=ticks.p999_ms,
        tick_max_ms=ticks.max_ms,
        ticks_late=ticks.late,
        media_cpu=media_cpu,
        media_cpu_each=parts.media,
        control_cpu=parts.control,
        floor_cpu=floor.cpu if floor else None,
        ratio=media_cpu / floor.cpu if floor and floor.cpu else None,
        floor_moved=floor.moved if floor else None,
        load_maker_cpu=parts.load_maker,
        load_maker_late_p99_ms=float(1000 * np.percentile(window.late_s, 99)),
        load_maker_late_max_ms=float(1000 * window.late_s.max()),
        load_maker_dropped=window.dropped,
        others_cpu=parts.others,
    )


def spoiled(*windows: LoadFigures) -> list[str]:
    """Why windows say more of the load maker or the machine than of the server; the worst of each kind."""
    reasons = []
    late = max(windows, key=lambda figures: figures.load_maker_late_p99_ms)
    if late.load_maker_late_p99_ms > LATE_AIM_MS:
        reasons.append(
            f"{late.callers} callers: the load maker was {late.load_maker_late_p99_ms:.0f} ms late at 99 % of"
            " its steps, so gaps, delays and ticks are worse than with real phones"
        )
    dropped = max(windows, key=lambda figures: figures.load_maker_dropped)
    if dropped.load_maker_dropped:
        reasons.append(
            f"{dropped.callers} callers: the load maker's own buffers had no room for"
            f" {dropped.load_maker_dropped} packets, which count as missed"
        )
    others = max(windows, key=lambda figures: figures.others_cpu)
    if others.others_cpu > OTHERS_AIM:
        reasons.append(
            f"{others.callers} callers: other processes took {others.others_cpu:.2f} of a core; measure on an"
            " idle machine"
        )
    for figures in windows:
        if figures.floor_moved is not None and figures.floor_moved < FLOOR_LEAST:
            moved = 100 * figures.floor_moved
            reasons.append(f"{figures.callers} callers: the floor moved {moved:.0f} % of its packets")
    return reasons
