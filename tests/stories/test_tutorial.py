"""The tutorial's commands, as they stand on the page, against a server on an address of its own."""

import asyncio
import re
import shlex
import sys
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from tests.harness.music import is_hold_music
from tests.harness.server import TownhallServer

from townhall.phone.hearing import Samples
from townhall.phone.listening import is_music, is_silence, is_tone

PAGE = (Path(__file__).parents[2] / "docs" / "tutorial" / "first-town-hall.md").read_text("utf-8")
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]
PRINTED = re.search(r"```\n(Townhall .*?)```", PAGE, re.DOTALL)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[TownhallServer]:
    with TownhallServer(tmp_path, log_level="info") as server:
        yield server


class Terminal:
    """One command of the page, running in a process of its own."""

    def __init__(self, command: str, server: TownhallServer) -> None:
        words = shlex.split(command.replace("127.0.0.1:5060", f"{server.address}:{server.sip_port}"))
        assert words[0] == ".venv/bin/townhall", command
        self._words = words[1:]
        self._server = server
        self.printed: list[str] = []

    async def start(self) -> None:
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "townhall.cli", *self._words),
            cwd=self._server.data_dir,
            env=self._server.environment,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )

    async def prints(self, words: str) -> None:
        """Read on until a line holds these words."""
        assert self._process.stdout is not None
        async with asyncio.timeout(30):
            while line := (await self._process.stdout.readline()).decode():
                self.printed.append(line.rstrip("\n"))
                if words in line:
                    return
        raise AssertionError(f"{words!r} was not printed, but\n" + "\n".join(self.printed))

    async def ends(self) -> None:
        """Wait until it is done; it must have gone well."""
        rest, _ = await asyncio.wait_for(self._process.communicate(), 60)
        self.printed += rest.decode().splitlines()
        assert self._process.returncode == 0, "\n".join(self.printed)


async def test_tutorial_works_word_for_word(server: TownhallServer) -> None:
    serve, listen, speak, moderate, guard, unlock = COMMANDS
    assert serve == "make serve"
    listener, speaker, moderator = (Terminal(command, server) for command in (listen, speak, moderate))
    await listener.start()
    await listener.prints("pressed 1")
    await speaker.start()
    await speaker.prints("pressed 2")
    await moderator.start()
    for terminal in (moderator, speaker, listener):
        await terminal.ends()
    assert "the other side hung up" in listener.printed
    assert "the other side hung up" in speaker.printed
    check_what_the_listener_heard(samples_of(server.data_dir / "listener.wav"))

    guarding, unlocking = Terminal(guard, server), Terminal(unlock, server)
    await guarding.start()
    await guarding.ends()
    await unlocking.start()
    await unlocking.ends()
    assert server.log.count("moderator of line 1000") == 2


def test_server_prints_what_the_page_shows(server: TownhallServer) -> None:
    assert PRINTED is not None
    shown = PRINTED[1].replace("127.0.0.1:5060", f"{server.address}:{server.sip_port}")
    shown = shown.replace("http://127.0.0.1:8080", server.url)
    assert shown.strip() in server.log


def check_what_the_listener_heard(samples: Samples) -> None:
    """The menu, the music, the speaker's tone for some seconds, the goodbye: in this order."""
    pieces = [samples[at : at + 2000] for at in range(0, len(samples) - 1999, 2000)]
    tone = [is_tone(piece, 440.0) and not is_music(piece) for piece in pieces]
    assert not is_silence(np.concatenate(pieces[:2])), "the menu comes first"
    # 440 Hz is a note of the music, too, but never for two seconds.
    talk = next((at for at in range(len(pieces)) if tone[at : at + 8] == [True] * 8), None)
    assert talk is not None, "the speaker is heard"
    assert any(is_hold_music(piece) for piece in pieces[2:talk]), "music before that"
    end = len(tone) - tone[::-1].index(True)
    assert not any(is_hold_music(piece) and is_music(piece) for piece in pieces[talk + 1 : end - 1])
    assert not all(is_silence(piece) for piece in pieces[end:]), "and a voice says goodbye"


def samples_of(file: Path) -> Samples:
    with wave.open(str(file)) as wav:
        return np.frombuffer(wav.readframes(wav.getnframes()), np.int16)
