"""`townhall bench`: how much this machine can carry."""

from pathlib import Path
from typing import Annotated

import typer

from townhall.cli.printing import fail


def bench(
    calls_a_second: Annotated[float, typer.Option("--calls", min=1, help="Calls set up a second.")] = 50,
    callers: Annotated[int, typer.Option(min=2, help="Callers in the conference.")] = 300,
    talkers: Annotated[int, typer.Option(min=1, help="How many of them talk.")] = 10,
    moderated: Annotated[
        int, typer.Option(min=2, help="Callers in the conference that is moderated through the API.")
    ] = 200,
    browsers: Annotated[
        int, typer.Option(min=2, help="Browsers in the conference in which one of them talks.")
    ] = 100,
    talking_browsers: Annotated[
        int, typer.Option(min=2, help="Browsers in the conference in which all talk.")
    ] = 20,
    seconds: Annotated[float, typer.Option(min=2, help="How long each measurement lasts.")] = 10,
    json_file: Annotated[
        Path | None, typer.Option("--json", metavar="FILE", help="Write the figures to this file as JSON.")
    ] = None,
) -> None:
    """Measure this machine: how fast calls and the API are answered, and what conferences cost."""
    if talkers >= callers:
        fail("--talkers has to be less than --callers: the others listen", 2)
    if json_file is not None and not json_file.absolute().parent.is_dir():
        fail(f"--json {json_file}: there is no folder {json_file.parent}", 2)
    from townhall.bench import run
    from townhall.bench.course import WholeCourse
    from townhall.bench.plan import BenchPlan

    plan = BenchPlan(
        calls_a_second=calls_a_second,
        setup_s=seconds,
        callers=callers,
        talkers=talkers,
        conference_s=seconds,
        moderated=moderated,
        web_listeners=browsers,
        web_talkers=talking_browsers,
    )
    raise typer.Exit(run([WholeCourse(plan)], json_file=json_file))
