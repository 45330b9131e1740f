"""The last resort: the `espeak-ng` program of the operating system, one run for each piece."""

import asyncio
import contextlib
from collections.abc import Sequence
from pathlib import Path

from townhall.speech.clips import joined
from townhall.speech.errors import EngineFailed
from townhall.speech.ssml import Piece, Words

TIMEOUT_S = 20.0
WORDS_A_MINUTE = 160


async def speak_with_program(
    program: str, voices: Sequence[str], pieces: Sequence[Piece], draft: Path
) -> None:
    """Write `pieces` to `draft` in the first of `voices` that the program has. Raises `EngineFailed`."""
    complaint = "no voice was asked for"
    for voice in voices:
        parts: list[Path | int] = []
        try:
            for number, piece in enumerate(pieces):
                if isinstance(piece, Words):
                    parts.append(draft.with_name(f"{number}.{draft.name}"))
                    await _run(program, voice, piece, draft.with_name(f"{number}.{draft.name}"))
                else:
                    parts.append(piece.milliseconds)
            await asyncio.to_thread(joined, parts, draft)
            return
        except EngineFailed as error:
            complaint = str(error)
        finally:
            for part in parts:
                if isinstance(part, Path):
                    part.unlink(missing_ok=True)
    raise EngineFailed(complaint)


async def _run(program: str, voice: str, words: Words, path: Path) -> None:
    rate = str(round(WORDS_A_MINUTE * words.rate))
    try:
        process = await asyncio.create_subprocess_exec(
            program, "-v", voice, "-s", rate, "-b", "1", "-w", str(path), "--stdin",
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
    except OSError as error:
        raise EngineFailed(f"cannot start {program}: {error.strerror}") from None
    try:
        async with asyncio.timeout(TIMEOUT_S):
            _, complaint = await process.communicate(words.text.encode())
    except TimeoutError:
        raise EngineFailed(f"{program} took longer than {TIMEOUT_S:.0f} s") from None
    finally:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
    if process.returncode != 0:
        raise EngineFailed(f"{program}: {complaint.decode('utf-8', 'replace').strip()[:200]}")
