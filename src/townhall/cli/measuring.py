"""`townhall bench`: how much this machine can carry."""

from typing import Annotated

import typer

from townhall.cli.printing import fail


def bench(
    calls_a_second: Annotated[float, typer.Option("--calls", min=1, help="Calls set up a second.")] = 50,
    callers: Annotated[int, typer.Option(min=2, help="Callers in the conference.")] = 300,
    talkers: Annotated[int, typer.Option(min=1, help="How many of them talk.")] = 10,
    seconds: Annotated[float, typer.Option(min=2, help="How long each of the two measurements lasts.")] = 10,
    as_json: Annotated[bool, typer.Option("--json", help="Print the figures as JSON.")] = False,
) -> None:
    """Measure this machine: how fast calls are answered, and what one conference costs."""
    import asyncio

    import msgspec
    from rich.console import Console

    from townhall.bench import BenchPlan, print_report, run_bench, show_progress

    if talkers >= callers:
        fail("--talkers has to be less than --callers: the others listen", 2)
    plan = BenchPlan(
        calls_a_second=calls_a_second,
        setup_s=seconds,
        callers=callers,
        talkers=talkers,
        conference_s=seconds,
    )
    with show_progress(Console(stderr=as_json)) as progress:
        report = asyncio.run(run_bench(plan, progress))
    if as_json:
        print(msgspec.json.encode(report).decode())
    else:
        print_report(report, Console())
