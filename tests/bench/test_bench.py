"""A tiny measurement, with a real server and real phones: the figures are there and make sense."""

import json
from pathlib import Path

import pytest

from townhall.bench.command import run
from townhall.bench.courses import Outcome, Progress
from townhall.bench.load.answers import AnswersCourse
from townhall.bench.load.capacity import CapacityCourse
from townhall.bench.load.remote import RemoteCourse
from townhall.bench.load.rooms import RoomsCourse
from townhall.bench.phones.audience import Audience
from townhall.bench.server.subject import BenchFailed
from townhall.bench.web.course import BrowsersCourse

pytestmark = pytest.mark.timeout(600)  # each starts servers, on machines that may be ten times as busy


def test_tiny_conference_grows_is_heard_and_ends(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "figures.json"
    course = CapacityCourse([3, 5], 2, calls_a_second=4.0, seconds=1.0, last_s=1.0, floor_s=1.0)
    assert run([course], json_file=file) == 0
    result = json.loads(file.read_text())
    assert result["courses"]["capacity"]["failure"] == ""
    figures = result["courses"]["capacity"]["figures"]
    first, last = figures["stages"]
    assert [stage["load"]["callers"] for stage in (first, last)] == [3, 5]
    assert [stage["coming"]["listening"] for stage in (first, last)] == [0, 3]
    assert [stage["answers"]["calls"] for stage in (first, last)] == [3, 2]
    load = last["load"]
    assert (load["pairs"], load["talkers"], load["conferences"]) == (8, 2, 1)
    assert load["ratio"] == pytest.approx(load["media_cpu"] / load["floor_cpu"])
    assert load["media_cpu"] == pytest.approx(sum(load["media_cpu_each"]))
    assert load["ticks"] > 0
    assert load["packets_expected"] > 0
    assert (figures["release"]["callers"], figures["release"]["released"]) == (4, 4)
    printed = capsys.readouterr().out
    for words in ("5 callers in one conference, 2 of them talking", "ratio", "Finding the floor of 3"):
        assert words in printed


def test_tiny_conferences_and_api_are_measured(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    rooms = RoomsCourse("rooms", Audience(2, 3, 2), calls_a_second=4.0, seconds=1.0, floor_s=0.0)
    assert run([rooms, RemoteCourse(3, mutes=2, asking_s=0.5)], json_file=file) == 0
    found = {name: course["figures"] for name, course in json.loads(file.read_text())["courses"].items()}
    load, remote = found["rooms"]["load"], found["api"]
    assert (load["conferences"], load["pairs"], load["floor_cpu"], load["ratio"]) == (2, 8, None, None)
    assert found["rooms"]["answers"]["failures"] == {}
    assert remote["callers"] == 3
    assert remote["requests_a_second"] > 0
    assert remote["callbacks_a_second"] > 0
    assert 0 <= remote["silence_median_ms"] <= remote["silence_max_ms"]


def test_tiny_crowd_of_browsers_is_measured(tmp_path: Path) -> None:
    file = tmp_path / "figures.json"
    assert run([BrowsersCourse(3, 2, seconds=1.0, joining=4.0)], json_file=file) == 0
    browsers = json.loads(file.read_text())["courses"]["browsers"]["figures"]
    assert (browsers["listeners"], browsers["talkers"], browsers["hearing"]) == (3, 2, 2)
    assert 0 < browsers["first_audio_p50_ms"] <= browsers["first_audio_p99_ms"]
    assert browsers["packets_expected"] > 0
    assert browsers["idle_cpu"] > 0


class _Failing:
    name = "failing"
    seconds = 1.0

    async def run(self, progress: Progress) -> Outcome:
        raise BenchFailed("the cable is cut")


def test_course_that_fails_is_told_and_the_others_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "figures.json"
    assert run([_Failing(), AnswersCourse(2, 4.0, 0.1)], json_file=file) == 1
    courses = json.loads(file.read_text())["courses"]
    assert courses["failing"]["failure"] == "the cable is cut"
    assert courses["failing"]["figures"] is None
    answers = courses["answers"]["figures"]
    assert (answers["calls"], answers["failed"], answers["failures"]) == (2, 0, {})
    assert 0 < answers["p50_ms"] <= answers["p99_ms"] <= answers["max_ms"]
    assert "failing could not be measured: the cable is cut" in capsys.readouterr().out


def test_server_that_does_not_start_fails_with_its_own_words(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("townhall.bench.server.subject.RTP_PORTS", (7, 8))
    assert run([AnswersCourse(1, 4.0)]) == 1
    assert "TOWNHALL_RTP_PORTS" in capsys.readouterr().out
