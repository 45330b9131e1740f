"""The course that measures sound: PESQ of recorded speech through the whole server, and delay mouth to ear.

docs/explanation/sound.md says how and why so, and has the figures.
"""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from townhall.bench.courses import Outcome, Progress, Row, Table
from townhall.bench.server.subject import Subject
from townhall.bench.sound.compare import Floats, delays_in_mix, delays_ms, said_and_heard, said_together
from townhall.bench.sound.figures import AIMS, TEN, SoundFigures, WeatherFigures
from townhall.bench.sound.nothing import Way, heard_untreated
from townhall.bench.sound.rooms import NUMBER, Rooms
from townhall.bench.sound.run import Case, Run, Say, Told, run_cases
from townhall.bench.sound.score import score
from townhall.bench.sound.speech import NARROW_RATE, WIDE_RATE, SoundMissing, Utterance, load_utterances
from townhall.bench.sound.talk import Codec, Heard, Opus, Ulaw
from townhall.bench.sound.weather import WEATHERS, passage

Pair = tuple[Floats, Floats]
_LATE_MS = 5.0
_ALIKE = 0.02
"""In PESQ: no difference."""
_OPUS_ROOMS = 8
"""At once: two streams in each, and from 25 on the server encodes more coarsely."""
_WAYS: tuple[Way, ...] = ("silence", "repetition")


@dataclass(frozen=True, slots=True)
class SoundPlan:
    """How many pairs of talker and listener each weather has, and how many times ten talk at once."""

    g711_pairs: int = 10
    ten_rooms: int = 4
    opus_pairs: int = 4


class SoundCourse:
    """See `courses.Course`. What it takes may be missing; then it says so and nothing is measured."""

    name = "sound"

    def __init__(self, plan: SoundPlan | None = None) -> None:
        self._plan = plan or SoundPlan()

    @property
    def seconds(self) -> float:
        plan = self._plan
        batches = -(-plan.opus_pairs * len(WEATHERS) // _OPUS_ROOMS)
        return 30.0 + 20.0 * batches + 3.0 * plan.g711_pairs + 5.0 * plan.opus_pairs

    async def run(self, progress: Progress) -> Outcome:
        try:
            return await self._measure(load_utterances(NARROW_RATE), load_utterances(WIDE_RATE), progress)
        except SoundMissing as error:
            row = Row("not measured", str(error))
            return Outcome(SoundFigures(left_out=str(error)), [Table("sound", [row])])

    async def _measure(
        self, narrow_speech: Sequence[Utterance], wide_speech: Sequence[Utterance], progress: Progress
    ) -> Outcome:
        plan = self._plan
        g711 = g711_cases(narrow_speech, plan)
        batches = opus_cases(wide_speech, plan)
        narrow, wide = Measurement(Ulaw()), Measurement(Opus())
        with tempfile.TemporaryDirectory(prefix="townhall-sound-") as directory:
            progress("Starting a server for sound", 0.0)
            async with Subject(Path(directory)) as subject, Rooms() as rooms:
                await asyncio.to_thread(subject.command, "number", "add", NUMBER, rooms.url)
                await narrow.take(subject, rooms, g711, partial(progress, "Talking in G.711"))
                for number, cases in enumerate(batches):
                    tell = partial(progress, f"Talking in Opus, {number + 1} of {len(batches)}")
                    await wide.take(subject, rooms, cases, tell)
        figures = []
        for measurement, name in ((narrow, "G.711"), (wide, "Opus")):
            progress(f"Scoring {name}", 0.0)
            figures.append(await measurement.figures())
        return _outcome(figures[0], figures[1], [*narrow.runs, *wide.runs])


def g711_cases(utterances: Sequence[Utterance], plan: SoundPlan) -> list[Case]:
    """A pair for each weather and utterance, and conferences of ten talkers."""
    cases = [
        Case(weather, [utterances[number % len(utterances)]], 100 * number, _phase(number, plan.g711_pairs))
        for weather in WEATHERS
        for number in range(plan.g711_pairs)
    ]
    ten = [Case("clean", utterances, 0, _phase(room, plan.ten_rooms)) for room in range(plan.ten_rooms)]
    return cases + ten


def opus_cases(utterances: Sequence[Utterance], plan: SoundPlan) -> list[list[Case]]:
    """A pair for each weather and utterance, in batches."""
    cases = [
        Case(weather, [utterances[number % len(utterances)]], 100 * number, _phase(number, plan.opus_pairs))
        for number in range(plan.opus_pairs)
        for weather in WEATHERS
    ]
    return [cases[first : first + _OPUS_ROOMS] for first in range(0, len(cases), _OPUS_ROOMS)]


def _phase(number: int, count: int) -> float:
    """Spread evenly over a tick."""
    return 20.0 * (number + 0.5) / count


class Measurement:
    """Of one codec: runs, and what comes of them."""

    def __init__(self, codec: Codec) -> None:
        self._codec = codec
        self._say = Say(codec)
        self.runs: list[Run] = []

    async def take(
        self, subject: Subject, rooms: Rooms, cases: Sequence[Case], tell: Callable[[float], None]
    ) -> None:
        self.runs.append(await run_cases(subject, rooms, self._codec, self._say, cases, tell))

    async def figures(self) -> tuple[WeatherFigures, ...]:
        """Of each weather, after all runs; raises `SoundMissing`."""
        told = [each for run in self.runs for each in run.told]
        pairs: list[tuple[str, str, Pair]] = []
        delays: dict[str, list[Floats]] = {}
        for each in told:
            weather, found, pair = await asyncio.to_thread(self._compare, each)
            delays.setdefault(weather, []).append(found)
            pairs.append((weather, "ours", pair))
            if weather != TEN:
                for way in _WAYS:
                    pairs.append((weather, way, await asyncio.to_thread(self._untreated, each.case, way)))
        scores = await score(self._codec.rate, [pair for _, _, pair in pairs])
        return tuple(
            _figures(weather, pairs, scores, np.concatenate(delays[weather]))
            for weather in AIMS
            if weather in delays
        )

    def _compare(self, told: Told) -> tuple[str, Floats, Pair]:
        """Its weather's name, delays in ms, and what PESQ is given."""
        rate, case = self._codec.rate, told.case
        said = [utterance.samples for utterance in case.talkers]
        if len(said) > 1:
            late = [
                delays_in_mix(one, at, told.heard, rate) for one, at in zip(said, told.said_at, strict=True)
            ]
            return TEN, 1000 * np.concatenate(late), said_together(said, told.said_at, late, told.heard, rate)
        found = delays_ms(said[0], told.said_at[0], told.heard, rate)
        middle = float(np.median(found)) / 1000 if len(found) else 0.0
        return case.weather, found, said_and_heard(said[0], told.said_at[0], told.heard, middle, rate)

    def _untreated(self, case: Case, way: Way) -> Pair:
        """The same packets where nothing is done; Opus is encoded once more, as the server does."""
        codec = self._codec
        payloads = self._say(case.talkers[0])
        samples = heard_untreated(codec, payloads, passage(case.weather, len(payloads), case.seed), way)
        if isinstance(codec, Opus):
            again: list[bytes | None] = [*codec.encode(samples, voice=False)]
            samples = codec.decode(again)
        heard = Heard(samples, 0.0, 0, len(payloads), 0.0)
        return said_and_heard(case.talkers[0].samples, 0.0, heard, 0.0, codec.rate)


def _figures(
    weather: str, pairs: list[tuple[str, str, Pair]], scores: Floats, delays: Floats
) -> WeatherFigures:
    of = {
        how: scores[[row for row, (name, way, _) in enumerate(pairs) if (name, way) == (weather, how)]]
        for how in ("ours", *_WAYS)
    }
    ours = np.nan_to_num(of["ours"], nan=1.0)
    middle, late = np.percentile(delays, [50, 90]) if len(delays) else (float("nan"), float("nan"))
    return WeatherFigures(
        weather,
        len(ours),
        round(float(ours.mean()), 3),
        round(float(ours.min()), 3),
        round(float(middle), 1),
        round(float(late), 1),
        *(round(float(np.nan_to_num(of[way], nan=1.0).mean()), 3) if len(of[way]) else None for way in _WAYS),
    )


def _outcome(
    g711: tuple[WeatherFigures, ...], opus: tuple[WeatherFigures, ...], runs: Sequence[Run]
) -> Outcome:
    late = np.concatenate([run.late_ms for run in runs])
    figures = SoundFigures(
        g711=g711,
        opus=opus,
        sender_late_p99_ms=round(float(np.percentile(late, 99)), 2),
        sender_late_max_ms=round(float(late.max()), 2),
        ticks_late=sum(run.ticks_late for run in runs),
        tick_max_ms=round(max(run.tick_max_ms for run in runs), 2),
        packets_missing=sum(told.heard.missing for run in runs for told in run.told),
    )
    best = next((each.silence for each in g711 if each.weather == "clean"), None)
    tables = [
        Table("sound, G.711: narrowband PESQ and delay", [_aimed(each, best or 4.41) for each in g711]),
        Table("sound, Opus between browsers: wideband PESQ and delay", [_row(each) for each in opus]),
    ][: 2 if opus else 1]
    return Outcome(figures, tables, _spoiled(figures))


def _row(found: WeatherFigures) -> Row:
    measured = f"{found.pesq:.2f} (worst {found.pesq_worst:.2f}), {found.delay_ms:.0f} ms"
    if found.silence is not None:
        measured += f"; untreated {found.silence:.2f}"
    if found.repetition is not None:
        measured += f", repeated {found.repetition:.2f}"
    return Row(found.weather, measured)


def _aimed(found: WeatherFigures, best: float) -> Row:
    """`best`: what a clean line gets where nothing is done, which G.711 itself can't do better."""
    aim = AIMS[found.weather]
    pesq = round(best, 2) - _ALIKE if aim.pesq is None else aim.pesq
    words = f"≥ {pesq:.2f}" + (f", ≤ {aim.delay_ms:g} ms" if aim.delay_ms else "")
    soon_enough = aim.delay_ms is None or found.delay_ms <= aim.delay_ms
    row = _row(found)
    return Row(row.what, row.measured, words, round(found.pesq, 2) >= round(pesq, 2) and soon_enough)


def _spoiled(figures: SoundFigures) -> list[str]:
    reasons = []
    if figures.sender_late_p99_ms > _LATE_MS:
        reasons.append(f"one packet in a hundred was sent {figures.sender_late_p99_ms:.1f} ms late or more")
    if figures.ticks_late:
        reasons.append(f"the machine kept the server from {figures.ticks_late} ticks")
    if figures.packets_missing:
        reasons.append(f"{figures.packets_missing} packets did not come to listeners")
    return reasons
