"""The voice worker seen from the server: one process, one request at a time, started again when it dies."""

import asyncio
import contextlib
import itertools
import json
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from townhall.speech.errors import EngineFailed, EngineMissing
from townhall.speech.ssml import Piece, Words

log = logging.getLogger(__name__)

PROGRAM = Path(__file__).with_name("voice_worker.py")
LOADING_S = 30.0
"""The first request of an engine also loads it; a model from a cold disk takes its time."""
STOP_S = 1.0
LONGEST_PAUSE_S = 60.0


class VoiceWorker:
    """Owns the process. `command` starts it, which happens when it is needed first."""

    def __init__(self, command: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._command = list(command)
        self._clock = clock
        self._process: asyncio.subprocess.Process | None = None
        self._complaints: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Lock()
        self._numbers = itertools.count(1)
        self._deaths = 0
        self._not_before = 0.0
        self._stopped = False

    async def warm(self, engine: str) -> None:
        """Load an engine, so that the first caller needn't wait for it. Raises `EngineFailed`."""
        await self._ask({"warm": engine}, LOADING_S)

    async def speak(self, engine: str, voices: Sequence[str], pieces: Sequence[Piece], draft: Path) -> None:
        """Have `pieces` written to `draft`. Raises `EngineMissing` or `EngineFailed`."""
        characters = sum(len(piece.text) for piece in pieces if isinstance(piece, Words))
        request = {
            "engine": engine,
            "voices": list(voices),
            "pieces": [_as_json(piece) for piece in pieces],
            "path": str(draft),
        }
        await self._ask(request, LOADING_S + characters / 20)

    async def stop(self) -> None:
        """End the process; a request that is under way fails."""
        self._stopped = True
        process, self._process = self._process, None
        if process is not None and process.stdin is not None:
            process.stdin.close()
            try:
                async with asyncio.timeout(STOP_S):
                    await process.wait()
            except TimeoutError:
                _kill(process)
        await asyncio.gather(*self._complaints)

    async def _ask(self, request: dict[str, Any], timeout_s: float) -> None:
        async with self._turn:
            try:
                answer = await self._exchange(request, timeout_s)
            except (EOFError, ConnectionError) as death:
                self._died()
                if self._deaths > 1:
                    raise EngineFailed(f"the voice process died ({death})") from None
                # It may have died long ago, unnoticed while idle: that costs nobody his prompt.
                answer = await self._second_try(request, timeout_s)
        self._deaths = 0
        if "error" in answer:
            raise (EngineMissing if answer.get("missing") else EngineFailed)(str(answer["error"]))

    async def _second_try(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        try:
            return await self._exchange(request, timeout_s)
        except (EOFError, ConnectionError) as death:
            self._died()
            raise EngineFailed(f"the voice process died twice ({death})") from None

    async def _exchange(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        process = await self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        number = next(self._numbers)
        answered = False
        try:
            async with asyncio.timeout(timeout_s):
                process.stdin.write(json.dumps({"id": number} | request).encode() + b"\n")
                await process.stdin.drain()
                answer = _parse(await process.stdout.readline(), number)
                answered = True
                return answer
        except TimeoutError:
            raise EngineFailed(f"the voice process took longer than {timeout_s:.0f} s") from None
        finally:
            if not answered:  # late, dead or no longer wanted: its next answer would be to this request
                _kill(process)
                self._process = None

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is not None and self._process.returncode is None:
            return self._process
        if self._stopped:
            raise EngineFailed("the voice process has been stopped")
        pause_s = self._not_before - self._clock()
        if pause_s > 0:
            raise EngineFailed(f"the voice process died; it is started again in {pause_s:.0f} s")
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,  # Ctrl-C is for the server, which stops it in good order
            )
        except OSError as error:
            raise EngineMissing(f"cannot start {self._command[0]}: {error.strerror}") from None
        complaints = asyncio.create_task(_log_complaints(self._process), name="voice worker's stderr")
        self._complaints.add(complaints)
        complaints.add_done_callback(self._complaints.discard)
        return self._process

    def _died(self) -> None:
        """The first new start is at once, each further one after a longer pause."""
        self._process = None
        self._deaths += 1
        if self._deaths > 1:
            self._not_before = self._clock() + min(2.0 ** (self._deaths - 2), LONGEST_PAUSE_S)
        log.warning("the voice process died (%d in a row)", self._deaths)


def _as_json(piece: Piece) -> dict[str, Any]:
    if isinstance(piece, Words):
        return {"text": piece.text, "rate": piece.rate}
    return {"silence_ms": piece.milliseconds}


def _parse(line: bytes, number: int) -> dict[str, Any]:
    """The answer to request `number`; raises `EOFError` when there is none."""
    try:
        answer = json.loads(line) if line else None
    except ValueError:
        answer = None
    if not isinstance(answer, dict) or answer.get("id") != number:
        raise EOFError("no answer" if not line else "an answer that makes no sense")
    return answer


def _kill(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.kill()


async def _log_complaints(process: asyncio.subprocess.Process) -> None:
    """Until the process has ended."""
    assert process.stderr is not None
    with contextlib.suppress(ValueError):  # a line beyond every measure
        while line := await process.stderr.readline():
            log.debug("voice process: %s", line.decode("utf-8", "replace").rstrip()[:500])
    await process.wait()
