"""A tiny measurement, with a real server and real phones: the figures are there and make sense."""

import json
from pathlib import Path

import pytest

from townhall.bench import run
from townhall.bench.course import WholeCourse
from townhall.bench.plan import BenchPlan, BenchReport

TINY = BenchPlan(
    calls_a_second=4.0,
    setup_s=1.0,
    hold_s=0.1,
    callers=4,
    talkers=2,
    conference_s=2.0,
    joining_a_second=4.0,
    moderated=3,
    asking_s=0.5,
    mutes=2,
    web_listeners=3,
    web_talkers=2,
    web_joining_a_second=4.0,
)


def test_tiny_run_measures_prints_and_writes_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "figures.json"
    assert run([WholeCourse(TINY)], json_file=file) == 0
    figures = json.loads(file.read_text())["courses"]["whole"]["figures"]
    answers, conference = figures["answers"], figures["conference"]
    assert (answers["calls"], answers["failed"]) == (4, 0)
    assert 0 < answers["p50_ms"] <= answers["p99_ms"] <= answers["max_ms"]
    assert (conference["callers"], conference["talkers"], conference["hearing"]) == (4, 2, 4)
    assert conference["packets_expected"] > 0
    assert conference["ratio"] == pytest.approx(conference["media_cpu"] / conference["floor_cpu"])
    remote = figures["remote"]
    assert remote["requests_a_second"] > 0
    assert remote["callbacks_a_second"] > 0
    assert 0 <= remote["silence_median_ms"] <= remote["silence_max_ms"]
    assert answers["failures"] == {}
    assert figures["remote"]["callers"] == 3
    assert figures["remote"]["requests_a_second"] > 0
    browsers = figures["browsers"]
    assert (browsers["listeners"], browsers["talkers"], browsers["hearing"]) == (3, 2, 2)
    assert 0 < browsers["first_audio_p50_ms"] <= browsers["first_audio_p99_ms"]
    assert browsers["packets_expected"] > 0
    assert browsers["idle_cpu"] > 0
    assert set(figures) == set(BenchReport.__struct_fields__)
    printed = capsys.readouterr().out
    for words in (
        "4 calls at 4 a second",
        "4 callers, 2 of them talking",
        "ratio",
        "callbacks",
        "Finding the floor",
        "2 browsers talk",
        "first sound after the call",
    ):
        assert words in printed


def test_server_that_does_not_start_fails_with_its_own_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("townhall.bench.subject.RTP_PORTS", (7, 8))
    assert run([WholeCourse(TINY)]) == 1
    assert "TOWNHALL_RTP_PORTS" in capsys.readouterr().out
