"""`townhall bench`: how much this machine can carry."""

from pathlib import Path
from typing import Annotated

import typer

from townhall.cli.printing import fail


def bench(
    quick: Annotated[bool, typer.Option("--quick", help="Small courses only, in under two minutes.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(metavar="COURSE", help="Run this course; may be given again.")
    ] = None,
    write: Annotated[
        Path | None,
        typer.Option(
            metavar="FOLDER",
            help="Write the figures into capacity.md in this folder, with capacity.json and capacity.svg.",
        ),
    ] = None,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures to this file as JSON.")
    ] = None,
) -> None:
    """Measure this machine: how fast calls and the API are answered, what conferences cost and deliver."""
    if json_file is not None and not json_file.absolute().parent.is_dir():
        fail(f"--json {json_file}: there is no folder {json_file.parent}", 2)
    from townhall.bench.command import run
    from townhall.bench.report.pages import PageError, check_page
    from townhall.bench.schedule import courses

    try:
        if write is not None:
            check_page(write)
    except PageError as error:
        fail(f"--write {write}: {error}", 2)

    listed = {course.name: course for course in courses(quick)}
    unknown = [name for name in only or [] if name not in listed]
    if unknown:
        fail(f"--only {unknown[0]}: there is no such course; there are {', '.join(listed)}", 2)
    chosen = [course for name, course in listed.items() if not only or name in only]
    raise typer.Exit(run(chosen, quick=quick, json_file=json_file, pages=write))
