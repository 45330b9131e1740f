"""What `townhall bench` is made of: courses, each of which measures one thing and says what came of it.

A course starts what it needs (mostly a `Subject` of its own), measures, ends what it started, and returns an
`Outcome`: rows for people and figures for machines. It raises `BenchFailed` when it could not measure; the
other courses run all the same. `schedule.py` lists them, and what each does in a full and in a quick run.
"""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

Progress = Callable[[str, float], None]
"""What is being done, and how far it is, from 0 to 1."""


class Row(msgspec.Struct, frozen=True):
    """One line of a table. `reached`: whether the aim was; None where there is none."""

    what: str
    measured: str
    aim: str = ""
    reached: bool | None = None


class Table(msgspec.Struct, frozen=True):
    title: str
    rows: Sequence[Row]


class Outcome(msgspec.Struct, frozen=True):
    """What a course found. `figures` become the course's part of the JSON file, as they are."""

    figures: msgspec.Struct
    tables: Sequence[Table]
    spoiled: Sequence[str] = ()
    """Why figures say more of the load maker, or of the machine, than of the server; empty: they don't."""


class Course(Protocol):
    @property
    def name(self) -> str:
        """Its key in the JSON file, and what `--only` calls it."""

    @property
    def seconds(self) -> float:
        """About how long it takes."""

    async def run(self, progress: Progress) -> Outcome:
        """Measure; raises `BenchFailed`."""
