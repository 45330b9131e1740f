"""The parts of measuring sound: packets and back, delays, doing nothing, cutting speech, asking PESQ."""

import asyncio
import json
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from tests.harness.speechlike import noise_like_speech

from townhall.audio import encode_ulaw
from townhall.bench.sound import speech
from townhall.bench.sound.compare import delays_in_mix, delays_ms, said_and_heard, said_together
from townhall.bench.sound.figures import TEN, SoundFigures, WeatherFigures
from townhall.bench.sound.nothing import heard_untreated
from townhall.bench.sound.page import BEGIN, END, write_sound
from townhall.bench.sound.score import score
from townhall.bench.sound.speech import SoundMissing, cut, load_utterances, phrases, scored, with_breaths
from townhall.bench.sound.talk import Heard, Opus, Packets, Ulaw, listen
from townhall.bench.sound.weather import Passage

SECONDS = speech.LEAD_S + speech.SCORED_S + 2 * speech.PAUSE_S
RATE = 8000


def heard_later(samples: "np.ndarray", by_ms: float, began_s: float = 100.0) -> Heard:  # type: ignore[type-arg]
    return Heard(samples, began_s + by_ms / 1000, 0, len(samples) // 160, 0.0)


# ---- packets ----


def test_g711_packets_heard_in_any_order_are_what_was_said_and_the_lost_one_is_silence() -> None:
    codec = Ulaw()
    payloads = codec.encode(noise_like_speech(RATE, 0.2, 1))
    packets = Packets.of(codec, payloads, 7)
    order = np.array([1, 0, 2, 3, 5, 6, 7, 8, 9])
    at_s = 50.0 + 0.02 * order
    heard = listen(codec, packets.data[order], packets.lengths[order], at_s)
    assert heard is not None
    assert (heard.missing, heard.packets) == (1, 10)
    assert heard.began_s == pytest.approx(50.0)
    said = codec.decode([*payloads]).reshape(10, 160)
    assert not heard.samples[4 * 160 : 5 * 160].any()
    assert np.array_equal(np.delete(heard.samples.reshape(10, 160), 4, 0), np.delete(said, 4, 0))


def test_packets_that_never_came_are_no_sound() -> None:
    assert listen(Ulaw(), np.zeros((0, 512), np.uint8), np.zeros(0, np.int64), np.zeros(0)) is None


def test_opus_packets_are_of_20_ms_and_sound_like_what_was_said() -> None:
    codec = Opus()
    said = noise_like_speech(codec.rate, 1.0, 3)
    payloads = codec.encode(said)
    assert len(payloads) == 50
    packets = Packets.of(codec, payloads, 1)
    stamps = packets.data[:, 4:8].copy().view(">u4")[:, 0].astype(np.int64)
    assert set(np.diff(stamps).tolist()) == {960}
    heard = listen(codec, packets.data, packets.lengths, 0.02 * np.arange(50))
    assert heard is not None
    level = np.sqrt((heard.samples[3200:].astype(float) ** 2).mean())
    assert level == pytest.approx(np.sqrt((said[3200:].astype(float) ** 2).mean()), rel=0.3)


# ---- delays ----


@pytest.mark.parametrize("delay", [0.0, 37.0, 251.5])
def test_delay_of_sound_that_is_heard_later_is_found(delay: float) -> None:
    said = noise_like_speech(RATE, SECONDS, 5)
    found = delays_ms(said, 100.0, heard_later(said, delay), RATE)
    assert len(found) > 10
    assert found == pytest.approx(np.full(len(found), delay), abs=0.2)


def test_seconds_that_were_not_heard_have_no_delay() -> None:
    said = noise_like_speech(RATE, SECONDS, 5)
    damaged = said.copy()
    damaged[: 8 * RATE] = noise_like_speech(RATE, 8.0, 6)
    found = delays_ms(said, 100.0, heard_later(damaged, 40.0), RATE)
    whole = delays_ms(said, 100.0, heard_later(said, 40.0), RATE)
    assert 0 < len(found) < len(whole)
    assert found == pytest.approx(np.full(len(found), 40.0), abs=0.2)


def test_said_and_heard_are_the_same_words() -> None:
    said = noise_like_speech(RATE, SECONDS, 5)
    reference, degraded = said_and_heard(said, 100.0, heard_later(said, 40.0), 0.04, RATE)
    assert np.array_equal(reference, degraded)
    assert len(reference) == scored(RATE).stop - scored(RATE).start


def test_each_of_several_talkers_is_found_in_their_mix_and_they_add_up() -> None:
    said = [noise_like_speech(RATE, SECONDS, seed) // 4 for seed in range(4)]
    late = [0, 40, 80, 160]
    total = sum(
        np.concatenate((np.zeros(by, np.int16), one))[: len(said[0])]
        for one, by in zip(said, late, strict=True)
    )
    heard = heard_later(np.asarray(total, np.int16), 30.0)
    delays = [delays_in_mix(one, 100.0, heard, RATE) for one in said]
    for found, by in zip(delays, [0.03, 0.035, 0.04, 0.05], strict=True):
        assert found == pytest.approx(np.full(4, by), abs=0.0002)
    reference, degraded = said_together(said, [100.0] * 4, delays, heard, RATE)
    assert np.array_equal(reference, degraded)


# ---- doing nothing ----


@pytest.mark.parametrize("way", ["silence", "repetition"])
def test_untreated_packets_that_come_after_60_ms_are_holes(way: str) -> None:
    codec = Ulaw()
    frames = np.repeat(np.arange(1, 7, dtype=np.int16) * 1000, 160)
    payloads = codec.encode(frames)
    through = Passage(np.array([0, 1, 3, 3, 4, 5]), np.array([0.0, 20.0, 125.0, 126.0, 80.0, 160.0]))
    heard = heard_untreated(codec, payloads, through, way)[::160]  # type: ignore[arg-type]
    kept = codec.decode([*payloads])[::160]
    hole = 0 if way == "silence" else kept[1]
    assert heard.tolist() == [kept[0], kept[1], hole, hole, kept[4], kept[5]]


# ---- the page ----


def test_page_on_sound_gets_the_figures_between_its_marks(tmp_path: Path) -> None:
    page = tmp_path / "sound.md"
    found = WeatherFigures("loss 5 %", 10, 3.8049, 3.1, 31.6, 40.0, 3.0, 3.1)
    ten = WeatherFigures(TEN, 4, 4.53, 4.5, 31.6, 40.0)
    figures = SoundFigures(g711=(found, ten), opus=(found,), tick_max_ms=4.25)
    assert write_sound(tmp_path, figures) == []
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert write_sound(tmp_path, SoundFigures(left_out="no compiler")) == []
    assert write_sound(tmp_path, figures) == [page]
    text = page.read_text()
    assert "| loss 5 % | **3.80 / 32** | 3.00 | 3.10 | ≥ 3.8 | 2.89 |" in text
    assert "| ten talkers | **4.53 / 32** |  |  | ≥ 4.5 | 4.54 |" in text
    assert "longest tick took 4.2 ms" in text
    assert text.startswith("before\n")
    assert text.endswith(f"{END}\nafter\n")
    assert "old" not in text


def test_page_on_sound_in_the_documentation_has_its_marks() -> None:
    text = (Path(__file__).parents[2] / "docs" / "explanation" / "sound.md").read_text()
    assert text.index(BEGIN) < text.index(END)


# ---- speech ----


def test_speech_is_cut_where_it_pauses_and_breathes_between_phrases() -> None:
    word = noise_like_speech(RATE, 0.5, 1)
    parts = phrases(np.concatenate((word, np.zeros(RATE // 2, np.int16), word)), RATE)
    assert [len(part) for part in parts] == pytest.approx([len(word)] * 2, abs=RATE // 20)
    assert len(with_breaths(parts, RATE)) == sum(len(part) for part in parts) + 2 * RATE


def test_utterances_are_of_one_level_and_too_little_speech_is_told() -> None:
    speech = np.concatenate((noise_like_speech(RATE, 13.0, 1), noise_like_speech(RATE, 13.0, 2) // 4))
    loud, quiet = (utterance.samples.astype(float) for utterance in cut("somebody", speech, RATE, 2))
    assert np.sqrt((loud**2).mean()) == pytest.approx(np.sqrt((quiet**2).mean()), rel=0.02)
    assert len(loud) == round(SECONDS * RATE)
    with pytest.raises(SoundMissing, match=r"somebody has 26\.0 s"):
        cut("somebody", speech, RATE, 3)


def test_speech_that_was_never_installed_is_told(tmp_path: Path) -> None:
    with pytest.raises(SoundMissing, match="make bench"):
        load_utterances(RATE, tmp_path)
    (tmp_path / ".ready").touch()
    with pytest.raises(SoundMissing, match="no recorded speech"):
        load_utterances(RATE, tmp_path)


# ---- PESQ ----


def program(file: Path, body: str) -> Path:
    """Something to run in PESQ's place."""
    file.write_text(f"#!/bin/sh\n{body}\n")
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    return file


def pairs(count: int) -> "list[tuple[np.ndarray, np.ndarray]]":  # type: ignore[type-arg]
    return [(np.ones(8), np.full(8, float(number))) for number in range(count)]


def test_scores_come_in_the_order_of_the_pairs(tmp_path: Path) -> None:
    worker = tmp_path / "worker.py"
    worker.write_text(
        "import json, sys, numpy\n"
        "found = numpy.load(sys.argv[-1])['heard'][:, 0]\n"
        "print(json.dumps([None if value == 2 else value for value in found.tolist()]))\n"
    )
    python = program(tmp_path / "python", f'exec {json.dumps(sys.executable)} {worker} "$3"')
    scores = asyncio.run(score(RATE, pairs(5), python))
    assert np.array_equal(scores, [0, 1, np.nan, 3, 4], equal_nan=True)


def test_pesq_that_fails_or_is_missing_is_told(tmp_path: Path) -> None:
    python = program(tmp_path / "python", "echo no module named pesq >&2; exit 1")
    with pytest.raises(SoundMissing, match="no module named pesq"):
        asyncio.run(score(RATE, pairs(1), python))
    with pytest.raises(SoundMissing, match="could not be started"):
        asyncio.run(score(RATE, pairs(1), tmp_path / "nothing"))
    assert len(asyncio.run(score(RATE, [], tmp_path / "nothing"))) == 0


def test_ulaw_is_that_of_the_server() -> None:
    said = noise_like_speech(RATE, 0.1, 9)
    assert b"".join(Ulaw().encode(said)) == encode_ulaw(said).tobytes()
