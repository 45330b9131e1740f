"""`townhall call` as people run it, a process of its own against a real server."""

import asyncio
import signal
import subprocess
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.harness.server import TownhallServer
from tests.harness.sounds import tone_file

from townhall.phone.listening import is_silence, is_tone


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TownhallServer]:
    with TownhallServer(tmp_path_factory.mktemp("townhall")) as server:
        yield server


def samples_of(file: Path) -> np.ndarray:
    with wave.open(str(file)) as wav:
        assert (wav.getnchannels(), wav.getsampwidth(), wav.getframerate()) == (1, 2, 8000)
        return np.frombuffer(wav.readframes(wav.getnframes()), np.int16)


def call(server: TownhallServer, *options: str) -> subprocess.CompletedProcess[str]:
    return server.command("call", server.sip_uri("1000"), *options, check=False)


async def test_moderator_and_speaker_call_and_the_recording_has_the_speakers_tone(
    server: TownhallServer, tmp_path: Path
) -> None:
    heard = tmp_path / "heard.wav"
    moderator, speaker = await asyncio.gather(
        asyncio.to_thread(call, server, "--press", "3", "--for", "14", "--record", str(heard)),
        asyncio.to_thread(call, server, "--press", "2", "--tone", "440", "--for", "12", "--transport", "tcp"),
    )
    assert (moderator.returncode, speaker.returncode) == (0, 0), moderator.stderr + speaker.stderr
    lines = moderator.stdout.splitlines()
    assert lines[0] == f"calling {server.sip_uri('1000')} over UDP"
    assert lines[1] == "180 Ringing"
    assert lines[2].startswith("answered after ")
    assert lines[2].endswith("PCMU, 20 ms packets, keys as RFC 4733")
    assert "pressed 3" in lines
    assert lines[-3] == "hanging up after 14 s"
    assert lines[-2].startswith("sent ")
    assert lines[-1].endswith(f" to {heard}")
    samples = samples_of(heard)
    assert any(is_tone(samples[at : at + 1600], 440.0) for at in range(0, len(samples) - 1600, 800))
    assert not is_silence(samples[:8000]), "the menu comes first"
    assert "over TCP" in speaker.stdout


def test_file_is_played_and_the_other_sides_end_is_told(server: TownhallServer, tmp_path: Path) -> None:
    (tmp_path / "hello.wav").write_bytes(tone_file(700.0, 0.5))
    done = call(server, "--play", str(tmp_path / "hello.wav"), "--for", "2", "--codec", "PCMA")
    assert done.returncode == 0, done.stderr
    assert f"played {tmp_path / 'hello.wav'}" in done.stdout
    assert "PCMA" in done.stdout


def test_number_that_is_not_there_is_status_1(server: TownhallServer) -> None:
    done = server.command("call", server.sip_uri("4711"), check=False)
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1] == "not answered: 404 Not Found"
    assert done.stderr == ""


def test_file_that_cannot_be_played_is_one_line_on_stderr(server: TownhallServer, tmp_path: Path) -> None:
    done = call(server, "--play", str(tmp_path / "missing.wav"))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "missing.wav cannot be played" in done.stderr


def test_recording_that_cannot_be_written_is_told_before_the_call(
    server: TownhallServer, tmp_path: Path
) -> None:
    done = call(server, "--record", str(tmp_path / "nowhere" / "heard.wav"), "--for", "1")
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "nowhere" in done.stderr


async def test_ctrl_c_hangs_up_and_keeps_the_recording(server: TownhallServer, tmp_path: Path) -> None:
    heard = tmp_path / "heard.wav"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "townhall.cli", "call", server.sip_uri("1000"), "--record", str(heard)),
        env=server.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"hearing" not in (line := await process.stdout.readline()):
            assert line, "it ended by itself"
        process.send_signal(signal.SIGINT)
        output, errors = await process.communicate()
    assert process.returncode == 130
    assert output.decode().splitlines()[0] == "hanging up"
    assert errors == b""
    assert len(samples_of(heard)) > 0
