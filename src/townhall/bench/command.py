"""`townhall bench` itself: measure with a progress bar, print the table, write JSON if asked to."""

import asyncio
import sys
from pathlib import Path

import msgspec
from rich.console import Console

from townhall.bench.course import run_bench
from townhall.bench.plan import BenchPlan, BenchReport
from townhall.bench.subject import BenchFailed
from townhall.bench.table import print_report, show_progress


def run(plan: BenchPlan | None = None, json_file: Path | None = None) -> int:
    """Measure and print; returns an exit status. `json_file`: where the figures go as JSON as well."""
    console = Console()
    if sys.platform != "linux":
        console.print("townhall bench needs Linux: its phones choose their sources by IP_PKTINFO")
        return 2
    # The phones' thread must not wait 5 ms for the signalling to let go of the interpreter.
    sys.setswitchinterval(0.0005)
    try:
        with show_progress(console) as progress:
            report = asyncio.run(run_bench(plan or BenchPlan(), progress))
    except BenchFailed as error:
        console.print(f"The measurement failed: {error}", markup=False)
        return 1
    print_report(report, console)
    if json_file is not None:
        write_json(report, json_file)
        console.print(f"The figures are in {json_file}")
    return 0


def write_json(report: BenchReport, file: Path) -> None:
    file.write_bytes(msgspec.json.format(msgspec.json.encode(report), indent=2) + b"\n")
