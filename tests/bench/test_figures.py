"""What is reckoned out of what was counted: ticks, processor shares, goodbyes; and what spoils it."""

import os
import subprocess
import sys

import msgspec
import numpy as np

from townhall.audio import encode_ulaw
from townhall.bench.load.figures import LoadFigures, spoiled
from townhall.bench.load.release import heard_words
from townhall.bench.load.rows import load_rows
from townhall.bench.phones.audience import Audience
from townhall.bench.phones.recording import Recording
from townhall.bench.phones.voices import payloads
from townhall.bench.schedule import courses
from townhall.bench.server.processes import Spent, shares, spent
from townhall.bench.server.ticks import ticks_between
from townhall.media.protocol import TICK_EDGES_MS, Stats

STATS = Stats(
    legs=1,
    ticks=0,
    tick_p50_ms=1.0,
    tick_p99_ms=2.0,
    tick_max_ms=3.0,
    ticks_late=0,
    packets_received=0,
    packets_sent=0,
    unknown_source=0,
    malformed=0,
    cpu_s=0.0,
)


def figures(**changes: object) -> LoadFigures:
    zeros = {name: 0 for name in LoadFigures.__struct_fields__} | {"media_cpu_each": (0.0,)}
    usual = {"floor_moved": 1.0, "callers": 2000}
    return msgspec.convert(zeros | usual | changes, LoadFigures)


def counts(**ticks: int) -> list[int]:
    """Ticks by the place of their edge: `at_3=5` are five of the fourth kind."""
    found = [0] * (len(TICK_EDGES_MS) + 1)
    for name, many in ticks.items():
        found[int(name.removeprefix("at_"))] = many
    return found


def test_ticks_are_those_between_two_moments_and_never_look_shorter_than_they_were() -> None:
    first = msgspec.structs.replace(STATS, tick_counts=counts(at_3=100, at_60=5), ticks_late=2)
    last = msgspec.structs.replace(STATS, tick_counts=counts(at_3=1097, at_50=2, at_60=6), ticks_late=3)
    ticks = ticks_between(first, last)
    assert (ticks.ticks, ticks.late) == (1000, 1)
    assert (ticks.p50_ms, ticks.p99_ms) == (TICK_EDGES_MS[3], TICK_EDGES_MS[3])
    assert (ticks.p999_ms, ticks.max_ms) == (TICK_EDGES_MS[50], TICK_EDGES_MS[60])


def test_ticks_of_a_server_that_counts_none_are_what_its_last_seconds_say() -> None:
    ticks = ticks_between(STATS, msgspec.structs.replace(STATS, ticks=50))
    assert (ticks.ticks, ticks.p50_ms, ticks.p99_ms, ticks.p999_ms, ticks.max_ms) == (50, 1.0, 2.0, 3.0, 3.0)


def test_shares_are_told_apart_by_process() -> None:
    first = Spent(10.0, 1.0, {7: 2.0}, 3.0, 10.0)
    last = Spent(12.0, 1.5, {7: 3.0, 8: 1.0}, 3.25, 14.0)
    found = shares(first, last)
    assert (found.control, found.media, found.load_maker) == (0.25, (0.5, 0.5), 0.125)
    assert found.others == 4.0 / 2 - 0.25 - 1.0 - 0.125


def test_processor_time_of_a_server_is_its_own_and_its_childrens() -> None:
    child = "import sys; sys.stdin.read()"
    mean = f"import sys, subprocess; subprocess.run([sys.executable, '-c', '{child}', 'townhall.media'])"
    with subprocess.Popen([sys.executable, "-c", mean], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        while not (found := spent(process.pid)).media:
            assert process.poll() is None
        process.stdin.close()
    assert len(found.media) == 1
    assert process.pid not in found.media
    assert spent(os.getpid()).load_maker > 0
    assert spent(os.getpid()).control > 0


def test_figures_of_an_idle_machine_and_a_punctual_load_maker_are_not_spoiled() -> None:
    assert spoiled(figures()) == []


def test_what_spoils_figures_is_said() -> None:
    late = figures(
        load_maker_late_p99_ms=12.0, load_maker_dropped=3, others_cpu=0.5, floor_moved=0.5, callers=250
    )
    reasons = "\n".join(spoiled(late))
    for words in ("250 callers", "12 ms late", "3 packets", "0.50 of a core", "floor moved 50 %"):
        assert words in reasons


def test_ratio_is_judged_only_where_packets_outweigh_the_tick() -> None:
    few, many = (
        next(row for row in load_rows(figures(callers=n, floor_cpu=0.1, ratio=2.0)) if row.what == "ratio")
        for n in (100, 2000)
    )
    assert (few.reached, many.reached) == (None, False)


def test_goodbye_is_heard_where_the_last_words_are_not_the_talkers() -> None:
    audience = Audience(1, 4, 2)
    recording = Recording.of(4, 200)
    talk = payloads(np.arange(2), np.array([True, False]))
    words = np.random.default_rng(1).normal(0, 3000, (50, 160)).astype(np.int16)
    recording.turned[:, :50] = ~talk[1]
    recording.turned[1, 60:110] = ~encode_ulaw(words)
    recording.turned[3, 60:65] = ~encode_ulaw(words)[:5]
    found = heard_words(recording, np.array([1, 2, 3]), audience)
    assert found.tolist() == [True, False, False]


def test_all_courses_together_take_less_than_they_may() -> None:
    for quick, minutes in ((False, 15), (True, 2)):
        listed = courses(quick)
        assert sum(course.seconds for course in listed) < 60 * minutes
        assert len({course.name for course in listed}) == len(listed)
