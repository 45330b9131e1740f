"""Measuring sound: what is missing is said, and a tiny run talks through a real server."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.harness.speechlike import noise_like_speech

from townhall.bench.command import run
from townhall.bench.sound import course, speech
from townhall.bench.sound.course import SoundCourse, SoundPlan, g711_cases, opus_cases
from townhall.bench.sound.figures import AIMS, TEN
from townhall.bench.sound.speech import Utterance
from townhall.bench.sound.weather import WEATHERS


def test_missing_tools_are_told_and_fail_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "missing").write_text("PESQ could not be built\n")
    monkeypatch.setattr(speech.load_utterances, "__defaults__", (tmp_path,))
    file = tmp_path / "figures.json"
    assert run([SoundCourse()], json_file=file) == 0
    assert (
        json.loads(file.read_text())["courses"]["sound"]["figures"]["left_out"] == "PESQ could not be built"
    )
    assert "PESQ could not be built" in capsys.readouterr().out


def test_cases_pair_every_weather_with_other_people_and_spread_over_a_tick() -> None:
    people = [Utterance(name, np.zeros(1, np.int16), 8000) for name in "abc"]
    cases = g711_cases(people, SoundPlan(g711_pairs=4, ten_rooms=2))
    assert {case.weather for case in cases} == set(WEATHERS)
    jitter = [case for case in cases if case.weather == "jitter"]
    assert [case.talkers[0].name for case in jitter] == ["a", "b", "c", "a"]
    assert len({case.seed for case in jitter}) == 4
    assert [case.phase_ms for case in jitter] == [2.5, 7.5, 12.5, 17.5]
    assert [len(case.talkers) for case in cases[-2:]] == [3, 3]
    batches = opus_cases(people, SoundPlan(opus_pairs=3))
    assert {len(batch) for batch in batches} == {8}
    assert sum(len(batch) for batch in batches) == 3 * len(WEATHERS)


@pytest.mark.timeout(
    600
)  # it starts a server and talks in real time, on machines that may be ten times as busy
def test_tiny_run_hears_phones_and_browsers_through_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(speech, "LEAD_S", 0.4)
    monkeypatch.setattr(speech, "SCORED_S", 1.2)
    monkeypatch.setattr(speech, "PAUSE_S", 0.2)

    def made(rate: int) -> list[Utterance]:
        return [Utterance(f"{seed}", noise_like_speech(rate, 2.0, seed), rate) for seed in range(2)]

    pairs: list[tuple[int, bool]] = []

    async def scored(rate: int, given: Sequence[tuple[np.ndarray, np.ndarray]]) -> np.ndarray:  # type: ignore[type-arg]
        pairs.extend((rate, len(said) == len(heard) and said.any()) for said, heard in given)
        return np.array([float(heard.any()) for _, heard in given])

    monkeypatch.setattr(course, "load_utterances", made)
    monkeypatch.setattr(course, "score", scored)
    file = tmp_path / "figures.json"
    assert run([SoundCourse(SoundPlan(g711_pairs=1, ten_rooms=1, opus_pairs=1))], json_file=file) == 0
    figures = json.loads(file.read_text())["courses"]["sound"]["figures"]
    assert figures["left_out"] == ""
    assert [each["weather"] for each in figures["g711"]] == [*WEATHERS, TEN] == list(AIMS)
    assert [each["weather"] for each in figures["opus"]] == list(WEATHERS)
    assert all(each["pesq"] == 1.0 for each in figures["g711"] + figures["opus"])  # something was heard
    assert sorted(pairs) == [(8000, True)] * 25 + [(16000, True)] * 24
