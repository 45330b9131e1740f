"""The figures as a table, and a progress bar while they come about."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from townhall.bench.courses import Outcome


@contextmanager
def show_progress(console: Console) -> Iterator[Callable[[str, float], None]]:
    """A bar on a terminal, a line per stage elsewhere; gives the function that moves it."""
    if not console.is_terminal:
        stages: list[str] = []

        def tell(doing: str, done: float) -> None:
            if doing not in stages:
                stages.append(doing)
                console.print(doing)

        yield tell
        return
    with Progress(
        TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), console=console, transient=True
    ) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda doing, done: bar.update(task, description=doing, completed=done)


def print_outcome(outcome: Outcome, console: Console) -> None:
    """Its tables, and what spoils them."""
    for rows in outcome.tables:
        table = Table(title=rows.title, title_justify="left", show_header=True, header_style="bold")
        table.add_column("")
        table.add_column("measured", justify="right")
        table.add_column("aim", justify="right")
        table.add_column("")
        for row in rows.rows:
            verdict = "" if row.reached is None else "[green]yes[/]" if row.reached else "[red]no[/]"
            table.add_row(row.what, row.measured, row.aim, verdict)
        console.print(table)
    for reason in outcome.spoiled:
        console.print(f"Spoiled: {reason}", markup=False)
