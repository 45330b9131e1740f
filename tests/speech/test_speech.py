"""Clips from a worker that does what the words say: caching, sharing, dying and falling back."""

import asyncio
import os
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from townhall.speech import Speech, SpeechUnavailable
from townhall.speech import speech as speech_module
from townhall.speech import worker as worker_module
from townhall.speech.errors import EngineFailed
from townhall.speech.ssml import Words
from townhall.speech.worker import VoiceWorker
from townhall.twiml.control import Utterance

SCRIPTED = Path(__file__).with_name("scripted_worker.py")
Make = Callable[..., Awaitable[Speech]]


@pytest.fixture
def notes(tmp_path: Path) -> Path:
    file = tmp_path / "notes"
    file.touch()
    return file


@pytest.fixture
async def make(tmp_path: Path, notes: Path) -> AsyncIterator[Make]:
    """Starts a `Speech` on the scripted worker alone, without the operating system's program."""
    made = []

    async def start(**options: object) -> Speech:
        given = {"command": [sys.executable, str(SCRIPTED), str(notes)]} | options
        speech = Speech(tmp_path / "clips", **given)  # type: ignore[arg-type]
        speech._program = None
        await speech.start()
        made.append(speech)
        return speech

    yield start
    for speech in made:
        await speech.stop()


def asked(notes: Path) -> list[str]:
    return [line for line in notes.read_text().splitlines() if line not in ("start", "warm piper")]


def starts(notes: Path) -> int:
    return notes.read_text().splitlines().count("start")


def samples(path: Path) -> np.ndarray:
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 16000)
        return np.frombuffer(sound.readframes(sound.getnframes()), "<i2").astype(float) / 32768


@pytest.mark.parametrize("words", ["quiet", "loud"])
async def test_clip_has_a_telephones_level_and_never_clips(make: Make, words: str) -> None:
    speech = await make()
    audio = samples(await speech.synthesise(Utterance(words)))
    assert len(audio) == pytest.approx(16000, abs=10)
    assert 20 * np.log10(np.sqrt(np.mean(audio**2))) == pytest.approx(-20, abs=0.5)
    assert np.abs(audio).max() < 0.95


async def test_equal_words_are_spoken_once(make: Make, notes: Path) -> None:
    speech = await make()
    utterances = [Utterance("Hello.")] * 20 + [Utterance("", ssml="<p>Hello</p>")]
    paths = await asyncio.gather(*(speech.synthesise(utterance) for utterance in utterances))
    assert len(set(paths)) == 2
    assert await speech.synthesise(Utterance("Hello.")) == paths[0]
    assert sorted(asked(notes)) == ["piper Hello ", "piper Hello."]


async def test_clips_outlive_a_restart(make: Make, notes: Path) -> None:
    first = await (await make()).synthesise(Utterance("Hello."))
    assert await (await make()).synthesise(Utterance("Hello.")) == first
    assert asked(notes) == ["piper Hello."]


@pytest.mark.parametrize(
    ("utterance", "engine"),
    [
        (Utterance("a", language="en-GB"), "piper"),
        (Utterance("a", voice="woman"), "piper"),
        (Utterance("a", language="de-DE"), "espeak"),
        (Utterance("a", voice="Polly.Hans"), "espeak"),
        (Utterance("a", voice="Polly.Amy-Neural", language="de-DE"), "piper"),
        (Utterance("a", voice="Google.fr-FR-Standard-A"), "espeak"),
    ],
)
async def test_english_is_natural_and_the_rest_espeak(
    make: Make, notes: Path, utterance: Utterance, engine: str
) -> None:
    await (await make()).synthesise(utterance)
    assert asked(notes) == [f"{engine} a"]


async def test_nothing_to_say_is_a_short_silence(make: Make) -> None:
    path = await (await make()).synthesise(Utterance(" \n\0 "))
    assert path.exists()


async def test_engine_that_is_missing_is_not_asked_again(make: Make, notes: Path) -> None:
    speech = await make()
    await speech.synthesise(Utterance("missing one"))
    await speech.synthesise(Utterance("missing two"))
    assert asked(notes) == ["piper missing one", "espeak missing one", "espeak missing two"]


async def test_every_engine_failing_says_why(make: Make) -> None:
    speech = await make()
    with pytest.raises(SpeechUnavailable, match="not today"):
        await speech.synthesise(Utterance("refuse"))
    assert (await speech.synthesise(Utterance("fine"))).exists()


@pytest.mark.parametrize("words", ["die", "rubbish"])
async def test_worker_that_dies_is_started_again(make: Make, notes: Path, words: str) -> None:
    speech = await make()
    with pytest.raises(SpeechUnavailable, match="died twice"):
        await speech.synthesise(Utterance(words))
    assert starts(notes) >= 2
    assert asked(notes)[:2] == [f"piper {words}"] * 2


async def test_worker_that_died_while_idle_costs_no_prompt(make: Make, notes: Path) -> None:
    speech = await make()
    await speech.synthesise(Utterance("one"))
    worker = speech._worker
    assert worker is not None
    assert worker._process is not None
    worker._process.kill()
    await worker._process.wait()
    await speech.synthesise(Utterance("two"))
    assert asked(notes) == ["piper one", "piper two"]


async def test_worker_that_keeps_dying_is_left_alone_for_longer_each_time(
    notes: Path, tmp_path: Path
) -> None:
    now = 0.0
    worker = VoiceWorker([sys.executable, str(SCRIPTED), str(notes)], clock=lambda: now)
    pauses = []
    for _ in range(4):
        with pytest.raises(EngineFailed, match="died"):
            await worker.speak("piper", ["en"], [Words("die")], tmp_path / "draft")
        started = starts(notes)
        with pytest.raises(EngineFailed, match="started again in"):
            await worker.speak("piper", ["en"], [Words("hello")], tmp_path / "draft")
        assert starts(notes) == started
        pauses.append(worker._not_before - now)
        now = worker._not_before
    assert pauses == [1, 2, 4, 8]
    await worker.speak("piper", ["en"], [Words("hello")], tmp_path / "draft")
    await worker.stop()
    assert worker._deaths == 0


async def test_worker_that_hangs_is_given_up_and_replaced(
    make: Make, notes: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    speech = await make()
    await speech.synthesise(Utterance("hello"))
    monkeypatch.setattr(worker_module, "LOADING_S", 0.2)
    with pytest.raises(SpeechUnavailable, match="took longer"):
        await speech.synthesise(Utterance("hang"))
    monkeypatch.undo()
    assert (await speech.synthesise(Utterance("more"))).exists()


async def test_caller_who_hangs_up_takes_the_words_from_nobody(make: Make, notes: Path) -> None:
    speech = await make()
    leaving = asyncio.create_task(speech.synthesise(Utterance("hello")))
    staying = asyncio.create_task(speech.synthesise(Utterance("hello")))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying).exists()
    assert leaving.cancelled()
    assert asked(notes) == ["piper hello"]


async def test_flood_of_texts_is_refused_at_once(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(speech_module, "MAX_WAITING", 3)
    speech = await make()
    tasks = [asyncio.create_task(speech.synthesise(Utterance(str(number)))) for number in range(5)]
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert [isinstance(result, Path) for result in results] == [True, True, True, False, False]
    assert "waiting" in str(results[4])


async def test_prefetched_words_are_there_when_needed(make: Make, notes: Path) -> None:
    speech = await make()
    speech.prefetch([Utterance("one"), Utterance("refuse"), Utterance("two")])
    await asyncio.gather(*speech._background)
    await speech.synthesise(Utterance("two"))
    assert asked(notes).count("piper two") == 1


async def test_start_loads_the_voice_in_the_background(make: Make, notes: Path) -> None:
    speech = await make()
    await asyncio.gather(*speech._background)
    assert starts(notes) == 1
    assert asked(notes) == []


async def test_cache_keeps_what_was_used_last(make: Make, tmp_path: Path) -> None:
    speech = await make(max_bytes=3 * 32_100)
    paths = [await speech.synthesise(Utterance(str(number))) for number in range(3)]
    for age, path in zip((5000, 9000, 7000), paths, strict=True):
        used = path.stat().st_mtime - age
        os.utime(path, (used, used))
    await speech.synthesise(Utterance("0"))
    newest = await speech.synthesise(Utterance("four"))
    assert {path for path in paths if path.exists()} == {paths[0], paths[2]}
    assert newest.exists()


async def test_drafts_of_a_process_that_died_are_cleared_away(make: Make, tmp_path: Path) -> None:
    (tmp_path / "clips").mkdir()
    (tmp_path / "clips" / "abc.draft.wav").touch()
    await make()
    assert list((tmp_path / "clips").iterdir()) == []


async def test_without_any_engine_the_advice_is_clear(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    speech = Speech(tmp_path / "clips", tmp_path / "no-python")
    await speech.start()
    with pytest.raises(SpeechUnavailable, match="make voice"):
        await speech.synthesise(Utterance("hello"))
    await speech.stop()


async def test_python_that_cannot_be_started_falls_back(make: Make, tmp_path: Path) -> None:
    speech = await make(command=[str(tmp_path / "none")])
    with pytest.raises(SpeechUnavailable, match="cannot start"):
        await speech.synthesise(Utterance("hello"))


async def test_directory_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SpeechUnavailable, match="cannot keep clips"):
        await Speech(tmp_path / "file" / "clips").start()


async def test_text_beyond_measure_is_refused(make: Make) -> None:
    with pytest.raises(SpeechUnavailable, match="10000 characters"):
        await (await make()).synthesise(Utterance("a" * 10_001))
