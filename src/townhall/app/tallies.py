"""The accounts of wrong PINs, in memory and, if wanted, in one small JSON file.

The file is written after every guess that was judged. Those are rare by nature: the limits refuse the rest,
and a refused guess changes nothing.
"""

import asyncio
import contextlib
import json
import logging
import os
import secrets
from dataclasses import asdict, dataclass
from pathlib import Path

log = logging.getLogger(__name__)

MAX_CALLERS = 10_000


@dataclass(frozen=True, slots=True)
class Tally:
    """Wrong guesses and when the last one was; of a caller also when he was last right. Seconds since the
    epoch.
    """

    wrong: float = 0.0
    wrong_at: float = 0.0
    right_at: float | None = None


class Tallies:
    """At most `MAX_CALLERS` strangers and as many known callers; the longest unseen are forgotten first.

    Lines are never forgotten: a flood of forged callers may push callers out, but not the account of the
    line.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._lines: dict[str, Tally] = {}
        self._strangers: dict[str, Tally] = {}
        self._known: dict[str, Tally] = {}
        if file is not None:
            self._load(file)

    def line(self, key: str) -> Tally:
        return self._lines.get(key, Tally())

    def caller(self, key: str) -> Tally:
        return self._known.get(key) or self._strangers.get(key) or Tally()

    async def put(self, line_key: str, line: Tally, caller_key: str | None, caller: Tally) -> None:
        """Remember both; `caller_key` None: only the line."""
        self._lines[line_key] = line
        if caller_key is not None:
            self._put_caller(caller_key, caller)
        if self._file is not None:
            await asyncio.to_thread(self._store, self._file, self._text())

    def _put_caller(self, key: str, caller: Tally) -> None:
        self._strangers.pop(key, None)
        self._known.pop(key, None)
        callers = self._strangers if caller.right_at is None else self._known
        callers[key] = caller
        if len(callers) > MAX_CALLERS:
            del callers[next(iter(callers))]

    def _text(self) -> str:
        kinds = {"lines": self._lines, "strangers": self._strangers, "known": self._known}
        return json.dumps(
            {kind: {key: asdict(tally) for key, tally in kept.items()} for kind, kept in kinds.items()}
        )

    def _load(self, file: Path) -> None:
        with contextlib.suppress(FileNotFoundError):
            try:
                kinds = json.loads(file.read_bytes())
                self._lines = {key: Tally(**kept) for key, kept in kinds["lines"].items()}
                self._strangers = {key: Tally(**kept) for key, kept in kinds["strangers"].items()}
                self._known = {key: Tally(**kept) for key, kept in kinds["known"].items()}
            except (ValueError, TypeError, KeyError, AttributeError):
                log.warning("%s is damaged; wrong PINs are counted from zero", file)

    def _store(self, file: Path, text: str) -> None:
        draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(text)
            os.replace(draft, file)
        except OSError as error:
            log.warning("cannot keep wrong PINs in %s: %s", file, error)
