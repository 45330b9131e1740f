"""The figures for the documentation: tables in Markdown in a page between two marks, JSON and a picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from townhall.bench.courses import Outcome, Table
from townhall.bench.load.capacity import CapacityFigures
from townhall.bench.report.picture import picture
from townhall.bench.report.result import BenchResult, write_json
from townhall.bench.sound.figures import SoundFigures
from townhall.bench.sound.page import write_sound
from townhall.errors import TownhallError

BEGIN, END = "<!-- figures: written by `townhall bench --write` -->", "<!-- end of figures -->"
PAGE, PICTURE, JSON = "capacity.md", "capacity.svg", "capacity.json"


class PageError(TownhallError):
    """A page that the figures belong into is not there, or has no place for them."""


def check_page(folder: Path) -> None:
    """Raises `PageError` unless `write_pages` will find its page in the folder."""
    page = folder / PAGE
    if not page.is_file():
        raise PageError(f"there is no {page} to write the figures into")
    text = page.read_text()
    if BEGIN not in text or END not in text.split(BEGIN, 1)[1]:
        raise PageError(f"{page} has no place for the figures: {BEGIN} and then {END}")


def write_pages(folder: Path, result: BenchResult, outcomes: Mapping[str, Outcome]) -> list[Path]:
    """Write the page's figures, the JSON file and, where the capacity was measured, the picture."""
    check_page(folder)
    written = [folder / PAGE, folder / JSON]
    text = (folder / PAGE).read_text()
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    parts = _markdown(result, outcomes)
    write_json(result, folder / JSON)
    capacity = outcomes.get("capacity")
    if capacity is not None and isinstance(capacity.figures, CapacityFigures):
        (folder / PICTURE).write_text(picture(capacity.figures, result.machine.split(",")[0]))
        written.append(folder / PICTURE)
        parts.insert(1, f"![Processor, ticks and gaps of a growing conference]({PICTURE})")
    sound = outcomes.get("sound")
    if sound is not None and isinstance(sound.figures, SoundFigures):
        written += write_sound(folder, sound.figures)
    tables = "\n\n".join(parts)
    (folder / PAGE).write_text(f"{before}{BEGIN}\n\n{tables}\n\n{END}{after}")
    return written


def _markdown(result: BenchResult, outcomes: Mapping[str, Outcome]) -> list[str]:
    workers = f", {result.media_workers} media processes" if result.media_workers > 1 else ""
    parts = [
        f"Townhall {result.version} on {result.machine}, {result.cores} cores{workers}; {result.at}, in"
        f" {result.seconds / 60:.0f} minutes."
    ]
    for name, course in result.courses.items():
        if course.failure:
            parts.append(f"**{name}** could not be measured: {course.failure.splitlines()[0]}")
        elif name in outcomes:
            parts += [_table(table) for table in outcomes[name].tables]
            parts += [f"*Spoiled: {reason}.*" for reason in outcomes[name].spoiled]
    return parts


def _table(table: Table) -> str:
    rows: Sequence[str] = [
        f"| {row.what} | {row.measured} | {row.aim} | {_verdict(row.reached)} |" for row in table.rows
    ]
    head = f"### {table.title[:1].upper()}{table.title[1:]}\n\n| | measured | aim | |\n|---|---:|---:|---|\n"
    return head + "\n".join(rows)


def _verdict(reached: bool | None) -> str:
    return "" if reached is None else "yes" if reached else "**no**"
