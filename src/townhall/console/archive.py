"""The journal on the disk: one file of facts for each conference, so that nothing is lost with a restart.

`CF….jsonl` has a fact a line, in the order in which the model took them in; reading it back into a `Room`
gives what was on the page. `CF….json` beside it is the summary of one that has ended, so that a list of them
reads no journals. Facts are written within a second of being learned, in a thread. Kept are the latest
`MOST_KEPT` conferences; one file has at most `MOST_FACTS` lines, after which talk is no longer
written down, and twice as many in all. Files are the server user's alone (0600).
"""

import asyncio
import contextlib
import json
import logging
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from townhall.console.facts import Ended, Fact, Opened, Spoke, read, written
from townhall.console.room import Room

log = logging.getLogger(__name__)

MOST_KEPT = 200
MOST_FACTS = 200_000
MOST_FILE_BYTES = 200_000_000
_NAME = re.compile(r"CF[0-9a-f]{32}")


class Archive:
    """`directory` is made when it is missing. Methods that touch the disk run in threads."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._pending: list[tuple[str, str]] = []
        self._summaries: dict[str, str] = {}
        self._lines: dict[str, int] = {}
        self._writing = asyncio.Lock()
        self._failing = False

    def keep_summary(self, sid: str, summary: dict[str, Any]) -> None:
        """Have the summary of a conference that has ended written with the next `write`."""
        self._summaries[sid] = json.dumps(summary)

    def keep(self, sid: str, fact: Fact) -> None:
        """Have a fact written with the next `write`."""
        lines = self._lines.get(sid, 0)
        if lines >= 2 * MOST_FACTS or (lines >= MOST_FACTS and isinstance(fact, Spoke)):
            return
        self._lines[sid] = lines + 1
        self._pending.append((sid, json.dumps(written(fact), separators=(",", ":"))))
        if isinstance(fact, Ended):
            self._lines.pop(sid, None)

    async def write(self) -> None:
        async with self._writing:
            if not self._pending and not self._summaries:
                return
            pending, self._pending = self._pending, []
            summaries, self._summaries = self._summaries, {}
            try:
                await asyncio.to_thread(self._append, pending)
                await asyncio.to_thread(self._summarise, summaries)
                self._failing = False
            except OSError as error:
                if not self._failing:
                    log.error("the console's journal in %s cannot be written: %s", self._directory, error)
                self._failing = True

    async def prepare(self) -> None:
        await asyncio.to_thread(self._prepare)

    async def unfinished(self) -> list[Room]:
        """Conferences that had not ended when they were last written of."""
        rooms = await asyncio.to_thread(lambda: [*self._read_all(self._unfinished())])
        for room in rooms:
            self._lines[room.sid] = 1
        return rooms

    async def summaries(self) -> list[dict[str, Any]]:
        """Of the conferences that have ended, the latest first."""
        return await asyncio.to_thread(self._read_summaries)

    async def find(self, sid: str) -> Room | None:
        if not _NAME.fullmatch(sid):
            return None
        return await asyncio.to_thread(self._read, self._directory / f"{sid}.jsonl")

    async def forget_old(self) -> None:
        await asyncio.to_thread(self._forget_old)

    # ---- what is small enough for a file of its own ----

    async def keep_aside(self, name: str, data: dict[str, Any]) -> None:
        """Write a small JSON file whole."""
        file = self._directory / f"{name}.json"
        with contextlib.suppress(OSError):
            await asyncio.to_thread(_replace, file, json.dumps(data))

    async def kept_aside(self, name: str) -> dict[str, Any]:
        def load() -> dict[str, Any]:
            try:
                kept = json.loads((self._directory / f"{name}.json").read_bytes())
            except (OSError, ValueError):
                return {}
            return kept if isinstance(kept, dict) else {}

        return await asyncio.to_thread(load)

    # ---- in threads ----

    def _prepare(self) -> None:
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._forget_old()

    def _append(self, pending: list[tuple[str, str]]) -> None:
        texts: dict[str, list[str]] = {}
        for sid, text in pending:
            texts.setdefault(sid, []).append(text)
        for sid, lines in texts.items():
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
            descriptor = os.open(self._directory / f"{sid}.jsonl", flags, 0o600)
            with os.fdopen(descriptor, "a", encoding="utf-8") as stream:
                stream.write("".join(f"{line}\n" for line in lines))

    def _summarise(self, summaries: dict[str, str]) -> None:
        for sid, text in summaries.items():
            _replace(self._directory / f"{sid}.json", text)

    def _read_summaries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        for file in self._directory.glob("CF*.json"):
            try:
                kept = json.loads(file.read_bytes())
            except (OSError, ValueError):
                continue
            if isinstance(kept, dict) and isinstance(kept.get("ended_at_ms"), int):
                found.append(kept)
        return sorted(found, key=lambda kept: int(kept["ended_at_ms"]), reverse=True)[:MOST_KEPT]

    def _files(self) -> list[Path]:
        """The journals, the one written last first."""
        found = [file for file in self._directory.glob("CF*.jsonl") if _NAME.fullmatch(file.stem)]
        return sorted(found, key=lambda file: file.stat().st_mtime_ns, reverse=True)

    def _unfinished(self) -> list[Path]:
        return [file for file in self._files() if b'"fact":"Ended"' not in _tail(file)]

    def _read_all(self, files: Iterable[Path]) -> Iterable[Room]:
        for file in files:
            if room := self._read(file):
                yield room

    def _read(self, file: Path) -> Room | None:
        room: Room | None = None
        try:
            if file.stat().st_size > MOST_FILE_BYTES:
                return None
            with file.open(encoding="utf-8", errors="replace") as stream:
                for line in stream:
                    fact = _fact(line, file)
                    if room is None and isinstance(fact, Opened):
                        room = Room(fact.sid, fact.name, fact.at_ms, fact.lines)
                    elif room is not None and fact is not None:
                        room.learn(fact)
        except OSError:
            return None
        if room is not None:
            room.take_changes()
        return room

    def _forget_old(self) -> None:
        for file in self._files()[MOST_KEPT:]:
            for one in (file, file.with_suffix(".json")):
                with contextlib.suppress(OSError):
                    one.unlink()


def _fact(line: str, file: Path) -> Fact | None:
    """A line that a crash cut short is left out."""
    try:
        return read(json.loads(line))
    except ValueError:
        log.warning("%s: a line cannot be read and is left out", file)
        return None


def _tail(file: Path) -> bytes:
    with file.open("rb") as stream:
        stream.seek(max(0, file.stat().st_size - 65_536))
        return stream.read()


def _replace(file: Path, text: str) -> None:
    draft = file.with_suffix(".draft")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
    os.replace(draft, file)
